"""What the pages say of alerts, of the way they take and of the console itself, in every situation."""

import pytest

from grafana import palette
from tests.grafana import worlds
from tests.grafana.wall import Prometheus, look

pytestmark = pytest.mark.stack

GREY, BLUE, DIM, PURPLE, AMBER, RED = (
    palette.NEUTRAL,
    palette.BLUE,
    palette.DIM_PURPLE,
    palette.PURPLE,
    palette.AMBER,
    palette.RED,
)
Rows = list[tuple[str, str]]
NONE = ("NONE FIRING · rules evaluated | 0", GREY)
NOT_EVALUATED = ("ALERTS · rules are not evaluated | BLIND", PURPLE)
LOST = ("ALERTS REACH NOBODY · Alertmanager | LOST", RED)
NOBODY = ("NOBODY IS CALLED · no push receiver | SET ONE", AMBER)


def five(*seconds: int) -> Rows:
    """Alerts of `worlds` by how long they last."""
    return [(f"WARNING · Five{100 - lasting} · arb | {lasting}", AMBER) for lasting in seconds]


AND_MORE = "AND MORE · see System | "
STRIP: dict[str, Rows] = {
    "well": [NONE],
    "two of five are had": [
        ("CRITICAL · New · arb | 10", RED),
        ("CRITICAL · Old · arb · ann has it | 500", GREY),
        ("WARNING · Late · arb | 200", AMBER),
        ("WARNING · Later · arb | 100", AMBER),
        ("WARNING · Noticed · arb · bea has it | 400", GREY),
    ],
    "alike": [("WARNING · Twice · arb | 300", AMBER)],
    "exporter does not answer": [("ALERTS · the exporter does not answer | BLIND", PURPLE)],
    "exporter is not scraped": [("ALERTS · the exporter does not answer | BLIND", PURPLE)],
    "rules are not evaluated": [NOT_EVALUATED],
    "rules are not evaluated, six fire": [*five(100, 99, 98), (f"{AND_MORE}3", AMBER), NOT_EVALUATED],
    "alertmanager is down": [NONE, LOST],
    "alertmanager is down, five fire": [*five(100, 99, 98), (f"{AND_MORE}2", AMBER), LOST],
    "one scrape of alertmanager was lost": [NONE],
    "alertmanager was not found": [NONE, LOST],
    "prometheus started again": [NONE],
    "alertmanager refuses": [NONE, LOST],
    "nobody is called": [NONE, NOBODY],
    "nobody is called, on paper": [NONE, ("no push receiver · paper only | ON THE WALL", BLUE)],
    "nobody is called, tier unknown": [NONE, NOBODY],
    "nobody is called, four fire": [*five(100, 99, 98, 97), NOBODY],
    "nobody is called, five fire": five(100, 99, 98, 97, 96),
    "nobody is called, six fire": [*five(100, 99, 98, 97), (f"{AND_MORE}2", AMBER)],
    "receivers are not known": [NONE],
}


@pytest.mark.parametrize("world", STRIP)
def test_the_strip_says_what_fires_or_why_nobody_knows_and_fits_its_rows(world: str, ask: Prometheus) -> None:
    said = look(ask, "live", "ALERTS: ", worlds.BOT, worlds.end(world))
    assert [(str(row), row.colour) for row in said] == STRIP[world]
    for page, rows in (("live", 5), ("system", 3), ("analytics", 3), ("config", 3)):
        assert 1 <= len(look(ask, page, "ALERTS: ", worlds.BOT, worlds.end(world))) <= rows, page


def test_what_prometheus_could_not_hand_on_at_its_start_is_never_called_lost(ask: Prometheus) -> None:
    began = worlds.BEGINS["prometheus started again"]
    for second in range(525, worlds.LENGTH + 1, 5):
        assert LOST not in {
            (str(row), row.colour) for row in look(ask, "live", "ALERTS: ", worlds.BOT, began + second)
        }
        (delivery,) = look(ask, "system", "ALERT DELIVERY", worlds.BOT, began + second)
        assert delivery.name == "DELIVERED"


def test_what_is_refused_is_called_lost_within_a_minute_and_all_the_time(ask: Prometheus) -> None:
    began = worlds.BEGINS["alertmanager refuses"]
    for second in range(475, worlds.LENGTH + 1, 5):
        (delivery,) = look(ask, "system", "ALERT DELIVERY", worlds.BOT, began + second)
        assert str(delivery) == "ALERTS | LOST", second


DELIVERY = {
    "well": ("DELIVERED | 0", GREY),
    "two of five are had": ("DELIVERED | 0", GREY),
    "exporter does not answer": (" | BLIND", PURPLE),
    "exporter is not scraped": (" | BLIND", PURPLE),
    "alertmanager is down": ("ALERTS | LOST", RED),
    "one scrape of alertmanager was lost": ("DELIVERED | 0", GREY),
    "alertmanager was not found": ("ALERTS | LOST", RED),
    "prometheus started again": ("DELIVERED | 0", GREY),
    "alertmanager refuses": ("ALERTS | LOST", RED),
    "nobody is called": ("NO RECEIVER | 0", AMBER),
    "nobody is called, on paper": ("TO WALL ONLY | 0", BLUE),
    "nobody is called, tier unknown": ("NO RECEIVER | 0", AMBER),
    "receivers are not known": ("DELIVERED | 0", GREY),
    "watchdog never came": ("WATCHDOG | NEVER", AMBER),
    "watchdog is awaited": ("WATCHDOG | AWAITED", BLUE),
    "watchdog is late": ("WATCHDOG | 300", AMBER),
    "slack fails": ("ALERTS | FAILING", RED),
    "the exporter started again": ("DELIVERED | 0", GREY),
    "a webhook fails": ("ALERTS | FAILING", RED),
}


@pytest.mark.parametrize("world", DELIVERY)
def test_the_last_link_of_the_chain_says_one_thing_of_the_way_to_a_person(
    world: str, ask: Prometheus
) -> None:
    (said,) = look(ask, "system", "ALERT DELIVERY", worlds.BOT, worlds.end(world))
    assert (str(said), said.colour) == DELIVERY[world]


def test_the_receivers_of_each_kind_are_counted_and_unknown_ones_are_not_none(ask: Prometheus) -> None:
    rows = look(ask, "system", "RECEIVERS", worlds.BOT, worlds.end("well"))
    assert sorted(map(str, rows)) == ["dead-man's switch | 1", "email | 0", "slack | 1"]
    gone = look(ask, "system", "RECEIVERS", worlds.BOT, worlds.end("exporter does not answer"))
    assert [(row.text, row.colour) for row in gone] == [("RECEIVERS ?", PURPLE)]


DISK, CHAIN = "disk of reporting, free", "chain of events"
ITSELF = {
    "well": {DISK: ("0.5", GREY), CHAIN: ("unbroken", GREY)},
    "disk is low": {DISK: ("0.09", AMBER), CHAIN: ("unbroken", GREY)},
    "chain is broken": {DISK: ("0.5", GREY), CHAIN: ("BROKEN", AMBER)},
    "chain is not checked": {DISK: ("0.5", GREY)},
}


@pytest.mark.parametrize("world", ITSELF)
def test_a_full_disk_and_a_broken_chain_are_amber_and_what_is_not_known_is_not_said(
    world: str, ask: Prometheus
) -> None:
    said = look(ask, "system", "EXPORTER: ", worlds.BOT, worlds.end(world))
    assert {row.name: (row.text, row.colour) for row in said if row.name in {DISK, CHAIN}} == ITSELF[world]
