"""Changes go to a bot one at a time, are followed to their end, leave a history; bots that lie are caught."""

import asyncio
from typing import Any

import pytest

from exporter.control.commander import Answer
from exporter.control.desk import Entry
from exporter.control.order import Stage
from exporter.control.settings_book import MISSING
from exporter.errors import Invalid, NotNow
from tests.doubles.bots import DeployedBot
from tests.exporter.control.desks import ANN, NO_ANSWER, NOT_SENT, House, acked, refused

CAP = "ARB_DAILY_LOSS_CAP_USD"
CONTRACTS = "ARB_MAX_CONTRACTS_PER_TRADE"
POISON = "could not convert string to float: 'None'"


def stages(house: House) -> list[str]:
    return [entry.stage.value for entry in house.entries]


async def test_a_change_is_sent_acked_and_verified_by_a_later_state() -> None:
    house = House()
    entry = await house.change(CAP, "5")
    assert house.link.sent == [{"type": "update_config", "key": CAP, "value": 5.0}]
    assert entry.stage is Stage.ACKED
    house.snapshot[CAP] = 5
    house.say()
    assert house.last(entry).stage is Stage.VERIFIED
    assert stages(house) == ["sent", "acked", "verified"]
    setting = house.settings.book.settings[CAP]
    assert (setting.value, setting.session_start, setting.changed_by, setting.state) == (
        5,
        10.0,
        "ann",
        "verified",
    )
    assert (setting.differs_from_start, setting.differs_from_default) == (True, True)
    assert house.view.unverified == {CAP: False}
    (record,) = house.settings.book.history
    assert (record.before, record.after, record.who, record.reason, record.state) == (
        10.0,
        5.0,
        "ann",
        "because",
        "verified",
    )


LIES: list[tuple[str, bool, list[Answer], str, object, dict[str, Any], list[dict[str, Any]], str]] = [
    # name, own bot, answers, key, wanted, what the bot's settings become, states after, where it ends
    ("ack ok, value unchanged", True, [acked()], CAP, 5, {}, [{}, {}], "not_verified"),
    ("ack ok, mode flipped", True, [acked()], CAP, 5, {CAP: 5}, [{"mode": "live"}], "mode_flipped"),
    ("ack lost, done all the same", True, [NO_ANSWER], CAP, 5, {CAP: 5}, [{}], "verified"),
    ("ack lost, not done", True, [NO_ANSWER], CAP, 5, {}, [{}] * 9, "unknown"),
    ("ack for another key", True, [acked(key="OTHER")], CAP, 5, {}, [{}] * 9, "unknown"),
    ("states stop after the ack", True, [acked()], CAP, 5, {}, [], "unknown"),
    ("states without settings", True, [acked()], CAP, 5, {}, [{"config_snapshot": None}] * 9, "unknown"),
    ("refused", True, [refused("expected a number")], CAP, 5, {}, [{}], "refused"),
    ("not connected", True, [NOT_SENT], CAP, 5, {}, [{}], "not_sent"),
    ("effect not observable", False, [acked()], CONTRACTS, 50, {CONTRACTS: 50}, [{}], "acked_not_observable"),
    ("effective at a deployed bot", False, [acked()], "ARB_MAX_DOLLARS_PER_TRADE", 5,
     {"ARB_MAX_DOLLARS_PER_TRADE": 5.0}, [{}], "verified"),
    ("poisoned, old value taken", False, [refused(POISON), acked()], CAP, 5, {}, [{}], "poisoned"),
    ("poisoned by another key", False, [refused(POISON)], CAP, 5, {}, [{}], "poisoned"),
    ("poisoned, nobody answers", False, [refused(POISON), NO_ANSWER], CAP, 5, {}, [], "poisoned"),
]  # fmt: skip
DOUBTFUL = {"not_verified", "mode_flipped", "unknown", "poisoned"}


@pytest.mark.parametrize("lie", LIES, ids=[lie[0] for lie in LIES])
async def test_a_bot_that_lies_ends_where_it_should(lie: tuple[Any, ...]) -> None:
    _, own, answers, key, wanted, becomes, states, end = lie
    house = House(*answers, own=own)
    entry = await house.change(key, wanted)
    house.snapshot |= becomes
    for fields in states:
        house.say(**fields)
    house.desk.tick(house.now + 1000)
    assert house.last(entry).stage.value == end
    assert house.entries[-1].stage.value == end, "who records was told"
    restored = lie[0] == "poisoned, old value taken"
    assert house.view.unverified[key] == (end in DOUBTFUL and not restored)
    assert house.settings.book.settings[key].state == ("refused" if restored else end)
    assert house.settings.book.history[-1].state == end


async def test_a_poisoned_bot_is_sent_its_old_value_at_once() -> None:
    house = House(refused(POISON), acked(), own=False)
    entry = await house.change(CAP, 5)
    assert [message["value"] for message in house.link.sent] == [5, 10.0]
    assert stages(house) == ["sent", "restoring"]
    house.say()
    assert "holds again" in house.last(entry).thing.says


async def test_a_state_that_comes_with_the_answer_is_not_missed() -> None:
    house = House()

    def at_once(_message: object) -> None:
        house.snapshot[CAP] = 5
        house.hear({"type": "update_config_ack", "key": CAP, "ok": True})
        house.say()

    house.link.before_answer = at_once
    entry = await house.change(CAP, 5)
    assert entry.stage is Stage.VERIFIED


async def test_a_state_from_before_the_answer_proves_nothing() -> None:
    house = House()

    def before(_message: object) -> None:
        house.say()
        house.hear({"type": "update_config_ack", "key": CAP, "ok": True})

    house.link.before_answer = before
    assert (await house.change(CAP, 10)).stage is Stage.ACKED


async def test_a_doubt_ends_when_a_later_state_shows_what_was_wanted() -> None:
    house = House(NO_ANSWER)
    await house.change(CAP, 5)
    house.desk.tick(house.now + 1000)
    assert house.view.unverified == {CAP: True}
    house.snapshot[CAP] = 5
    house.say()
    assert house.view.unverified == {CAP: False}
    assert house.settings.book.settings[CAP].state == "verified"


async def test_a_flipped_mode_is_in_doubt_until_the_bot_is_back_in_it() -> None:
    house = House()
    await house.change(CAP, 5)
    house.snapshot[CAP] = 5
    house.say(mode="live")
    house.say(mode="live")
    assert house.view.unverified == {CAP: True}
    house.say(mode="paper")
    assert house.view.unverified == {CAP: False}


async def test_what_is_refused_before_it_is_sent_leaves_no_trace() -> None:
    house = House()
    for key, raw in ((CAP, "x"), ("ARB_LIVE_MODE", True), ("NOPE", 1), ("ARB_LOG_LEVEL", "DEBUG")):
        with pytest.raises(Invalid):
            await house.change(key, raw)
    house.view.disconnected(house.now, "gone")
    with pytest.raises(NotNow, match="not connected"):
        await house.change(CAP, 5)
    assert house.link.sent == [] and house.entries == []


async def test_changes_go_one_after_the_other_and_each_is_planned_in_its_turn() -> None:
    house = House()
    going = asyncio.Event()
    order: list[object] = []

    async def slow(message: Any, *, within: float, urgent: bool = False) -> Answer:
        order.append(message["value"])
        await going.wait()
        order.append("answered")
        return acked()

    house.link.command = slow  # type: ignore[method-assign]
    first = asyncio.create_task(house.change(CAP, 6))
    second = asyncio.create_task(house.change(CAP, 5))
    while not order:
        await asyncio.sleep(0)
    assert order == [6]
    going.set()
    await asyncio.gather(first, second)
    assert order == [6, "answered", 5, "answered"]


async def test_what_would_raise_the_risk_by_now_is_asked_for_again() -> None:
    house = House()
    approved = house.settings.plan(CAP, 8)
    assert not approved.raises_risk
    house.snapshot[CAP] = 5.0
    house.say()
    with pytest.raises(NotNow, match="raise the risk: ask again"):
        await house.settings.change(ANN, CAP, 8, approved=approved)
    assert house.link.sent == []


async def test_who_asks_and_goes_away_does_not_stop_what_was_sent() -> None:
    house = House(refused(POISON), acked(), own=False)
    asked = asyncio.create_task(house.change(CAP, 5))
    while not house.link.sent:
        await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    while len(house.link.sent) < 2:
        await asyncio.sleep(0)
    assert [message["value"] for message in house.link.sent] == [5, 10.0]


async def test_a_recorder_that_fails_costs_nothing_but_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    house = House()

    def fails(_entry: Entry) -> None:
        raise OSError("disk full")

    house.desk.tell(fails)
    assert (await house.change(CAP, 5)).stage is Stage.ACKED
    assert "a command was not recorded" in caplog.text


async def test_a_change_is_taken_back_with_one_call() -> None:
    house = House()
    entry = await house.change(CAP, 5)
    house.snapshot[CAP] = 5
    house.say()
    key, before = house.settings.revert(entry.id)
    assert (key, before) == (CAP, 10.0)
    assert house.settings.plan(key, before).raises_risk
    with pytest.raises(Invalid, match="no change of a setting has this id"):
        house.settings.revert("nonsense")


async def test_a_value_that_others_changed_is_recorded_as_theirs() -> None:
    house = House()
    house.snapshot[CAP] = 99.0
    house.say()
    setting = house.settings.book.settings[CAP]
    assert (setting.changed_by, setting.state) == ("not by this console", "observed")
    (record,) = house.settings.book.history
    assert (record.before, record.after, record.who, record.command_id) == (10.0, 99.0, "", None)
    house.say(uptime_seconds=1.0, session_id="next", config_snapshot=house.snapshot | {CAP: 1.0})
    restarted = house.settings.book.settings[CAP]
    assert (restarted.changed_by, restarted.state) == ("restart of the bot", "at_restart")
    assert (restarted.session_start, restarted.differs_from_start) == (1.0, False)


async def test_the_start_of_a_session_that_was_not_seen_is_not_known() -> None:
    house = House()
    late = House()
    late.settings.book.settings.clear()
    late.settings.book._session = None
    late.say(uptime_seconds=9000.0, session_id="old")
    assert house.settings.book.settings[CAP].session_start == 10.0
    setting = late.settings.book.settings[CAP]
    assert setting.session_start is MISSING and setting.differs_from_start is None


async def test_only_settings_of_the_catalogue_are_kept() -> None:
    house = House()
    house.say(config_snapshot=house.snapshot | {"KALSHI_KEY_ID": "secret", "X": 3, "ARB_STREAM_MODE": True})
    assert not {"KALSHI_KEY_ID", "X", "ARB_STREAM_MODE"} & house.settings.book.settings.keys()
    assert house.settings.book.settings["ARB_CANARY_MODE"].value is MISSING


async def test_who_writes_is_told_of_changes_and_otherwise_once_a_minute() -> None:
    house = House()
    told = len(house.records)
    for _ in range(5):
        house.say()
    assert len(house.records) == told
    for _ in range(10):
        house.say()
    assert len(house.records) == told + 1


async def through(bot: DeployedBot, house: House, key: str, raw: object) -> Entry:
    """A change at a deployed bot, and three of its cycles."""

    async def asked(message: Any, *, within: float, urgent: bool = False) -> Answer:
        ack = bot.asked(message)
        return Answer("answered", ack=ack) if ack is not None else NO_ANSWER

    house.link.command = asked  # type: ignore[method-assign]
    approved = house.settings.plan(key, raw)
    entry = await house.settings.change(ANN, key, raw, approved=approved)
    for _ in range(3):
        house.now += 5.0
        state = bot.cycle(house.now)
        assert state is not None
        house.hear(state)
    return house.last(entry)


async def test_a_bot_that_another_client_poisoned_does_not_keep_what_it_refused() -> None:
    bot, house = DeployedBot(), House(own=False)
    bot.asked({"type": "update_config", "key": "ARB_MAX_DOLLARS_PER_TRADE", "value": "forty"})
    entry = await through(bot, house, CAP, 5)
    assert entry.stage is Stage.POISONED
    assert "every change will fail until that setting gets a good value" in entry.thing.says
    cured = await through(bot, house, "ARB_MAX_DOLLARS_PER_TRADE", 40)
    assert cured.stage is Stage.VERIFIED
    assert bot.settings[CAP] == 10.0, "5 would have come true with the cure"


async def test_a_bot_that_forgets_its_command_line_at_a_change_is_caught() -> None:
    class Forgets(DeployedBot):
        def told_a_setting(self, key: str, value: Any) -> dict[str, Any] | None:
            self.mode = "paper"
            return super().told_a_setting(key, value)

    bot, house = Forgets(), House(own=False, mode="live")
    bot.mode, bot.settings["ARB_LIVE_MODE"] = "live", True
    assert "goes back to paper" in house.settings.plan(CAP, 5).warning
    entry = await through(bot, house, CAP, 5)
    assert entry.stage is Stage.MODE_FLIPPED
    assert "change the mode to live to go back" in entry.thing.says
    assert house.view.totals.mode_changes == 1


async def test_a_change_that_a_later_one_overtook_leaves_no_doubt_about_the_setting() -> None:
    house = House(acked(), acked())
    first = await house.change(CAP, 8)
    await house.change(CAP, 5)
    house.snapshot[CAP] = 5
    for _ in range(9):
        house.say()
    assert house.last(first).stage is Stage.NOT_VERIFIED
    setting = house.settings.book.settings[CAP]
    assert (setting.state, setting.wanted, house.view.unverified) == ("verified", 5.0, {CAP: False})


async def test_back_up_from_a_value_that_no_state_shows_yet_raises_the_risk() -> None:
    house = House(acked())
    await house.change(CAP, 5)
    assert not house.settings.plan(CAP, 4).raises_risk
    assert house.settings.plan(CAP, 9).raises_risk, "the last state still shows 10"
