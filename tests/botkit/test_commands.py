"""Commands and their answers, without a socket."""

import dataclasses
import json
import math

import pytest

from botkit.commands import LONGEST_ID, Commands, update_config
from botkit.hot_reload import SettingsStore, setting
from botkit.metrics_registry import Registry


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    cap: float = setting(10.0, key="ARB_CAP", category="safety", minimum=0)
    edge: float | None = setting(0.5, key="ARB_EDGE", category="lanes")
    port: int = setting(9120, key="ARB_PORT", category="runtime", hot=False)


def fail(_request: dict[str, object]) -> dict[str, object]:
    raise OSError("No space left on device")


def endless(_request: dict[str, object]) -> dict[str, object]:
    answer: dict[str, object] = {"ok": True}
    answer["self"] = answer
    return answer


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def commands(registry: Registry) -> Commands:
    handlers = {
        "update_config": update_config(SettingsStore[object](Settings())),
        "kill_switch": fail,
        "echo": lambda request: {"ok": True, "type": "disguise", "got": request},
        "endless": endless,
        "nothing": lambda _request: None,
    }
    return Commands(handlers, registry)  # type: ignore[arg-type]


def ask(commands: Commands, request: object) -> object:
    answer = commands.answer(json.dumps(request).encode())
    return None if answer is None else json.loads(answer)


CONFIG = [
    ({"key": "ARB_CAP", "value": 20}, {"key": "ARB_CAP", "ok": True, "old": 10.0, "new": 20}),
    ({"key": "ARB_CAP", "value": "20.5"}, {"key": "ARB_CAP", "ok": True, "old": 10.0, "new": "20.5"}),
    ({}, {"ok": False, "error": "missing key"}),
    ({"key": ""}, {"ok": False, "error": "missing key"}),
    ({"key": "ARB_CAP"}, {"key": "ARB_CAP", "ok": False, "error": "missing value"}),
    ({"key": "ARB_PORT", "value": 1}, {"key": "ARB_PORT", "ok": False, "error": "requires_restart"}),
    ({"key": "K", "value": 1}, {"key": "K", "ok": False, "error": "unknown key: K"}),
    ({"key": ["K"], "value": 1}, {"key": ["K"], "ok": False, "error": "unknown key: ['K']"}),
    (
        {"key": "ARB_CAP", "value": -1},
        {"key": "ARB_CAP", "ok": False, "error": "expected a number from 0, got -1"},
    ),
]


@pytest.mark.parametrize(("request_", "fields"), CONFIG)
def test_update_config_answers_as_the_base_protocol_says(
    commands: Commands, request_: dict[str, object], fields: dict[str, object]
) -> None:
    assert ask(commands, {"type": "update_config", **request_}) == {"type": "update_config_ack", **fields}


NOT_FINITE = [("NaN", "NaN"), ("-1e999", "-Infinity"), ("Infinity", "Infinity")]


@pytest.mark.parametrize(("literal", "got"), NOT_FINITE)
def test_a_number_that_is_not_finite_is_refused_and_never_read_as_blank(
    commands: Commands, literal: str, got: str
) -> None:
    for key, expected in (("ARB_CAP", "a number from 0"), ("ARB_EDGE", "a number or blank to inherit")):
        answer = commands.answer(f'{{"type":"update_config","key":"{key}","value":{literal}}}'.encode())
        assert json.loads(answer or b"") == {
            "type": "update_config_ack",
            "key": key,
            "ok": False,
            "error": f"expected {expected}, got {got}",
        }


@pytest.mark.parametrize("identity", ["a1", "", 7, "x" * LONGEST_ID])
def test_an_id_comes_back_with_the_answer(commands: Commands, identity: object) -> None:
    for command in ("echo", "update_config", "kill_switch", "unheard_of"):
        answer = ask(commands, {"type": command, "id": identity})
        assert isinstance(answer, dict)
        assert answer["id"] == identity


@pytest.mark.parametrize("identity", [None, ["a"], {"a": 1}, 7.5, math.nan, "x" * (LONGEST_ID + 1)])
def test_what_is_no_id_is_not_echoed_but_the_command_is_carried_out(
    commands: Commands, identity: object
) -> None:
    answer = ask(commands, {"type": "echo", "id": identity})
    assert isinstance(answer, dict)
    assert answer["ok"] is True
    assert "id" not in answer


def test_without_an_id_none_is_invented(commands: Commands) -> None:
    assert ask(commands, {"type": "kill_switch"}) == {
        "type": "kill_switch_ack",
        "ok": False,
        "error": "No space left on device",
    }


def test_the_type_of_an_answer_is_always_the_commands(commands: Commands) -> None:
    answer = ask(commands, {"type": "echo", "n": 1})
    assert answer == {"type": "echo_ack", "ok": True, "got": {"type": "echo", "n": 1}}


def test_a_handler_that_fails_is_answered_logged_and_counted(
    commands: Commands, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    ask(commands, {"type": "kill_switch"})
    nothing = ask(commands, {"type": "nothing"})
    assert nothing == {
        "type": "nothing_ack",
        "ok": False,
        "error": "'NoneType' object has no attribute 'items'",
    }
    assert registry.counter("control_socket_commands_failed").value == 2
    assert "the handler of kill_switch failed" in caplog.text


def test_an_answer_that_cannot_be_written_is_told_instead(commands: Commands) -> None:
    answer = ask(commands, {"type": "endless", "id": "e"})
    assert answer == {"type": "endless_ack", "ok": False, "error": "it contains itself", "id": "e"}


def test_an_unknown_type_is_named_shortened(commands: Commands) -> None:
    assert ask(commands, {"type": "close_everything"}) == {
        "type": "error",
        "error": "unknown type: close_everything",
    }
    answer = ask(commands, {"type": "x" * 5000})
    assert answer == {"type": "error", "error": "unknown type: " + "x" * 100}


def test_base_commands_without_a_handler_say_so() -> None:
    bare = Commands({}, Registry())
    for command in ("update_config", "kill_switch"):
        answer = ask(bare, {"type": command, "key": "K"})
        assert answer == {"type": f"{command}_ack", "ok": False, "error": "no handler"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [(b"{", "not_json"), (b"\xff", "not_utf8"), (b"[1]", "not_an_object"), (b'{"a":1}', "no_type")],
)
def test_a_malformed_line_does_nothing_and_is_counted_by_reason(
    commands: Commands, registry: Registry, line: bytes, reason: str
) -> None:
    assert commands.answer(line) is None
    counted = {s["name"]: s["value"] for s in registry.snapshot() if "_malformed_" in s["name"]}
    assert counted == {
        f"control_socket_malformed_{r}": int(r == reason)
        for r in ("too_long", "not_utf8", "not_json", "not_an_object", "no_type")
    }
    assert registry.counter("control_socket_commands").value == 0
