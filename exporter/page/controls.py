"""What can be done to a bot from the operator page: which buttons there are, and why others are not.

Pure but for the desks that it reads. What stands beside the buttons is what became of what was ordered, by
the bot's later states: an ack is shown as no more than an ack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from botkit.messages import PAUSE, RESUME
from exporter.control.actions import refusal_of_drill
from exporter.control.codes import Shown
from exporter.control.console import Desks
from exporter.control.desk import Entry
from exporter.control.kill import Stage
from exporter.control.maintenance import LONGEST_MINUTES
from exporter.control.order import Stage as OrderStage
from exporter.control.standing import Standing
from exporter.figures import clock, count, duration, money
from exporter.page.parts import Button, Controls, ShownCode, Told
from exporter.sight import Sight
from exporter.state import KILLED, PAUSED

NOT_REPORTED: Final = "NOT REPORTED"
KILL_TONES: Final[Mapping[Stage, str]] = {
    Stage.SENT: "look",
    Stage.ACKED: "look",
    Stage.VERIFIED: "planned",
    Stage.UNPROVEN: "act",
    Stage.NOT_VERIFIED: "act",
}
_WAITING: Final = frozenset({OrderStage.SENT, OrderStage.ACKED, OrderStage.UNANSWERED, OrderStage.RESTORING})


def controls(desks: Desks, now: float, codes: tuple[Shown, ...] = ()) -> Controls:
    """The controls of one bot at `now`; `codes` are those that may be shown to who looks."""
    stands, sight = desks.kill.standing(now), desks.view.at(now)
    entries = desks.desk.entries()
    return Controls(
        bot=desks.view.name,
        kill=_kill(stands, now),
        leaves=_leaves(desks.view.name, stands, sight),
        buttons=tuple(_buttons(desks, stands, sight)),
        last=_last(entries[0], now) if entries else None,
        codes=tuple(
            ShownCode(code.code, code.act.says, code.expires)
            for code in codes
            if code.act.bot == desks.view.name
        ),
    )


def bare(bot: str) -> Controls:
    """The controls of a bot that cannot be read: to kill it must be possible all the same."""
    kill = Button(f"kill-{bot}", f"KILL {bot}", f"/api/bots/{bot}/kill", hold=True)
    return Controls(
        bot, Told("", "NOT KNOWN", "", "unknown"), "What a kill would leave is not known.", (kill,)
    )


def kill_all(every: Sequence[Standing | None]) -> Button | None:
    """The button for all bots, where there is more than one; it says what would remain.

    `every` has an entry for each bot, None for one that cannot be read.
    """
    if len(every) < 2:
        return None
    read = [each for each in every if each is not None]
    held = _sum([each.positions for each in read], len(every), count)
    exposed = _sum([each.unhedged for each in read], len(every), money)
    orders = _sum([each.working_orders for each in read], len(every), count)
    says = f"would leave: positions {held} · unhedged {exposed} · working orders {orders}"
    return Button("kill-all", f"KILL ALL {len(every)}", "/api/kill", says=says, hold=True)


def _sum(values: Sequence[float | None], bots: int, written: Callable[[float], str]) -> str:
    """What all bots say together, and of how many of them that is where not all say it."""
    known = [value for value in values if value is not None]
    if not known:
        return NOT_REPORTED
    total = written(sum(known))
    return total if len(known) == bots else f"≥ {total} ({len(known)} of {bots} bots say)"


def _kill(stands: Standing, now: float) -> Told:
    """How a kill stands, or how it would go now."""
    kill = stands.kill
    if kill is None:
        usable = [path for path, works in stands.paths.items() if works]
        how = f"a kill would go over {' and '.join(usable)}" if usable else "no socket and no kill file"
        return Told("", stands.words, how, "" if usable else "unknown")
    order = kill.order
    paths = " · ".join(f"{path}: {what}" for path, what in stands.delivered.items() if what)
    who = f"{order.who} ({order.source}) at {clock(order.sent_at)}, {duration(now - order.sent_at)} ago"
    proof = "" if kill.time_to_verified is None else f"proven in {kill.time_to_verified:.1f} s"
    says = " · ".join(filter(None, (order.reason, paths, proof)))
    return Told(who, stands.words, says, KILL_TONES.get(kill.stage, ""))


def _leaves(bot: str, stands: Standing, sight: Sight) -> str:
    """What remains after a kill, or would, by the bot's last state; with its age where that is not live."""
    beginning = f"KILL {bot} would leave:" if stands.kill is None else f"Left in {bot}:"
    if sight.view.state is None:
        return f"{beginning} not known, no state came yet"
    positions, orders = stands.positions, stands.working_orders
    held = f"positions {NOT_REPORTED}" if positions is None else f"{count(positions)} positions, kept"
    exposed = NOT_REPORTED if stands.unhedged is None else money(stands.unhedged)
    working = NOT_REPORTED if orders is None else f"{count(orders)}, cancelled by the bot" if orders else "0"
    old = "" if sight.up else f" · as of {duration(sight.age or 0)} ago"
    return f"{beginning} {held} · unhedged {exposed} · working orders {working}{old}"


def _buttons(desks: Desks, stands: Standing, sight: Sight) -> Iterator[Button]:
    bot, state = desks.view.name, desks.view.state
    base = f"/api/bots/{bot}"
    latched = stands.kill is not None
    yield Button(f"kill-{bot}", f"KILL {bot} AGAIN" if latched else f"KILL {bot}", f"{base}/kill", hold=True)
    killed = state is not None and (state.status == KILLED or (state.kill is not None and state.kill.active))
    if latched or killed:
        for venue in [each.order.venue for each in stands.kills] or [None]:
            yield _rearm(bot, venue)
    yield _run_or_pause(desks, sight)
    yield _maintenance(desks, sight)
    if not latched:
        yield Button(
            f"drill-{bot}",
            "Drill…",
            f"{base}/drill",
            f"Drill the kill of {bot}",
            "The bot is killed, which must be proven, and re-armed. It is paused then: resume it afterwards.",
            ("reason",),
            why_not=refusal_of_drill(desks, sight.now),
        )


def _rearm(bot: str, venue: str | None) -> Button:
    name = f"{bot} {venue}" if venue else bot
    return Button(
        f"rearm-{bot}-{venue or 'all'}",
        f"Re-arm {venue}…" if venue else "Re-arm…",
        f"/api/bots/{bot}/rearm",
        f"Re-arm {name}",
        "The kill is taken back. The bot stays paused until somebody resumes it.",
        ("reason!",),
        {"venue": venue} if venue else {},
    )


def _run_or_pause(desks: Desks, sight: Sight) -> Button:
    bot, can = desks.view.name, desks.commands.possible()
    state = desks.view.state
    status = state.status if state is not None else None
    if status == PAUSED:
        needs = "reason!" if desks.commands.raises(RESUME) else "reason"
        says = "New entries again."
        return Button(
            f"resume-{bot}",
            "Resume…",
            f"/api/bots/{bot}/resume",
            f"Resume {bot}",
            says,
            (needs,),
            why_not=can[RESUME],
        )
    why_not = can[PAUSE]
    if not why_not and not sight.connected:
        why_not = "the bot is not connected"
    elif not why_not and status == KILLED:
        why_not = "it is killed and opens nothing"
    says = "No new entries. Positions are still managed."
    return Button(
        f"pause-{bot}",
        "Pause…",
        f"/api/bots/{bot}/pause",
        f"Pause {bot}",
        says,
        ("reason",),
        why_not=why_not,
    )


def _maintenance(desks: Desks, sight: Sight) -> Button:
    bot, planned = desks.view.name, desks.view.maintenance
    call = f"/api/bots/{bot}/maintenance"
    if planned is not None and planned.holds(sight.now):
        says = f"Ordered by {planned.who} until {planned.planned.until_text}: {planned.reason}"
        title = f"End the maintenance of {bot}"
        return Button(
            f"end-maintenance-{bot}", "End maintenance…", call, title, says, ("reason",), {"minutes": "0"}
        )
    says = (
        f"Alerts about the link wait for up to {LONGEST_MINUTES} minutes; those about money and control do"
        " not. It ends by itself when the bot was away and is back. The bot itself is told nothing."
    )
    return Button(
        f"maintenance-{bot}",
        "Maintenance…",
        call,
        f"Plan quiet for {bot}",
        says,
        ("minutes!", "reason!"),
    )


def _last(entry: Entry, now: float) -> Told:
    """The last command beside kills, and what became of it."""
    stage = entry.stage
    what = f"{entry.name.replace('_', ' ')} by {entry.who.name}, {duration(now - entry.sent_at)} ago"
    tone = "act" if stage.doubtful else "look" if stage in _WAITING else ""
    word = stage.value.replace("_", " ").upper()
    return Told(what, word, entry.thing.says, tone)
