"""Records what bots do that nobody has to be called for: trades, a new daily high, paper without a loss cap.

What the notification table says of such an event decides its severity, and whether the log has it, too. The
chain of events is never pruned, so many trades in a row are summed up, a daily high is told at most every
quarter of an hour, and a cap that is not set once a day. Nothing here waits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from exporter.fields import finite
from exporter.labels import clean
from exporter.losscap import DAY_SECONDS, utc_day
from exporter.notifications import LOG, Notifications
from exporter.notified import Told
from exporter.reporting.lifecycle import EXPORTER
from exporter.reporting.news import Record
from exporter.reporting.throttle import LONGEST_WINDOW_SECONDS, Throttle
from exporter.sight import Sight
from exporter.sourced import BOT, LEDGER
from exporter.view import PAPER, BotView

log = logging.getLogger(__name__)

TRADE: Final = "trade"
DAILY_HIGH: Final = "daily_high"
CAP_UNSET: Final = "cap_unset"

TRADES_AN_HOUR: Final = 5
"""Of one bot that are told one by one; the others of the hour are one sum."""
BEGINS_SECONDS: Final = 600.0
"""Who heard of a bot the day before and again within this time of the new one has seen that day begin."""
HIGH_SECONDS: Final = 900.0
"""Between two events of one bot's daily high."""
NAMED: Final = 3
"""Trades of one cycle that an event names."""
LARGEST: Final = 1e12
"""USD that are written out; beyond that an amount is no amount."""
FILLED, DRY_RUN = OPENED = "filled", "dry_run"
"""What decisions that opened something say: for money, and on paper. No set: a bot may say anything there."""
LEAST_RISE: Final = 0.005
"""USD above the high so far that are half a cent at least, and not what adding floats leaves."""


@dataclass(slots=True)
class _Bot:
    told: Told
    cycles: int = 0
    """The view's count of cycles, as of the last one looked at."""
    seen_day: str = ""
    """The last UTC day of which a PnL was seen in this run of the program."""
    high_waits: bool = False
    """Whether a daily high was not told yet."""


class Notifier:
    """Looks at a view after each message, and whenever its ledger was looked at.

    `told` is what was told before, by bot; `keep` is called with a bot's name when that has changed.
    """

    def __init__(
        self,
        table: Notifications,
        record: Record,
        told: Mapping[str, Told],
        keep: Callable[[str, Told], object] = lambda bot, told: None,
    ) -> None:
        self._table = table
        self._record = record
        self._keep = keep
        self._throttle = Throttle(TRADES_AN_HOUR, LONGEST_WINDOW_SECONDS)
        self._bots = {name: _Bot(before) for name, before in told.items()}

    def look(self, view: BotView, now: float) -> None:
        """Record what is new."""
        bot, sight = self._bots[view.name], view.at(now)
        before = bot.told
        self.tick(now)
        self._trades(view, bot, now)
        self._high(sight, bot)
        self._cap(sight, bot)
        if bot.told != before:
            self._keep(view.name, bot.told)

    def tick(self, now: float, *, last: bool = False) -> None:
        """Tell the sums that are due; at the end of the program all of them."""
        for held in self._throttle.ended(now, all_of_them=last):
            (name, kind), count = held.key, held.counts.total()
            what = f"{count} more trades in {(held.until - held.since) / 60:.0f} minutes"
            data = {"count": count, "since": held.since, "until": held.until}
            self._tell(TRADE, name, kind, BOT, what, why=f"the last one: {held.last}", data=data)

    def _trades(self, view: BotView, bot: _Bot, now: float) -> None:
        """What the last cycle opened; one that ended before this program began was told by the one before."""
        state, first = view.state, not bot.cycles
        if bot.cycles == view.cycles_taken or state is None:
            return
        bot.cycles = view.cycles_taken
        if first and (state.ts is None or state.ts < view.started):
            return
        key = view.name, view.kind
        opened = (each for each in state.decisions if isinstance(each, dict) and each.get("action") in OPENED)
        named = [words for decision in opened if (words := _trade(decision))]
        alone = [words for words in named if self._throttle.passes(key, TRADE, words, now)]
        if alone:
            more = f", and {len(alone) - NAMED} more" if len(alone) > NAMED else ""
            what = f"{'; '.join(alone[:NAMED])}{more}"
            self._tell(TRADE, *key, BOT, what, data={"count": len(alone)})

    def _high(self, sight: Sight, bot: _Bot) -> None:
        """The day's PnL as the bot says it, or else its ledger, is above all that was seen of the day."""
        day, pnl, source = _pnl(sight)
        if pnl is None or day < bot.told.day <= utc_day(sight.now + DAY_SECONDS):
            return
        if day != bot.told.day:
            # A day that this program did not see begin has an earlier high that nobody knows.
            begun = "" < bot.seen_day < day and sight.now % DAY_SECONDS < BEGINS_SECONDS
            high = 0.0 if begun else max(0.0, pnl)
            bot.told = replace(bot.told, day=day, high=high, high_at=None)
            bot.high_waits = False
        bot.seen_day = day
        if pnl >= bot.told.high + LEAST_RISE:
            bot.told, bot.high_waits = replace(bot.told, high=pnl), True
        told_at = bot.told.high_at
        if bot.high_waits and (told_at is None or not 0 <= sight.now - told_at < HIGH_SECONDS):
            bot.told, bot.high_waits = replace(bot.told, high_at=sight.now), False
            high = bot.told.high
            what = f"new daily high: {usd(high)} USD"
            data = {"pnl": high, "date": day}
            self._tell(DAILY_HIGH, sight.view.name, sight.view.kind, source, what, data=data)

    def _cap(self, sight: Sight, bot: _Bot) -> None:
        """A bot in paper mode has no loss cap; one that is live is an alert."""
        cap = sight.view.cap
        if cap is None or cap > 0 or sight.live is None or sight.live.mode != PAPER:
            return
        if bot.told.cap_unset != (today := utc_day(sight.now)):
            bot.told = replace(bot.told, cap_unset=today)
            what = "the bot has no daily loss cap; it trades on paper"
            self._tell(CAP_UNSET, sight.view.name, sight.view.kind, EXPORTER, what)

    def _tell(self, event: str, bot: str, kind: str, source: str, what: str, **told: object) -> None:
        row = self._table.of_event(event, kind)
        if row is None:
            return
        if LOG in row.channels:
            log.info("bot %s: %s: %s", bot, event, what)
        self._record(event, bot=bot, severity=row.priority, source=source, what=what, **told)


def usd(amount: float) -> str:
    """An amount with its sign and cents, and no longer than a line however large."""
    return f"{amount:+,.2f}" if abs(amount) < LARGEST else f"{amount:+.3g}"


def _trade(decision: Mapping[str, object]) -> str:
    """A decision that opened something, in a few words; empty where it does not say of what kind."""
    kind, match = decision.get("kind"), decision.get("match_key")
    if not isinstance(kind, str):
        return ""
    words = f"{clean(kind)} {clean(match) if isinstance(match, str) else ''}".strip()
    edge = finite(decision.get("edge"))
    worth = "" if edge is None or abs(edge) > 1 else f", edge {edge:+.4f} USD a contract"
    return f"{words}{worth}{' (paper)' if decision.get('action') == DRY_RUN else ''}"


def _pnl(sight: Sight) -> tuple[str, float | None, str]:
    """A UTC day, its PnL in USD, and who says so."""
    if sight.today is not None and sight.today.daily_pnl is not None:
        return sight.view.state_day, sight.today.daily_pnl, BOT
    ledger = sight.ledger
    return (utc_day(sight.now), None, LEDGER) if ledger is None else (ledger.day, ledger.pnl, LEDGER)
