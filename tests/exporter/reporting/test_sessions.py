"""The runs of a bot in the table: when each began and ended, why, and which one went on unseen."""

from tests.doubles.messages import T0, base_state, goodbye, state
from tests.exporter.reporting.hearing import hearing

SESSIONS = "SELECT session, first_at, last_at, ended, end_reason FROM sessions ORDER BY first_at"


async def test_a_session_is_written_with_its_beginning_version_and_mode(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(state(1), now=T0 + 5)
        await heard.write(T0 + 6)
        sql = "SELECT session, first_at, last_at, began, ended, version, mode, simulated FROM sessions"
        assert heard.rows(sql) == [("5e55", T0 + 5, T0 + 5, T0, None, "0.1.0", "paper", 1)]


async def test_a_bot_without_session_ids_gets_the_second_in_which_it_began(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(base_state(1))
        await heard.write(T0 + 6)
        sql = "SELECT session, version, simulated FROM sessions"
        assert heard.rows(sql) == [("2026-11-20 17:53:20Z", None, None)]


async def test_a_goodbye_ends_a_session_with_its_reason_and_a_later_state_of_it_takes_that_back(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(state(1))
        heard.say(goodbye("stopped for an upgrade"), now=T0 + 7)
        await heard.write(T0 + 8)
        assert heard.rows(SESSIONS) == [("5e55", T0 + 5, T0 + 5, T0 + 7, "stopped for an upgrade")]
        heard.say(state(2), now=T0 + 10)
        await heard.write(T0 + 20)
        assert heard.rows(SESSIONS) == [("5e55", T0 + 5, T0 + 10, None, None)]


async def test_a_session_that_is_replaced_without_a_goodbye_ended_when_it_was_last_heard(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(state(1), state(2))
        heard.say(state(1, ts=T0 + 60, session_id="next", uptime_seconds=1.0))
        await heard.write(T0 + 61)
        assert heard.rows(SESSIONS) == [
            ("5e55", T0 + 5, T0 + 10, T0 + 10, "another session began"),
            ("next", T0 + 60, T0 + 60, None, None),
        ]


async def test_a_session_goes_on_over_a_restart_of_the_exporter(tmp_path):
    for told in (state, base_state):
        folder = tmp_path / told.__name__
        folder.mkdir()
        async with hearing(folder) as heard:
            heard.say(told(1))
            await heard.write(T0 + 6)
        async with hearing(folder, now=T0 + 50) as again:
            again.say(told(10), now=T0 + 51.5)
            await again.write(T0 + 52)
            assert [row[1:] for row in again.rows(SESSIONS)] == [(T0 + 5, T0 + 51.5, None, None)]


async def test_a_session_that_nobody_saw_end_ended_when_it_was_last_heard(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(base_state(10))
        await heard.write(T0 + 51)
    async with hearing(tmp_path, now=T0 + 500) as again:
        again.say(base_state(1), now=T0 + 505)
        await again.write(T0 + 506)
        assert [row[1:] for row in again.rows(SESSIONS)] == [
            (T0 + 50, T0 + 50, T0 + 50, "its end was not seen"),
            (T0 + 505, T0 + 505, None, None),
        ]


async def test_the_same_id_with_another_beginning_is_another_run(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(state(10))
        await heard.write(T0 + 51)
    async with hearing(tmp_path, now=T0 + 500) as again:
        again.say(state(3), now=T0 + 505)
        await again.write(T0 + 506)
        decisions = again.rows("SELECT cycle, count FROM feed WHERE action = 'dry_run' ORDER BY id")
        assert decisions == [(10, 1), (3, 1)]


async def test_a_commit_that_fails_is_written_again_with_the_same_names(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(state(1))
        await heard.write(T0 + 6)
    async with hearing(tmp_path, now=T0 + 10) as again:
        again.say(state(3), now=T0 + 15)
        await again.write(T0 + 16, fails="sessions")
        assert again.rows(SESSIONS) == [("5e55", T0 + 5, T0 + 5, None, None)]
        await again.write(T0 + 17)
        assert again.rows(SESSIONS) == [("5e55", T0 + 5, T0 + 15, None, None)]
        assert again.rows("SELECT session, cycle FROM feed WHERE action = 'dry_run' ORDER BY id") == [
            ("5e55", 1),
            ("5e55", 3),
        ]


async def test_the_last_time_is_written_every_few_seconds_and_not_with_each_state(tmp_path):
    async with hearing(tmp_path) as heard:
        written = []
        for cycle in range(1, 13):
            heard.say(state(cycle, ts=T0 + cycle))
            await heard.write(T0 + cycle)
            written.append(heard.rows("SELECT last_at FROM sessions")[0][0] - T0)
    assert written == [1, 1, 1, 1, 1, 6, 6, 6, 6, 6, 11, 11]
