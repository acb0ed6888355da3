"""How each bot is, second by second: a heartbeat, words only where they are known, a row at each change."""

from exporter.reporting.watched import words
from tests.doubles.bots import DeployedBot
from tests.doubles.messages import T0, base_state, goodbye, heartbeat, killed, state
from tests.exporter.control.kill_stand import Stand
from tests.exporter.reporting.hearing import hearing

WORDS = "SELECT loop, link, mode, status, kill, ledger, maintenance FROM states ORDER BY at"


async def test_a_bot_that_was_never_reached_has_a_heartbeat_and_nothing_else_known(tmp_path):
    async with hearing(tmp_path) as heard:
        await heard.write(T0 + 1)
        sql = "SELECT as_of, connected, last_state_at, mode, status, simulated, loss_cap, level FROM bots"
        assert heard.rows(sql) == [(T0 + 1, 0, None, None, None, None, None, "unknown")]
        assert heard.rows(WORDS) == [(None, "disconnected", None, None, None, None, "none")]


async def test_a_live_bot_has_its_words_and_its_verdict(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.connect(T0)
        heard.say(state(1))
        await heard.write(T0 + 6)
        sql = (
            "SELECT connected, link_since, link_why, mode, status, simulated, verdict, loss_cap, tz FROM bots"
        )
        assert heard.rows(sql) == [(1, T0, None, "paper", "paper", 1, "OK", 10.0, "UTC")]
        assert heard.rows(WORDS) == [("running", "connected", "paper", "paper", "inactive", None, "none")]


async def test_what_is_stale_has_no_mode_and_no_kill_switch_but_a_last_mode(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.connect(T0)
        heard.say(state(1))
        await heard.write(T0 + 1000)
        assert heard.rows("SELECT mode, last_mode, status, last_state_at FROM bots") == [
            (None, "paper", None, T0 + 5)
        ]
        assert heard.rows(WORDS) == [("stale", "connected", None, None, None, None, "none")]


async def test_states_have_a_row_at_each_change_only(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.connect(T0)
        for cycle in range(1, 20):
            heard.say(state(cycle))
            await heard.write(T0 + 5 * cycle)
        heard.say(state(20, kill_switch=killed("operator", "file"), status="killed"))
        await heard.write(T0 + 100)
        heard.say(state(21))
        await heard.write(T0 + 105)
        assert [row[3:5] for row in heard.rows(WORDS)] == [
            ("paper", "inactive"),
            ("killed", "active"),
            ("paper", "inactive"),
        ]


async def test_a_hung_loop_a_goodbye_and_a_kill_switch_nobody_reports_have_their_words(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.connect(T0)
        heard.say(base_state(1))
        for second in range(5, 900, 10):
            await heard.write(T0 + second)
        heard.say(heartbeat(T0 + 900), now=T0 + 900)
        await heard.write(T0 + 901)
        heard.say(goodbye(), now=T0 + 902)
        heard.disconnect(T0 + 902)
        await heard.write(T0 + 903)
        assert [(row[0], row[4], row[6]) for row in heard.rows(WORDS)] == [
            ("running", None, "none"),
            ("stale", None, "none"),
            ("hung", None, "none"),
            ("stopped", None, "stopped: stopped"),
        ]


async def test_the_time_in_which_no_exporter_looked_is_a_row_without_words(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.connect(T0)
        heard.say(state(1))
        await heard.write(T0 + 6)
    async with hearing(tmp_path, now=T0 + 100) as again:
        await again.write(T0 + 100)
        assert [(row[0], row[1]) for row in again.rows(WORDS)] == [
            ("running", "connected"),
            (None, None),
            (None, "disconnected"),
        ]
        assert again.rows("SELECT at FROM states ORDER BY at")[1] == (T0 + 7,)


async def test_the_time_in_which_nothing_could_be_written_is_such_a_row_too(tmp_path):
    async with hearing(tmp_path) as heard:
        await heard.write(T0 + 1)
        for second in range(2, 60):
            await heard.write(T0 + second, fails="bots")
        await heard.write(T0 + 60)
        assert heard.rows("SELECT at, link FROM states ORDER BY at") == [
            (T0 + 1, "disconnected"),
            (T0 + 2, None),
            (T0 + 60, "disconnected"),
        ]


async def test_the_ledgers_word_is_the_worst_of_its_stores_and_a_change_is_an_event(tmp_path):
    async with hearing(tmp_path) as heard:
        for store, status in (("orders", "missing"), ("analytics", "unreadable")):
            await heard.db.execute(
                "INSERT INTO sources (bot, store, generation, status, detail, current) "
                "VALUES ('arb', ?, 1, ?, 'not there yet', 1)",
                (store, status),
            )
        await heard.write(T0 + 1)
        await heard.write(T0 + 2)
        await heard.db.execute("UPDATE sources SET status = 'ok'")
        await heard.write(T0 + 3)
        assert [row[5] for row in heard.rows(WORDS)] == ["unreadable", "ok"]
        told = [(event["before"], event["after"], event["severity"]) for event in heard.told("store_status")]
        assert sorted(told) == [
            ("missing", "ok", "info"),
            ("ok", "missing", "warning"),
            ("ok", "unreadable", "warning"),
            ("unreadable", "ok", "info"),
        ]


async def test_of_a_bot_that_is_gone_nobody_knows_whether_its_loop_runs(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.connect(T0)
        heard.say(state(1))
        heard.disconnect(T0 + 6)
        await heard.write(T0 + 7)
        assert heard.rows(WORDS) == [(None, "disconnected", "paper", "paper", "inactive", None, "none")]


async def test_a_commit_that_fails_leaves_the_change_to_the_next(tmp_path):
    async with hearing(tmp_path) as heard:
        await heard.write(T0 + 1, fails="bots")
        assert heard.rows(WORDS) == []
        await heard.write(T0 + 2)
        assert len(heard.rows(WORDS)) == 1


async def test_it_writes_once_a_second_however_often_the_keeper_is_woken(tmp_path):
    async with hearing(tmp_path) as heard:
        seen = []
        for tenth in range(21):
            await heard.write(T0 + tenth / 10)
            seen.append(heard.rows("SELECT as_of FROM bots")[0][0])
        assert len(set(seen)) == 3


async def test_where_a_kill_by_this_console_stands_goes_before_the_bots_own_word(tmp_path):
    stand = Stand(DeployedBot(), tmp_path)
    assert words(stand.view.at(stand.now), None).kill is None
    await stand.press()
    await stand.for_seconds(1)
    assert words(stand.view.at(stand.now), None).kill == stand.standing().state.value == "acked"
