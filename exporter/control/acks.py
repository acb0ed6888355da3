"""Says which command an ack answers, for bots that echo an id and for bots that do not.

Pure. An echoed id decides alone. Without one, an ack belongs to the first command still without its answer
that it fits: of its type, of the key and the venue that it names, and not contradicted by the value that it
says was taken. A command that its sender has given up goes on to wait here, so that an answer that comes
too late is never taken for that of the next command of its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from botkit.messages import ERROR, KILL_SWITCH, ack_type

MOST_WAITING: Final = 256
"""Commands without an answer that are remembered; of more, the oldest are forgotten."""


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """A command as it was sent."""

    id: str
    message: Mapping[str, object]

    @property
    def type(self) -> str:
        """The command's type."""
        return str(self.message["type"])


class Acks:
    """The commands of one connection that are still without their answer, in the order of sending."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[Sent] = []

    @property
    def waiting(self) -> int:
        """How many commands are without their answer."""
        return len(self._waiting)

    def sent(self, message: Mapping[str, object], identity: str) -> Sent:
        """Note a command, which goes out with this `id`."""
        sent = Sent(identity, message)
        self._waiting.append(sent)
        if len(self._waiting) > MOST_WAITING:
            del self._waiting[0]
        return sent

    def answered(self, message: Mapping[str, object]) -> Sent | None:
        """The command that this message answers, which waits no more; None where it answers none."""
        found = self._find(message)
        if found is not None:
            self._waiting.remove(found)
        return found

    def _find(self, message: Mapping[str, object]) -> Sent | None:
        if (identity := message.get("id")) is not None:
            return next((sent for sent in self._waiting if sent.id == identity), None)
        return next((sent for sent in self._waiting if _fits(sent, message)), None)


def _fits(sent: Sent, message: Mapping[str, object]) -> bool:
    """Whether a message without an id can be the answer to this command."""
    if message.get("type") == ERROR:
        return message.get("error") == f"unknown type: {sent.type}"
    if message.get("type") != ack_type(sent.type):
        return False
    named = all(
        message.get(field) is None or message[field] == sent.message.get(field) for field in ("key", "venue")
    )
    return named and not _contradicts(sent, message)


def _contradicts(sent: Sent, message: Mapping[str, object]) -> bool:
    """Whether the ack says that something else was done than this command asked for."""
    if message.get("ok") is not True:
        return False
    if sent.type == KILL_SWITCH:
        active = message.get("active")
        return active is not None and bool(active) != bool(sent.message.get("activate"))
    return "new" in message and "value" in sent.message and message["new"] != sent.message["value"]
