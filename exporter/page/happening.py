"""What is said each second to pages that listen: verdicts, ages, kills, alerts, and what sounds.

Pure but for the desks that it reads. The mark is that of all that does not tick: a page that sees another
one asks for what has changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from exporter.control.console import Desks
from exporter.figures import clock
from exporter.notifications import notifications
from exporter.page.alarms import said
from exporter.page.parts import LEVEL_WORDS, SEVERITY, Alarms
from exporter.page.sounding import sounds
from exporter.verdict import judge
from exporter.view import PAPER

BLIND = "BLIND: NOT READABLE, SEE THE LOG"


def happening(
    bots: Mapping[str, Mapping[str, object]], alarms: Alarms, trouble: str, codes: int, now: float
) -> dict[str, object]:
    """The whole of it; `bots` as `of_bot` makes them, `codes` how many stand on the panel."""
    tone, words = said(alarms)
    worst = sorted(bots.values(), key=lambda bot: SEVERITY.index(str(bot["level"])))
    told = {
        "as_of": now,
        "clock": clock(now),
        "bots": worst,
        "alerts": {
            "tone": tone,
            "words": words,
            "unknown": alarms.unknown,
            "firing": [
                {
                    "name": row.name,
                    "severity": row.severity,
                    "where": row.where,
                    "since": row.since,
                    "by": row.by,
                }
                for row in alarms.rows
            ],
        },
        "sounds": sounds(worst, alarms, notifications(), now),
        "trouble": trouble,
    }
    return {**told, "mark": _mark(told, codes)}


def of_bot(desks: Desks, now: float) -> dict[str, object]:
    """One bot."""
    sight, stands = desks.view.at(now), desks.kill.standing(now)
    verdict = judge(sight)
    entries = desks.desk.entries()
    state = desks.view.state
    return {
        "bot": desks.view.name,
        "kind": desks.view.kind,
        "level": verdict.level,
        "word": LEVEL_WORDS[verdict.level],
        "text": verdict.text,
        "since": verdict.since,
        "age": sight.age,
        "fresh": sight.live is not None,
        "connected": sight.connected,
        "paper": desks.view.tier == PAPER,
        "mode": state.mode if state is not None else None,
        "status": state.status if state is not None else None,
        "simulated": state.simulated if state is not None else None,
        "kill": {
            "state": stands.state,
            "rung": stands.rung,
            "says": stands.words,
            "id": stands.kill.order.id if stands.kill is not None else None,
        },
        "command": {"id": entries[0].id, "state": entries[0].stage} if entries else None,
    }


def blind(name: str, now: float) -> dict[str, object]:
    """A bot that cannot be read."""
    return {"bot": name, "level": "unknown", "word": LEVEL_WORDS["unknown"], "text": BLIND, "since": now}


_TICKING = ("as_of", "clock", "age", "says", "since")


def _mark(told: Mapping[str, object], codes: int) -> str:
    """The same for as long as nothing but times has changed."""
    return hashlib.sha256(json.dumps([_still(told), codes]).encode()).hexdigest()[:16]


def _still(value: object) -> object:
    if isinstance(value, dict):
        return {key: _still(inner) for key, inner in value.items() if key not in _TICKING}
    return [_still(inner) for inner in value] if isinstance(value, list) else value
