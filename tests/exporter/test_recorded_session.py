"""A recorded session of a deployed bot, replayed over TCP: every state taken in, counted as in the file."""

import asyncio
import json
from collections import Counter

import pytest
from prometheus_client import CollectorRegistry

from exporter.bridge import Bridge
from exporter.collector import Collector
from exporter.view import BotView
from tests.doubles.scripted_bot import ScriptedBot

RISK_FIELDS = (
    ("tradebot_daily_pnl_usd", {"source": "bot"}),
    ("tradebot_daily_trades", {"source": "bot"}),
    ("tradebot_daily_loss_cap_remaining_usd", {"source": "bot"}),
    ("tradebot_consecutive_failures", {"source": "bot"}),
)


@pytest.fixture(scope="module")
def recorded(samples) -> list[bytes]:
    return (samples / "arb-session" / "states.jsonl").read_bytes().splitlines(keepends=True)


async def replayed(lines: list[bytes], times: int = 1) -> CollectorRegistry:
    """The series after a bot has sent these lines, in pieces that respect no line, on so many connections."""
    last = json.loads(lines[-1])["ts"]
    view = BotView("arb", now=last)
    async with ScriptedBot() as bot:
        bridge = asyncio.create_task(Bridge(view, bot.host, bot.port, clock=lambda: last).run())
        for connection in range(times):
            await bot.connected(connection + 1)
            data = b"".join(lines)
            for start in range(0, len(data), 50_001):
                await bot.send_raw(data[start : start + 50_001])
            async with asyncio.timeout(30):
                while view.totals.states < len(lines) * (connection + 1):
                    await asyncio.sleep(0.005)
            if connection + 1 < times:
                bot.reset()
                await bot.deserted()
        bridge.cancel()
        await asyncio.gather(bridge, return_exceptions=True)
    registry = CollectorRegistry()
    registry.register(Collector([view], clock=lambda: last + 1))
    return registry


def counted_in_the_file(lines: list[bytes]) -> Counter[tuple[str, str, str]]:
    """Counted here on its own: kind, action, and the reason up to its first parenthesis."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for line in lines:
        for made in json.loads(line)["last_cycle"]["decisions"]:
            counts[made["kind"], made["action"], made["reason"].split(" (")[0].strip()] += 1
    return counts


def decisions_in(registry: CollectorRegistry) -> dict[tuple[str, str, str], float]:
    return {
        (sample.labels["kind"], sample.labels["action"], sample.labels["reason"]): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "tradebot_decisions_total" and sample.value
    }


async def test_every_state_is_taken_in_the_lines_above_64_kib_too(recorded):
    assert len(recorded) == 80
    assert sum(len(line) > 65_536 for line in recorded) == 4
    registry = await replayed(recorded)
    assert registry.get_sample_value("tradebot_states_received_total", {"bot": "arb"}) == 80
    assert registry.get_sample_value("tradebot_cycles_total", {"bot": "arb"}) == 80
    assert registry.get_sample_value("tradebot_states_missed_total", {"bot": "arb"}) == 0
    malformed = [
        sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "tradebot_malformed_messages_total"
    ]
    assert malformed
    assert sum(malformed) == 0


async def test_decisions_are_counted_by_kind_action_and_reduced_reason_exactly_as_in_the_file(recorded):
    expected = counted_in_the_file(recorded)
    assert expected.total() == 1760
    assert decisions_in(await replayed(recorded)) == expected


async def test_the_five_constant_risk_fields_are_absent_and_never_zero(recorded):
    registry = await replayed(recorded)
    for name, labels in RISK_FIELDS:
        assert registry.get_sample_value(name, {"bot": "arb", **labels}) is None
    assert not [s for f in registry.collect() for s in f.samples if s.name == "tradebot_stream_status"]
    quotes = json.loads(recorded[-1])["last_cycle"]["quotes_count"]
    assert registry.get_sample_value("tradebot_quotes", {"bot": "arb"}) == quotes
    assert (
        registry.get_sample_value("tradebot_config_value", {"bot": "arb", "key": "ARB_DAILY_LOSS_CAP_USD"})
        == 10
    )


async def test_a_session_that_is_sent_again_after_a_reconnect_counts_no_decision_twice(recorded):
    registry = await replayed(recorded, times=2)
    assert registry.get_sample_value("tradebot_states_received_total", {"bot": "arb"}) == 160
    assert decisions_in(registry) == counted_in_the_file(recorded)
    assert registry.get_sample_value("tradebot_restarts_total", {"bot": "arb"}) == 0
    assert registry.get_sample_value("tradebot_reconnects_total", {"bot": "arb"}) == 1
