"""What the metrics say of settings that were changed and of modes that changed."""

from prometheus_client import CollectorRegistry

from exporter.collector import Collector
from tests.exporter.control.desks import ANN, NO_ANSWER, House, acked

CAP = "ARB_DAILY_LOSS_CAP_USD"


def value(house: House, name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(Collector([house.view], clock=lambda: house.now))
    return registry.get_sample_value(name, {"bot": "arb"} | labels)


async def test_a_setting_that_nobody_changed_has_no_series() -> None:
    assert value(House(), "tradebot_config_unverified", key=CAP) is None


async def test_a_change_in_doubt_is_1_and_0_once_a_state_shows_it() -> None:
    house = House(NO_ANSWER)
    await house.change(CAP, 5)
    house.desk.tick(house.now + 1000)
    assert value(house, "tradebot_config_unverified", key=CAP) == 1
    house.snapshot[CAP] = 5
    house.say()
    assert value(house, "tradebot_config_unverified", key=CAP) == 0


async def test_changes_of_the_mode_are_counted_by_whether_they_were_ordered() -> None:
    house = House(acked(), own=False)
    assert value(house, "tradebot_mode_changes_total", expected="true") == 0
    house.commands.drill_at = lambda: house.now
    await house.commands.set_mode(ANN, "live")
    house.mode = "live"
    house.say()
    house.mode = "paper"
    house.say()
    assert value(house, "tradebot_mode_changes_total", expected="true") == 1
    assert value(house, "tradebot_mode_changes_total", expected="false") == 1
