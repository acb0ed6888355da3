"""The desks of one bot on a link that a test answers for, with the test's own clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from exporter.control.catalogue import catalogue
from exporter.control.command_desk import CommandDesk
from exporter.control.commander import Answer
from exporter.control.desk import Desk, Entry, Who
from exporter.control.setting_desk import SettingDesk
from exporter.control.settings_book import Record
from exporter.view import BotView
from tests.doubles import messages

T0 = messages.T0
ANN = Who("ann", "token", "because")
DEPLOYED_SETTINGS: dict[str, object] = {
    "ARB_LIVE_MODE": False,
    "ARB_DAILY_LOSS_CAP_USD": 10.0,
    "ARB_MAX_DOLLARS_PER_TRADE": 40.0,
    "ARB_MAX_CONTRACTS_PER_TRADE": 100,
    "ARB_MAX_BANKROLL_FRACTION_PER_TRADE": 0.08,
    "ARB_MARKET_COOLDOWN_SECONDS": 900,
    "ARB_LANE_STRUCTURAL_BUCKET_ENABLED": True,
    "ARB_LANE_CROSS_ENABLED": True,
    "ARB_LANE_STRUCTURAL_PARITY_ENABLED": True,
    "ARB_MAX_BUCKET_LEGS": 0,
    "ARB_MAX_BUCKET_CONSECUTIVE_FAILURES": 3,
}


def acked(**fields: Any) -> Answer:
    return Answer("answered", ack={"type": "update_config_ack", "ok": True, **fields})


def refused(error: str) -> Answer:
    return Answer("answered", ack={"type": "update_config_ack", "ok": False, "error": error})


NO_ANSWER = Answer("unknown", why="no answer within 5 s")
NOT_SENT = Answer("not_sent", why="not connected")


class Link:
    """A bridge whose answers a test gives, in order; the last one goes on to hold."""

    def __init__(self, *answers: Answer) -> None:
        self.sent: list[Mapping[str, object]] = []
        self.answers = list(answers) or [acked()]
        self.before_answer: Callable[[Mapping[str, object]], None] = lambda message: None

    async def command(self, message: Mapping[str, object], *, within: float, urgent: bool = False) -> Answer:
        assert within > 0 and not urgent
        self.sent.append(message)
        self.before_answer(message)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class House:
    """A bot's view, desk, settings and commands. `say` is a state 5 s after the one before."""

    def __init__(self, *answers: Answer, own: bool = True, mode: str = "paper", **settings: Any) -> None:
        self.now = T0
        self.own = own
        self.cycle = 0
        self.link = Link(*answers)
        self.view = BotView("arb", now=T0, **settings)
        self.entries: list[Entry] = []
        self.records: list[Record | None] = []
        self.desk = Desk(self.view, self.link, told=[self.entries.append], clock=lambda: self.now)
        self.settings = SettingDesk(
            self.desk, catalogue("arb"), lambda bot, record: self.records.append(record)
        )
        self.commands = CommandDesk(self.desk, catalogue("arb"), allow_live=True)
        self.mode = mode
        self.snapshot = dict(DEPLOYED_SETTINGS) | {"ARB_LIVE_MODE": mode == "live"}
        self.view.connected(T0)
        self.say()

    def hear(self, message: Mapping[str, object]) -> None:
        """A message on the link, as the bridge hands it round."""
        self.view.received(message, self.now)
        self.settings.heard(self.view, message, self.now)
        self.desk.heard(self.view, message, self.now)

    def say(self, **fields: Any) -> None:
        """The next state."""
        self.cycle += 1
        self.now += 5.0
        build = messages.state if self.own else messages.base_state
        said = {"mode": self.mode, "config_snapshot": dict(self.snapshot)} | fields
        self.hear(build(self.cycle, self.now, **said))

    async def change(self, key: str, raw: object, **how: Any) -> Entry:
        """A change, planned and approved at once."""
        approved = self.settings.plan(key, raw, force=how.get("force", False))
        return await self.settings.change(ANN, key, raw, approved=approved, **how)

    def last(self, entry: Entry) -> Entry:
        """What is known of it now."""
        found = self.desk.entry(entry.id)
        assert found is not None
        return found
