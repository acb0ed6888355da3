"""Bots that lie about what they were told, and where each lie ends: its state, its alert, its audit row."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import bots
from tests.prometheus.conftest import found
from tests.stack.lying import BOT, Alerts, LyingOffice

pytestmark = pytest.mark.stack

HABIT_SECONDS = 300.0
"""How long a bot is watched before the press, so that its silence can prove something."""
AFTER_SECONDS = 240.0
"""What passes at the end: longer than an alert is kept firing, so that only what holds is left."""
KEY = "ARB_DAILY_LOSS_CAP_USD"

NOT_KILLED = ("TradebotKillNotVerified", "critical")
UNPROVEN = ("TradebotKillUnproven", "critical")
NOT_SET = ("TradebotSettingNotVerified", "warning")
FLIPPED = ("TradebotModeChangedUnexpectedly", "critical")


@pytest.fixture(scope="session")
def promtool() -> str:
    """Debian's promtool."""
    return found("promtool", "prometheus")


Happens = Callable[[LyingOffice], Awaitable[None]]


async def nothing(office: LyingOffice) -> None:
    """Time alone passes."""


async def it_dies(office: LyingOffice) -> None:
    office.lose_the_link()


async def it_restarts_and_has_forgotten(office: LyingOffice) -> None:
    await office.seconds(60)
    office.lose_the_link()
    office.bot.mute = True
    await office.seconds(10)
    office.bot.restarted(office.now)
    office.bot.mute = False
    office.link_again()
    assert not office.bot.kills
    await office.turns()
    assert office.bot.kills, "the new session was told at once"


async def it_is_half_open(office: LyingOffice) -> None:
    office.bot.mute = True


async def it_opens_again_after_an_hour(office: LyingOffice) -> None:
    await office.seconds(60)
    assert (await office.kill_state())["state"] == "verified"
    await office.seconds(3600)
    assert (await office.kill_state())["state"] == "verified"
    office.bot.killed = False


@dataclass(frozen=True)
class Case:
    """A bot, what is ordered and what happens then; and where that ends for everybody who looks."""

    name: str
    bot: Callable[[], bots.DeployedBot]
    state: str
    says: str
    """How the sentence begins that people read, or what stands in it."""
    alerts: tuple[tuple[str, str], ...] = ()
    severity: str = "warning"
    """Of the last event in the audit trail about it."""
    happens: Happens = nothing
    deaf: bool = False
    """Whether nothing that is sent arrives."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What must stand in its audit row beside the state."""


KILLS = [
    Case("an honest bot of ours", bots.OwnBot, "verified", "HALTED, PROVEN (flag)", more={"rung": "flag"}),
    Case("an honest deployed bot", bots.DeployedBot, "verified", "HALTED, PROVEN (quiet)"),
    Case(
        "a kill that is acked and ignored",
        bots.Ignores,
        "not_verified",
        "NOT KILLED: dry_run",
        (NOT_KILLED,),
        "critical",
    ),
    Case(
        "a kill that is acked and ignored by a bot that says so",
        bots.OwnIgnores,
        "not_verified",
        "NOT KILLED: ",
        (NOT_KILLED,),
        "critical",
    ),
    Case(
        "a bot that says it is killed and trades on",
        bots.SaysKilledAndTrades,
        "not_verified",
        "NOT KILLED: dry_run",
        (NOT_KILLED,),
        "critical",
    ),
    Case(
        "a kill that is refused",
        bots.Refuses,
        "not_verified",
        "NOT KILLED: the bot answers: [Errno 28] No space left on device",
        (NOT_KILLED,),
        "critical",
    ),
    Case(
        "a lost ack",
        bots.NeverAcks,
        "verified",
        "HALTED, PROVEN (quiet)",
        more={"acked_at": None},
    ),
    Case(
        "an ack of another command",
        bots.AcksSomethingElse,
        "verified",
        "HALTED, PROVEN (flag)",
        more={"acked_at": None},
    ),
    Case(
        "a bot that dies after the ack",
        bots.DiesAfterTheAck,
        "unproven",
        "UNPROVEN: no states",
        (UNPROVEN,),
        "critical",
        it_dies,
    ),
    Case(
        "a bot that restarts with its switch cleared",
        bots.OwnBot,
        "verified",
        "HALTED, PROVEN (flag)",
        happens=it_restarts_and_has_forgotten,
    ),
    Case(
        "a bot that restarts with its switch cleared and ignores the next kill",
        bots.Ignores,
        "not_verified",
        "NOT KILLED: dry_run",
        (NOT_KILLED,),
        "critical",
        it_restarts_and_has_forgotten,
    ),
    Case(
        "states that stop after the kill",
        bots.FallsSilent,
        "unproven",
        "UNPROVEN: no states",
        (UNPROVEN,),
        "critical",
    ),
    Case(
        "a half-open socket",
        bots.DeployedBot,
        "unproven",
        "UNPROVEN: no answer",
        (UNPROVEN,),
        "critical",
        it_is_half_open,
        deaf=True,
        more={"acked_at": None},
    ),
    Case(
        "a bot that opens again an hour after its kill was proven",
        bots.DeployedBot,
        "not_verified",
        "NOT KILLED: dry_run",
        (NOT_KILLED,),
        "critical",
        it_opens_again_after_an_hour,
    ),
]


@pytest.mark.parametrize("case", KILLS, ids=lambda case: case.name)
async def test_each_lie_about_a_kill_ends_where_it_must(case: Case, tmp_path: Path, promtool: str) -> None:
    office = LyingOffice(tmp_path, case.bot())
    async with office.client, office.at_work():
        await office.seconds(HABIT_SECONDS)
        office.link.answers = not case.deaf
        pressed = await office.post(f"/bots/{BOT}/kill", reason="it lies")
        assert pressed.json()["state"] in {"sent", "acked", "verified"}
        await case.happens(office)
        await office.seconds(AFTER_SECONDS)
        stands = await office.kill_state()
    assert stands["state"] == case.state, stands["says"]
    assert stands["says"].startswith(case.says)
    office.must_fire(promtool, tmp_path, Alerts(case.alerts))
    row = _only(office, "kills")
    assert (
        row.items()
        >= {"state": case.state, "who": "ann", "reason": "it lies", "source": "token", **case.more}.items()
    )
    last = office.rows(
        "SELECT severity, what, data FROM events WHERE kind = 'kill' ORDER BY seq DESC LIMIT 1"
    )[0]
    assert last[0] == case.severity
    assert last[1].startswith(f"kill: {case.state.replace('_', ' ')}")
    assert row["id"] in last[2]


class NeverAnswersSettings(bots.DeployedBot):
    """Takes a change, and its acks are lost."""

    def told_a_setting(self, key: str, value: Any) -> None:
        super().told_a_setting(key, value)


class ForgetsSettings(bots.DeployedBot):
    """Neither answers nor does anything."""

    def told_a_setting(self, key: str, value: Any) -> None:
        """Say nothing."""


class CannotRead(bots.DeployedBot):
    """Cannot read one value, which stays in its environment until a good one takes its place."""

    def told_a_setting(self, key: str, value: Any) -> dict[str, Any] | None:
        return super().told_a_setting(key, "five" if value == 5.0 else value)


class Poisoned(bots.DeployedBot):
    """Has had a value in its environment that it cannot read, since before anybody looked."""

    def __init__(self) -> None:
        super().__init__()
        self.environment["ARB_MAX_DOLLARS_PER_TRADE"] = "forty"


SETTINGS = [
    Case(
        "an honest deployed bot",
        bots.DeployedBot,
        "acked_not_observable",
        f"a later state shows {KEY} = 5",
        severity="info",
    ),
    Case(
        "an ack without a new value",
        bots.KeepsItsValue,
        "not_verified",
        f"acked, but later states show {KEY} = 10",
        (NOT_SET,),
    ),
    Case(
        "an ack with another mode",
        bots.FlipsItsMode,
        "mode_flipped",
        "the mode went from paper to live with this change; change the mode to paper to go back",
        (FLIPPED, NOT_SET),
        "critical",
    ),
    Case(
        "a lost ack of a change that was made",
        NeverAnswersSettings,
        "acked_not_observable",
        f"never answered, but a later state shows {KEY} = 5",
        severity="info",
        more={"answer": None},
    ),
    Case(
        "a lost ack of a change that was not made",
        ForgetsSettings,
        "unknown",
        "not answered: unknown, look at the state",
        (NOT_SET,),
        more={"answer": None},
    ),
    Case(
        "an ack of another key",
        bots.AnswersForAnotherKey,
        "unknown",
        "not answered: unknown, look at the state",
        (NOT_SET,),
        more={"answer": None},
    ),
    Case(
        "a value that poisons the bot",
        CannotRead,
        "poisoned",
        "could not convert string to float: 'five'; the old value 10.0 was sent back and holds again",
    ),
    Case(
        "a bot that was poisoned before",
        Poisoned,
        "poisoned",
        "was sent back and refused, too",
        (NOT_SET,),
    ),
]


@pytest.mark.parametrize("case", SETTINGS, ids=lambda case: case.name)
async def test_each_lie_about_a_setting_ends_where_it_must(case: Case, tmp_path: Path, promtool: str) -> None:
    office = LyingOffice(tmp_path, case.bot())
    async with office.client, office.at_work():
        await office.seconds(60)
        asked = await office.post(f"/bots/{BOT}/settings", key=KEY, value=5, reason="a smaller day")
        assert asked.status_code == 200, asked.text
        await office.seconds(60)
        stands = await office.command_state(asked.json()["command_id"])
        in_doubt = (await office.get(f"/bots/{BOT}")).json()["unverified_settings"]
    assert stands["state"] == case.state, stands["says"]
    assert case.says in stands["says"]
    office.must_fire(promtool, tmp_path, Alerts(case.alerts))
    assert in_doubt == ([KEY] if NOT_SET in case.alerts else [])
    command, change = _only(office, "commands"), _only(office, "setting_changes")
    expected = {"state": case.state, "who": "ann", "reason": "a smaller day", "source": "token"}
    assert command.items() >= {**expected, **case.more}.items()
    assert change.items() >= {**expected, "key": KEY, "before": "10.0", "command_id": command["id"]}.items()
    events = office.rows("SELECT severity, what, data FROM events WHERE kind = 'setting_change' ORDER BY seq")
    assert events[0][:2] == ("info", f"{KEY}: sent")
    assert events[-1][:2] == (case.severity, f"{KEY}: {case.state.replace('_', ' ')}")
    assert command["id"] in events[-1][2]


async def test_a_bot_whose_mode_flipped_is_brought_back_by_the_way_that_was_offered(tmp_path: Path) -> None:
    office = LyingOffice(tmp_path, bots.FlipsItsMode())
    async with office.client, office.at_work():
        await office.seconds(60)
        await office.post(f"/bots/{BOT}/settings", key=KEY, value=5)
        await office.seconds(30)
        assert office.bot.mode == "live"
        back = await office.post(f"/bots/{BOT}/mode", target="paper")
        assert back.status_code == 200, back.text
        await office.seconds(30)
        stands = await office.command_state(back.json()["command_id"])
    assert (office.bot.mode, stands["state"]) == ("paper", "verified")
    ordered = office.rows("SELECT what FROM events WHERE kind = 'command' ORDER BY seq")
    assert ordered == [("set_mode: sent",), ("set_mode: verified",)]


def _only(office: LyingOffice, table: str) -> dict[str, Any]:
    """The one row of a table."""
    names = [row[1] for row in office.rows(f"PRAGMA table_info({table})")]
    (row,) = office.rows(f"SELECT * FROM {table}")
    return dict(zip(names, row, strict=True))
