"""The passwords of a first start and the targets for Prometheus."""

import stat
from pathlib import Path

import pytest
import yaml

from deploy.first_start import ADMIN_PASSWORD, WALL_PASSWORD, main, make_passwords, write_targets


def test_a_first_start_makes_two_different_passwords_that_others_cannot_read(tmp_path: Path) -> None:
    assert make_passwords(tmp_path / "secrets") == [ADMIN_PASSWORD, WALL_PASSWORD]
    files = [tmp_path / "secrets" / name for name in (ADMIN_PASSWORD, WALL_PASSWORD)]
    assert len({file.read_text() for file in files}) == 2
    assert all(len(file.read_text()) >= 24 for file in files)
    assert all(stat.S_IMODE(file.stat().st_mode) & 0o007 == 0 for file in files)


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    make_passwords(tmp_path)
    before = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert make_passwords(tmp_path) == []
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == before


def test_a_start_that_was_cut_short_is_made_good(tmp_path: Path) -> None:
    (tmp_path / ADMIN_PASSWORD).write_text("")
    (tmp_path / f"{WALL_PASSWORD}.new").write_text("half")
    assert make_passwords(tmp_path) == [ADMIN_PASSWORD, WALL_PASSWORD]
    assert sorted(file.name for file in tmp_path.iterdir()) == [ADMIN_PASSWORD, WALL_PASSWORD]


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


def test_one_call_makes_passwords_and_targets(tmp_path: Path) -> None:
    secrets, targets = tmp_path / "secrets", tmp_path / "targets"
    assert (
        main([str(secrets), "--targets", str(targets), "exporter=127.0.0.1:1", "prometheus=127.0.0.1:2"]) == 0
    )
    assert sorted(file.name for file in targets.iterdir()) == ["exporter.yml", "prometheus.yml"]
    assert len(list(secrets.iterdir())) == 2
