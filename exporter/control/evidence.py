"""Reads from what a bot sends what matters for a kill: openings, refusals, its own word, orders that work.

Pure; remembers only what the next state is compared with. An opening is a decision that opened or tried to
open something, or a (venue, market) among the open positions that was not there before. An execution that
failed because the kill switch stood before it is a refusal, not an opening.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from botkit.messages import HEARTBEAT
from exporter.control.proof import Sighting
from exporter.decisions import OPENINGS
from exporter.fields import Fields, finite
from exporter.quiet import planned_quiet
from exporter.state import AUTOMATIC, GIVEN, PAUSED, State
from exporter.view import BotView, Session

GATE: Final = "kill switch"
"""How the reasons of decisions begin that a kill switch refused."""
NO_OPERATOR: Final = (
    "venue kill switch active",
    "daily loss cap breached",
    "consecutive failures breached",
    "safe mode active",
)
"""How those of a kill switch's reasons begin that no kill of the whole bot gives."""
BY_VENUE: Final = (
    *("cash_by_venue", "locked_capital_by_venue", "unhedged_usd"),
    *("working_orders", "stream_status", "venue_kills"),
)
CLOCK_SAMPLES: Final = 20
LONGEST_WORDS: Final = 80

Market = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One state, to be looked at for the whole bot (venue None) or for one venue of it."""

    state: State
    at: float
    skew: float
    new_cycle: bool
    new_session: bool
    in_quiet: bool
    """Whether the bot is in planned quiet."""
    new_markets: frozenset[Market]
    last_order: float | None
    venue_kills: Mapping[str, object] | None

    def of(self, venue: str | None) -> Sighting:
        """The state as a kill of this venue, or of the whole bot, is judged by it."""
        state, kill = self.state, self.state.kill
        reasons = _reasons(kill.reason) if kill is not None and kill.active else []
        automatic = kill is not None and kill.cause == AUTOMATIC
        by_operator = any(
            GIVEN.match(part) if automatic else not part.startswith(NO_OPERATOR) for part in reasons
        )
        killed = None if kill is None else kill.active
        halted = bool(killed and (automatic or reasons) and not by_operator)
        if halted:
            killed = None  # and not by a person: nothing is said of this kill
        if venue is not None and not killed:
            killed = None if self.venue_kills is None else venue in self.venue_kills
        refused = any(_refuses(decision, venue) for decision in state.decisions)
        return Sighting(
            at=self.at,
            built_at=self._here(state.ts),
            new_cycle=self.new_cycle,
            opening=self._opening(venue),
            refused=refused,
            could_open=not (self.in_quiet or halted or self._held(refused=refused)) and state.quotes != 0,
            killed=killed,
            by_operator=by_operator if venue is None else killed is True,
            killed_since=self._here(kill.since) if kill is not None and venue is None else None,
            working=working_orders(state) if venue is None else _working_at(state, venue),
            ordered_at=self._here(self.last_order) if venue is None else None,
        )

    def _held(self, *, refused: bool) -> bool:
        """Whether something else than a kill of this console keeps the bot from opening anything."""
        gated = any(isinstance(decision, dict) and _gated(decision) for decision in self.state.decisions)
        return self.state.status == PAUSED or (gated and not refused)

    def _here(self, at: float | None) -> float | None:
        """A time of the bot's clock by the exporter's."""
        return None if at is None else at - self.skew

    def _opening(self, venue: str | None) -> str:
        for decision in self.state.decisions:
            if isinstance(decision, dict) and _opens(decision) and _is_at(decision, venue):
                words = f"{decision.get('action')} {decision.get('kind')} {decision.get('match_key')}"
                return words[:LONGEST_WORDS]
        new = sorted(market for market in self.new_markets if venue in {None, market[0]})
        return f"new position {' '.join(new[0])}"[:LONGEST_WORDS] if new else ""


class Witness:
    """Turns the messages of one bot into evidence, state by state."""

    def __init__(self) -> None:
        self._skews: deque[float] = deque(maxlen=CLOCK_SAMPLES)
        self._state: State | None = None
        self._session: Session | None = None
        self._cycle: float | None = None
        self._markets: frozenset[Market] | None = None
        self.knows_venue_kills: bool | None = None
        """Whether the bot reports kills of single venues, and so knows them; None before its first state."""
        self.venues: frozenset[str] = frozenset()
        """The bot's venues, as far as its last state with a new cycle names any."""

    def heard(self, view: BotView, message: Mapping[str, object], now: float) -> Evidence | None:
        """What a message shows that the view has just taken in; None unless it was a state that is new."""
        if message.get("type") == HEARTBEAT and (ts := finite(message.get("ts"))) is not None:
            self._skews.append(ts - now)
        state = view.state
        if state is None or state is self._state:
            return None
        new_session = self._session is not None and view.session is not self._session
        if new_session:
            self._skews.clear()
        if state.ts is not None:
            self._skews.append(state.ts - now)
        new_cycle = new_session or state.cycle is None or state.cycle != self._cycle
        new_markets = self._new_markets(message, new_session) if new_cycle else frozenset()
        self._state, self._session, self._cycle = state, view.session, state.cycle
        venue_kills = Fields(message).plain("venue_kills")
        self.knows_venue_kills = venue_kills is not None
        if new_cycle:
            self.venues = _venues(message)
        return Evidence(
            state=state,
            at=now,
            skew=self._skew,
            new_cycle=new_cycle,
            new_session=new_session,
            in_quiet=planned_quiet(view, now) is not None,
            new_markets=new_markets,
            last_order=finite(message.get("last_order_ts")),
            venue_kills=venue_kills,
        )

    def _new_markets(self, message: Mapping[str, object], new_session: bool) -> frozenset[Market]:
        """The open positions that the cycle before did not have; none where there is nothing to compare."""
        if (rows := Fields(message).rows("open_positions")) is None:
            return frozenset()
        markets = frozenset((row.text("venue") or "", row.text("market_id") or "") for row in rows)
        before, self._markets = self._markets, markets
        return frozenset() if before is None or new_session else markets - before

    @property
    def _skew(self) -> float:
        """Seconds that the bot's clock is ahead, by the message that was the shortest on its way."""
        return max(self._skews, default=0.0)


def working_orders(state: State) -> float | None:
    """Orders that work at all venues; None where one of the bot's venues does not say."""
    if state.working_orders is None or "working_orders" in state.partial:
        return None
    venues = {*(state.cash or ()), *(state.locked_capital or ()), *(state.unhedged or ())}
    return sum(state.working_orders.values()) if venues <= state.working_orders.keys() else None


def _venues(message: Mapping[str, object]) -> frozenset[str]:
    """Every venue that a state names in a field by venue, whatever it says of it."""
    fields = Fields(message)
    return frozenset(name for field in BY_VENUE for name in fields.plain(field) or ())


def _working_at(state: State, venue: str) -> float | None:
    return None if "working_orders" in state.partial else (state.working_orders or {}).get(venue)


def _reasons(said: str) -> list[str]:
    """The parts of a kill switch's reason."""
    return [part.strip() for part in said.split(";") if part.strip()]


def _opens(decision: Mapping[str, object]) -> bool:
    action = decision.get("action")
    return isinstance(action, str) and action in OPENINGS and not _gated(decision)


def _gated(decision: Mapping[str, object]) -> bool:
    """Whether a kill switch stood before a decision, by its reason."""
    reason = decision.get("reason")
    return isinstance(reason, str) and reason.startswith(GATE)


def _refuses(decision: object, venue: str | None) -> bool:
    """Whether a decision was refused because of a person's kill of the bot, or of this venue."""
    if not isinstance(decision, dict) or not _gated(decision):
        return False
    prefix, colon, rest = decision["reason"].partition(":")
    return (
        prefix == GATE
        and bool(colon)
        and any(
            not part.startswith(NO_OPERATOR)
            or (venue is not None and part.startswith(f"{NO_OPERATOR[0]} ({venue},"))
            for part in _reasons(rest)
        )
    )


def _is_at(decision: Mapping[str, object], venue: str | None) -> bool:
    """Whether a decision is of this venue, as far as its match key says; every one is of the whole bot."""
    return venue is None or venue in str(decision.get("match_key")).split(":")
