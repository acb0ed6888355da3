"""Errors and warnings of bots: counted once, by message and day, also over restarts of the exporter."""

from exporter.reporting import complaints
from tests.doubles.messages import T0, base_state, state
from tests.exporter.reporting.hearing import hearing

ALL = "SELECT severity, message, first_at, last_at, count FROM complaints ORDER BY severity, message"


def error(
    at: float, message: str = "order 17 of kalshi timed out", severity: str = "error"
) -> dict[str, object]:
    return {"ts": at, "severity": severity, "message": message}


async def test_messages_that_differ_in_figures_alone_are_one(tmp_path):
    async with hearing(tmp_path) as heard:
        first = [
            error(T0 + 1),
            error(T0 + 2, "order 18 of kalshi timed out"),
            error(T0 + 3, "slow", "warning"),
        ]
        heard.say(state(1, recent_errors=first))
        await heard.write(T0 + 6)
        assert heard.rows(ALL) == [
            ("error", "order # of kalshi timed out", T0 + 1, T0 + 2, 2),
            ("warning", "slow", T0 + 3, T0 + 3, 1),
        ]


async def test_what_stands_in_several_states_counts_once_and_what_is_new_counts_on_top(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(state(1, recent_errors=[error(T0 + 1)]), state(2, recent_errors=[error(T0 + 1)]))
        await heard.write(T0 + 11)
        heard.say(state(3, recent_errors=[error(T0 + 1), error(T0 + 12)]))
        await heard.write(T0 + 16)
        assert heard.rows(ALL) == [("error", "order # of kalshi timed out", T0 + 1, T0 + 12, 2)]


async def test_another_run_of_the_exporter_counts_only_what_is_newer(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(state(1, recent_errors=[error(T0 + 1)]))
        await heard.write(T0 + 6)
    async with hearing(tmp_path, now=T0 + 10) as heard:
        heard.say(state(2, recent_errors=[error(T0 + 1), error(T0 + 8)]))
        await heard.write(T0 + 11)
        assert heard.rows(ALL) == [("error", "order # of kalshi timed out", T0 + 1, T0 + 8, 2)]


async def test_a_commit_that_fails_is_written_again_and_nothing_twice(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(state(1, recent_errors=[error(T0 + 1)]))
        await heard.write(T0 + 6, fails="complaints")
        await heard.write(T0 + 7)
        await heard.write(T0 + 8)
        assert heard.rows("SELECT count FROM complaints") == [(1,)]


async def test_a_bot_that_never_says_the_same_twice_fills_no_table(tmp_path, monkeypatch):
    monkeypatch.setattr(complaints, "MOST_MESSAGES", 3)
    async with hearing(tmp_path) as heard:
        said = [error(T0 + 1 + n / 100, f"fault {'abc'[n % 3]}{'x' * n}z") for n in range(10)]
        heard.say(state(1, recent_errors=said))
        await heard.write(T0 + 6)
        assert heard.rows("SELECT COUNT(*), SUM(count) FROM complaints") == [(4, 10)]
        assert heard.rows("SELECT count FROM complaints WHERE message = ?", complaints.OTHERS) == [(7,)]


async def test_days_that_are_long_past_go(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(state(1, recent_errors=[error(T0 + 1)]))
        await heard.write(T0 + 6)
        later = T0 + 15 * 86_400
        heard.say(state(2, recent_errors=[error(later, "new")]), now=later)
        await heard.write(later + 1)
        assert heard.rows("SELECT message FROM complaints") == [("new",)]


async def test_a_bot_that_reports_no_errors_leaves_no_row(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(base_state(1))
        await heard.write(T0 + 6)
        assert heard.rows("SELECT * FROM complaints") == []
