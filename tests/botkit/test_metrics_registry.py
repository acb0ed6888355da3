"""The bot's own counters and gauges."""

import math
import threading

import pytest

from botkit.metrics_registry import Registry


def test_counters_begin_at_zero_and_only_go_up() -> None:
    registry = Registry()
    placed = registry.counter("orders_placed")
    placed.inc()
    placed.inc(2.5)
    for amount in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match="only goes up"):
            placed.inc(amount)
    registry.counter("untouched")
    assert registry.snapshot() == [
        {"name": "orders_placed", "kind": "counter", "value": 3.5},
        {"name": "untouched", "kind": "counter", "value": 0},
    ]


def test_a_gauge_that_is_unknown_is_left_out_of_the_snapshot() -> None:
    registry = Registry()
    gauge = registry.gauge("quote_cache_size")
    assert registry.snapshot() == []
    gauge.set(0)
    assert registry.snapshot() == [{"name": "quote_cache_size", "kind": "gauge", "value": 0}]
    gauge.inc(-2)
    assert gauge.value == -2
    for unknown in (None, math.nan, math.inf):
        gauge.set(unknown)
        assert registry.snapshot() == []


def test_a_name_stands_for_one_metric_of_one_kind() -> None:
    registry = Registry()
    assert registry.counter("a") is registry.counter("a")
    with pytest.raises(ValueError, match="'a' is a counter, not a gauge"):
        registry.gauge("a")


@pytest.mark.parametrize("name", ["", "1a", "a b", "a{b}", "ä", "a\n"])
def test_a_name_that_prometheus_could_not_hold_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no metric name"):
        Registry().counter(name)


def test_no_count_is_lost_between_threads() -> None:
    counter = Registry().counter("a")
    threads = [threading.Thread(target=lambda: [counter.inc() for _ in range(2000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.value == 8000
