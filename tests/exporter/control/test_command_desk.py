"""Commands of one bot: only what it can do, proven by later states; the mode in two steps."""

import pytest

from exporter.control.commander import Answer
from exporter.control.order import Stage
from exporter.errors import Invalid, NotNow
from tests.exporter.control.desks import ANN, NO_ANSWER, NOT_SENT, House, acked, refused

DAY = 86_400.0


async def test_a_pause_is_verified_by_the_status() -> None:
    house = House()
    entry = await house.commands.send(ANN, "pause", {"reason": "lunch"})
    assert house.link.sent == [{"type": "pause", "reason": "lunch"}]
    house.say(status="paused")
    assert house.last(entry).stage is Stage.VERIFIED
    assert not house.commands.raises("resume"), "nobody halted it"
    back = await house.commands.send(ANN, "resume", {}, approved=False)
    house.say(status="paper")
    assert house.last(back).stage is Stage.VERIFIED


async def test_after_a_trip_resuming_takes_approval() -> None:
    house = House()
    house.say(status="killed")
    house.say(status="paused")
    assert house.commands.raises("resume")
    with pytest.raises(NotNow, match="ask again"):
        await house.commands.send(ANN, "resume", {}, approved=False)
    assert (await house.commands.send(ANN, "resume", {})).stage is Stage.ACKED


async def test_no_answer_ends_as_unknown() -> None:
    house = House(NO_ANSWER)
    entry = await house.commands.send(ANN, "pause", {})
    house.desk.tick(house.now + 1000)
    assert house.last(entry).stage is Stage.UNKNOWN
    assert house.last(entry).thing.says == "not answered: unknown, look at the state"


async def test_what_a_bot_cannot_do_is_refused_with_the_sentence() -> None:
    deployed = House(own=False)
    with pytest.raises(Invalid, match="understands kill_switch and update_config only"):
        await deployed.commands.send(ANN, "pause", {})
    with pytest.raises(Invalid, match="two steps"):
        await deployed.commands.send(ANN, "set_mode", {"mode": "live"})
    assert "cannot pause" in deployed.commands.possible()["pause"]
    assert House().commands.possible()["pause"] == ""
    assert deployed.link.sent == []


async def test_nothing_is_sent_to_a_bot_that_is_not_connected() -> None:
    house = House()
    house.view.disconnected(house.now, "gone")
    with pytest.raises(NotNow, match="not connected"):
        await house.commands.send(ANN, "pause", {})


def ready(answer: Answer | None = None) -> House:
    """A deployed bot of which everything holds that live needs."""
    house = House(answer or acked(), own=False)
    house.commands.drill_at = lambda: house.now - DAY
    return house


async def test_a_bot_goes_live_when_everything_holds_and_the_change_counts_as_ordered() -> None:
    house = ready()
    assert all(check.holds for check in house.commands.preflight())
    house.commands.may_go("live")
    entry = await house.commands.set_mode(ANN, "live")
    assert house.link.sent == [{"type": "update_config", "key": "ARB_LIVE_MODE", "value": True}]
    house.snapshot["ARB_LIVE_MODE"], house.mode = True, "live"
    house.say()
    assert house.last(entry).stage is Stage.VERIFIED
    assert (house.view.totals.mode_changes, house.view.totals.mode_changes_ordered) == (0, 1)


async def test_a_change_of_mode_that_nobody_ordered_is_told_from_an_ordered_one() -> None:
    house = ready()
    house.mode = "live"
    house.say()
    assert (house.view.totals.mode_changes, house.view.totals.mode_changes_ordered) == (1, 0)
    await house.commands.set_mode(ANN, "paper")
    house.now += 10_000
    house.mode = "paper"
    house.say()
    assert house.view.totals.mode_changes == 2, "too late to be the order's doing"


@pytest.mark.parametrize("answer", [NOT_SENT, refused("no")])
async def test_a_mode_that_flips_after_an_order_that_came_to_nothing_was_ordered_by_nobody(
    answer: Answer,
) -> None:
    house = ready(answer)
    await house.commands.set_mode(ANN, "live")
    house.mode = "live"
    house.say()
    assert (house.view.totals.mode_changes, house.view.totals.mode_changes_ordered) == (1, 0)


async def test_live_is_refused_with_everything_that_fails() -> None:
    house = ready()
    house.commands.drill_at = lambda: None
    house.snapshot["ARB_DAILY_LOSS_CAP_USD"] = 0.0
    house.say()
    with pytest.raises(NotNow) as caught:
        await house.commands.set_mode(ANN, "live")
    assert "no daily loss cap" in str(caught.value) and "drill" in str(caught.value)
    assert "no daily loss cap" in house.commands.possible()["set_mode"]
    assert house.link.sent == []


async def test_our_bots_mode_is_fixed_while_it_runs() -> None:
    assert "set ARB_LIVE_MODE and restart it" in House().commands.possible()["set_mode"]


async def test_a_killed_bot_does_not_go_live() -> None:
    house = ready()
    house.commands.killed = lambda: True
    with pytest.raises(NotNow, match="the bot is killed"):
        house.commands.may_go("live")
