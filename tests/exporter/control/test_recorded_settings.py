"""The settings of a recorded deployed bot: what it takes, what it shows, and that nothing else is offered."""

import json
from pathlib import Path
from typing import Any

import pytest

from exporter.control.order import Stage
from exporter.control.settings_book import MISSING
from exporter.errors import Invalid
from tests.exporter.control.desks import DEPLOYED_SETTINGS, House


@pytest.fixture(scope="module")
def recorded(samples: Path) -> list[dict[str, Any]]:
    lines = (samples / "arb-session" / "states.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def told(states: list[dict[str, Any]]) -> House:
    house = House(own=False)
    house.settings.book.settings.clear()
    for state in states:
        house.now = state["ts"]
        house.hear(state)
    return house


def test_its_eleven_settings_are_known_and_ten_of_them_can_be_changed(recorded: list[dict[str, Any]]) -> None:
    house = told(recorded)
    settings = house.settings.book.settings
    assert {key for key, known in settings.items() if known.value is not MISSING} == set(DEPLOYED_SETTINGS)
    takes = []
    for key, known in settings.items():
        try:
            takes.append(house.settings.plan(key, known.value).parameter.key)
        except Invalid:
            continue
    assert sorted(takes) == sorted(set(DEPLOYED_SETTINGS) - {"ARB_LIVE_MODE"})


async def test_a_change_that_its_next_states_do_not_show_is_not_verified(
    recorded: list[dict[str, Any]],
) -> None:
    house = told(recorded[:20])
    entry = await house.change("ARB_MAX_DOLLARS_PER_TRADE", 1)
    for state in recorded[20:25]:
        house.now = max(house.now + 3.0, state["ts"])
        house.hear(state)
    assert house.last(entry).stage is Stage.NOT_VERIFIED
