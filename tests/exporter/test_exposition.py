"""The text of /metrics, read back by prometheus_client's own parser."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.process_collector import ProcessCollector

from exporter.collector import Collector
from exporter.exposition import CONTENT_TYPE, render
from exporter.view import BotView
from tests.doubles.messages import T0, cycle_of, decision, state

TIMED = "tradebot_exporter_scrape_duration_seconds"
TEXT = st.text(max_size=12) | st.sampled_from(['"', "\\", "\n", "a\\nb", '\\"', "ü€😀", "{}", ",=", " "])
VALUE = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)


def samples_of(families) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if sample.name != TIMED
    }


@settings(max_examples=40, deadline=None)
@given(
    venues=st.dictionaries(TEXT, VALUE, max_size=4),
    reasons=st.lists(TEXT, max_size=4),
    metrics=st.dictionaries(TEXT, VALUE, max_size=3),
    status=TEXT,
)
def test_the_text_is_read_back_as_exactly_the_collectors_samples(venues, reasons, metrics, status):
    view = BotView("arb", now=T0)
    view.connected(T0)
    said = state(
        1,
        cash_by_venue=venues,
        status=status,
        stream_status=dict.fromkeys(venues, status),
        last_cycle=cycle_of(*[decision(reason=reason) for reason in reasons]),
        metrics=[{"name": name, "kind": "gauge", "value": value} for name, value in metrics.items()],
    )
    view.received(said, T0 + 5)
    collector = Collector([view], clock=lambda: T0 + 6)
    body, _ = render(collector)
    parsed = samples_of(text_string_to_metric_families(body.decode()))
    assert parsed == samples_of(collector.collect())


def test_each_metric_has_its_help_and_type_once_and_no_series_comes_twice():
    view = BotView("arb", now=T0)
    lines = render(Collector([view], clock=lambda: T0))[0].decode().splitlines()
    for mark in ("# HELP ", "# TYPE "):
        names = [line.split()[2] for line in lines if line.startswith(mark)]
        assert len(names) == len(set(names)) > 0
    series = [line.rpartition(" ")[0] for line in lines if not line.startswith("#")]
    assert len(series) == len(set(series))


def test_two_scrapes_of_the_same_views_are_the_same_text():
    views = [BotView(name, now=T0) for name in ("b", "a")]
    bodies = {
        b"\n".join(
            line
            for line in render(Collector(views, clock=lambda: T0))[0].splitlines()
            if TIMED.encode() not in line
        )
        for _ in range(2)
    }
    assert len(bodies) == 1


def test_values_that_are_not_finite_are_written_in_prometheus_words():
    view = BotView("arb", now=T0)
    view.clock_skew = math.inf
    assert b'tradebot_clock_skew_seconds{bot="arb"} +Inf\n' in render(Collector([view], clock=lambda: T0))[0]


def test_the_process_may_speak_behind_the_bots():
    process = CollectorRegistry()
    ProcessCollector(registry=process)
    body, content_type = render(Collector([BotView("arb", now=T0)], clock=lambda: T0), process)
    assert body.index(b"process_resident_memory_bytes") > body.index(b"tradebot_up")
    assert content_type == CONTENT_TYPE == "text/plain; version=0.0.4; charset=utf-8"
