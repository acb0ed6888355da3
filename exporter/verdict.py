"""Says for one bot, in a few words and one of five levels, what an operator should know first.

Pure. `PRECEDENCE` lists the situations, the most pressing first; the first one that holds is the verdict. A
text has at most 40 characters and no clock in it: it is a label, and what ticks stands in `since`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exporter.control.kill import Stage
from exporter.losscap import NEAR_CAP
from exporter.sight import Sight
from exporter.state import AUTOMATIC, ENVIRONMENT, OPERATOR, PAUSED
from exporter.view import LIVE, BotView

LONGEST: Final = 40  # characters that fit on one line of the wall
LONGEST_PHASE: Final = 12  # characters, so that what may follow it still fits
CONNECTING_SECONDS: Final = 15.0
UNHEDGED_LOOK_SECONDS: Final = 10.0
UNHEDGED_ACT_SECONDS: Final = 60.0
UNHEDGED_ACT_LIVE_SECONDS: Final = 15.0


class Level(StrEnum):
    """What to do: nothing, nothing because it was planned, look within the hour, act now; or nobody knows."""

    OK = "ok"
    PLANNED = "planned"
    LOOK = "look"
    ACT = "act"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One bot's situation, and since when it holds in epoch seconds of the exporter's clock."""

    level: Level
    text: str
    since: float


Words = tuple[str, float] | None
"""What to say and since when, or None where the situation does not hold."""


def verdict(view: BotView, now: float) -> Verdict:
    """The verdict on a bot at `now`."""
    return judge(view.at(now))


def judge(sight: Sight) -> Verdict:
    """The verdict on what is seen of a bot."""
    for level, situation in PRECEDENCE:
        if (words := situation(sight)) is not None:
            text, since = words
            text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
            return Verdict(level, text, min(since, sight.now))
    raise AssertionError("the last situation always holds")


def not_killed(sight: Sight) -> Words:
    """A kill was ordered, and the bot goes on."""
    return _kill_at(sight, "NOT KILLED", Stage.NOT_VERIFIED)


def kill_not_proven(sight: Sight) -> Words:
    """A kill was ordered, and nothing shows that it works."""
    if (words := _kill_at(sight, "KILL NOT PROVEN", Stage.UNPROVEN)) is None:
        return None
    text, since = words
    trouble = _link_trouble(sight)
    return (f"{text}, {trouble[0]}" if trouble else text), since


def killing(sight: Sight) -> Words:
    """A kill was ordered a moment ago."""
    return _kill_at(sight, "KILLING", Stage.SENT, Stage.ACKED)


def halted_proven(sight: Sight) -> Words:
    """A kill was ordered, and the bot's later states prove it."""
    return _kill_at(sight, "HALTED PROVEN", Stage.VERIFIED)


def breached(sight: Sight) -> Words:
    """The day's loss reached its cap; with it, why that may be worse than it sounds."""
    if (breach := sight.view.latch.active(sight.now)) is None:
        return None
    if trouble := _link_trouble(sight):
        return f"LOSS CAP BREACHED, {trouble[0]}", breach.at
    if breach.opened_at is not None:
        return "LOSS CAP BREACHED, STILL TRADING", breach.at
    kill = sight.live.kill if sight.live else None
    goes_on = kill is not None and not kill.active
    return "LOSS CAP BREACHED, NOT HALTED" if goes_on else "LOSS CAP BREACHED", breach.at


def unhedged_too_long(sight: Sight) -> Words:
    """Exposure that no leg in flight explains."""
    live_money = sight.view.last_mode == LIVE
    return _unhedged(sight, UNHEDGED_ACT_LIVE_SECONDS if live_money else UNHEDGED_ACT_SECONDS)


def halted(sight: Sight) -> Words:
    """The bot stopped itself, or nobody knows who did."""
    kill = sight.live.kill if sight.live else None
    if kill is None or not kill.active or kill.cause in {OPERATOR, ENVIRONMENT}:
        return None
    text = f"HALTED: {kill.label}" if kill.cause == AUTOMATIC else "KILLED, CAUSE UNKNOWN"
    return text, sight.view.kill_since or sight.now


def stopping(sight: Sight) -> Words:
    """The bot said goodbye a moment ago."""
    goodbye = sight.view.link.leaving(sight.now)
    return None if goodbye is None else (f"STOPPED: {goodbye.reason}", goodbye.at)


def planned_and_quiet(sight: Sight) -> Words:
    """Scheduled quiet explains that the bot is not up."""
    return None if sight.up else planned(sight)


def connecting(sight: Sight) -> Words:
    """This exporter has only just begun to look for the bot."""
    view = sight.view
    begun = abs(sight.now - view.started) < CONNECTING_SECONDS and not view.link.ever_opened
    return ("CONNECTING", view.started) if begun and sight.expected else None


def link_trouble(sight: Sight) -> Words:
    """Not connected, hung or stale; where exposure was left behind, how much.

    A bot that is not back from planned quiet is said to be so, since its end.
    """
    if (trouble := _link_trouble(sight)) is None:
        return None
    text, since = trouble
    missed = None if sight.connected else sight.overrun
    exposed = sight.view.unhedged_since is not None
    if missed is not None:
        text, since = "OVERRUN" if exposed else f"OVERRUN, PLANNED UNTIL {missed.until_text}", missed.until
    return f"{text}, {_exposure(sight)}" if exposed else text, since


def left_unhedged(sight: Sight) -> Words:
    """Exposure in the last state of a bot that nobody hears now, though that is planned or about to end."""
    since = sight.view.unhedged_since
    if sight.up or since is None or sight.now - since < UNHEDGED_LOOK_SECONDS:
        return None
    return f"{_exposure(sight)} WHEN LAST SEEN", since


def no_first_state(sight: Sight) -> Words:
    """Connected for longer than any bot needs for a cycle, and never a state."""
    opened_at = sight.view.link.opened_at
    if sight.view.state_at is not None or sight.awaiting or opened_at is None:
        return None
    return "NO FIRST STATE", opened_at + sight.first_state_within


def awaiting(sight: Sight) -> Words:
    """Connected, and the next state is not due yet."""
    return ("AWAITING FIRST STATE", sight.view.link.opened_at or sight.now) if sight.awaiting else None


def near_cap(sight: Sight) -> Words:
    """Most of the day's loss cap is used."""
    room = sight.headroom
    if room is None or room.ratio < NEAR_CAP:
        return None
    return f"LOSS CAP {int(room.ratio * 100)} %", sight.view.near_cap_since or sight.now


def unhedged(sight: Sight) -> Words:
    """Exposure for longer than legs usually need."""
    return _unhedged(sight, UNHEDGED_LOOK_SECONDS)


def live_without_cap(sight: Sight) -> Words:
    """Real money, and the loss cap is off."""
    cap = sight.view.cap
    return (
        ("LIVE WITHOUT A LOSS CAP", _ok_since(sight))
        if _is_live(sight) and cap is not None and cap <= 0
        else None
    )


def live_and_unknown(sight: Sight) -> Words:
    """Real money, and nobody says how much of it is lost or may be."""
    if not _is_live(sight) or sight.live is None:
        return None
    if sight.view.cap is None:
        return "LIVE, LOSS CAP UNKNOWN", _ok_since(sight)
    return None if sight.live.daily_pnl is not None else ("LIVE, PnL NOT REPORTED", _ok_since(sight))


def killed_by(cause: str) -> Callable[[Sight], Words]:
    """The situation that the kill switch is on for this cause."""

    def situation(sight: Sight) -> Words:
        kill = sight.live.kill if sight.live else None
        if kill is None or not kill.active or kill.cause != cause:
            return None
        return f"KILLED BY {cause.upper()}", sight.view.kill_since or sight.now

    return situation


def paused(sight: Sight) -> Words:
    """No new entries, by somebody's wish."""
    is_paused = sight.live is not None and sight.live.status == PAUSED
    return ("PAUSED", sight.view.status_since) if is_paused else None


def planned(sight: Sight) -> Words:
    """A window of the schedule is open, an exchange is closed, or somebody ordered quiet; why, if it fits."""
    quiet = sight.planned
    if quiet is None:
        return None
    text = f"PLANNED until {quiet.until_text}"
    whole = f"{text}: {quiet.reason}"
    return whole if len(whole) <= LONGEST else text, quiet.since


def blocked(sight: Sight) -> Words:
    """One reason keeps the bot from opening anything."""
    block = sight.blocked
    return None if block is None else (f"BLOCKED BY {block.reason}", block.since)


def ok(sight: Sight) -> Words:
    """Nothing else holds; what the bot does not report is said all the same."""
    known = sight.live is not None and sight.live.daily_pnl is not None
    return "OK" if known else "OK, PnL NOT REPORTED", _ok_since(sight)


PRECEDENCE: Final[tuple[tuple[Level, Callable[[Sight], Words]], ...]] = (
    (Level.ACT, not_killed),
    (Level.ACT, breached),
    (Level.ACT, kill_not_proven),
    (Level.LOOK, killing),
    (Level.UNKNOWN, connecting),
    (Level.ACT, link_trouble),
    (Level.ACT, left_unhedged),
    (Level.ACT, unhedged_too_long),
    (Level.PLANNED, stopping),
    (Level.PLANNED, planned_and_quiet),
    (Level.ACT, halted),
    (Level.LOOK, no_first_state),
    (Level.PLANNED, awaiting),
    (Level.LOOK, near_cap),
    (Level.LOOK, unhedged),
    (Level.LOOK, live_without_cap),
    (Level.UNKNOWN, live_and_unknown),
    (Level.PLANNED, halted_proven),
    (Level.LOOK, killed_by(ENVIRONMENT)),
    (Level.PLANNED, killed_by(OPERATOR)),
    (Level.PLANNED, paused),
    (Level.PLANNED, planned),
    (Level.LOOK, blocked),
    (Level.OK, ok),
)


def _kill_at(sight: Sight, text: str, *stages: Stage) -> Words:
    """These words, with the venue they are about, where the kill that is on is at one of the stages."""
    kill = sight.kill.kill if sight.kill is not None else None
    if kill is None or kill.stage not in stages:
        return None
    venue = f"{text}: {kill.order.venue}" if kill.order.venue else text
    return f"DRILL {venue}" if kill.order.drill else venue, kill.since


def _link_trouble(sight: Sight) -> Words:
    """What is wrong with the link itself and nothing planned explains."""
    view = sight.view
    if not sight.expected:
        return None
    if not sight.connected:
        return "DISCONNECTED", view.link.gone_since(sight.now)
    if sight.hung:
        return f"HUNG in {view.link.phase[:LONGEST_PHASE]}" if view.link.phase else "HUNG", sight.hung_since
    if sight.live is None and view.state_at is not None and not sight.awaiting:
        return "STALE", view.state_at + view.cadence.stale_after
    return None


def _unhedged(sight: Sight, longest: float) -> Words:
    since = sight.view.unhedged_since
    if sight.live is None or since is None or sight.now - since < longest:
        return None
    killed = sight.live.kill is not None and sight.live.kill.active
    text = _exposure(sight)
    return f"{text}, KILLED" if killed else text, since


def _exposure(sight: Sight) -> str:
    """What the last state left unhedged; once it was, a bot that no longer says how much is still."""
    return f"UNHEDGED {_usd(sight.unhedged)}" if sight.unhedged else "UNHEDGED, AMOUNT UNKNOWN"


def _is_live(sight: Sight) -> bool:
    return sight.live is not None and sight.live.mode == LIVE


def _ok_since(sight: Sight) -> float:
    return max(sight.view.live_since, sight.view.link.opened_at or 0.0)


def _usd(amount: float) -> str:
    """An amount to two significant digits, so that its small moves do not make a new text each time."""
    rounded = float(f"{amount:.2g}")
    return f"${rounded:,.0f}" if rounded >= 10 else f"${rounded:,.2f}"
