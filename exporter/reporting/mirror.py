"""Follows every bot's stores into the reporting database: reads in threads of its own, writes as a job.

`run` looks at each store once a second, and again at once while there is more than a batch. What a look
brings is offered to the keeper, whose transaction writes the rows, the sums over them and the place reached;
only after that commit does the next look begin, from that place. A look never holds up the event loop or the
writing connection, whatever state a store is in.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import aiosqlite

from exporter.allocator import give_back
from exporter.reporting import taking
from exporter.reporting.batches import look
from exporter.reporting.database import BEHIND_CACHE_KIB, CACHE_KIB
from exporter.reporting.following import Followed, Listener, Offer, stores_of
from exporter.reporting.haul import Haul
from exporter.reporting.sources import BUSY_SECONDS, OK, Signature, StoreTrouble, signature
from exporter.reporting.taking import Sums, Word

log = logging.getLogger(__name__)

PACE: Final = 1.0  # seconds between two looks at a store that has no more
SAY_AGAIN: Final = 10.0  # seconds after which the database is told again that a store was read
SETTLED: Final = 2.0  # seconds after its last write from which an unchanged file is not looked at again
SMALL: Final = 2_000  # rows of a look at a store that is followed
TURN: Final = 8  # batches of one store before the bot's other store is looked at again
FIRST: Final = "orders"
"""The store that is read to its end before the bot's others, because what they say refers to it."""


class Mirror:
    """The mirror of all bots' stores: `run` is a task of its own, the rest is a job of the keeper."""

    name = "mirror"

    def __init__(
        self,
        stores: Iterable[tuple[str, str, Mapping[str, Path]]],
        sums: Sums,
        listener: Listener,
        wake: Callable[[], None],
        *,
        clock: Callable[[], float] = time.time,
        pace: float = PACE,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        """`stores` are bot, kind of bot, and the paths of its stores by name."""
        self._bots = [known for bot in stores if (known := stores_of(*bot))]
        self._sums = sums
        self._listener = listener
        self._wake = wake
        self._clock = clock
        self._pace = pace
        self._busy_seconds = busy_seconds
        self._known = asyncio.Event()
        self._offers: list[Offer] = []
        self._writing: Offer | None = None
        self._attached = False
        self._catching_up = asyncio.Semaphore(1)
        self._grown = False

    @property
    def behind_since(self) -> float | None:
        """Since when a store is known to hold more than was written; None while nothing is known to wait."""
        behind = [followed.behind_since for stores in self._bots for followed in stores]
        return min((since for since in behind if since is not None), default=None)

    async def run(self) -> None:
        """Look at the stores until cancelled."""
        async with asyncio.TaskGroup() as group:
            for stores in self._bots:
                group.create_task(self._follow(stores))

    async def _follow(self, stores: list[Followed]) -> None:
        """One bot's stores, one after the other."""
        while True:
            await self._known.wait()
            more = False
            for followed in stores:
                more |= await self._turn(followed)
            if not more:
                await asyncio.sleep(self._pace)

    async def _turn(self, followed: Followed) -> bool:
        """Read a store until it has no more, or for one turn; whether there is more.

        The first look takes a few rows, which is all there is to a bot that was followed so far. Where there
        is more, one store at a time is read in large batches, so that they are in memory for one bot only.
        """
        began = self._clock()
        offer = await self._look(followed, None, most=SMALL)
        more = offer is not None and await self._offered(offer) and offer.haul.more
        if more:
            followed.behind_since = followed.behind_since or began
            async with self._catching_up:
                more = await self._catch_up(followed)
        elif offer is None or offer.done.result():
            followed.behind_since = None
        return more

    async def _catch_up(self, followed: Followed) -> bool:
        """Read large batches, each while the one before it is written; whether there is still more."""
        before: Haul | None = None
        written: asyncio.Future[bool] | None = None
        turns = 0
        while followed.target.store == FIRST or turns < TURN:
            turns += 1
            offer = await self._look(followed, before)
            if written is not None and not await written:
                return False
            if offer is None:
                followed.behind_since = None
                return False
            before, written = offer.haul, self._offered(offer)
            if not offer.haul.more:
                break
        if written is None or before is None or not await written:
            return False
        if not before.more:
            followed.behind_since = None
        return before.more

    def _offered(self, offer: Offer) -> asyncio.Future[bool]:
        """Have a look written; tells whether it was."""
        self._offers.append(offer)
        self._wake()
        return offer.done

    async def _look(self, followed: Followed, before: Haul | None, most: int | None = None) -> Offer | None:
        """Look once, after what another look brought; None where there is nothing to tell the database."""
        now = self._clock()
        seen = await asyncio.to_thread(signature, followed.path)
        if seen == followed.idle and followed.said is not None:
            word, haul, read = followed.said, Haul(followed.place, followed.place, OK, ""), True
        else:
            word, haul, read = await self._read(followed, before, most)
            followed.idle = seen if read and _nothing_left(haul) and _settled(seen, now) else None
        self._listener.store_seen(followed.target.bot, followed.target.store, word, self._clock())
        if haul.created is not None:
            self._listener.intent_created(followed.target.bot, *haul.created)
        if word.status == OK and before is None and _nothing_new(haul):
            self._listener.store_kept(followed.target.bot, followed.target.store, now)
        if haul.stage is None:
            followed.memory = haul.memory or followed.memory
            lately = 0 <= now - followed.said_at < SAY_AGAIN
            if word == followed.said and lately and haul.place == haul.base:
                return None
        return Offer(followed, haul, word, read, asyncio.get_running_loop().create_future(), at=now)

    async def _read(
        self, followed: Followed, before: Haul | None, most: int | None
    ) -> tuple[Word, Haul, bool]:
        """Read a store in a thread: how it is, what it brought, and whether it could be read."""
        place, memory = (before.place, before.memory) if before else (followed.place, followed.memory)
        try:
            haul = await asyncio.to_thread(
                look,
                followed.path,
                followed.tables,
                place,
                memory,
                followed.open,
                most=most,
                busy_seconds=self._busy_seconds,
            )
        except StoreTrouble as trouble:
            return Word(trouble.status, str(trouble)), Haul(place, place, trouble.status, str(trouble)), False
        return Word(haul.status, haul.detail).with_refusals(followed.refusals), haul, True

    # The job: called by the keeper.

    def opened(self) -> None:
        """Forget how far the stores were mirrored: `write` asks the database first."""
        self._known.clear()
        self._attached = self._grown = False
        offers, self._offers = self._offers, []
        for offer in offers:
            self._settle(offer, written=False)

    def due(self, now: float) -> bool:
        """Whether a look waits to be written, the database is to be asked, or memory to be given back."""
        caught_up = self._grown and self.behind_since is None
        return bool(self._offers) or caught_up or not self._known.is_set()

    async def prepare(self, db: aiosqlite.Connection) -> None:
        """Attach the batch that is written next, in the place of the last one."""
        if self._attached:
            await db.execute_fetchall("DETACH stage")
            self._attached = False
        await self._make_room(db)
        while self._offers and self._offers[0].haul.base != self._offers[0].followed.place:
            self._settle(self._offers[0], written=False)  # read before something else was written
        self._writing = self._offers[0] if self._offers and self._known.is_set() else None
        if self._writing is not None and self._writing.haul.stage is not None:
            await db.execute_fetchall("ATTACH ? AS stage", (self._writing.haul.stage.uri,))
            self._attached = True

    async def _make_room(self, db: aiosqlite.Connection) -> None:
        """Let the database use more memory while a store is behind, and give that back afterwards."""
        behind = self.behind_since is not None
        if behind != self._grown:
            await db.execute_fetchall(f"PRAGMA cache_size = -{BEHIND_CACHE_KIB if behind else CACHE_KIB}")
        if self._grown and not behind:
            await db.execute_fetchall("PRAGMA shrink_memory")
            await asyncio.to_thread(give_back)
        self._grown = behind

    async def write(self, db: aiosqlite.Connection, now: float) -> bool:
        """Write one look; before the first, ask how far each store was mirrored."""
        if not self._known.is_set():
            for stores in self._bots:
                for followed in stores:
                    await self._ask(db, followed)
                await self._sums.days_changed(db, stores[0].target.bot)
            return False
        offer = self._writing
        if offer is None:
            return False
        followed, haul = offer.followed, offer.haul
        target, generation = followed.target, haul.place.generation
        offer.refusals = followed.refusals
        if generation != haul.base.generation:
            await taking.begin_generation(db, target, generation)
        # Sums over a part of what a store holds must not pass for the whole: it counts as read at its end.
        await taking.say(db, target, generation, offer.word, now, read=offer.read and not haul.more)
        if haul.stage is not None or haul.place != haul.base:
            offer.written = await taking.take(db, target, haul, self._sums)
            await taking.count(db, target, generation, offer.written, now)
            offer.refusals = await taking.refusals(db, target)
            offer.open = await taking.open_positions(db, target, generation)
        return len(self._offers) > 1

    def committed(self) -> None:
        """Go on from the place that was reached."""
        offer, self._writing = self._writing, None
        if offer is None:
            self._known.set()
            return
        followed, haul = offer.followed, offer.haul
        if haul.stage is not None or haul.place != haul.base:
            followed.place, followed.memory, followed.open = haul.place, haul.memory, offer.open
        if offer.refusals and offer.refusals != followed.refusals:
            log.warning("bot %s, store %s: %s", followed.target.bot, followed.target.store, offer.refusals)
        followed.refusals = offer.refusals
        self._say(followed, offer.word)
        self._settle(offer, written=True)
        if offer.written:
            self._listener.news(followed.target.bot)
        if offer.word.status == OK and not haul.more:
            self._listener.store_kept(followed.target.bot, followed.target.store, offer.at)

    def rolled_back(self) -> None:
        """Nothing was written: the store is read again from where it was."""
        if self._writing is not None:
            self._settle(self._writing, written=False)
            self._writing = None

    def _settle(self, offer: Offer, *, written: bool) -> None:
        with suppress(ValueError):
            self._offers.remove(offer)
        if offer.haul.stage is not None:
            offer.haul.stage.close()
        if not written:
            offer.followed.idle = None
        if not offer.done.done():
            offer.done.set_result(written)

    def _say(self, followed: Followed, word: Word) -> None:
        before = followed.said.status if followed.said is not None else ""
        if word.status != before and (before or word.status != OK):
            log.warning(
                "bot %s, store %s is %s: %s",
                followed.target.bot,
                followed.target.store,
                word.status,
                word.detail,
            )
        followed.said, followed.said_at = word, self._clock()

    async def _ask(self, db: aiosqlite.Connection, followed: Followed) -> None:
        target = followed.target
        followed.place = await taking.place_of(db, target)
        followed.refusals = await taking.refusals(db, target)
        followed.open = await taking.open_positions(db, target, followed.place.generation)
        followed.memory = {}
        followed.idle = followed.said = None
        followed.behind_since = self._clock()  # until it was read to its end


def _nothing_new(haul: Haul) -> bool:
    return haul.stage is None and haul.place == haul.base and not haul.more


def _nothing_left(haul: Haul) -> bool:
    return _nothing_new(haul) and haul.swept


def _settled(seen: Signature, now: float) -> bool:
    """Whether a file was last written so long ago that a write after this look would show."""
    return all(stamp is None or stamp[2] / 1e9 < now - SETTLED for stamp in seen)
