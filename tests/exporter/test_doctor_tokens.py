"""The doctor says who has no usable token, before somebody needs one."""

from pathlib import Path

import pytest

from exporter.config import Config
from exporter.doctor_tokens import tokens_of

GOOD = "kX9-fQ2_pL7vR4tZ8wB1nM6c"


def config(folder: Path, token: str | None, host: str = "127.0.0.1", **more: object) -> Config:
    file = folder / "ann_token"
    if token is not None:
        file.write_text(token)
    raw = {"tokens": {"operators": {"ann": str(file)}}, "listen": {"host": host}} | more
    return Config.model_validate({"bots": [{"name": "arb", "kind": "arb"}]} | raw)


def test_good_tokens_pass_by_name(tmp_path: Path) -> None:
    (found,) = tokens_of(config(tmp_path, GOOD))
    assert (found.level, found.says) == ("PASS", "each has a good one: operator ann")
    assert GOOD not in str(found)


@pytest.mark.parametrize(("host", "level"), [("127.0.0.1", "WARN"), ("0.0.0.0", "FAIL")])
def test_a_bad_token_fails_where_others_can_reach_it(tmp_path: Path, host: str, level: str) -> None:
    (found,) = tokens_of(config(tmp_path, "change-me-change-me-change-me", host))
    assert found.level == level
    assert "looks like a sample" in found.says and "token_urlsafe" in found.fix
    assert "change-me" not in found.says


def test_a_token_file_that_is_missing_is_named(tmp_path: Path) -> None:
    (found,) = tokens_of(config(tmp_path, None))
    assert "operator ann" in found.says and "No such file" in found.says


def test_nobody_to_change_things_and_nobody_for_grafana_are_warnings(tmp_path: Path) -> None:
    grafana = tmp_path / "grafana_token"
    grafana.write_text(GOOD)
    found = tokens_of(config(tmp_path, None, tokens={"grafana": str(grafana)}))
    assert [(f.level, f.check) for f in found] == [
        ("PASS", "tokens"),
        ("WARN", "operators"),
        ("WARN", "grafana users"),
    ]
