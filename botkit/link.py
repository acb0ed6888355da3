"""One client of the control socket: what it may ask, what it gets, and when it is let go.

Nothing here waits. A client that sends too much is read more slowly, one that does not read loses states
and after `patience` the connection, one that sends garbage without end loses it too; no other client
notices. What was read as a whole line is carried out even where the client has gone meanwhile.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from botkit import messages
from botkit.allowance import Allowance
from botkit.commands import Commands
from botkit.outbox import Outbox

COMMAND_LIMIT: Final = 64 * 1024
"""Longest command in bytes. A longer line is not parsed, which would hold up the engine, but refused; past
`messages.LINE_LIMIT` its sender is dropped."""

READ_BYTES: Final = 16 * 1024
WRITE_BYTES: Final = 64 * 1024
LINES_A_TURN: Final = 16
LINES_AFTER_THE_END: Final = 64

NOT_READING: Final = "not_reading"
GARBAGE: Final = "garbage"
ENDLESS_LINE: Final = "endless_line"
DROP_REASONS: Final = (NOT_READING, GARBAGE, ENDLESS_LINE)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may cost; rates are per second, with a burst."""

    clients: int = 64
    waiting_states: int = 32
    patience: float = 30.0
    commands: tuple[float, float] = (200.0, 400.0)
    malformed: tuple[float, float] = (10.0, 1_000.0)
    bytes_in: tuple[float, float] = (4e6, 1e6)


class Host(Protocol):
    """The server as one of its links sees it."""

    commands: Commands
    limits: Limits

    def joined(self, link: "Link") -> str:
        """Take the link in, or return the sentence that refuses it."""

    def left(self, link: "Link") -> None:
        """Forget the link."""

    def dropped(self, reason: str) -> None:
        """Count a link that was ended, for one of `DROP_REASONS`."""

    def state_lost(self) -> None:
        """Count a state that a slow client will not get."""


class Link(asyncio.BufferedProtocol):
    """The server's end of one connection; all its methods run in the control socket's loop."""

    _transport: asyncio.Transport

    def __init__(self, host: Host, clock: Callable[[], float]) -> None:
        now = clock()
        self._host = host
        self._clock = clock
        self._buffer = bytearray(READ_BYTES)
        self._splitter = messages.LineSplitter(COMMAND_LIMIT)
        self._inbox: deque[bytes | messages.TooLong] = deque()
        self._outbox = Outbox(host.limits.waiting_states)
        self._commands = Allowance(*host.limits.commands, now)
        self._malformed = Allowance(*host.limits.malformed, now)
        self._bytes_in = Allowance(*host.limits.bytes_in, now)
        self._next_turn: asyncio.Handle | None = None
        self._blocked = False
        self._ending = False
        self._refused = False
        self._stalled_since = now
        self._stalled_at_bytes = 0
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the connection is closed."""

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the server for a place; a full one answers with a sentence and closes."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(WRITE_BYTES)
        refusal = self._host.joined(self)
        if refusal:
            self._refused = True
            transport.write(messages.encode({"type": messages.ERROR, "error": refusal}))
            transport.close()

    def get_buffer(self, _sizehint: int) -> bytearray:
        """Read little at a time, so that no client's bytes hold up the others'."""
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        """Cut what came into lines and work on them; a line without end ends the link."""
        if self._refused:
            return
        self._inbox += self._splitter.feed(bytes(memoryview(self._buffer)[:count]))
        self._bytes_in.spend(count, self._clock())
        if self._splitter.unfinished > messages.LINE_LIMIT:
            self.drop(ENDLESS_LINE)
        else:
            self._work()

    def eof_received(self) -> bool:
        """Take an unfinished last line as a line, answer it, then close."""
        self._inbox += self._splitter.close()
        self._ending = True
        self._work()
        return True

    def pause_writing(self) -> None:
        """Note since when the client takes nothing."""
        self._blocked = True
        self._note_stall()

    def resume_writing(self) -> None:
        """Go on sending."""
        self._blocked = False
        self._flush()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Carry out what was read whole, then be forgotten."""
        if self._next_turn:
            self._next_turn.cancel()
        for _ in range(min(len(self._inbox), LINES_AFTER_THE_END)):
            self._carry_out(self._inbox.popleft())
        self._inbox.clear()
        self._host.left(self)
        self.gone.set_result(None)

    # What the server asks.

    def send_state(self, line: bytes) -> None:
        """Send a line that may be lost when the client is slow."""
        if not self._ending:
            if self._outbox.put_state(line):
                self._host.state_lost()
            self._flush()

    def send_heartbeat(self, line: bytes) -> None:
        """Send a line that is true only now; a client that takes nothing now does not get it later."""
        if not self._blocked and not self._ending and not self._transport.is_closing():
            self._transport.write(line)

    def end(self, last_line: bytes) -> None:
        """Send a last line after all that waits, then close."""
        self._outbox.put_answer(last_line)
        self._inbox.clear()
        self._ending = True
        self._flush()

    def drop(self, reason: str) -> None:
        """End the link at once."""
        self._host.dropped(reason)
        self._transport.abort()

    def abort(self) -> None:
        """Close without waiting for the client."""
        self._transport.abort()

    def check_patience(self) -> None:
        """Drop a client that has taken nothing for `patience` seconds while something waits for it."""
        waiting = self._transport.get_write_buffer_size()
        if waiting < self._stalled_at_bytes or not (self._blocked or (self._ending and waiting)):
            self._note_stall()
        elif self._clock() - self._stalled_since >= self._host.limits.patience:
            self.drop(NOT_READING)

    # How lines are worked on.

    def _work(self) -> None:
        """Carry out a few lines, then let the others have their turn; read on only when all is done."""
        if self._next_turn:
            return
        for _ in range(LINES_A_TURN):
            if not self._inbox or self._outbox.crowded or self._wait() > 0 or self._transport.is_closing():
                break
            self._carry_out(self._inbox.popleft())
        self._flush()
        if self._transport.is_closing():
            return
        if self._inbox or self._wait() > 0:
            self._transport.pause_reading()
            self._plan_turn()
        elif not self._ending:  # after its end a stream would tell it again and again
            self._transport.resume_reading()

    def _plan_turn(self) -> None:
        """Go on when the client may ask again; while too many answers wait, their leaving calls for it."""
        if not self._next_turn and not self._outbox.crowded:
            self._next_turn = asyncio.get_running_loop().call_later(self._wait(), self._take_turn)

    def _take_turn(self) -> None:
        self._next_turn = None
        self._work()

    def _wait(self) -> float:
        now = self._clock()
        return max(self._commands.wait(now), self._bytes_in.wait(now))

    def _carry_out(self, line: bytes | messages.TooLong) -> None:
        if isinstance(line, messages.TooLong):
            self._host.commands.malformed(messages.TOO_LONG)
            refusal = f"a command may have at most {line.limit} bytes"
            answer: bytes | None = messages.encode({"type": messages.ERROR, "error": refusal})
        else:
            answer = self._host.commands.answer(line)
        now = self._clock()
        if answer is not None:
            self._commands.spend(1, now)
            self._outbox.put_answer(answer)
            return
        self._malformed.spend(1, now)
        if self._malformed.wait(now) > 0 and not self._transport.is_closing():
            self.drop(GARBAGE)

    def _flush(self) -> None:
        """Hand lines to the transport until it has enough; go on with commands that waited for the room."""
        was_crowded = self._outbox.crowded
        while not self._blocked and not self._transport.is_closing():
            line = self._outbox.take()
            if line is None:
                break
            self._transport.write(line)
        if self._ending and not self._inbox and not len(self._outbox):
            self._transport.close()
        elif was_crowded:
            self._plan_turn()

    def _note_stall(self) -> None:
        self._stalled_since = self._clock()
        self._stalled_at_bytes = self._transport.get_write_buffer_size()
