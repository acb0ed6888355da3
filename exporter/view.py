"""What the exporter knows of one bot, from everything that the bot has said.

Pure: messages and the time are passed in. `BotView` takes what the link brings; `BotView.at(now)` is a
`Sight`, from which metrics, verdict and pages read. The rules it keeps:

* what was not reported is None, never 0;
* a decision list is counted once per cycle of a session, and a state that came before is not taken in again;
* counters belong to this exporter and survive the bot's restarts;
* messages may have any shape; a field of a wrong type is not reported, and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from botkit.messages import ACK_SUFFIX, ERROR, GOODBYE, HEARTBEAT, MALFORMED_REASONS, STATE
from exporter.cadence import Cadence
from exporter.decisions import Decisions
from exporter.fields import Fields
from exporter.labels import CAP_SETTING, INTERVAL_SETTING, UNKNOWN, Labels
from exporter.ledger import Ledger
from exporter.link import Link
from exporter.losscap import NEAR_CAP, Breach, BreachLatch, Headroom, day_of, headroom, utc_day
from exporter.planned import Planned
from exporter.reported import Reported
from exporter.schedule import Entry
from exporter.sight import Sight
from exporter.state import UNHEDGED, State, read
from exporter.totals import BAD_FIELD, LONGEST_CYCLE, UNREADABLE, Totals

if TYPE_CHECKING:
    from exporter.control.maintenance import Maintenance
    from exporter.control.standing import Control

REMEMBERED_STATES: Final = 256
"""How many states back a repeated one is recognised, as after a reconnect."""

PAPER: Final = "paper"
LIVE: Final = "live"
TIERS: Final = (PAPER, LIVE)


class BotView:
    """Everything known of one bot. `kind`, `tier`, `schedule` and the two times are its settings."""

    control: Control | None = None
    """Whoever can kill this bot; set where the program is put together."""
    maintenance: Maintenance | None = None
    """The planned quiet that a person ordered last, whether it still holds or not."""
    last_quiet: Planned | None = None
    """The planned quiet that holds, or held last and from which the bot is not known to be back."""
    announced: Mapping[str, float] = MappingProxyType({})
    """By venue, since when every state has said that it pauses."""

    def __init__(
        self,
        name: str,
        *,
        now: float,
        kind: str = "arb",
        tier: str | None = None,
        expected_interval: float | None = None,
        stale_after: float | None = None,
        schedule: Iterable[Entry] = (),
        venue_schedule: Mapping[str, Sequence[Entry]] | None = None,
        breach: Breach | None = None,
        last_mode: str | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.started = now
        self.schedule = tuple(schedule)
        self.venue_schedule = dict(venue_schedule or {})
        """By venue, when its market data is meant to be quiet."""
        self.labels = Labels()
        self.link = Link(now)
        self.cadence = Cadence(expected_interval, stale_after)
        self.decisions = Decisions(self.labels, kind)
        self.totals = Totals(dict.fromkeys((*MALFORMED_REASONS, BAD_FIELD, UNREADABLE), 0))
        self.latch = BreachLatch(breach)
        self.state: State | None = None
        """The last state, whatever its age; fields that are only constants are None."""
        self.state_at: float | None = None
        self.state_day = ""
        """The UTC day that the last state's figures of a day belong to, as YYYY-MM-DD."""
        self.progress_at: float | None = None
        """When a new cycle was last heard of, in a state or a heartbeat."""
        self.clock_skew: float | None = None
        """Seconds that the bot's clock is ahead, as of its last message with a time."""
        self.session = Session(None, None, now)
        self.cycles_taken = 0
        """Decision lists counted since this exporter started; the last one is in `state` when it rises."""
        self.last_mode = last_mode
        self.settings: Mapping[str, float] | None = None
        self.settings_at: float | None = None
        self.unverified: Mapping[str, bool] = {}
        """Settings that this console tried to change, and whether the last attempt is in doubt."""
        self.mode_ordered: tuple[str, float] | None = None
        """The mode that this console ordered last, and until when a change to it is its doing."""
        self.unhedged_since: float | None = None
        self.kill_since: float | None = None
        """When this exporter first saw the kill switch that is active."""
        self.ledger = Ledger()
        """What the bot's own ledger says, by the reporting database."""
        self.stores: dict[str, StoreSeen] = {}
        """How the bot's own stores were at the last look, by name."""
        self.status_since = now
        """When this exporter first saw the status that holds."""
        self.near_cap_since: float | None = None
        """When the day's loss came near its cap, while it is."""
        self.live_since = now
        """When the states that are fresh now began to come."""
        self._tier = tier
        self._reported = Reported()
        self._session_id: str | None = None
        self._cycle: float | None = None
        self._seen: dict[tuple[float | None, float], None] = {}
        self._take: dict[str, Callable[[Mapping[str, object], float], None]] = {
            STATE: self._take_state,
            HEARTBEAT: self._take_heartbeat,
            GOODBYE: self._take_goodbye,
        }

    @property
    def tier(self) -> str | None:
        """`live` or `paper`, which never pages: as configured, else by the last known mode."""
        return self._tier or (self.last_mode if self.last_mode in TIERS else None)

    @property
    def called_paper(self) -> bool:
        """Whether the settings call it a bot on paper, whatever it does: then nobody is ever paged for it."""
        return self._tier == PAPER

    @property
    def cap(self) -> float | None:
        """The daily loss cap in USD by the last known settings, or None where it is unknown; 0 is no cap."""
        return self._setting(CAP_SETTING)

    def _setting(self, by_kind: Mapping[str, str]) -> float | None:
        return (self.settings or {}).get(by_kind.get(self.kind, ""))

    def connected(self, now: float) -> None:
        """The link was made."""
        self.link.opened(now)
        self.cadence.interrupted()

    def disconnected(self, now: float, why: str) -> None:
        """The link was lost or could not be made; `why` is a few words for people."""
        self.link.closed(now, why)
        self.cadence.interrupted()

    def malformed(self, reason: str, now: float) -> None:
        """A line came that is no message; also that shows that somebody is there."""
        self.link.heard(now)
        self.totals.malformed[reason] += 1

    def received(self, message: Mapping[str, object], now: float) -> None:
        """A message came; one of an unknown type, or an answer nobody waits for, is counted and ignored."""
        self.link.heard(now)
        kind = message.get("type")
        take = self._take.get(kind) if isinstance(kind, str) else None
        if take is not None:
            self.totals.messages[str(kind)] += 1
            take(message, now)
        elif isinstance(kind, str) and kind.endswith(ACK_SUFFIX):
            self.totals.messages["ack"] += 1
        else:
            self.totals.messages["error" if kind == ERROR else "other"] += 1

    def bridge_died(self) -> None:
        """The task that reads this bot's link ended by a fault of the exporter and is started again."""
        self.totals.bridge_restarts += 1

    def latch_not_kept(self) -> None:
        """A latch could not be written to disk; it holds in memory."""
        self.totals.latch_errors += 1

    def ledger_read(self, now: float) -> None:
        """The ledger's figures were looked at anew: they are judged against the cap as a state's are."""
        self.latch.judge(self._ledger_room(now), None, utc_day(now), now)
        self._near_cap(self.at(now).headroom, now)

    def at(self, now: float) -> Sight:
        """What can be said at `now`."""
        return Sight(self, now)

    def _take_heartbeat(self, message: Mapping[str, object], now: float) -> None:
        fields = Fields(message)
        phase, cycle = fields.text("phase"), fields.number("cycle")
        if self.link.heartbeat_cycle is not None and cycle not in {None, self.link.heartbeat_cycle}:
            self.progress_at = now
        lag = fields.number("loop_lag_seconds")
        self.link.heartbeat(now, lag, None if phase is None else self.labels.phase(phase), cycle)
        self._compare_clocks(fields.number("ts"), now)
        self.totals.malformed[BAD_FIELD] += fields.bad

    def _take_goodbye(self, message: Mapping[str, object], now: float) -> None:
        fields = Fields(message)
        self.link.said_goodbye(self.labels.cause(fields.text("reason") or UNKNOWN), now)
        self.totals.malformed[BAD_FIELD] += fields.bad

    def _take_state(self, message: Mapping[str, object], now: float) -> None:
        state = read(message, self.labels)
        self.totals.states += 1
        self.totals.malformed[BAD_FIELD] += state.bad_fields
        if state.ts is not None and self._came_before((state.cycle, state.ts)):
            return
        new_session = not self._same_session(state)
        if new_session:
            self._new_session(state, now)
        state = self._reported.only_real(state)
        if self.state_at is None or now - self.state_at > self.cadence.stale_after:
            self.live_since = now
        if new_session or state.cycle is None or state.cycle != self._cycle:
            self._take_cycle(state, now)
        self._take_risk(state, now)
        self._take_settings(state, now)
        self.announced = {venue: self.announced.get(venue, now) for venue in state.paused_until}
        self._compare_clocks(state.ts, now)
        self.link.brought_state = True
        self.state, self.state_at, self.state_day = state, now, day_of(state.ts, now)

    def _came_before(self, mark: tuple[float | None, float]) -> bool:
        """Whether a state with this cycle and time was among the last ones; remembers it if not."""
        if mark in self._seen:
            return True
        self._seen[mark] = None
        if len(self._seen) > REMEMBERED_STATES:
            del self._seen[next(iter(self._seen))]
        return False

    def _same_session(self, state: State) -> bool:
        """False where the bot has restarted, by its session or by a cycle or an uptime that went down."""
        before = self.state
        if before is None:
            return False
        return not (
            (state.session_id is not None and state.session_id != self._session_id)
            or _fell(before.cycle, state.cycle)
            or _fell(before.uptime, state.uptime)
        )

    def _new_session(self, state: State, now: float) -> None:
        if self.state is not None:
            self.totals.bot_restarted()
            self.link.new_session()
            self.cadence.interrupted()
        self._reported = Reported()
        if state.unhedged is None:
            self.unhedged_since = None
        self._session_id = state.session_id
        self._cycle = None if self.state is None else 0.0
        self.session = Session(
            state.session_id and self.labels.session(state.session_id),
            state.version and self.labels.version(state.version),
            now if state.uptime is None else now - state.uptime,
        )

    def _take_cycle(self, state: State, now: float) -> None:
        """What belongs to a cycle and is counted once."""
        self.cycles_taken += 1
        if state.cycle is not None:
            self.totals.cycle(self._cycle, state.cycle)
            self._cycle = state.cycle
        if state.cycle_duration is not None:
            if 0 <= state.cycle_duration <= LONGEST_CYCLE:
                self.totals.durations.observe(state.cycle_duration)
            else:
                self.totals.malformed[BAD_FIELD] += 1
        self.totals.malformed[BAD_FIELD] += self.decisions.take(state.decisions, now)
        self.cadence.cycle_seen(now)
        self.progress_at = now

    def _take_risk(self, state: State, now: float) -> None:
        if any((state.unhedged or {}).values()):
            self.unhedged_since = self.unhedged_since or now
        elif state.unhedged is not None and UNHEDGED not in state.partial:
            self.unhedged_since = None  # what is not reported is not known to be hedged
        killed = state.kill is not None and state.kill.active
        self.kill_since = (self.kill_since or now) if killed else None
        if self.state is not None and state.status != self.state.status:
            self.status_since = now
        if state.mode is not None:
            if self.last_mode not in {None, state.mode}:
                mode, until = self.mode_ordered or ("", 0.0)
                self.totals.mode_changed(ordered=mode == state.mode and now <= until)
            self.last_mode = state.mode
        if state.rejects is not None:
            self.totals.take_rejects(state.rejects)
        if state.recent_errors is not None:
            self.totals.take_errors(state.recent_errors)

    def _take_settings(self, state: State, now: float) -> None:
        if state.settings is not None:
            interval = self._setting(INTERVAL_SETTING)
            self.settings, self.settings_at = state.settings, now
            if interval not in {None, self._setting(INTERVAL_SETTING)}:
                self.cadence.changed()
        room = headroom(state.daily_pnl, self.cap)
        self._near_cap(self._ledger_room(now) if room is None else room, now)
        bots_day = None if state.ts is None else utc_day(state.ts)
        self.latch.judge(room, state.kill, day_of(state.ts, now), now, bots_day)

    def _ledger_room(self, now: float) -> Headroom | None:
        figures = self.ledger.today(now)
        return None if figures is None else headroom(figures.pnl, self.cap)

    def _near_cap(self, room: Headroom | None, now: float) -> None:
        near = room is not None and room.ratio >= NEAR_CAP
        self.near_cap_since = (self.near_cap_since or now) if near else None

    def _compare_clocks(self, ts: float | None, now: float) -> None:
        if ts is not None:
            self.clock_skew = ts - now


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a bot: its own names for it as labels, and when it began by the exporter's clock."""

    session_id: str | None
    version: str | None
    began: float


@dataclass(frozen=True, slots=True)
class StoreSeen:
    """How a store was when it was last looked at: a word of exporter.reporting.sources, and when."""

    status: str
    at: float


def _fell(before: float | None, after: float | None) -> bool:
    return before is not None and after is not None and after < before
