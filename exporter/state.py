"""One pushed state as typed values, each None where the bot did not report it.

Pure. Base fields and extras alike are optional; the five fields that deployed bots push as constants are
read as they stand here, and `exporter.reported` decides whether they mean anything. Money in USD, times in
seconds.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from exporter.fields import Fields, finite, put
from exporter.labels import OTHER, UNKNOWN, Bounded, Labels, clean

RECENT_ERRORS: Final = 50
LATEST: Final = 32_503_680_000.0
"""No position settles in the year 3000, in epoch seconds: what says so is no time."""
PAUSED: Final = "paused"
KILLED: Final = "killed"

OPERATOR: Final = "operator"
AUTOMATIC: Final = "automatic"
ENVIRONMENT: Final = "environment"
UNKNOWN_CAUSE: Final = "unknown"
CAUSES: Final = (OPERATOR, AUTOMATIC, ENVIRONMENT, UNKNOWN_CAUSE)

UNHEDGED: Final = "unhedged_usd"
"""The field with exposure by venue."""

MIXED: Final = "mixed"
"""The stream status of several venues that share a label and not a status."""

_CREDENTIAL: Final = re.compile(
    "KEY_ID|SECRET|PASSPHRASE|PASSWORD|TOKEN|PRIVATE|API_KEY|ACCOUNT|FUNDER", re.I
)

GIVEN: Final = re.compile("(venue )?kill switch ")
"""How the reasons begin that are a person's: a kill file, a variable of the environment."""


@dataclass(frozen=True, slots=True)
class Kill:
    """The bot's own word on its kill switch; `cause` is one of CAUSES, `since` by the bot's clock.

    `reason` is what the bot said, `label` its first part without figures.
    """

    active: bool
    reason: str
    label: str
    cause: str
    since: float | None


@dataclass(frozen=True, slots=True)
class State:
    """What one state said. Mappings are by venue unless their name says otherwise."""

    ts: float | None
    cycle: float | None
    mode: str | None
    uptime: float | None
    version: str | None
    session_id: str | None
    simulated: bool | None
    status: str | None
    commands: frozenset[str]
    """The commands that the bot says it understands; empty where it names none."""
    named: frozenset[str]
    """The fields that the bot itself calls real, in `reports`."""
    cash: Mapping[str, float] | None
    locked_capital: Mapping[str, float] | None
    venue_limit: Mapping[str, float] | None
    open_positions: Mapping[str, float] | None
    earliest_settlement: Mapping[str, float]
    """When the open position of a venue that settles first is expected to, where a row says so."""
    working_orders: Mapping[str, float] | None
    oldest_working_order: Mapping[str, float]
    unhedged: Mapping[str, float] | None
    last_fill: float | None
    realized_pnl: float | None
    coverage: Mapping[str, float] | None
    quote_age: Mapping[str, float] | None
    rejects: Mapping[str, float] | None
    stream_status: Mapping[str, str] | None
    paused_until: Mapping[str, tuple[float, str]]
    """Pauses of venues by the bot's own word: until when, and what for."""
    cycle_duration: float | None
    quotes: float | None
    opportunities: float | None
    near_opportunities: float | None
    decisions: list[object]
    daily_pnl: float | None
    daily_trades: float | None
    loss_cap_remaining: float | None
    consecutive_failures: float | None
    settings: Mapping[str, float] | None
    """Numeric and boolean settings by key; none whose key looks like a credential."""
    kill: Kill | None
    registry: Mapping[tuple[str, str], float] | None
    """The bot's own metrics by (name, kind)."""
    recent_errors: frozenset[tuple[float, str, str]] | None
    """The bot's last errors as (its time, severity, message)."""
    partial: frozenset[str]
    """Fields, by their names on the wire, of which some venue or row could not be read."""
    bad_fields: int


def read(message: Mapping[str, object], labels: Labels) -> State:
    """Read a state of any shape."""
    fields = Fields(message)
    venue = labels.venue
    last_cycle = fields.inner("last_cycle") or Fields({})
    cash = fields.numbers("cash_by_venue", venue, operator.add)
    locked = fields.numbers("locked_capital_by_venue", venue, operator.add)
    positions, settles = _positions(fields, labels, [*(cash or ()), *(locked or ())])
    working, oldest = _working_orders(fields, labels)
    status = fields.text("status")
    duration_ms = last_cycle.number("duration_ms")
    return State(
        ts=fields.number("ts"),
        cycle=fields.number("cycle"),
        mode=_labelled(fields.text("mode"), labels.mode),
        uptime=fields.number("uptime_seconds"),
        version=fields.text("version"),
        session_id=fields.text("session_id"),
        simulated=fields.flag("simulated"),
        status=_labelled(status, labels.status),
        commands=fields.texts("commands"),
        named=fields.texts("reports"),
        cash=cash,
        locked_capital=locked,
        venue_limit=fields.numbers("venue_limit_usd", venue, operator.add),
        open_positions=positions,
        earliest_settlement=settles,
        working_orders=working,
        oldest_working_order=oldest,
        unhedged=fields.numbers(UNHEDGED, venue, operator.add),
        last_fill=fields.number("last_fill_ts"),
        realized_pnl=fields.number("realized_pnl"),
        coverage=_coverage(fields, labels),
        quote_age=fields.numbers("quote_age_seconds", venue, max),
        rejects=fields.numbers("rejects", venue, operator.add),
        stream_status=_stream_status(fields, labels),
        paused_until=_paused_until(fields, labels),
        cycle_duration=None if duration_ms is None else duration_ms / 1000,
        quotes=last_cycle.number("quotes_count"),
        opportunities=last_cycle.number("opportunities_found"),
        near_opportunities=last_cycle.number("near_opportunities"),
        decisions=last_cycle.items("decisions") or [],
        daily_pnl=fields.number("daily_pnl"),
        daily_trades=fields.number("daily_trades"),
        loss_cap_remaining=fields.number("daily_loss_cap_remaining"),
        consecutive_failures=fields.number("consecutive_failures"),
        settings=_settings(fields, labels),
        kill=_kill(fields, status, labels),
        registry=_registry(fields, labels),
        recent_errors=_recent_errors(fields),
        partial=frozenset(fields.partial),  # these two are the last to be evaluated
        bad_fields=fields.bad,
    )


def _labelled(text: str | None, label: Bounded) -> str | None:
    return None if text is None else label(text)


def _positions(
    fields: Fields, labels: Labels, venues: list[str]
) -> tuple[dict[str, float] | None, dict[str, float]]:
    """Open positions by venue, and the first settlement; a venue that holds money and no position has 0.

    A position of no venue is one all the same; without any that could be read, the others' 0 is not known.
    """
    settles: dict[str, float] = {}
    if (rows := fields.rows("open_positions")) is None:
        return None, settles
    if unreadable := len(fields.items("open_positions") or ()) - len(rows):
        fields.partial.add("open_positions")
    found = {} if unreadable else dict.fromkeys(venues, 0.0)
    for row in rows:
        venue = labels.venue(row.text("venue") or UNKNOWN)
        put(found, venue, 1.0, operator.add)
        if (at := row.number("expected_settlement_at")) is not None and 0 < at < LATEST:
            put(settles, venue, at, min)
    return found, settles


def _working_orders(fields: Fields, labels: Labels) -> tuple[dict[str, float] | None, dict[str, float]]:
    """Working orders by venue, and the bot's time of the oldest one where there is any."""
    oldest: dict[str, float] = {}
    if (venues := fields.inner("working_orders")) is None:
        return None, oldest
    found: dict[str, float] = {}
    for name in venues:
        orders = venues.inner(name) or Fields({})
        venue = labels.venue(name)
        if (count := orders.number("count")) is not None:
            put(found, venue, count, operator.add)
        else:
            fields.partial.add("working_orders")
        if (ts := orders.number("oldest_ts")) is not None:
            put(oldest, venue, ts, min)
    return found, oldest


def _coverage(fields: Fields, labels: Labels) -> dict[str, float] | None:
    """Scanned ÷ total by venue; a flat {scanned, total} is venue `all`; of nothing there is no share."""
    if (coverage := fields.inner("coverage")) is None:
        return None
    if "total" in coverage:
        share = _share(coverage)
        return {} if share is None else {labels.venue("all"): share}
    found: dict[str, float] = {}
    for name in coverage:
        venue = coverage.inner(name)
        if venue is not None and (share := _share(venue)) is not None:
            put(found, labels.venue(name), share, min)
    return found


def _share(coverage: Fields) -> float | None:
    scanned, total = coverage.number("scanned"), coverage.number("total")
    return scanned / total if scanned is not None and total is not None and total > 0 else None


def _stream_status(fields: Fields, labels: Labels) -> dict[str, str] | None:
    if (streams := fields.inner("stream_status")) is None:
        return None
    found: dict[str, str] = {}
    for name in streams:
        if (said := streams.text(name)) is not None:
            venue, status = labels.venue(name), labels.stream_status(said)
            found[venue] = status if found.get(venue, status) == status else MIXED
    return found


def _paused_until(fields: Fields, labels: Labels) -> dict[str, tuple[float, str]]:
    """Announced pauses; of venues beyond the label's bounds none, for it would hide the others' trouble."""
    venues = fields.inner("planned") or Fields({})
    found: dict[str, tuple[float, str]] = {}
    for name in venues:
        pause = venues.inner(name) or Fields({})
        until, reason = pause.number("until"), pause.text("reason") or UNKNOWN
        if until is not None and ((label := labels.venue(name)) != OTHER or name == OTHER):
            found[label] = until, clean(reason)
    return found


def _settings(fields: Fields, labels: Labels) -> dict[str, float] | None:
    """Settings by key; of those beyond the label's bounds none is shown, for they share no value."""
    if (snapshot := fields.plain("config_snapshot")) is None:
        return None
    return {
        label: value
        for key, raw in snapshot.items()
        if (value := finite(raw)) is not None
        and not is_credential(key)
        and ((label := labels.key(key)) != OTHER or key == OTHER)
    }


@lru_cache(maxsize=1024)
def is_credential(key: str) -> bool:
    """Whether the name of a setting says that its value is for nobody's eyes."""
    return _CREDENTIAL.search(key) is not None


def _kill(fields: Fields, status: str | None, labels: Labels) -> Kill | None:
    """The kill switch as the bot reports it; a bot that only says `killed` leaves its cause unknown."""
    switch = fields.inner("kill_switch") or Fields({})
    if not (active := switch.flag("active")) and status == KILLED:
        return Kill(True, "", UNKNOWN, UNKNOWN_CAUSE, None)
    if active is None:
        return None
    cause, reason = switch.text("cause"), switch.text("reason") or ""
    label = labels.cause(_first_words(reason, cause))
    return Kill(active, reason, label, cause if cause in CAUSES else UNKNOWN_CAUSE, switch.number("since"))


def _first_words(reason: str, cause: str | None) -> str:
    """The first of a kill's reasons, without figures; where the bot halted itself, one of its own."""
    reasons = [part.strip().partition(" (")[0] for part in reason.split(";")]
    own = [words for words in reasons if not GIVEN.match(words)] if cause == AUTOMATIC else []
    return (own or reasons)[0]


def _recent_errors(fields: Fields) -> frozenset[tuple[float, str, str]] | None:
    if (rows := fields.rows("recent_errors")) is None:
        return None
    return frozenset(
        (row.number("ts") or 0.0, row.text("severity") or UNKNOWN, row.text("message") or "")
        for row in rows[-RECENT_ERRORS:]
    )


def _registry(fields: Fields, labels: Labels) -> dict[tuple[str, str], float] | None:
    if (rows := fields.rows("metrics")) is None:
        return None
    found: dict[tuple[str, str], float] = {}
    for row in rows:
        name, kind, value = row.text("name"), row.text("kind"), row.number("value")
        if name is None or value is None or ((label := labels.metric(name)) == OTHER and name != OTHER):
            continue  # what is beyond the label's bounds shares no value
        found[label, kind if kind in {"counter", "gauge"} else UNKNOWN] = value
    return found
