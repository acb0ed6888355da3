"""Paper to live in two steps, back in one: what must hold before, and how a bot is told.

Pure: what is known of the bot and the time are passed in. `preflight` is the list that a person reads before
typing the code; every line that fails refuses. Back to paper nothing is asked: it lowers the risk.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from botkit.messages import SET_MODE
from exporter.control.catalogue import Catalogue
from exporter.control.change import update
from exporter.control.command import commands_of
from exporter.errors import Invalid, NotNow

LIVE: Final = "live"
PAPER: Final = "paper"
DRILL_VALID_SECONDS: Final = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the preflight: whether it holds, and the sentence that says so or says what to do."""

    name: str
    holds: bool
    says: str


@dataclass(frozen=True, slots=True)
class Before:
    """What is known before a change of mode. USD; times in epoch seconds; None is unknown."""

    allow_live: bool
    connected: bool
    fresh: bool
    age: float | None
    state: Mapping[str, object] | None
    own: bool
    mode: str | None
    cap: float | None
    breached: bool
    killed: bool
    unhedged: float | None
    drill_at: float | None
    called_paper: bool = False
    """Whether exporter.yml says that its tier is paper."""


def preflight(catalogue: Catalogue, before: Before, now: float) -> list[Check]:
    """Everything that must hold before live, in the order in which people check it."""
    return list(_checks(catalogue, before, now))


def _checks(catalogue: Catalogue, before: Before, now: float) -> Iterator[Check]:
    yield Check(
        "allowed",
        before.allow_live,
        "exporter.yml allows live mode" if before.allow_live else "allow_live is false in exporter.yml",
    )
    silent = "nobody would be paged for it: its tier is paper in exporter.yml"
    yield Check("paged", not before.called_paper, silent if before.called_paper else "its alerts page")
    fresh = before.connected and before.fresh
    age = "none came yet" if before.age is None else f"the last one is {before.age:.0f} s old"
    yield Check("fresh", fresh, "the state is fresh" if fresh else f"no fresh state: {age}")
    way = _message(catalogue, before, LIVE)
    yield Check(
        "possible",
        way is not None,
        "the bot changes its mode while it runs" if way else f"{_unable(catalogue, before)}",
    )
    yield Check("paper", before.mode == PAPER, f"the mode is {before.mode or 'not reported'}")
    yield _cap(before.cap)
    yield Check(
        "unbreached",
        not before.breached,
        "the loss cap is breached today" if before.breached else "no breach of the cap today",
    )
    yield Check("unkilled", not before.killed, "the bot is killed" if before.killed else "not killed")
    yield _hedged(before.unhedged)
    yield _drill(before.drill_at, now)


def _hedged(unhedged: float | None) -> Check:
    if unhedged is None:  # of deployed bots nobody knows, so it cannot be asked for
        return Check("hedged", True, "unhedged: not reported by this bot, look at the venues")
    return Check("hedged", unhedged == 0, f"unhedged: ${unhedged:,.2f}")


def _cap(cap: float | None) -> Check:
    if cap is None or not math.isfinite(cap):
        return Check("cap", False, "the daily loss cap is not known")
    if cap <= 0:
        return Check("cap", False, "there is no daily loss cap: set one above 0 first")
    return Check("cap", True, f"the daily loss cap is ${cap:,.2f}")


def _drill(drill_at: float | None, now: float) -> Check:
    if drill_at is None:
        return Check("drill", False, "the kill was never proven by a drill")
    days = (now - drill_at) / 86_400
    holds = 0 <= now - drill_at <= DRILL_VALID_SECONDS
    return Check("drill", holds, f"the kill was proven by a drill {days:.0f} days ago; 30 are allowed")


def failing(checks: Sequence[Check]) -> str:
    """What does not hold, as one sentence; empty where everything does."""
    return "; ".join(check.says for check in checks if not check.holds)


def order(catalogue: Catalogue, before: Before, target: str, now: float) -> Mapping[str, object]:
    """The command that changes the mode. Raises Invalid for no mode, NotNow with everything that fails."""
    if target not in {LIVE, PAPER}:
        raise Invalid("the mode is `paper` or `live`")
    if target == LIVE and (says := failing(preflight(catalogue, before, now))):
        raise NotNow(f"not live: {says}")
    if before.mode == target:
        raise NotNow(f"the mode is {target} already")
    message = _message(catalogue, before, target)
    if message is None:
        raise NotNow(_unable(catalogue, before))
    if not before.connected:
        raise NotNow("the bot is not connected; nothing was sent")
    return message


def _message(catalogue: Catalogue, before: Before, target: str) -> Mapping[str, object] | None:
    """How this bot is told: by its own command, or, where it was written by others, by its setting."""
    state = before.state or {}
    if SET_MODE in (commands_of(state) or ()):
        return {"type": SET_MODE, "mode": target, "confirm": True}
    settings = state.get("config_snapshot")
    key = catalogue.mode_setting
    if not before.own and isinstance(settings, Mapping) and key in settings:
        return update(key, target == LIVE)
    return None


def _unable(catalogue: Catalogue, before: Before) -> str:
    if before.state is None:
        return "the bot has not sent a state yet"
    return f"this bot's mode is fixed while it runs: set {catalogue.mode_setting} and restart it"
