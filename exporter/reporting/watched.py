"""What can be said of one bot at one moment, as rows of `bots` and `states`. Pure.

What is not known is None: the mode of a bot that is not live, the loop of a bot that does not say. The words
of a row of `states` are:

* loop: running, hung, starting, stale, stopped after a goodbye, or None while nobody can know;
* link: connected or disconnected;
* mode and status: the bot's own words, None while its states are stale;
* kill: where a kill by this console stands (sent, acked, verified …), else the bot's own word: active or
  inactive, None while stale or not reported;
* ledger: the worst word on the bot's stores, None where none was looked for;
* maintenance: why quiet is planned, or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from exporter.sight import Sight
from exporter.verdict import judge

RUNNING: Final = "running"
HUNG: Final = "hung"
STARTING: Final = "starting"
STALE: Final = "stale"
STOPPED: Final = "stopped"
CONNECTED: Final = "connected"
DISCONNECTED: Final = "disconnected"
ACTIVE: Final = "active"
INACTIVE: Final = "inactive"
NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Words:
    """A row of `states` without its time."""

    loop: str | None = None
    link: str | None = None
    mode: str | None = None
    status: str | None = None
    kill: str | None = None
    ledger: str | None = None
    maintenance: str | None = None


def words(sight: Sight, ledger: str | None) -> Words:
    """How a bot is, in a word each; `ledger` is the word on its stores."""
    live = sight.live
    return Words(
        loop=_loop(sight),
        link=CONNECTED if sight.connected else DISCONNECTED,
        mode=None if live is None else live.mode,
        status=None if live is None else live.status,
        kill=_kill(sight),
        ledger=ledger,
        maintenance=_maintenance(sight),
    )


def _kill(sight: Sight) -> str | None:
    if sight.kill is not None and sight.kill.kill is not None:
        return sight.kill.state.value
    own = None if sight.live is None else sight.live.kill
    return None if own is None else ACTIVE if own.active else INACTIVE


def _loop(sight: Sight) -> str | None:
    if not sight.connected:
        return STOPPED if sight.view.link.stopping(sight.now) else None
    if sight.hung:
        return HUNG
    if sight.live is not None:
        return RUNNING
    if sight.starting or sight.awaiting:
        return STARTING
    return None if sight.view.state_at is None else STALE


def _maintenance(sight: Sight) -> str:
    return NONE if sight.quiet is None else sight.quiet.reason


def row(sight: Sight, tz: str, rolls_at: str) -> tuple[object, ...]:
    """The row of `bots`, in the order of its columns; `tz` and `rolls_at` are the operator's day."""
    view, live, verdict = sight.view, sight.live, judge(sight)
    link = view.link
    since = link.opened_at if sight.connected else link.gone_since(sight.now)
    return (
        view.name,
        view.kind,
        sight.now,
        sight.connected,
        since,
        None if sight.connected else link.why,
        view.state_at,
        view.cadence.stale_after,
        None if live is None else live.mode,
        view.last_mode,
        None if live is None else live.status,
        None if view.state is None else view.state.simulated,
        verdict.level.value,
        verdict.text,
        verdict.since,
        view.tier,
        tz,
        rolls_at,
        view.cap,
        view.settings_at,
        None if view.state is None or not view.state.commands else " ".join(sorted(view.state.commands)),
    )
