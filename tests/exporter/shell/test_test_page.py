"""`test-page`: a line for each channel, and an exit code that is 0 only where all of them delivered."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.__main__ import main
from tests.exporter.shell.answering import answering

SLACK = {"channel": "slack", "state": "delivered", "says": ""}
HOOK = {"channel": "webhook", "state": "failed", "says": "does the address answer with 2xx?"}


def answer(state: str, *channels: dict[str, str]) -> dict[str, Any]:
    return {
        "page": "ab",
        "state": state,
        "says": "in short",
        "tone": "",
        "seconds": 1.5,
        "channels": [*channels],
    }


def settings(folder: Path) -> str:
    (folder / "ann").write_text("Xk3-ann-qlTGW2UZb0z9")
    content = {
        "tokens": {"operators": {"ann": str(folder / "ann")}},
        "bots": [{"name": "arb", "kind": "arb"}],
    }
    (folder / "exporter.yml").write_text(yaml.safe_dump(content))
    return str(folder / "exporter.yml")


@pytest.mark.parametrize(
    ("content", "code", "printed"),
    [
        (answer("delivered", SLACK), 0, "slack: DELIVERED\n"),
        (
            answer("failed", SLACK, HOOK),
            1,
            "slack: DELIVERED\nwebhook: FAILED: does the address answer with 2xx?\n",
        ),
        (answer("nothing_set"), 1, "in short\n"),
        (answer("unknown", {**SLACK, "state": "unknown"}), 1, "slack: UNKNOWN\n"),
    ],
    ids=["delivered", "failed", "nothing set", "unknown"],
)
def test_each_channel_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: Any, code: int, printed: str
) -> None:
    with answering(200, content) as server:
        words = ["--config", settings(tmp_path), "--listen", server.address, "test-page"]
        assert main([*words, "--severity", "warning", "--reason", "weekly"]) == code
        assert capsys.readouterr().out == printed
        assert main([*words, "--json"]) == code
    assert json.loads(capsys.readouterr().out) == content
    (method, path, fields, token), plain = server.asked
    assert (method, path, fields) == ("POST", "/api/alerts/test", {"severity": "warning", "reason": "weekly"})
    assert token == "Bearer Xk3-ann-qlTGW2UZb0z9"
    assert plain[2] == {"severity": "critical"}


def test_what_is_refused_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(409, {"error": "a test page is under way"}) as server:
        assert main(["--config", settings(tmp_path), "--listen", server.address, "test-page"]) == 2
    assert "a test page is under way" in capsys.readouterr().err
