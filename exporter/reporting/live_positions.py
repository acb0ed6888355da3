"""Keeps the open positions of each bot in `live_positions`: what its last state said, what its ledger says.

Rows of source `bot` are as old as the state (`as_of`), also while the bot is not connected; rows of source
`ledger` as the last look at the bot's store. Which of the two to show is the page's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Final

import aiosqlite

from botkit.messages import STATE
from exporter.fields import finite
from exporter.reporting.open_positions import Held, Position, from_ledger, from_state
from exporter.view import BotView

BOT: Final = "bot"
LEDGER: Final = "ledger"
LEDGER_SECONDS: Final = 5.0
"""Seconds between two looks at the ledger's rows."""
MOST_READ: Final = 5_000

_values: Final = attrgetter(*(field.name for field in fields(Position)))
_INSERT: Final = """
INSERT OR REPLACE INTO live_positions (bot, source, position_id, venue, market_id, market, side, contracts,
    entry, expected_profit, opened_at, expected_settlement_at, hedged, kind, as_of)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_OPEN: Final = """
SELECT p.position_id, p.intent_id, p.venue, p.market_id, p.side, p.net_contracts, p.average_entry,
    p.opened_at, i.kind, i.edge_per_contract, i.plan_json
FROM positions p LEFT JOIN order_intents i INDEXED BY order_intents_by_id
    ON substr(i.intent_id, -8) = substr(p.intent_id, -8)
    AND i.bot = p.bot AND i.generation = p.generation AND i.intent_id = p.intent_id
WHERE p.bot = ? AND p.generation = ? AND p.status = 'open' ORDER BY p.opened_at LIMIT ?
"""


class LivePositions:
    """The open positions of all bots, which are named; a job of the keeper."""

    name: Final = "live positions"

    def __init__(self, bots: Sequence[str]) -> None:
        self._bots = tuple(bots)
        self._said: dict[str, tuple[object, float]] = {}
        self._changed: set[str] = set()
        self._writing: set[str] = set()
        self._ledger: dict[str, tuple[float | None, list[Position]]] = {}
        """What the table has of each ledger."""
        self._looked_at: float | None = None
        self._swept = False

    def heard(self, view: BotView, message: Mapping[str, object], now: float) -> None:
        """A message came, which the view has taken."""
        if message.get("type") == STATE and view.state_at == now:
            self._said[view.name] = message.get("open_positions"), now
            self._changed.add(view.name)

    def opened(self) -> None:
        """Another file may be written from now on."""
        self._changed = set(self._said)
        self._ledger, self._looked_at, self._swept = {}, None, False

    def due(self, now: float) -> bool:
        """Whether a state came, or the ledger is to be looked at."""
        return bool(self._changed) or self._to_look(now)

    async def write(self, db: aiosqlite.Connection, now: float) -> bool:
        """Replace the rows that changed; those of bots that are not watched any more go."""
        self._writing, self._changed = self._changed, set()
        if not self._swept:
            marks = ", ".join("?" * len(self._bots))
            await db.execute(f"DELETE FROM live_positions WHERE bot NOT IN ({marks})", self._bots)
        for bot in self._writing:
            said, at = self._said[bot]
            await _replace(db, bot, BOT, from_state(said) or [], at)
        if self._to_look(now):
            for bot in self._bots:
                await self._look(db, bot)
            self._looked_at = now
        return False

    def committed(self) -> None:
        """What was written is on disk."""
        self._writing, self._swept = set(), True

    def rolled_back(self) -> None:
        """Write the same again."""
        self._changed |= self._writing
        self._writing, self._ledger, self._looked_at = set(), {}, None

    def _to_look(self, now: float) -> bool:
        at = self._looked_at
        return at is None or not 0 <= now - at < LEDGER_SECONDS

    async def _look(self, db: aiosqlite.Connection, bot: str) -> None:
        """Bring the ledger's rows of a bot up to date."""
        found: tuple[float | None, list[Position]] = (None, [])
        current = await db.execute_fetchall(
            "SELECT generation, last_read_at FROM sources WHERE bot = ? AND store = 'orders' AND current = 1",
            (bot,),
        )
        for generation, read_at in current:
            rows = await db.execute_fetchall(_OPEN, (bot, generation, MOST_READ))
            found = finite(read_at), from_ledger(_held(row) for row in rows)
        if found != self._ledger.get(bot):
            await _replace(db, bot, LEDGER, found[1], found[0])
            self._ledger[bot] = found


async def _replace(
    db: aiosqlite.Connection, bot: str, source: str, positions: Sequence[Position], as_of: float | None
) -> None:
    await db.execute("DELETE FROM live_positions WHERE bot = ? AND source = ?", (bot, source))
    rows = [(bot, source, *_values(position), as_of) for position in positions]
    await db.executemany(_INSERT, rows)


def _held(row: Sequence[object]) -> Held:
    """A row of _OPEN, whose values are what somebody else's store holds."""
    *names, contracts, entry, opened_at, kind, edge, plan = row
    position_id, intent_id, venue, market_id, side = map(str, names)
    return Held(
        position_id,
        intent_id,
        venue,
        market_id,
        side,
        finite(contracts),
        finite(entry),
        finite(opened_at),
        kind if isinstance(kind, str) else None,
        finite(edge),
        plan if isinstance(plan, str) else None,
    )
