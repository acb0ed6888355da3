"""How a bot's stores are is a series for each word, as long as somebody looks."""

import pytest
from prometheus_client import CollectorRegistry

from exporter.collector import Collector
from exporter.reporting.sources import STATUSES
from exporter.view import BotView, StoreSeen
from tests.doubles.messages import T0


def store_status(view: BotView, now: float, status: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(Collector([view], clock=lambda: now))
    labels = {"bot": "arb", "store": "orders", "status": status}
    return registry.get_sample_value("tradebot_store_status", labels)


@pytest.mark.parametrize("word", STATUSES)
def test_the_word_that_holds_is_1_and_the_others_are_0(word: str) -> None:
    view = BotView("arb", now=T0)
    view.stores["orders"] = StoreSeen(word, T0)
    assert {status: store_status(view, T0 + 1, status) for status in STATUSES} == {
        status: float(status == word) for status in STATUSES
    }


def test_there_is_no_word_without_a_look_and_none_long_after_one() -> None:
    view = BotView("arb", now=T0)
    assert store_status(view, T0, "ok") is None
    view.stores["orders"] = StoreSeen("ok", T0)
    assert store_status(view, T0 + 30, "ok") == 1
    assert store_status(view, T0 + 31, "ok") is None
