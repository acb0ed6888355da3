"""What the page shows of one bot: each figure with its source, its age, or the words that it is not known.

Pure. A figure from a state that is no longer live, or of a bot that is not connected, is shown as last known
with its age; one that was never reported, or not by every venue, is NOT REPORTED and never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from exporter.figures import count, duration, money, percent
from exporter.ledger import LedgerFigures
from exporter.losscap import NEAR_CAP, Headroom, headroom
from exporter.page.parts import Card, Tile
from exporter.page.planned_tiles import planned_tiles
from exporter.sight import CLOCK_OFF_SECONDS, Sight
from exporter.state import (
    AUTOMATIC,
    ENVIRONMENT,
    KILLED,
    OPERATOR,
    PAUSED,
    UNHEDGED,
    UNKNOWN_CAUSE,
    State,
)
from exporter.verdict import (
    UNHEDGED_ACT_LIVE_SECONDS,
    UNHEDGED_ACT_SECONDS,
    UNHEDGED_LOOK_SECONDS,
    judge,
)
from exporter.view import LIVE, PAPER, BotView

NOT_REPORTED = "NOT REPORTED"
KILLED_BY = {
    OPERATOR: "by an operator",
    AUTOMATIC: "by the bot itself",
    ENVIRONMENT: "by its environment",
    UNKNOWN_CAUSE: "cause not reported",
}
FULL = 1.0  # of the daily loss cap


def card(view: BotView, now: float) -> Card:
    """The card of one bot at one moment, in epoch seconds."""
    sight = view.at(now)
    judged = judge(sight)
    tiles = (
        _mode(sight),
        _data_age(sight),
        _day_pnl(sight),
        _loss_cap(sight),
        _exposed(sight),
        _working_orders(sight),
        _positions(sight),
        _last_fill(sight),
        _trades(sight),
        _kill_switch(sight),
        _link(sight),
        _process(sight),
        *planned_tiles(sight),
    )
    return Card(view.name, judged.level, judged.text, judged.since, tiles)


def _from_state(sight: Sight, title: str, make: Callable[[State], Tile | None]) -> Tile:
    """A figure of the last state: live, last known, not reported, or of no state at all."""
    state = sight.view.state
    if state is None and sight.awaiting:
        return Tile(title, "AWAITING", "the first state", "awaiting")
    if state is None:
        return Tile(title, "NOT KNOWN", "no state since this console started", "unknown")
    tile = make(state)
    if tile is None:
        return Tile(title, NOT_REPORTED, "by this bot", "unknown")
    if not sight.up:
        return Tile(title, tile.value, f"last known, {duration(sight.age or 0)} old", "old")
    return tile


def _of_the_day(sight: Sight, title: str, make: Callable[[State], Tile | None]) -> Tile:
    """A figure of the UTC day, which a state of the day before says nothing about."""
    if sight.new_day:
        tone = "unknown" if sight.live is None else "awaiting"
        return Tile(title, "NEW DAY", "no state of this UTC day yet", tone)
    return _from_state(sight, title, make)


def _mode(sight: Sight) -> Tile:
    def make(state: State) -> Tile | None:
        if state.mode is None and state.status is None:
            return None
        simulated = {True: "SIMULATED MARKETS", False: "real markets", None: "simulated: not reported"}
        mode = (state.mode or "mode not reported").upper()
        note = simulated[state.simulated]
        if state.status == KILLED:
            return Tile("MODE", "KILLED", f"{mode} · {note}", _kill_tone(state))
        if state.status == PAUSED:
            return Tile("MODE", "PAUSED", f"{mode} · {note}", "planned")
        return Tile("MODE", mode, note, {LIVE: "inverse", PAPER: "planned"}.get(state.mode or "", ""))

    tile = _from_state(sight, "MODE", make)
    if tile.tone == "old" and sight.view.state is not None and sight.view.state.simulated:
        return Tile(tile.title, tile.value, f"SIMULATED MARKETS · {tile.note}", "old")
    return tile


def _data_age(sight: Sight) -> Tile:
    stale_after = sight.view.cadence.stale_after
    note = f"stale after {duration(stale_after)}"
    if sight.age is None:
        tone = "planned" if sight.awaiting or not sight.expected else "unknown"
        return Tile("DATA AGE", "NO STATE YET", "awaiting the first" if sight.awaiting else "", tone)
    value = duration(sight.age)
    if sight.awaiting:
        return Tile("DATA AGE", value, f"awaiting the next state · {note}", "awaiting")
    if sight.live is None:
        return Tile("DATA AGE", value, f"STALE · {note}", "act" if sight.expected else "planned")
    return Tile("DATA AGE", value, note, "look" if sight.age > stale_after / 2 else "")


def _day_pnl(sight: Sight) -> Tile:
    def make(state: State) -> Tile | None:
        if state.daily_pnl is None:
            return None
        return Tile("DAY PnL", money(state.daily_pnl), "from the bot · day ends 00:00 UTC")

    kept = _instead(sight)
    if kept is not None and kept.pnl is not None:
        return Tile("DAY PnL", money(kept.pnl), "from the ledger · day ends 00:00 UTC")
    return _of_the_day(sight, "DAY PnL", make)


def _loss_cap(sight: Sight) -> Tile:
    title, cap = "LOSS CAP USED", sight.view.cap
    room = sight.headroom
    if sight.view.latch.active(sight.now) is not None:
        note = f"{percent(room.ratio)} of {money(room.cap)}" if room else "earlier this UTC day"
        return Tile(title, "BREACHED", f"{note} · until 00:00 UTC", "act")
    if cap is not None and cap <= 0:
        tone = "look" if sight.view.tier == LIVE else ""
        return _from_state(sight, title, lambda _: Tile(title, "NO CAP", "the bot's cap is 0 or less", tone))

    def make(state: State) -> Tile | None:
        return _used(title, headroom(state.daily_pnl, cap), "")

    kept = _used(title, sight.ledger_headroom if _instead(sight) else None, " by the ledger")
    if kept is not None:
        return kept
    tile = _of_the_day(sight, title, make)
    if tile.value == NOT_REPORTED and sight.view.state is not None:
        return replace(
            tile, note="the cap, by this bot" if cap is None else f"the day's PnL · cap {money(cap)}"
        )
    return tile


def _used(title: str, room: Headroom | None, by: str) -> Tile | None:
    if room is None:
        return None
    tone = "act" if room.ratio >= FULL else "look" if room.ratio >= NEAR_CAP else ""
    return Tile(title, percent(room.ratio), f"{money(room.used)} of {money(room.cap)}{by}", tone)


def _instead(sight: Sight) -> LedgerFigures | None:
    """What the ledger says of the day where the bot itself says nothing of it that is true now."""
    said = sight.up and sight.today is not None and sight.today.daily_pnl is not None
    return None if said else sight.ledger


def _exposed(sight: Sight) -> Tile:
    def make(state: State) -> Tile | None:
        if state.unhedged is None:
            return None
        usd, since = sight.unhedged, sight.view.unhedged_since
        in_part = UNHEDGED in state.partial
        if since is None:
            return None if in_part else Tile("EXPOSED", money(0), "nothing unhedged")
        lasting = sight.now - since
        longest = UNHEDGED_ACT_LIVE_SECONDS if state.mode == LIVE else UNHEDGED_ACT_SECONDS
        tone = "act" if lasting >= longest else "look" if lasting >= UNHEDGED_LOOK_SECONDS else ""
        value = f"≥ {money(usd)}" if in_part else money(usd)
        return Tile("EXPOSED", value if usd else NOT_REPORTED, f"unhedged for {duration(lasting)}", tone)

    return _from_state(sight, "EXPOSED", make)


def _working_orders(sight: Sight) -> Tile:
    def make(state: State) -> Tile | None:
        if (number := _total(state, "working_orders", state.working_orders)) is None:
            return None
        if not state.oldest_working_order:
            return Tile("WORKING ORDERS", number)
        age = _since_bots(sight, min(state.oldest_working_order.values()))
        return Tile("WORKING ORDERS", number, f"oldest {duration(age)}")

    return _from_state(sight, "WORKING ORDERS", make)


def _positions(sight: Sight) -> Tile:
    def make(state: State) -> Tile | None:
        number = _total(state, "open_positions", state.open_positions)
        return None if number is None else Tile("POSITIONS", number, _by_venue(state.open_positions or {}))

    return _from_state(sight, "POSITIONS", make)


def _last_fill(sight: Sight) -> Tile:
    if (blocked := sight.blocked) is not None:
        return Tile("BLOCKED BY", blocked.reason, f"for {duration(sight.now - blocked.since)}", "look")

    def make(state: State) -> Tile | None:
        if state.last_fill is None:
            return Tile("LAST FILL", "NO TRADE", "today, says the bot") if state.daily_trades == 0 else None
        return Tile("LAST FILL", f"{duration(_since_bots(sight, state.last_fill))}", "ago")

    state = sight.view.state
    never = state is not None and state.last_fill is None
    return (_of_the_day if never else _from_state)(sight, "LAST FILL", make)


def _trades(sight: Sight) -> Tile:
    def make(state: State) -> Tile | None:
        if state.daily_trades is None:
            return None
        return Tile("TRADES TODAY", count(state.daily_trades), _failures(state.consecutive_failures))

    kept = _instead(sight)
    if kept is not None and kept.trades is not None:
        failures = sight.view.ledger.failures(sight.now)
        return Tile("TRADES TODAY", count(kept.trades), f"from the ledger · {_failures(failures)}")
    return _of_the_day(sight, "TRADES TODAY", make)


def _failures(number: float | None) -> str:
    return "failures not reported" if number is None else f"failures in a row: {count(number)}"


def _kill_switch(sight: Sight) -> Tile:
    def make(state: State) -> Tile | None:
        if state.kill is None:
            return None
        if not state.kill.active:
            return Tile("KILL SWITCH", "NOT ACTIVE", "says the bot")
        said = " · ".join(filter(None, (KILLED_BY[state.kill.cause], state.kill.reason)))
        return Tile("KILL SWITCH", "ACTIVE", said, _kill_tone(state))

    return _from_state(sight, "KILL SWITCH", make)


def _kill_tone(state: State) -> str:
    """An operator's own kill is planned; one that nobody ordered, or whose cause is unknown, is not."""
    cause = None if state.kill is None else state.kill.cause
    return {OPERATOR: "planned", ENVIRONMENT: "look"}.get(cause or "", "act")


def _link(sight: Sight) -> Tile:
    link = sight.view.link
    goodbye = link.stopping(sight.now)
    if sight.connected and link.leaving(sight.now) is None:
        beat = (
            "no heartbeats"
            if link.heartbeat_at is None
            else f"heartbeat {duration(sight.now - link.heartbeat_at)} ago"
        )
        skew = sight.view.clock_skew or 0.0
        if abs(skew) >= CLOCK_OFF_SECONDS:
            off = f"the bot's clock is {duration(abs(skew))} {'fast' if skew > 0 else 'slow'}"
            return Tile("LINK", "CONNECTED", f"{beat} · {off}", "look")
        return Tile("LINK", "CONNECTED", f"{beat} · reconnects: {count(link.reconnects)}")
    if goodbye is not None:
        return Tile("LINK", "STOPPED", goodbye.reason or "the bot said goodbye", "planned")
    gone = duration(sight.now - link.gone_since(sight.now))
    why = link.why if link.opened_at is None else "accepts, and says nothing"
    return Tile("LINK", "DISCONNECTED", f"for {gone} · {why}", "act" if sight.expected else "planned")


def _process(sight: Sight) -> Tile:
    def make(state: State) -> Tile | None:
        if state.uptime is None:
            return None
        cycle = "" if state.cycle is None else f"cycle {count(state.cycle)}"
        version = "" if state.version is None else f"version {state.version}"
        return Tile("BOT UP", duration(state.uptime), " · ".join(filter(None, (version, cycle))))

    return _from_state(sight, "BOT UP", make)


def _total(state: State, field: str, values: Mapping[str, float] | None) -> str | None:
    """A count over all venues; `≥ 3` where some of them could not be read, None where none is known."""
    if values is None:
        return None
    total = sum(values.values())
    if field not in state.partial:
        return count(total)
    return f"≥ {count(total)}" if total else None


def _by_venue(values: Mapping[str, float]) -> str:
    """`kalshi 3 · polymarket 1`, without the venues that have none."""
    return " · ".join(f"{venue} {count(value)}" for venue, value in sorted(values.items()) if value)


def _since_bots(sight: Sight, at: float) -> float:
    """Seconds since a time by the bot's own clock."""
    return max(0.0, sight.now - (at - (sight.view.clock_skew or 0.0)))
