"""A scrape that never raises: one broken view costs itself alone."""

import logging

from prometheus_client import CollectorRegistry

from exporter.collector import Collector
from exporter.metrics import DECLARED
from exporter.view import BotView
from tests.doubles.messages import T0, state


class FaultyView(BotView):
    """A view with a fault in one place, as a slip in a later version would be."""

    @property
    def cap(self) -> float | None:
        raise RuntimeError("a slip")


class BrokenView(BotView):
    """A view that cannot be looked at at all."""

    def at(self, now: float):
        raise RuntimeError("a slip")


def fresh(view: BotView) -> BotView:
    view.connected(T0)
    view.received(state(1), T0 + 5)
    return view


def registry_of(*views: BotView) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(Collector(views, clock=lambda: T0 + 6))
    return registry


def test_a_view_that_cannot_be_read_costs_no_other_bot_its_series(caplog):
    registry = registry_of(fresh(BotView("a", now=T0)), BrokenView("b", now=T0), fresh(BotView("c", now=T0)))
    with caplog.at_level(logging.ERROR):
        found = [registry.get_sample_value("tradebot_up", {"bot": bot}) for bot in "abc"]
    assert found == [1, None, 1]
    assert registry.get_sample_value("tradebot_exporter_read_errors_total", {"bot": "b"}) >= 1
    assert registry.get_sample_value("tradebot_exporter_read_errors_total", {"bot": "a"}) == 0
    assert "a slip" in caplog.text


def test_a_metric_that_cannot_be_read_costs_that_bot_that_metric():
    view = FaultyView.__new__(FaultyView)
    BotView.__init__(view, "b", now=T0)
    view.connected(T0)
    registry = registry_of(view)
    assert registry.get_sample_value("tradebot_connected", {"bot": "b"}) == 1
    assert registry.get_sample_value("tradebot_daily_loss_cap_usd", {"bot": "b"}) is None
    assert registry.get_sample_value("tradebot_exporter_read_errors_total", {"bot": "b"}) > 0


def test_the_same_fault_is_logged_once_and_counted_each_time(caplog):
    collector = Collector([BrokenView("b", now=T0)], clock=lambda: T0)
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            collector.families()
    assert len(caplog.records) == 1


def test_registering_reads_no_view_and_names_every_metric():
    collector = Collector([BrokenView("b", now=T0)], clock=lambda: T0)
    CollectorRegistry().register(collector)
    described = {metric.name for metric in collector.describe()}
    assert described == {metric.name.removesuffix("_total") for metric in DECLARED}


def test_a_scrape_changes_nothing_that_the_next_one_sees():
    view = fresh(BotView("a", now=T0))
    collector = Collector([view], clock=lambda: T0 + 6)

    def comparable():
        timed = {"tradebot_exporter_scrape_duration_seconds"}
        return [
            (family.name, [*family.samples()]) for family in collector.families() if family.name not in timed
        ]

    assert comparable() == comparable()


def test_without_bots_there_is_still_the_exporter():
    assert registry_of().get_sample_value("tradebot_exporter_scrape_duration_seconds") is not None
