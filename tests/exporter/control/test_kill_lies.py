"""Bots that lie about a kill: each ends in the right state, whatever it says.

`CASES` is the table: a bot, what happens to it after the press, and where that ends. Alerts and audit rows of
the same cases are held against it where they are made.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from exporter.control.kill import Stage
from exporter.control.proof import Rung
from tests.doubles import bots
from tests.exporter.control.kill_stand import Stand

HABIT = 60  # cycles before the press, so that silence can prove something
Happens = Callable[[Stand], Awaitable[None]]


async def some_time(stand: Stand) -> None:
    await stand.cycles(20)


async def an_hour_and_an_opening(stand: Stand) -> None:
    await stand.cycles(10)
    assert stand.standing().state is Stage.VERIFIED
    await stand.for_seconds(3600)
    assert stand.standing().state is Stage.VERIFIED
    stand.bot.killed = False
    await stand.cycles(4)


async def an_hour_and_an_opening_under_the_flag(stand: Stand) -> None:
    await stand.for_seconds(3600)
    assert stand.standing().state is Stage.VERIFIED
    stand.deliver(stand.bot.state(stand.now, stand.bot.trade()) | {"cycle": 10_000})


async def a_restart_that_forgets(stand: Stand) -> None:
    await stand.cycles(2)
    stand.lose_the_link()
    await stand.for_seconds(3)
    stand.bot.restarted(stand.now)
    await stand.link_again()
    await stand.cycles(30)
    assert stand.bot.kills > 0, "the new session was told, too"


async def half_open(stand: Stand) -> None:
    await stand.cycles(20)


async def a_state_from_before_the_ack(stand: Stand) -> None:
    stand.deliver(stand.bot.state(stand.now - 0.1, stand.bot.trade()) | {"cycle": 10_000})
    await stand.cycles(3)


@dataclass(frozen=True)
class Case:
    """A bot, what happens after the press, and where that ends; `detail` is how the words begin."""

    name: str
    bot: Callable[[], bots.DeployedBot]
    stage: Stage
    rung: Rung | None = None
    detail: str = ""
    happens: Happens = some_time
    passes: bool = True


CASES = [
    Case("an honest bot of ours", bots.OwnBot, Stage.VERIFIED, Rung.FLAG),
    Case("an honest deployed bot", bots.DeployedBot, Stage.VERIFIED, Rung.QUIET),
    Case("an honest bot that names its gate", bots.GateBot, Stage.VERIFIED, Rung.GATE),
    Case(
        "an honest bot that rarely opens anything",
        lambda: bots.DeployedBot(share=0.05),
        Stage.UNPROVEN,
        detail="quiet, not proven",
    ),
    Case(
        "a state with an opening that crosses the ack",
        bots.OwnBot,
        Stage.VERIFIED,
        Rung.FLAG,
        happens=a_state_from_before_the_ack,
    ),
    Case("acked and ignored", bots.Ignores, Stage.NOT_VERIFIED, detail="dry_run"),
    Case("acked and ignored, and seen to be off", bots.OwnIgnores, Stage.NOT_VERIFIED),
    Case("says killed and trades on", bots.SaysKilledAndTrades, Stage.NOT_VERIFIED, detail="dry_run"),
    Case("its ack is lost", bots.NeverAcks, Stage.VERIFIED, Rung.QUIET),
    Case("its ack is lost, and it shows the flag", bots.OwnNeverAcks, Stage.VERIFIED, Rung.FLAG),
    Case("it acks another command", bots.AcksSomethingElse, Stage.VERIFIED, Rung.FLAG),
    Case("it refuses and trades on", bots.Refuses, Stage.NOT_VERIFIED, detail="the bot answers: [Errno 28]"),
    Case("it refuses to close day trades", bots.RefusesDayTrades, Stage.VERIFIED, Rung.FLAG),
    Case("it dies after the ack", bots.DiesAfterTheAck, Stage.UNPROVEN, detail="no states"),
    Case("its states stop", bots.FallsSilent, Stage.UNPROVEN, detail="no states"),
    Case("half-open", bots.DeployedBot, Stage.UNPROVEN, detail="no answer", happens=half_open, passes=False),
    Case(
        "it restarts with the switch cleared",
        bots.OwnBot,
        Stage.VERIFIED,
        Rung.FLAG,
        happens=a_restart_that_forgets,
    ),
    Case(
        "a deployed bot restarts with the switch cleared",
        bots.DeployedBot,
        Stage.VERIFIED,
        Rung.QUIET,
        happens=a_restart_that_forgets,
    ),
    Case(
        "it restarts and ignores the kill",
        bots.Ignores,
        Stage.NOT_VERIFIED,
        detail="dry_run",
        happens=a_restart_that_forgets,
    ),
    Case(
        "it opens again an hour after it was proven quiet",
        bots.DeployedBot,
        Stage.NOT_VERIFIED,
        detail="dry_run",
        happens=an_hour_and_an_opening,
    ),
    Case(
        "it opens again an hour after it showed the flag",
        bots.OwnBot,
        Stage.NOT_VERIFIED,
        detail="dry_run",
        happens=an_hour_and_an_opening_under_the_flag,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_each_lie_ends_in_the_right_state(case, tmp_path):
    stand = Stand(case.bot(), tmp_path)
    await stand.cycles(HABIT)
    stand.passes = case.passes
    stands = await stand.press(close_day_trades=case.name == "it refuses to close day trades")
    assert stands.state is Stage.SENT
    await case.happens(stand)
    stands = stand.standing()
    assert stands.kill is not None
    assert (stands.state, stands.rung) == (case.stage, case.rung), stands.words
    assert stands.kill.detail.startswith(case.detail), stands.words
    assert stand.news[0].what == "pressed"
    assert [news.kill.stage for news in stand.news][-1] is case.stage, "the last thing told is where it ends"
    await stand.disk(stand.file.exists)


async def test_a_lost_ack_is_asked_for_again_every_two_seconds(tmp_path):
    stand = Stand(bots.NeverAcks(), tmp_path)
    await stand.press()
    await stand.for_seconds(20)
    assert 10 <= stand.bot.kills <= 12


async def test_a_bot_that_was_caught_is_not_believed_again_when_somebody_presses_once_more(tmp_path):
    stand = Stand(bots.SaysKilledAndTrades(), tmp_path)
    await stand.cycles(HABIT)
    await stand.press()
    await stand.cycles(4)
    assert stand.standing().state is Stage.NOT_VERIFIED
    before = stand.standing().kill
    await stand.press()
    assert stand.standing().state is Stage.ACKED
    assert stand.standing().kill != before
    await stand.for_seconds(5)
    assert stand.standing().state is not Stage.VERIFIED
    await stand.cycles(3)
    assert stand.standing().state is Stage.NOT_VERIFIED
