"""A bot in memory that may lie, served on a control socket of its own, as a bot of a console."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tests.doubles.bots import DeployedBot
from tests.doubles.in_thread import served
from tests.stack.console import BotEntry

CYCLE_SECONDS = 1.0


class LyingBot:
    """Serves `bot` from entry to exit."""

    def __init__(self, name: str, bot: DeployedBot, tier: str = "live") -> None:
        self.bot = bot
        self._name, self._tier = name, tier
        self._port = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._port = self._stack.enter_context(served(self.bot, CYCLE_SECONDS)).port
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def entry(self) -> BotEntry:
        return BotEntry(self._name, self._tier, self._port)
