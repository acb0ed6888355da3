"""A bot in memory on a real control socket, served from a thread of its own beside the test's."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.doubles.bots import DeployedBot
from tests.doubles.served_bot import ServedBot


@contextmanager
def served(bot: DeployedBot, interval: float = 0.1) -> Iterator[ServedBot]:
    """Serve it, with a cycle every `interval` seconds, until the block ends."""
    stands = ServedBot(bot, interval)
    ready, over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with stands:
            ready.set()
            while not over.is_set():
                await asyncio.sleep(0.05)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    try:
        assert ready.wait(10)
        yield stands
    finally:
        over.set()
        thread.join(10)
