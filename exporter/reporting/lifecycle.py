"""Tells the events of a bot's life from what its view knows before and after each message.

Links made and lost, restarts, goodbyes, changes of mode and status, the bot's own kill switch, a breached
loss cap. Whether a change was ordered is for those to say who order. Nothing here waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from exporter.labels import clean
from exporter.link import Goodbye
from exporter.losscap import Breach
from exporter.reporting.news import News
from exporter.state import OPERATOR, Kill, State
from exporter.view import BotView, Session

Alarm = Callable[[str, str], None]
"""Called with a bot's name and why what it did lately is worth keeping."""

EXPORTER: Final = "exporter"
BOT: Final = "bot"
"""The `source` of an event: what this program saw of a link, and what a bot said itself."""

LINK: Final = "link"
"""The key under which connections, losses of them, restarts and goodbyes are throttled together."""

INFO, WARNING, CRITICAL = "info", "warning", "critical"


@dataclass(slots=True)
class _Seen:
    """A view as it was at the last look."""

    breach: Breach | None
    opened_at: float | None = None
    attempts: int = 0
    goodbye: Goodbye | None = None
    state: State | None = None
    session: Session | None = None
    mode: str | None = None
    status: str | None = None
    killed: bool | None = None


class Lifecycle:
    """The events of all bots; `look` at a view after each message and whenever its link has changed."""

    def __init__(self, views: Iterable[BotView], news: News, alarm: Alarm = lambda bot, reason: None) -> None:
        self._news = news
        self._alarm = alarm
        self._seen = {view.name: _Seen(view.latch.breach) for view in views}

    def look(self, view: BotView, now: float) -> None:
        """Record what has changed since the last look."""
        seen, link = self._seen[view.name], view.link
        if link.opened_at != seen.opened_at or (link.attempts and not seen.attempts):
            self._link(view, seen, now)
        if link.goodbye is not seen.goodbye:
            seen.goodbye = link.goodbye
            if link.goodbye is not None:
                self._tell(
                    view, now, "goodbye", LINK, what="the bot stops", why=link.goodbye.reason, source=BOT
                )
        if view.state is not seen.state and view.state is not None:
            self._state(view, view.state, seen, now)
            seen.state = view.state
        if view.latch.breach is not seen.breach:  # by the bot's figures, or by its ledger's
            self._breach(view, seen, now)

    def _link(self, view: BotView, seen: _Seen, now: float) -> None:
        link, first = view.link, not seen.attempts
        was_open, seen.opened_at, seen.attempts = seen.opened_at is not None, link.opened_at, link.attempts
        if link.opened_at is not None:
            self._tell(view, now, "connected", LINK, what="connected to the bot")
        elif was_open:
            severity = WARNING if view.at(now).expected else INFO
            self._tell(view, now, "disconnected", LINK, severity, what="the link was lost", why=link.why)
        elif first:
            self._tell(
                view, now, "disconnected", LINK, WARNING, what="the bot cannot be reached", why=link.why
            )

    def _state(self, view: BotView, state: State, seen: _Seen, now: float) -> None:
        if view.session is not seen.session:
            if seen.session is not None and seen.state is not None:
                self._restart(view, seen.session, now)
            seen.session = view.session
        if view.last_mode != seen.mode:
            if seen.mode is not None:
                what = f"mode {seen.mode} → {view.last_mode}"
                values = {"before": seen.mode, "after": view.last_mode}
                self._tell(view, now, "mode_change", "mode", WARNING, what=what, source=BOT, **values)
            seen.mode = view.last_mode
        if state.status != seen.status:
            if seen.state is not None:
                what = f"status {seen.status or 'not reported'} → {state.status or 'not reported'}"
                values = {"before": seen.status, "after": state.status}
                self._tell(view, now, "status_change", "status", INFO, what=what, source=BOT, **values)
            seen.status = state.status
        if state.kill is not None and state.kill.active != seen.killed:
            self._kill(view, state.kill, seen, now)

    def _restart(self, view: BotView, before: Session, now: float) -> None:
        after = view.session
        self._tell(
            view,
            now,
            "restart",
            LINK,
            WARNING,
            what="another session of the bot" + (f", version {after.version}" if after.version else ""),
            before=before.session_id,
            after=after.session_id,
            source=BOT,
        )

    def _kill(self, view: BotView, kill: Kill, seen: _Seen, now: float) -> None:
        first, seen.killed = seen.killed is None, kill.active
        if first and not kill.active:
            return
        severity = INFO if not kill.active or kill.cause == OPERATOR else CRITICAL
        what = f"the bot's kill switch is {'active' if kill.active else 'off'}"
        what += " when first seen" if first else ""
        why = f"{kill.cause}: {clean(kill.reason, 300)}" if kill.active else ""
        self._tell(
            view, now, "kill_switch", "kill", severity, what=what, why=why, source=BOT, after=kill.active
        )
        if kill.active and not first:
            self._alarm(view.name, f"kill switch active: {kill.label}")

    def _breach(self, view: BotView, seen: _Seen, now: float) -> None:
        before, seen.breach = seen.breach, view.latch.breach
        if seen.breach is None:
            return
        what = f"the daily loss cap of {seen.breach.day} is breached"
        if before is None or before.at != seen.breach.at:
            self._tell(view, now, "cap_breached", "breach", CRITICAL, what=what)
        else:
            what += ", and the bot goes on opening positions"
            self._tell(view, now, "cap_not_enforced", "breach", CRITICAL, what=what, why=seen.breach.opening)
        self._alarm(view.name, what)

    def _tell(
        self,
        view: BotView,
        now: float,
        kind: str,
        group: str,
        severity: str = INFO,
        *,
        what: str,
        source: str = EXPORTER,
        **told: object,
    ) -> None:
        self._news.tell(kind, group, now, bot=view.name, severity=severity, source=source, what=what, **told)
