"""Whatever happens in whatever order, the counts of the feed are the decisions that were committed."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles.messages import T0, cycle_of, decision, state
from tests.exporter.reporting.hearing import hearing

COUNTED = "SELECT coalesce(sum(count), 0) FROM feed WHERE action <> 'detected'"

SKIP, RESULT, ODD = range(3)
DECISIONS = st.lists(
    st.tuples(st.sampled_from([SKIP, SKIP, RESULT, ODD]), st.integers(0, 300)), min_size=1, max_size=20
)
CYCLE = st.tuples(st.just("cycle"), DECISIONS, st.integers(1, 400))
WRITE = st.tuples(st.just("write"), st.sampled_from([None, None, "feed", "sessions"]))
STEPS = st.lists(
    st.one_of(CYCLE, CYCLE, WRITE, WRITE, st.tuples(st.just("again")), st.tuples(st.just("restart"))),
    min_size=5,
    max_size=30,
)


def made(which: int, number: int) -> object:
    if which == ODD:
        return number
    action = "skipped" if which == SKIP else "dry_run"
    return {**decision(action=action, reason="insufficient cash (x)"), "match_key": f"group-{number}"}


async def play(folder: Path, steps: list[tuple]) -> None:
    now, cycle, waiting, committed = T0, 0, 0, 0
    told = None
    async with AsyncExitStack() as stack:
        heard = await stack.enter_async_context(hearing(folder, now=now))
        for what, *more in steps:
            now += 1.5
            if what == "cycle":
                decisions, later = more
                now, cycle, waiting = now + later, cycle + 1, waiting + len(decisions)
                made_now = [made(which, number) for which, number in decisions]
                told = state(cycle, now, uptime_seconds=now - T0, last_cycle=cycle_of(*made_now))
                heard.say(told)
            elif what == "again" and told is not None:
                heard.say({**told, "ts": now, "uptime_seconds": now - T0})
            elif what == "write":
                await heard.write(now, fails=more[0])
                if more[0] is None:
                    committed, waiting = committed + waiting, 0
                elif more[0] == "sessions":  # the feed went on if it knew the session already
                    [(count,)] = heard.rows(COUNTED)
                    committed, waiting = count, committed + waiting - count
            elif what == "restart":
                await stack.aclose()
                waiting, told = 0, told if not waiting else None
                heard = await stack.enter_async_context(hearing(folder, now=now))
        await heard.write(now + 10)
        assert heard.rows(COUNTED) == [(committed + waiting,)]


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_counts_add_up_over_failures_and_restarts(steps):
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder), steps))
