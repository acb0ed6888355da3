"""The secrets of a first start and the targets for Prometheus."""

import stat
from pathlib import Path

import pytest
import yaml

from deploy.first_start import (
    ADMIN_PASSWORD,
    OPERATOR_TOKEN,
    SECRETS,
    WALL_PASSWORD,
    main,
    make_secrets,
    write_targets,
)


def test_a_first_start_makes_different_secrets_that_others_cannot_read(tmp_path: Path) -> None:
    assert make_secrets(tmp_path / "secrets") == list(SECRETS)
    files = [tmp_path / "secrets" / name for name in SECRETS]
    assert len({file.read_text() for file in files}) == len(SECRETS)
    assert all(len(file.read_text()) >= 32 for file in files)
    assert all(stat.S_IMODE(file.stat().st_mode) & 0o007 == 0 for file in files)
    # Grafana's group reads its own secrets, and not the one with which a bot is killed.
    assert stat.S_IMODE((tmp_path / "secrets" / OPERATOR_TOKEN).stat().st_mode) == 0o600


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    before = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert make_secrets(tmp_path) == []
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == before


def test_a_start_that_was_cut_short_is_made_good(tmp_path: Path) -> None:
    (tmp_path / ADMIN_PASSWORD).write_text("")
    (tmp_path / f"{WALL_PASSWORD}.new").write_text("half")
    assert make_secrets(tmp_path) == list(SECRETS)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(SECRETS)


def test_targets_are_what_prometheus_reads(tmp_path: Path) -> None:
    write_targets(tmp_path, ["exporter=127.0.0.1:9121", "prometheus=127.0.0.1:9090"])
    assert yaml.safe_load((tmp_path / "exporter.yml").read_text()) == [{"targets": ["127.0.0.1:9121"]}]
    assert yaml.safe_load((tmp_path / "prometheus.yml").read_text()) == [{"targets": ["127.0.0.1:9090"]}]


def test_a_folder_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main([str(tmp_path / "file" / "secrets")]) == 1
    assert capsys.readouterr().err.startswith("cannot write ")


def test_one_call_makes_secrets_and_targets(tmp_path: Path) -> None:
    secrets, targets = tmp_path / "secrets", tmp_path / "targets"
    assert (
        main([str(secrets), "--targets", str(targets), "exporter=127.0.0.1:1", "prometheus=127.0.0.1:2"]) == 0
    )
    assert sorted(file.name for file in targets.iterdir()) == ["exporter.yml", "prometheus.yml"]
    assert len(list(secrets.iterdir())) == len(SECRETS)
