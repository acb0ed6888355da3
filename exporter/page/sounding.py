"""What is to be heard on the wall and the operator page, by the notification table. Pure.

A critical alert that nobody has, and a bot's verdict that says the same before the alert can (and where
Alertmanager does not answer), sound again and again while they last. What a person ordered and what is proven
by now sounds once, for whoever listens in that moment. A bot that trades on paper never sounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from exporter.notifications import Notifications
from exporter.page.parts import Alarms
from exporter.verdict import Level

ONCE_SECONDS: Final = 30.0
"""For so long something that sounds once is told to whoever listens."""
CRITICAL: Final = "critical"
PREFIX: Final = "Tradebot"


def sounds(
    bots: Iterable[Mapping[str, object]], alarms: Alarms, table: Notifications, now: float
) -> dict[str, bool]:
    """What sounds by what it is called, and whether it does so again and again.

    `bots` are what `exporter.page.happening` says of each. Somebody who has an alert has what its bot's
    verdict says of the same matter, too.
    """
    by_alert = table.sounding_alerts()
    found: dict[str, bool] = {}
    had: set[tuple[str, str]] = set()
    for row in alarms.rows:
        matter = by_alert.get(f"{PREFIX}{row.name}", "")
        if not matter or row.severity != CRITICAL:
            continue
        about = row.where.split(" ")[0]
        if row.by:
            had.add((about, matter))
        else:
            found[f"{about} {matter}"] = True
    for bot in bots:
        name, since = str(bot["bot"]), bot["since"]
        matter = table.sounding_verdict(str(bot["text"]), str(bot.get("kind")))
        if not matter or bot.get("paper") or (name, matter) in had:
            continue
        if bot["level"] == Level.ACT:
            found[f"{name} {matter}"] = True
        elif isinstance(since, float) and 0 <= now - since <= ONCE_SECONDS:
            found.setdefault(f"{name} {matter}", False)
    return found
