"""How a command is followed until it is decided, and what is said where that cannot be seen any more."""

import argparse
from typing import Any

import pytest

from exporter.shell import commands
from exporter.shell.client import NoExporter


class Asked:
    """Answers what a test gives it, one after the other; an exception is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def get(self, path: str) -> Any:
        assert path == "/bots/arb/commands/c1"
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def at(state: str, says: str) -> dict[str, Any]:
    return {"bot": "arb", "command_id": "c1", "state": state, "says": says}


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "LOOK_SECONDS", 0.0)


def followed(*answers: Any, wait: float = 60.0) -> int:
    options = argparse.Namespace(wait=wait, json=False)
    first, *rest = answers
    return commands._follow(Asked(*rest), options, first)  # type: ignore[arg-type]


def test_each_new_sentence_is_said_once_and_the_last_one_is_the_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    acked = at("acked", "acked; no later state shows it yet")
    assert followed(at("sent", "sent"), acked, acked, at("verified", "a later state shows paused")) == 0
    said = capsys.readouterr()
    assert said.err == "sent\nacked; no later state shows it yet\n"
    assert said.out == "arb: VERIFIED: a later state shows paused\n"


@pytest.mark.parametrize("state", ["not_verified", "refused", "unknown", "mode_flipped", "poisoned"])
def test_whatever_is_not_proven_ends_with_1(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert followed(at(state, "it went wrong")) == 1
    assert capsys.readouterr().out == f"arb: {state.replace('_', ' ').upper()}: it went wrong\n"


def test_what_no_state_can_show_counts_as_done() -> None:
    assert followed(at("acked_not_observable", "no state can show it")) == 0


def test_an_exporter_that_ends_meanwhile_leaves_it_open(capsys: pytest.CaptureFixture[str]) -> None:
    assert followed(at("acked", "acked"), NoExporter("no exporter answers")) == 1
    assert "no exporter answers; it was sent, and what becomes of it stands in" in capsys.readouterr().err


def test_nobody_waits_longer_than_was_said() -> None:
    assert followed(at("acked", "acked"), wait=0.0) == 1
