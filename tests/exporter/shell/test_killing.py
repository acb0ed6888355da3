"""When a kill from a shell goes through the exporter, when straight, and when not at all."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.__main__ import main
from exporter.shell import killing, straight
from tests.doubles.bots import OwnBot
from tests.doubles.in_thread import served
from tests.exporter.shell.answering import answering

PROVEN = {"bot": "arb", "state": "verified", "says": "HALTED, PROVEN (flag)"}


@pytest.fixture
def straight_kills(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, Any]]]:
    """Which bots were killed straight, and how."""
    kills: list[tuple[list[str], dict[str, Any]]] = []

    async def kill(_: object, bots: Any, **how: Any) -> list[dict[str, object]]:
        kills.append(([bot.name for bot in bots], how))
        return [PROVEN | {"bot": bot.name} for bot in bots]

    monkeypatch.setattr(straight, "kill", kill)
    return kills


def settings(folder: Path, port: int, bot_port: int = 9) -> Path:
    (folder / "ann").write_text("a-token-of-ann\n")
    written = {
        "listen": {"port": port},
        "reporting_db": str(folder / "data" / "reporting.db"),
        "tokens": {"operators": {"ann": str(folder / "ann")}},
        "bots": [{"name": "arb", "kind": "arb", "port": bot_port}],
    }
    path = folder / "exporter.yml"
    path.write_text(yaml.safe_dump(written))
    return path


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
def test_an_exporter_that_cannot_decide_it_stands_before_no_kill(
    tmp_path: Path, straight_kills: list[Any], capsys: pytest.CaptureFixture[str], status: int
) -> None:
    with answering(status, {"error": "something is wrong"}) as there:
        words = ["kill", "arb", "--config", str(settings(tmp_path, there.server_port)), "--reason", "now"]
        assert main(words) == 0
    ((bots, how),) = straight_kills
    assert bots == ["arb"]
    assert how["reason"] == "now"
    assert "the exporter did not take it (something is wrong). Killing from here" in capsys.readouterr().err


@pytest.mark.parametrize("status", [403, 409, 422])
def test_somebody_whom_it_refuses_stays_refused(
    tmp_path: Path, straight_kills: list[Any], capsys: pytest.CaptureFixture[str], status: int
) -> None:
    with answering(status, {"error": "you may look"}) as there:
        assert main(["kill", "arb", "--config", str(settings(tmp_path, there.server_port))]) == 2
    assert straight_kills == []
    assert capsys.readouterr().err == "you may look\n"


def test_an_exporter_that_dies_while_it_is_followed_is_not_waited_for(
    tmp_path: Path, straight_kills: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def died(*_: object) -> Any:
        raise killing.NoExporter("no exporter answers")

    monkeypatch.setattr(killing, "_followed", died)
    with answering(200, {}) as there:
        assert main(["kill", "arb", "--config", str(settings(tmp_path, there.server_port))]) == 0
        assert [path for _, path, _, _ in there.asked] == ["/api/bots/arb/kill"]
    assert len(straight_kills) == 1


def test_who_presses_is_named_by_the_account_where_nobody_else_is(
    tmp_path: Path, straight_kills: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    path = settings(tmp_path, 9)
    for answers in (lambda: "root", nobody):
        monkeypatch.setattr("getpass.getuser", answers)
        assert main(["kill", "arb", "--config", str(path)]) == 0
    assert main(["kill", "arb", "--config", str(path), "--as", "ann"]) == 0
    assert [how["who"] for _, how in straight_kills] == ["root", "an account without a name", "ann"]


def test_a_latch_that_cannot_be_kept_is_said_and_the_bot_is_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").write_text("where the latch would be")
    with served(OwnBot()) as bot:
        assert main(["kill", "arb", "--config", str(settings(tmp_path, 9, bot.port)), "--wait", "20"]) == 0
        assert bot.bot.killed
    said = capsys.readouterr()
    assert "arb: HALTED, PROVEN (flag)" in said.out
    assert "arb: an exporter that starts later will not know of this kill" in said.err


def test_a_bot_that_cannot_be_reached_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kill", "arb", "--config", str(settings(tmp_path, 9)), "--wait", "0.5"]) == 1
    assert "arb: KILLING" in capsys.readouterr().out
