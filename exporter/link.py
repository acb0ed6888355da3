"""What is known of the connection to one bot: whether it stands, whether the bot speaks, and why it ended.

Pure; what seems to lie in the future was noted before the clock was set back, and its age is not known.
"Connected" means that the socket stands and the bot can be believed to be at the other end of it:

* a bot whose session has sent heartbeats is connected while something was heard within the last 5 s on this
  very connection, since the kernel of a stopped process, and any relay, accepts connections for it;
* any other bot is connected from the moment its socket accepts: it may rightly say nothing for minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SILENT_AFTER_SECONDS: Final = 5.0
"""A bot that beats every second and is not heard for this long is gone, whatever its socket says."""

QUIET_LINK_SECONDS: Final = 600.0
"""A link on which nothing at all was heard for this long, and for twice `stale_after`, is made anew."""

RESTART_ALLOWANCE_SECONDS: Final = 120.0
"""How long after a goodbye a bot may be away as planned."""

STOPS_WITHIN_SECONDS: Final = 30.0
"""A bot that says goodbye and keeps its connection for longer does not stop, however often it says so."""


@dataclass(frozen=True, slots=True)
class Goodbye:
    """A bot's own word that it stops."""

    reason: str
    at: float


class Link:
    """The connection to one bot; times are the exporter's own epoch seconds."""

    __slots__ = (
        "_heard_at",
        "_opened",
        "_stops_since",
        "attempts",
        "beats",
        "brought_state",
        "goodbye",
        "heartbeat_at",
        "heartbeat_cycle",
        "loop_lag",
        "lost_at",
        "opened_at",
        "phase",
        "why",
    )

    def __init__(self, started: float) -> None:
        self.opened_at: float | None = None
        """When the standing connection was accepted; None while none stands."""
        self.lost_at = started
        """When the bot was last known to be there, or this exporter began to look for it."""
        self.why = "not tried yet"
        """How the last connection, or attempt at one, ended."""
        self.beats = False
        """Whether this session of the bot has sent a heartbeat."""
        self.brought_state = False
        """Whether a new state has come on this very connection."""
        self.heartbeat_at: float | None = None
        self.heartbeat_cycle: float | None = None
        """The cycle that the last heartbeat of this connection named."""
        self.loop_lag: float | None = None
        self.phase: str | None = None
        self.goodbye: Goodbye | None = None
        self.attempts = 0
        """Attempts to connect that came to an end, good or bad."""
        self._heard_at: float | None = None
        self._opened = 0
        self._stops_since: float | None = None
        """When the first goodbye came on this very connection."""

    @property
    def ever_opened(self) -> bool:
        """Whether any connection was accepted since this exporter started."""
        return self._opened > 0

    @property
    def reconnects(self) -> int:
        """Connections after the first."""
        return max(0, self._opened - 1)

    def opened(self, now: float) -> None:
        """A connection was accepted."""
        self.opened_at, self._heard_at, self.brought_state = now, None, False
        self.heartbeat_cycle = self._stops_since = None
        self._opened += 1
        self.attempts += 1

    def closed(self, now: float, why: str) -> None:
        """The connection ended, or an attempt to make one failed."""
        if self.opened_at is None:
            self.attempts += 1
        self.lost_at = self.gone_since(now)
        self.opened_at, self._heard_at, self.why = None, None, why

    def heard(self, now: float) -> None:
        """Anything at all arrived."""
        self._heard_at = now
        self.goodbye = None

    def heartbeat(self, now: float, loop_lag: float | None, phase: str | None, cycle: float | None) -> None:
        """The bot beats, and says how late its loop is, what it does and in which cycle."""
        self.beats, self.heartbeat_at = True, now
        self.loop_lag, self.phase, self.heartbeat_cycle = loop_lag, phase, cycle

    def said_goodbye(self, reason: str, now: float) -> None:
        """The bot stops on purpose."""
        self.goodbye = Goodbye(reason, now)
        self._stops_since = now if self._stops_since is None else self._stops_since

    def connected(self, now: float) -> bool:
        """Whether the bot can be believed to be at the other end; see above."""
        if self.opened_at is None:
            return False
        return not self.beats or (
            self._heard_at is not None and abs(now - self._heard_at) <= SILENT_AFTER_SECONDS
        )

    def beating(self, now: float) -> bool:
        """Whether a heartbeat was heard lately on a link that stands."""
        at = self.heartbeat_at
        return at is not None and abs(now - at) <= SILENT_AFTER_SECONDS and self.connected(now)

    def gone_since(self, now: float) -> float:
        """Since when the bot is not connected; `now` while it is."""
        if self.connected(now):
            return now
        return self.lost_at if self._heard_at is None else self._heard_at

    def patience(self, stale_after: float) -> float:
        """Seconds of silence after which the connection is given up and made anew."""
        if self.beats and self._heard_at is not None:
            return SILENT_AFTER_SECONDS
        return max(QUIET_LINK_SECONDS, 2 * stale_after)

    def stopping(self, now: float) -> Goodbye | None:
        """The goodbye whose allowance still runs."""
        goodbye, since = self.goodbye, self._stops_since
        if self.opened_at is not None and since is not None and now - since > STOPS_WITHIN_SECONDS:
            return None
        return goodbye if goodbye and abs(now - goodbye.at) < RESTART_ALLOWANCE_SECONDS else None

    def leaving(self, now: float) -> Goodbye | None:
        """The same where nothing followed it, not even a new connection."""
        goodbye = self.stopping(now)
        return goodbye if goodbye and (self.opened_at is None or self.opened_at <= goodbye.at) else None

    def new_session(self) -> None:
        """Another run of the bot answers, which may be another version: only its own heartbeats count."""
        if (
            self.opened_at is not None
            and self.heartbeat_at is not None
            and self.heartbeat_at >= self.opened_at
        ):
            return
        self.beats, self.heartbeat_at, self.heartbeat_cycle = False, None, None
        self.loop_lag, self.phase = None, None
