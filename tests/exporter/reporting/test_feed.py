"""What bots decide, in the feed: nothing lost from the counts, nothing twice, few rows, the newest on top."""

import json

import pytest

from exporter.reporting import feed_rows
from exporter.reporting.feed import FEED_DAYS
from tests.doubles.messages import T0, base_state, cycle_of, decision, heartbeat, state
from tests.exporter.reporting.hearing import hearing

COUNTED = "SELECT sum(count) FROM feed WHERE action <> 'detected'"


def skipped(number: int = 0, reason: str = "insufficient cash (kalshi)") -> dict:
    return {**decision("cross_venue", "skipped", reason), "match_key": f"group-{number}"}


def quiet_cycle(*decisions) -> dict:
    return {"last_cycle": {**cycle_of(*decisions), "opportunities_found": 0, "near_opportunities": 0}}


@pytest.fixture(scope="module")
def recorded(samples) -> list[dict]:
    return [json.loads(line) for line in (samples / "arb-session" / "states.jsonl").read_bytes().splitlines()]


async def test_every_decision_of_the_recorded_session_is_in_the_counts(tmp_path, recorded):
    async with hearing(tmp_path, now=recorded[0]["ts"]) as heard:
        for told in recorded:
            heard.say(told)
            await heard.write(told["ts"] + 0.1)
        assert heard.rows(COUNTED) == [(1760,)]
        by_action = dict(heard.rows("SELECT action, sum(count) FROM feed GROUP BY action"))
        opened = sum(
            made["action"] == "dry_run" for told in recorded for made in told["last_cycle"]["decisions"]
        )
        found = sum(told["last_cycle"]["opportunities_found"] for told in recorded)
        assert by_action["dry_run"] == opened
        assert by_action["detected"] == found
        rows = heard.rows("SELECT count(*) FROM feed")[0][0]
        assert rows < 1760


async def test_a_commit_that_fails_costs_nothing_and_counts_nothing_twice(tmp_path, recorded):
    async with hearing(tmp_path, now=recorded[0]["ts"]) as heard:
        for number, told in enumerate(recorded):
            heard.say(told)
            await heard.write(told["ts"] + 0.1, fails="feed" if number % 3 else None)
        await heard.write(recorded[-1]["ts"] + 1)
        assert heard.rows(COUNTED) == [(1760,)]


async def test_identical_skips_are_one_row_with_its_first_and_last_time(tmp_path):
    async with hearing(tmp_path) as heard:
        for cycle in (1, 2, 3):
            heard.say(base_state(cycle, **quiet_cycle(skipped(), skipped(1))))
            await heard.write(T0 + 5 * cycle)
        rows = heard.rows("SELECT first_at, last_at, cycle, match_key, reason, detail, count FROM feed")
    full = "insufficient cash (kalshi)"
    assert rows == [
        (T0 + 5, T0 + 15, 3, "group-0", "insufficient cash", full, 3),
        (T0 + 5, T0 + 15, 3, "group-1", "insufficient cash", full, 3),
    ]


async def test_attempts_and_results_are_a_row_each(tmp_path):
    made = [decision(), decision(), decision(action="settled", reason="paper_position_settled")]
    async with hearing(tmp_path) as heard:
        heard.say(base_state(1, **quiet_cycle(*made)))
        await heard.write(T0 + 6)
        assert heard.rows("SELECT action, edge, fill_prob, count FROM feed ORDER BY id") == [
            ("dry_run", 0.02, 0.9, 1),
            ("dry_run", 0.02, 0.9, 1),
            ("settled", 0.02, 0.9, 1),
        ]


async def test_a_row_ends_with_its_five_minutes_so_that_sums_of_them_are_exact(tmp_path):
    async with hearing(tmp_path) as heard:
        for cycle in range(1, 241):
            heard.say(base_state(cycle, **quiet_cycle(skipped())))
        await heard.write(T0 + 1201)
        by_slice = dict(heard.rows("SELECT CAST(first_at / 300 AS INTEGER), sum(count) FROM feed GROUP BY 1"))
    expected: dict[int, int] = {}
    for cycle in range(1, 241):
        expected[int((T0 + 5 * cycle) // 300)] = expected.get(int((T0 + 5 * cycle) // 300), 0) + 1
    assert by_slice == expected


async def test_what_is_beyond_a_cycles_rows_is_one_row_that_says_how_many(tmp_path):
    skips = [skipped(number) for number in range(feed_rows.ROWS_A_CYCLE + 50)]
    async with hearing(tmp_path) as heard:
        heard.say(base_state(1, **quiet_cycle(*skips, decision())))
        await heard.write(T0 + 6)
        left = heard.rows("SELECT reason, count FROM feed WHERE action = 'left_out'")
        assert left == [(feed_rows.BEYOND_CYCLE, 50)]
        assert heard.rows("SELECT count(*) FROM feed WHERE action = 'skipped'") == [(feed_rows.ROWS_A_CYCLE,)]
        assert heard.rows("SELECT count(*) FROM feed WHERE action = 'dry_run'") == [(1,)]


async def test_a_flood_between_two_commits_is_counted_and_stays_within_its_memory(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(base_state(1, **quiet_cycle(skipped())))
        await heard.write(T0 + 5)
        for cycle in range(2, 300):
            skips = [skipped(1000 * cycle + number) for number in range(100)]
            heard.say(base_state(cycle, T0 + 5 + cycle / 1000, **quiet_cycle(*skips)))
        await heard.write(T0 + 6)
        assert heard.rows(COUNTED) == [(1 + 298 * 100,)]
        assert heard.rows("SELECT count(*) FROM feed")[0][0] <= 2 * feed_rows.ROWS_WAITING


async def test_before_the_database_is_there_what_does_not_fit_is_counted(tmp_path):
    async with hearing(tmp_path) as heard:
        for cycle in range(1, 101):
            heard.say(base_state(cycle, **quiet_cycle(*map(skipped, range(100)))))
        await heard.write(T0 + 600)
        assert heard.rows(COUNTED) == [(10_000,)]


async def test_what_is_no_decision_is_counted_as_such(tmp_path):
    odd = [5, None, {"action": "skipped"}, {**skipped(), "match_key": 7}, {**skipped(), "match_key": None}]
    async with hearing(tmp_path) as heard:
        heard.say(base_state(1, **quiet_cycle(*odd)))
        await heard.write(T0 + 6)
        assert heard.rows("SELECT action, reason, match_key, count FROM feed ORDER BY id") == [
            ("skipped", "insufficient cash", "", 1),
            ("left_out", feed_rows.UNREADABLE, "", 4),
        ]


async def test_numbers_that_are_none_and_texts_without_end_do_no_harm(tmp_path):
    odd = {**skipped(reason="x" * 10_000), "edge": True, "fill_prob": None, "match_key": "k\x00" * 5_000}
    async with hearing(tmp_path) as heard:
        heard.say({**base_state(1, **quiet_cycle(odd)), "cycle": 1e300})
        await heard.write(T0 + 6)
        [(cycle, edge, fill_prob, key, detail)] = heard.rows(
            "SELECT cycle, edge, fill_prob, length(match_key), length(detail) FROM feed"
        )
    assert (cycle, edge, fill_prob) == (None, None, None)
    assert max(key, detail) <= feed_rows.LONGEST_TEXT


async def test_what_was_detected_is_summed_over_equal_cycles(tmp_path):
    async with hearing(tmp_path) as heard:
        for cycle in (1, 2, 3):
            heard.say(base_state(cycle, last_cycle=cycle_of()))
        heard.say(base_state(4, **quiet_cycle()))
        await heard.write(T0 + 21)
        assert heard.rows("SELECT action, detail, count FROM feed") == [
            ("detected", "2 found and 5 near, in each cycle", 6)
        ]


async def test_a_cycle_that_is_sent_twice_is_counted_once(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(base_state(1, **quiet_cycle(skipped())))
        heard.say(base_state(1, ts=T0 + 6, status="paused", **quiet_cycle(skipped())))
        await heard.write(T0 + 7)
        assert heard.rows(COUNTED) == [(1,)]


async def test_after_a_restart_of_the_exporter_the_cycle_it_knew_is_not_counted_again(tmp_path):
    async with hearing(tmp_path) as heard:
        for cycle in (1, 2):
            heard.say(state(cycle, **quiet_cycle(skipped())))
        await heard.write(T0 + 11)
    async with hearing(tmp_path, now=T0 + 12) as again:
        again.say(state(2, **quiet_cycle(skipped())), now=T0 + 12)
        again.say(state(3, **quiet_cycle(skipped())), now=T0 + 15)
        await again.write(T0 + 16)
        assert again.rows("SELECT session, cycle, count FROM feed ORDER BY id") == [
            ("5e55", 2, 2),
            ("5e55", 3, 1),
        ]


async def test_what_failed_once_is_known_after_a_restart_too(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(state(1, **quiet_cycle(skipped())))
        await heard.write(T0 + 6, fails="feed")
        await heard.write(T0 + 7)
    async with hearing(tmp_path, now=T0 + 8) as again:
        again.say(state(1, **quiet_cycle(skipped())), now=T0 + 8)
        await again.write(T0 + 9)
        assert again.rows(COUNTED) == [(1,)]


async def test_a_bot_that_restarted_meanwhile_is_counted_from_its_first_cycle(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(base_state(50, **quiet_cycle(skipped())))
        await heard.write(T0 + 251)
    async with hearing(tmp_path, now=T0 + 300) as again:
        for cycle in (1, 2):
            again.say(base_state(cycle, **quiet_cycle(skipped())), now=T0 + 300 + 5 * cycle)
        await again.write(T0 + 311)
        assert again.rows(COUNTED) == [(3,)]
        assert len(again.rows("SELECT DISTINCT session FROM feed")) == 2


async def test_a_bot_without_numbers_for_its_cycles_is_known_by_its_clock(tmp_path):
    told = {**state(1, **quiet_cycle(skipped())), "cycle": None}
    async with hearing(tmp_path) as heard:
        heard.say(told)
        await heard.write(T0 + 6)
    async with hearing(tmp_path, now=T0 + 7) as again:
        again.say(told, now=T0 + 7)
        again.say({**told, "ts": T0 + 10, "uptime_seconds": 10.0}, now=T0 + 10)
        await again.write(T0 + 11)
        assert again.rows(COUNTED) == [(2,)]


async def test_a_bot_that_says_nothing_costs_no_transaction(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(heartbeat(), now=T0)
        for job in heard.sockets.jobs:
            job.opened()
        await heard.write(T0 + 1)
        assert [job.name for job in heard.sockets.jobs if job.due(T0 + 2)] == ["bots"]


async def test_old_rows_go_after_their_days_and_no_others(tmp_path):
    later = T0 + FEED_DAYS * 86_400 + 7
    async with hearing(tmp_path) as heard:
        heard.say(state(1, **quiet_cycle(skipped())))
        heard.say(state(2, **quiet_cycle(skipped(1))))
        await heard.write(T0 + 11)
        await heard.write(later)
        assert heard.rows("SELECT match_key FROM feed") == [("group-1",)]


async def test_the_newest_rows_are_found_by_an_index(tmp_path):
    async with hearing(tmp_path) as heard:
        plan = heard.rows(
            "EXPLAIN QUERY PLAN SELECT * FROM feed WHERE bot = 'arb' ORDER BY last_at DESC LIMIT 200"
        )
    assert [detail for *_, detail in plan] == ["SEARCH feed USING INDEX feed_by_time (bot=?)"]
