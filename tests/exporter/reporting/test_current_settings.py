"""The settings of each bot as its states show them, with what the catalogue knows; secrets never."""

from tests.doubles.messages import T0, base_state, state
from tests.exporter.reporting.hearing import hearing

CAP = "ARB_DAILY_LOSS_CAP_USD"


def shown(**settings: object) -> dict:
    return {"config_snapshot": {"ARB_LIVE_MODE": False, CAP: 10.0, **settings}}


async def test_each_setting_has_its_value_and_what_the_catalogue_says_of_it(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(base_state(1, **shown()))
        await heard.write(T0 + 6)
        sql = (
            "SELECT value, number, session_start, seen_at, changed_at, changed_by, category, type, unit, "
            "minimum, hot, risk, observable, default_value FROM settings WHERE key = ?"
        )
        assert heard.rows(sql, CAP) == [
            ("10", 10.0, "10", T0 + 5, None, None, "Safety Rails", "number", "USD", 0.0, 1, "up", 0, "0")
        ]
        assert heard.rows("SELECT value, number FROM settings WHERE key = 'ARB_LIVE_MODE'") == [
            ("false", 0.0)
        ]


async def test_a_key_that_the_catalogue_does_not_know_and_a_credential_are_nowhere(tmp_path):
    secret = "hunter2-hunter2"
    keys = dict.fromkeys(("KALSHI_PRIVATE_KEY_PEM", "POLYMARKET_API_SECRET", "ARB_UNHEARD_OF"), secret)
    async with hearing(tmp_path) as heard:
        heard.say(state(1, **shown(**keys)))
        heard.say(state(2, **shown(**keys | {"ARB_UNHEARD_OF": secret + "!"})))
        await heard.write(T0 + 11)
        assert {key for (key,) in heard.rows("SELECT key FROM settings")} == {"ARB_LIVE_MODE", CAP}
        assert secret.encode() not in (tmp_path / "reporting.db").read_bytes()
        assert secret not in str(heard.events)


async def test_a_change_has_its_time_and_is_told_once_though_a_commit_failed(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(state(1, **shown()))
        await heard.write(T0 + 6)
        heard.say(state(2, **shown(**{CAP: 25.0})))
        await heard.write(T0 + 11, fails="settings")
        await heard.write(T0 + 12)
        heard.say(state(3, **shown(**{CAP: 25.0})))
        await heard.write(T0 + 16)
        sql = "SELECT value, session_start, changed_at FROM settings WHERE key = ?"
        assert heard.rows(sql, CAP) == [("25", "10", T0 + 10)]
        [event] = heard.told("setting_seen")
        assert (event["what"], event["before"], event["after"]) == (f"{CAP} is 25, it was 10", "10", "25")


async def test_who_ordered_a_change_stays_only_while_the_value_is_the_one_they_wanted(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(state(1, **shown()))
        await heard.write(T0 + 6)
        await heard.db.execute("UPDATE settings SET changed_by = 'ann', wanted = '25' WHERE key = ?", (CAP,))
        for cycle, value, who in ((2, 25.0, "ann"), (3, 30.0, None)):
            heard.say(state(cycle, **shown(**{CAP: value})))
            await heard.write(T0 + 5 * cycle + 1)
            assert heard.rows("SELECT changed_by FROM settings WHERE key = ?", CAP) == [(who,)]


async def test_a_new_session_starts_with_its_own_values_and_one_that_goes_on_keeps_them(tmp_path):
    sql = "SELECT value, session_start FROM settings WHERE key = ?"
    async with hearing(tmp_path) as heard:
        heard.say(state(1, **shown()))
        heard.say(state(2, **shown(**{CAP: 25.0})))
        await heard.write(T0 + 6)
        heard.say(state(3, **shown(**{CAP: 30.0})))
        await heard.write(T0 + 16)
        assert heard.rows(sql, CAP) == [("30", "25")]
    async with hearing(tmp_path, now=T0 + 50) as again:
        again.say(state(10, **shown(**{CAP: 40.0})), now=T0 + 50)
        await again.write(T0 + 51)
        assert again.rows(sql, CAP) == [("40", "25")]
        [event] = again.told("setting_seen")
        assert event["why"] == "changed while this exporter was away"
        again.say(state(1, ts=T0 + 60, session_id="next", **shown(**{CAP: 50.0})))
        await again.write(T0 + 61)
        assert again.rows(sql, CAP) == [("50", "50")]


async def test_how_long_ago_a_setting_was_seen_is_at_most_a_minute_off(tmp_path):
    async with hearing(tmp_path) as heard:
        seen = set()
        for cycle in range(1, 40):
            heard.say(state(cycle, **shown()))
            await heard.write(T0 + 5 * cycle)
            seen.add(heard.rows("SELECT max(seen_at) FROM settings")[0][0] - T0)
        assert seen == {5, 65, 125, 185}


async def test_a_value_that_swings_does_not_fill_the_chain(tmp_path):
    async with hearing(tmp_path) as heard:
        for cycle in range(1, 301):
            heard.say(state(cycle, **shown(**{CAP: 10.0 + cycle % 2})))
            await heard.write(T0 + 5 * cycle)
        assert 10 <= len(heard.events) < 20
        heard.sockets.ending(T0 + 1600)
        told = len(heard.told("setting_seen"))
        summed = sum(
            event["data"]["counts"]["setting_seen"] for event in heard.told("flapping") if "data" in event
        )
        assert told + summed == 299
