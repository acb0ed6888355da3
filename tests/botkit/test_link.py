"""One client's end of the link, against a transport that a test fills and drains by hand."""

import asyncio
import itertools
import json

import pytest

from botkit import messages
from botkit.commands import Commands
from botkit.link import WRITE_BYTES, Limits, Link
from botkit.metrics_registry import Registry


class HandTransport(asyncio.Transport):
    """A transport whose peer takes bytes when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.link: Link
        self.unsent = b""
        self.sent = b""
        self.reading = True
        self.closing = False
        self.high = 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high or 0

    def get_write_buffer_size(self) -> int:
        return len(self.unsent)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closing, "written after the end"
        before, self.unsent = len(self.unsent), self.unsent + bytes(data)
        if before <= self.high < len(self.unsent):
            self.link.pause_writing()

    def take(self, count: int) -> None:
        """Let the peer take that many bytes."""
        was_high = len(self.unsent) > self.high
        self.sent, self.unsent = self.sent + self.unsent[:count], self.unsent[count:]
        if was_high and len(self.unsent) <= self.high // 4:
            self.link.resume_writing()

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = True
        self.unsent = b""


class Desk:
    """A server with one link, and a clock that a test moves."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.now = 0.0
        self.heard: list[object] = []
        self.drops: list[str] = []
        self.lost = 0
        self.refusal = ""
        self.limits = limits or Limits()
        self.commands = Commands({"note": self.note}, Registry())
        self.transport = HandTransport()
        self.link = self.transport.link = Link(self, lambda: self.now)

    def note(self, request: dict[str, object]) -> dict[str, object]:
        self.heard.append(request["n"])
        return {"ok": True, "padding": request.get("padding")}

    def joined(self, _link: Link) -> str:
        return self.refusal

    def left(self, _link: Link) -> None:
        pass

    def dropped(self, reason: str) -> None:
        self.drops.append(reason)

    def state_lost(self) -> None:
        self.lost += 1

    def connect(self) -> "Desk":
        self.link.connection_made(self.transport)
        return self

    def receive(self, data: bytes) -> None:
        buffer = self.link.get_buffer(-1)
        for at in range(0, len(data), len(buffer)):
            part = data[at : at + len(buffer)]
            buffer[: len(part)] = part
            self.link.buffer_updated(len(part))


@pytest.fixture
async def desk() -> Desk:
    return Desk().connect()


def command(n: int, padding: str = "") -> bytes:
    return json.dumps({"type": "note", "n": n, "padding": padding}).encode() + b"\n"


STATE = messages.encode({"type": "state", "padding": "x" * WRITE_BYTES})


async def test_a_client_that_takes_a_little_in_time_is_kept_and_one_that_takes_nothing_is_not(
    desk: Desk,
) -> None:
    desk.link.send_state(STATE)
    desk.link.send_state(STATE)
    for _ in range(10):
        desk.now += 29
        desk.transport.take(10)
        desk.link.check_patience()
    assert desk.drops == []
    desk.now += 29.9
    desk.link.check_patience()
    assert desk.drops == []
    desk.now += 0.1
    desk.link.check_patience()
    assert desk.drops == ["not_reading"]
    assert desk.transport.closing


async def test_a_client_for_whom_nothing_waits_is_never_impatiently_dropped(desk: Desk) -> None:
    desk.now += 86_400
    desk.link.check_patience()
    desk.link.send_state(b"{}\n")
    desk.now += 86_400
    desk.transport.take(3)
    desk.link.check_patience()
    assert desk.drops == []


async def test_a_heartbeat_is_never_delivered_late(desk: Desk) -> None:
    desk.link.send_state(STATE)
    desk.link.send_heartbeat(b"old heartbeat\n")
    desk.transport.take(len(STATE))
    desk.link.send_heartbeat(b"new heartbeat\n")
    assert desk.transport.sent + desk.transport.unsent == STATE + b"new heartbeat\n"


async def test_a_blocked_client_loses_the_oldest_states_and_keeps_its_answers(desk: Desk) -> None:
    desk.link.send_state(STATE)
    desk.receive(command(1))
    for n in range(40):
        desk.link.send_state(f"state {n}\n".encode())
    assert desk.lost == 40 - desk.limits.waiting_states
    desk.transport.take(len(STATE))
    lines = desk.transport.unsent.splitlines()
    assert json.loads(lines[0]) == {"type": "note_ack", "ok": True, "padding": ""}
    assert lines[1:] == [f"state {n}".encode() for n in range(8, 40)]


async def test_reading_stops_while_answers_wait_and_goes_on_when_they_have_gone() -> None:
    desk = Desk(Limits(commands=(1e9, 1e9))).connect()
    desk.link.send_state(STATE)
    desk.receive(b"".join(command(n) for n in range(100)))
    while len(desk.heard) < 64:
        await asyncio.sleep(0)
    assert not desk.transport.reading
    assert desk.heard == list(range(64))
    desk.transport.take(len(STATE))
    while len(desk.heard) < 100:
        desk.transport.take(WRITE_BYTES)
        await asyncio.sleep(0)
    assert desk.transport.reading
    assert desk.heard == list(range(100))


async def test_no_client_keeps_the_others_waiting_for_more_than_a_few_commands(desk: Desk) -> None:
    desk.receive(b"".join(command(n) for n in range(200)))
    turns = [len(desk.heard)]
    while len(desk.heard) < 200:
        await asyncio.sleep(0)
        turns.append(len(desk.heard))
    assert max(b - a for a, b in itertools.pairwise([0, *turns])) <= 16


async def test_after_its_end_a_stream_is_not_read_again_while_answers_wait(desk: Desk) -> None:
    desk.link.send_state(STATE)
    desk.receive(command(1)[:-1])
    desk.transport.reading = False  # as a transport does when the stream has ended
    assert desk.link.eof_received()
    assert not desk.transport.reading
    assert not desk.transport.closing
    assert desk.heard == [1]
    desk.transport.take(len(STATE))
    assert desk.transport.closing
    assert b"note_ack" in desk.transport.unsent


async def test_a_client_that_ends_and_does_not_take_its_answers_is_dropped_too(desk: Desk) -> None:
    desk.receive(command(1))
    desk.link.eof_received()
    desk.link.check_patience()
    desk.now += 31
    desk.link.check_patience()
    assert desk.drops == ["not_reading"]


async def test_a_client_over_its_rate_is_read_again_when_time_has_passed() -> None:
    desk = Desk(Limits(commands=(1000.0, 2.0))).connect()
    desk.receive(b"".join(command(n) for n in range(4)))
    assert desk.heard == [0, 1, 2]
    assert not desk.transport.reading
    desk.now += 1
    while len(desk.heard) < 4:
        await asyncio.sleep(0.001)
    assert desk.transport.reading


async def test_what_was_read_whole_is_carried_out_after_the_end_but_not_without_bound() -> None:
    desk = Desk(Limits(commands=(1.0, 1.0))).connect()
    desk.receive(b"".join(command(n) for n in range(100)) + b'{"type":"note","n":"half')
    desk.transport.closing = True
    desk.link.connection_lost(None)
    assert desk.heard == list(range(len(desk.heard)))
    assert 64 <= len(desk.heard) <= 80
    assert desk.link.gone.done()


async def test_a_refused_client_is_told_and_not_listened_to() -> None:
    desk = Desk()
    desk.refusal = "too many clients: 64 are connected already"
    desk.connect()
    assert json.loads(desk.transport.unsent) == {"type": "error", "error": desk.refusal}
    assert desk.transport.closing
    desk.receive(command(1))
    assert desk.heard == []
