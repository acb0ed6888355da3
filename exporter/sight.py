"""What of a bot may be shown as true at one moment.

Pure. What is older than `stale_after` is not live: `Sight.live` is None then, and nothing of it is now. Nor
is the state of a run of the bot that has ended, nor one from the future: the exporter's clock was set back
since, and nobody knows how old it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from exporter.cadence import STALE_AFTER_UNTIL_KNOWN
from exporter.decisions import Blocked
from exporter.ledger import LedgerFigures
from exporter.losscap import Headroom, headroom, utc_day
from exporter.planned import Planned
from exporter.quiet import after_goodbye, overrun, planned_quiet, venues
from exporter.state import KILLED, PAUSED

if TYPE_CHECKING:
    from exporter.control.standing import Standing
    from exporter.view import BotView


SKIPPED_BY_ORDER: Final = {"paused", "kill switch"}
"""Why a bot skips what it was told not to open."""
CLOCK_SLACK: Final = 1.0  # seconds that a clock may go back without having been set
CLOCK_OFF_SECONDS: Final = 5.0
"""From which difference on a bot's clock is called wrong, on pages, by the doctor and in rules/link.yml.

Clocks that are kept by NTP agree to milliseconds, and a state of a machine under load is seconds old when it
arrives; what is beyond that is a clock that nobody keeps.
"""


class Sight:
    """A bot as it may be shown at one moment. Read it at once: it is a look at its view and not a copy."""

    __slots__ = ("connected", "kill", "live", "now", "planned", "quiet", "today", "view")

    def __init__(self, view: BotView, now: float) -> None:
        self.view = view
        self.now = now
        self.connected = view.link.connected(now)
        self.live = view.state if self._fresh and not self.starting else None
        """The last state, or None where there is none, it is stale, or another run of the bot has begun."""
        self.today = None if self.new_day else self.live
        """The last state if what it says of the day is about this UTC day."""
        self.planned: Planned | None = planned_quiet(view, now)
        """The quiet that holds now, by the schedule or by somebody's order."""
        self.quiet = self.planned or after_goodbye(view.link.stopping(now))
        """The same, or the minutes after a goodbye."""
        self.kill: Standing | None = None if view.control is None else view.control.standing(now)
        """Where a kill of the bot stands; None for a bot that nobody here can kill."""

    @property
    def age(self) -> float | None:
        """Seconds since the last state."""
        return None if self.view.state_at is None else max(0.0, self.now - self.view.state_at)

    @property
    def _fresh(self) -> bool:
        at = self.view.state_at
        return at is not None and -CLOCK_SLACK <= self.now - at <= self.view.cadence.stale_after

    @property
    def new_day(self) -> bool:
        """Whether a UTC day has begun since the last state, of which nothing was heard yet."""
        return self.view.state is not None and self.view.state_day < utc_day(self.now)

    @property
    def up(self) -> bool:
        """Connected and fresh."""
        return self.connected and self.live is not None

    @property
    def expected(self) -> bool:
        """Whether the bot is meant to be there: not in planned quiet, nor in the minutes after a goodbye."""
        return self.quiet is None

    @property
    def overrun(self) -> Planned | None:
        """The planned quiet whose end has passed, while the bot is not back since."""
        return overrun(self)

    @property
    def planned_end(self) -> float | None:
        """When the quiet ends that holds, or ended from which the bot is not back."""
        last = self.quiet or self.overrun
        return None if last is None else last.until

    @property
    def venues(self) -> Mapping[str, Planned | None]:
        """By venue that is known, the planned quiet of its market data, or None where it is expected."""
        return venues(self)

    @property
    def awaiting(self) -> bool:
        """Connected, nothing fresh yet, and none overdue since the connection or the end of planned quiet."""
        link, opened_at, quiet = self.view.link, self.view.link.opened_at, self.overrun
        if not self.connected or self.live is not None or opened_at is None:
            return False
        if link.brought_state and quiet is None:
            return False
        return self.now - max(opened_at, 0.0 if quiet is None else quiet.until) <= self.first_state_within

    @property
    def starting(self) -> bool:
        """Whether the bot beats and is, by its own count of cycles, before the first one of a new session."""
        link, state = self.view.link, self.view.state
        cycle = link.heartbeat_cycle if link.beats and not link.brought_state else None
        if cycle is None:
            return False
        return cycle == 0 or (state is not None and state.cycle is not None and cycle < state.cycle)

    @property
    def first_state_within(self) -> float:
        """Seconds after the connection within which its first state is not overdue."""
        usual = self.view.cadence.stale_after
        return max(usual, STALE_AFTER_UNTIL_KNOWN) if self.starting else usual

    @property
    def hung(self) -> bool | None:
        """Whether the bot beats and its loop stands still; None where it does not beat."""
        link = self.view.link
        if not link.beating(self.now) or link.opened_at is None:
            return None
        return self.now > self.hung_since

    @property
    def hung_since(self) -> float:
        """When the loop counts as standing still unless it has moved until then."""
        quiet = self.overrun  # the bot may rightly have stood still until that ended
        moved = max(
            self.view.progress_at or 0.0,
            self.view.link.opened_at or self.now,
            0.0 if quiet is None else quiet.until,
        )
        return moved + (STALE_AFTER_UNTIL_KNOWN if self.starting else self.view.cadence.stuck_after)

    @property
    def ledger(self) -> LedgerFigures | None:
        """What the bot's own ledger says of this UTC day, while that is true."""
        return self.view.ledger.today(self.now)

    @property
    def headroom(self) -> Headroom | None:
        """The day's loss against its cap: by the PnL that the bot reports, else by its ledger."""
        reported = None if self.today is None else headroom(self.today.daily_pnl, self.view.cap)
        return self.ledger_headroom if reported is None else reported

    @property
    def ledger_headroom(self) -> Headroom | None:
        """The day's loss against its cap by the ledger alone."""
        return None if self.ledger is None else headroom(self.ledger.pnl, self.view.cap)

    @property
    def ledger_difference(self) -> float | None:
        """What the bot says of the day's PnL less what its ledger says, in USD, where both are known."""
        said = None if self.today is None else self.today.daily_pnl
        kept = None if self.ledger is None else self.ledger.pnl
        return None if said is None or kept is None else said - kept

    @property
    def blocked(self) -> Blocked | None:
        """The reason that blocks the bot, while its states are fresh.

        A bot that is paused or killed is quiet by order, and so were its skips of the minutes before it went
        on; a bot that reports no status says of a kill by its skips alone.
        """
        block = self.view.decisions.blocked
        if self.live is None or block is None:
            return None
        status = self.live.status
        by_order = status in {PAUSED, KILLED} or block.reason in SKIPPED_BY_ORDER
        return block if status is None or not by_order else None

    @property
    def unhedged(self) -> float:
        """USD that the last state, whatever its age, left unhedged over all venues; 0 where unreported."""
        state = self.view.state
        return sum(abs(usd) for usd in (state.unhedged or {}).values()) if state is not None else 0.0
