"""Keeps what a bot may put into a label few and short, whatever it sends.

Pure. Each label of each bot takes 100 different values, the keys of settings 250, since a bot of ours has
142; every further one becomes `other`. Words on which
something is decided have their places from the start, so that no flood of others takes them.
"""

from __future__ import annotations

from typing import Final

LIMIT = 100
SETTINGS_LIMIT = 250
LONGEST = 120  # characters
OTHER = "other"
UNKNOWN = "unknown"

MODES: Final = ("paper", "live")
STATUSES: Final = (*MODES, "paused", "killed")
STREAM_STATUSES: Final = ("connected", "degraded", "poll_only", "recovering")
ACTIONS: Final = ("skipped", "filled", "dry_run", "execution_failed", "settled")
REPORTING_STATES: Final = ("opening", "ok", "set_aside", "failing", "refused", "unwritable")
"""How the reporting database is. set_aside: it was damaged, and since this start a new one is written.
failing: something cannot be written to it again and again, so that a part is missing."""
CAP_SETTING: Final = {"arb": "ARB_DAILY_LOSS_CAP_USD"}
"""By kind of bot, the setting that holds its daily loss cap in USD."""
INTERVAL_SETTING: Final = {"arb": "ARB_POLL_INTERVAL_SECONDS"}
"""By kind of bot, the setting that holds the time between its cycles in seconds."""


class Bounded:
    """The values that one label of one bot has taken so far."""

    __slots__ = ("_limit", "_taken")

    def __init__(self, known: tuple[str, ...] = (), limit: int = LIMIT) -> None:
        self._taken = {value: value for value in known}
        self._limit = limit

    def __call__(self, raw: str) -> str:
        """The label value for a text: itself, or `other` where the label has taken its share."""
        label = self._taken.get(raw)
        if label is None:
            if len(self._taken) >= self._limit:
                return OTHER
            label = self._taken[raw] = clean(raw)
        return label


def clean(raw: str, longest: int = LONGEST) -> str:
    """A text as a label value: not empty, not long, printable, and valid UTF-8."""
    text = raw[:longest]
    if not text.isprintable():
        text = text.encode("utf-8", "replace").decode("utf-8")
        text = "".join(char if char.isprintable() else " " for char in text)
    return text.strip() or UNKNOWN


class Labels:
    """All labels of one bot whose values the bot chooses."""

    __slots__ = (
        "action",
        "cause",
        "key",
        "kind",
        "metric",
        "mode",
        "phase",
        "reason",
        "session",
        "status",
        "stream_status",
        "venue",
        "version",
    )

    def __init__(self) -> None:
        self.action = Bounded(ACTIONS)
        self.cause = Bounded()
        self.key = Bounded((*CAP_SETTING.values(), *INTERVAL_SETTING.values()), SETTINGS_LIMIT)
        self.kind = Bounded()
        self.metric = Bounded()
        self.mode = Bounded(MODES)
        self.phase = Bounded()
        self.reason = Bounded()
        self.session = Bounded()
        self.status = Bounded(STATUSES)
        self.stream_status = Bounded(STREAM_STATUSES)
        self.venue = Bounded()
        self.version = Bounded()
