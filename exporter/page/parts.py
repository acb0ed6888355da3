"""What a page consists of, before it is HTML: figures, verdicts, buttons, alerts, and who looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

LEVEL_WORDS: Final = {
    "act": "ACT NOW",
    "unknown": "NOT KNOWN",
    "look": "LOOK",
    "planned": "PLANNED",
    "ok": "NORMAL",
}
"""The word beside each level's colour, worst first."""

SEVERITY: Final = tuple(LEVEL_WORDS)


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure; `tone` is act, look, planned, awaiting, unknown, old, inverse or empty."""

    title: str
    value: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One bot: its name, its verdict (level, text, epoch seconds since when) and its figures."""

    name: str
    level: str
    text: str
    since: float
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A link: what it is called and where it leads."""

    title: str
    address: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is logged in; `refusal` is why they may press nothing, empty where they may."""

    name: str
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press, or the reason why there is nothing to press.

    `asks` are the fields of its dialog, `reason` or `minutes`, each with a `!` where it must be filled in;
    `sends` goes along unasked.
    """

    id: str
    label: str
    call: str
    title: str = ""
    says: str = ""
    asks: tuple[str, ...] = ()
    sends: Mapping[str, str] = field(default_factory=dict)
    hold: bool = False
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What a bot was told, and what became of it."""

    what: str
    state: str
    says: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A code to be typed, and what it is for; `expires` in epoch seconds."""

    code: str
    says: str
    expires: float


@dataclass(frozen=True, slots=True)
class Controls:
    """What can be done to a bot, what a kill would leave, and what became of what was ordered last."""

    bot: str
    kill: Told
    leaves: str
    buttons: tuple[Button, ...] = ()
    last: Told | None = None
    codes: tuple[ShownCode, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert that fires, since when in epoch seconds, and who has it."""

    fingerprint: str
    severity: str
    name: str
    where: str
    says: str
    since: float
    by: str = ""
    runbook: str = ""
    """Where its runbook is; empty where there is none."""
    exempt: bool = False
    """Whether nothing makes it quiet, also not that somebody has it."""


@dataclass(frozen=True, slots=True)
class EndedRow:
    """An alert that has ended: when in epoch seconds, after how many seconds, and why, where anybody said."""

    name: str
    where: str
    at: float
    lasted: float | None
    why: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Alarms:
    """The alerts that fire, the worst first, or why they are not known."""

    rows: tuple[AlertRow, ...] = ()
    unknown: str = ""
    """Why there may be more than is shown; empty where all are known."""
    inhibited: int = 0
    ended: tuple[EndedRow, ...] = ()
    path: Told = Told("", "NOT KNOWN", "", "unknown")
    """How long ago the Watchdog came back here, which proves that alerts are delivered."""
    called: Told = Told("", "NOT KNOWN", "", "unknown")
    """Who is called when an alert fires."""
    tested: Told | None = None
    """What became of the last test page."""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything on the operator page at one moment."""

    now: float
    cards: tuple[Card, ...]
    controls: Mapping[str, Controls]
    alarms: Alarms
    places: tuple[Place, ...] = ()
    visitor: Visitor | None = None
    people: tuple[str, ...] = ()
    """Who may press something."""
    trouble: str = ""
    """What is wrong with this program itself."""
    kill_all: Button | None = None
