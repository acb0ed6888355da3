"""What people order over the API: who may, what is asked for first, and what is answered and recorded."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.doubles.bots import DeployedBot, OwnBot, OwnIgnores
from tests.exporter.api.office import TOKENS, Office, bearer


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path, {"arb": OwnBot(), "old": DeployedBot()})
    async with made.client:
        await made.pass_time(10)
        yield made


async def test_a_kill_needs_no_reason_and_no_code_and_is_proven_by_the_bots_own_word(office: Office) -> None:
    answer = await office.post("/bots/arb/kill")
    assert answer.status_code == 200
    assert answer.json()["state"] in {"sent", "acked", "verified"}
    await office.pass_time(10)
    kill = (await office.get("/bots/arb")).json()["kill"]
    assert (kill["state"], kill["rung"]) == ("verified", "flag")
    assert office.links["arb"].bot.killed
    assert office.recorder.asked == [("arb", "killed from the console")]
    assert office.told("kill")[0]["who"] == "ann (token)"


async def test_a_kill_of_all_reaches_every_bot_and_its_headline_is_the_worst(tmp_path: Path) -> None:
    office = Office(tmp_path, {"good": OwnBot(), "liar": OwnIgnores()})
    await office.pass_time(10)
    answer = (await office.post("/kill", reason="bad day")).json()
    assert [row["bot"] for row in answer["bots"]] == ["good", "liar"]
    assert office.links["good"].bot.kills == office.links["liar"].bot.kills == 1
    await office.pass_time(60)
    states = {bot["bot"]: bot["kill"]["state"] for bot in (await office.get("/bots")).json()["bots"]}
    assert states == {"good": "verified", "liar": "not_verified"}
    answer = (await office.post("/kill")).json()
    assert answer["says"].startswith("liar ")


async def test_one_desk_that_fails_spares_no_other_bot(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(office.console.bots["arb"].kill, "kill", broken)
    answer = (await office.post("/kill")).json()
    assert (answer["state"], answer["says"]) == ("not_verified", "arb NOT KILLED: broken")
    assert office.links["old"].bot.killed


@pytest.mark.parametrize(
    ("who", "status"), [("wall", 403), ("alertmanager", 403), ("grafana", 403), ("ann", 200)]
)
async def test_only_operators_change_anything(office: Office, who: str, status: int) -> None:
    answer = await office.post("/bots/arb/kill", who)
    assert answer.status_code == status
    assert office.links["arb"].bot.killed == (status == 200)


async def test_who_may_change_nothing_is_recorded_and_cannot_fill_the_audit_trail(office: Office) -> None:
    for _ in range(100):
        assert (await office.post("/bots/arb/kill", "wall")).status_code == 403
    assert [event["who"] for event in office.told("refused")] == ["wall"] * 10
    assert len(office.told("flapping")) == 1
    office.console.news.tick(office.now + 3600)
    assert "90 × refused" in office.told("flapping")[1]["what"]


async def test_a_setting_that_swings_and_a_kill_that_flaps_are_summed_up(office: Office) -> None:
    bot = office.links["arb"].bot
    bot.share = 0.0  # it opens nothing, which would settle it
    await office.post("/bots/arb/kill")
    for number in range(200):
        bot.settings["ARB_DAILY_LOSS_CAP_USD"] = 10.0 + number % 2
        bot.killed = bool(number % 2)
        await office.pass_time(1, every=1)
    assert len(office.told("setting_observed")) == 10
    assert 5 < len(office.told("kill")) < 20
    assert len(office.console._records._changes) == 10


async def test_grafanas_token_counts_only_with_a_user_who_is_on_the_list(office: Office) -> None:
    def headers(**more: str) -> dict[str, str]:
        return {"X-Admin-Token": TOKENS["grafana"], **more}

    for asked in (headers(), headers(**{"X-Grafana-User": ""}), headers(**{"X-Grafana-User": "viewer"})):
        answer = await office.client.post("/api/bots/arb/kill", headers=asked)
        assert answer.status_code == 403
    assert not office.links["arb"].bot.killed
    pressed = await office.client.post(
        "/api/bots/arb/kill?reason=$reason", headers=headers(**{"X-Grafana-User": "admin"}), json={}
    )
    assert pressed.status_code == 200
    assert office.told("kill")[0]["who"] == "admin (grafana)"
    assert office.told("kill")[0]["why"] == ""


async def test_without_a_token_nothing_is_seen_and_nothing_done(office: Office) -> None:
    for method, path in (("GET", "/api/bots"), ("POST", "/api/kill"), ("GET", "/api/events")):
        answer = await office.client.request(method, path)
        assert answer.status_code == 401
        assert "token" in answer.json()["error"]


async def test_wrong_tokens_are_slowed_down_and_a_right_one_never_is(office: Office) -> None:
    wrong = {"Authorization": "Bearer nobody-has-this-one"}
    answers = [(await office.client.get("/api/bots", headers=wrong)).status_code for _ in range(8)]
    assert answers[0] == 401
    assert answers[-1] == 429
    assert (await office.get("/bots")).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PATCH", "PUT", "DELETE"])
async def test_no_other_method_than_post_changes_anything(office: Office, method: str) -> None:
    for path in ("/api/bots/arb/kill", "/api/kill", "/api/bots/arb/pause"):
        answer = await office.client.request(method, path, headers=bearer("ann"))
        assert answer.status_code == 405
    assert not office.links["arb"].bot.killed


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/silences/../../bots/arb/kill",
        "/api/v2/silences/%2e%2e/%2e%2e/bots/arb/kill",
        "/api/v2/silences/..%2f..%2fbots/arb/kill",
        "/api/v2/silences/%252e%252e/%252e%252e/bots/arb/kill",
        "/api/v1/alerts",
        "/api/v2/silences",
        "/alertmanager/api/v2/silences",
        "/api/bots/./arb/kill",
        "/api/bots/arb%2fkill",
        "/api/bots/arb%5Ckill",
        "/api/bots/nobody/kill",
    ],
)
async def test_no_crooked_path_leads_anywhere(office: Office, path: str) -> None:
    assert await office.post_raw(path) == 404
    assert not office.links["arb"].bot.killed


async def test_re_arming_needs_a_reason_and_the_code_on_the_panel(office: Office) -> None:
    await office.post("/bots/arb/kill")
    await office.pass_time(10)
    assert (await office.post("/bots/arb/rearm")).status_code == 422
    asked = await office.post("/bots/arb/rearm", reason="over")
    assert asked.status_code == 403
    assert asked.json()["code_needed"]["for"] == "re-arm arb"
    assert office.code() not in asked.text
    wrong = "0000" if office.code() != "0000" else "1111"
    assert (await office.post("/bots/arb/rearm", reason="over", code=wrong)).status_code == 403
    assert office.links["arb"].bot.killed
    done = await office.post("/bots/arb/rearm", reason="over", code=office.code())
    assert (done.status_code, done.json()["state"], done.json()["rearmed"]) == (200, "ready", True)
    assert not office.links["arb"].bot.killed
    assert [event["what"] for event in office.told("rearm")] == ["re-arm arb"]


async def test_a_code_for_one_act_is_none_for_another(office: Office) -> None:
    await office.post("/bots/arb/kill")
    await office.post("/bots/arb/rearm", reason="over")
    code = office.code()
    answer = await office.post(
        "/bots/arb/settings", key="ARB_DAILY_LOSS_CAP_USD", value=50, reason="more room", code=code
    )
    assert answer.status_code == 403
    assert office.links["arb"].bot.settings["ARB_DAILY_LOSS_CAP_USD"] == 10.0


async def test_a_drill_kills_proves_re_arms_and_is_remembered(office: Office) -> None:
    answer = await office.post("/bots/arb/drill")
    assert (answer.status_code, answer.json()["kills"][0]["drill"]) == (200, True)
    await office.pass_time(10)
    await asyncio.wait_for(office.actions._drills["arb"], 10)
    assert not office.links["arb"].bot.killed
    stands = office.console.bots["arb"].kill.standing(office.now)
    assert stands.kill is None
    assert stands.last_drill is not None


async def test_a_bot_that_goes_live_during_a_drill_is_not_re_armed_by_its_end(office: Office) -> None:
    await office.post("/bots/old/drill")
    bot = office.links["old"].bot
    bot.mode = "live"
    await office.pass_time(5)
    await asyncio.wait_for(office.actions._drills["old"], 10)
    assert bot.killed
    assert [event["what"] for event in office.told("drill")] == [
        "the mode became live during the drill; it stays killed until it is re-armed"
    ]


async def test_the_end_of_a_drill_is_recorded_once_with_the_bots_answer(office: Office) -> None:
    await office.post("/bots/arb/drill")
    await office.pass_time(10)
    await asyncio.wait_for(office.actions._drills["arb"], 10)
    (event,) = [event for event in office.events if "re-arm" in event["what"]]
    assert (event["kind"], event["why"], event["answer"]["ok"]) == ("rearm", "end of the drill", True)


@pytest.mark.parametrize("reason", ["x" * 600, "two\nlines", "half a \ud800", 5, ["a"]])
async def test_no_reason_is_too_long_or_too_odd_for_a_kill(office: Office, reason: object) -> None:
    for path in ("/bots/arb/kill", "/kill"):
        answer = await office.client.post(
            f"/api{path}", content=json.dumps({"reason": reason}), headers=bearer("ann")
        )
        assert answer.status_code == 200
    await office.turns()
    assert office.links["arb"].bot.killed
    assert len(office.told("kill")[0]["why"]) <= 500


async def test_figures_beyond_all_bounds_break_no_answer(office: Office) -> None:
    bot = office.links["arb"].bot
    huge = dict.fromkeys(("kalshi", "polymarket"), 1.7e308)
    rows = [{"position_id": "p", "venue": "kalshi", "market_id": "K", "contracts": 1e400, "entry": -1e400}]
    said = {"cash_by_venue": huge, "unhedged_usd": huge, "open_positions": rows, "daily_pnl": -1.7e308}
    office.links["arb"].say(bot.state(office.now, []) | said | {"cycle": 1000})
    assert (await office.post("/bots/arb/kill")).status_code == 200
    for path in ("/bots", "/bots/arb", "/bots/arb/settings"):
        assert (await office.get(path)).status_code == 200
    assert (await office.client.get("/")).status_code == 200


async def test_a_latched_kill_stands_before_live_whatever_the_bot_reports(tmp_path: Path) -> None:
    office = Office(tmp_path, {"old": DeployedBot(share=1.0)}, allow_live=True)
    await office.pass_time(30)
    await office.post("/bots/old/kill")
    answer = await office.post("/bots/old/mode", target="live", reason="go")
    assert (answer.status_code, "the bot is killed" in answer.json()["error"]) == (409, True)
    described = (await office.get("/bots/old")).json()["preflight"]
    assert {line["name"]: line["holds"] for line in described}["unkilled"] is False


async def test_a_bot_that_is_live_or_silent_is_not_drilled(office: Office) -> None:
    office.links["arb"].bot.mode = "live"
    await office.pass_time(5)
    answer = await office.post("/bots/arb/drill")
    assert (answer.status_code, office.links["arb"].bot.killed) == (409, False)
    assert "would stop its trading" in answer.json()["error"]
    office.now += 600
    assert "no fresh state" in (await office.post("/bots/old/drill")).json()["error"]


async def test_lowering_a_cap_is_done_at_once_and_verified_by_a_later_state(office: Office) -> None:
    answer = await office.post("/bots/arb/settings", key="ARB_DAILY_LOSS_CAP_USD", value="5")
    assert (answer.status_code, answer.json()["state"]) == (200, "acked")
    await office.pass_time(15)
    path = f"/bots/arb/commands/{answer.json()['command_id']}"
    assert (await office.get(path)).json()["state"] == "verified"
    settings = (await office.get("/bots/arb/settings")).json()
    (cap,) = [row for row in settings["settings"] if row["key"] == "ARB_DAILY_LOSS_CAP_USD"]
    assert (cap["value"], cap["state"], cap["changed_by"]) == (5.0, "verified", "ann")


async def test_a_change_is_taken_back_with_one_call(office: Office) -> None:
    lowered = await office.post("/bots/arb/settings", key="ARB_DAILY_LOSS_CAP_USD", value=5)
    await office.pass_time(15)
    fields = {"command_id": lowered.json()["command_id"], "reason": "a mistake"}
    assert (await office.post("/bots/arb/settings/revert", **fields)).status_code == 403
    taken_back = await office.post("/bots/arb/settings/revert", **fields, code=office.code())
    assert taken_back.status_code == 200
    assert office.links["arb"].bot.settings["ARB_DAILY_LOSS_CAP_USD"] == 10.0


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"key": "ARB_DAILY_LOSS_CAP_USD", "value": "NaN"}, 422, "expected a number"),
        ({"key": "ARB_LIVE_MODE", "value": True}, 422, "two steps"),
        ({"key": "NOT_A_SETTING", "value": 1}, 422, "no setting of this kind"),
        ({"key": "KALSHI_PRIVATE_KEY_PEM", "value": "x"}, 422, "no setting of this kind"),
        ({"key": "ARB_DAILY_LOSS_CAP_USD", "value": "$value"}, 422, "missing or blank"),
        ({"key": "ARB_DAILY_LOSS_CAP_USD", "value": 1, "more": 2}, 422, "not known here"),
    ],
)
async def test_a_setting_that_cannot_be_is_refused_in_words_and_recorded(
    office: Office, fields: dict[str, object], status: int, words: str
) -> None:
    answer = await office.post("/bots/arb/settings", **fields)
    assert answer.status_code == status
    assert words in answer.json()["error"]
    assert office.links["arb"].bot.environment == {}
    assert office.told("refused")[-1]["who"] == "ann"


async def test_body_and_query_that_disagree_are_refused(office: Office) -> None:
    answer = await office.client.post(
        "/api/bots/arb/settings?value=7",
        json={"key": "ARB_DAILY_LOSS_CAP_USD", "value": 5},
        headers=bearer("ann"),
    )
    assert (answer.status_code, office.links["arb"].bot.environment) == (422, {})


async def test_a_bot_that_knows_two_commands_has_no_pause(office: Office) -> None:
    answer = await office.post("/bots/old/pause")
    assert answer.status_code == 422
    assert "understands kill_switch and update_config only" in answer.json()["error"]
    assert "cannot pause" in (await office.get("/bots/old")).json()["can"]["pause"]


async def test_maintenance_is_planned_quiet_with_an_end_and_a_reason(office: Office) -> None:
    assert (await office.post("/bots/arb/maintenance", minutes=30)).status_code == 422
    assert (await office.post("/bots/arb/maintenance", minutes=241, reason="x")).status_code == 422
    answer = await office.post("/bots/arb/maintenance", minutes=30, reason="new disk")
    assert answer.json()["state"] == "on"
    view = office.links["arb"].view
    assert not view.at(office.now).expected
    assert view.at(office.now + 30 * 60).expected
    again = Office(office.config.reporting_db.parent, {"arb": OwnBot()}, now=office.now)
    assert not again.links["arb"].view.at(office.now).expected
    await office.post("/bots/arb/maintenance", minutes=0)
    assert view.at(office.now).expected


async def test_maintenance_ends_when_the_bot_is_back_and_every_step_is_an_event(office: Office) -> None:
    link, console = office.links["arb"], office.console

    async def passing(seconds: int) -> None:
        for second in range(seconds):
            office.now += 1
            if link.view.link.opened_at is not None and second % 5 == 0:
                link.cycle()
            console.quiet.look()
            await asyncio.sleep(0)

    await passing(10)
    await office.post("/bots/arb/maintenance", minutes=30, reason="new disk")
    planned = (await office.get("/bots/arb")).json()["planned"]
    assert (planned["by"], planned["says"], planned["overrun"]) == (
        "ann",
        "until 18:23 UTC: maintenance: new disk",
        False,
    )
    link.view.disconnected(office.now, "closed by the bot")
    await passing(40)
    link.view.connected(office.now)
    await passing(60)
    short = (await office.get("/bots/arb")).json()
    assert (short["planned"], short["maintenance"]) == (None, None)
    told = [(event["kind"], event["what"], event["why"]) for event in office.events if "why" in event]
    assert told[0] == ("maintenance", "planned quiet until 18:23 UTC", "new disk")
    assert told[1][:2] == ("planned", "maintenance is over")
    assert told[1][2].startswith("the bot is back, 28 min")


async def test_a_bot_that_misses_the_planned_end_is_told_so_by_the_api(office: Office) -> None:
    await office.post("/bots/arb/maintenance", minutes=1, reason="new disk")
    office.links["arb"].view.disconnected(office.now, "closed by the bot")
    for _ in range(200):
        office.now += 1
        office.console.quiet.look()
    short = (await office.get("/bots/arb")).json()
    assert short["verdict"]["text"] == "OVERRUN, PLANNED UNTIL 17:54 UTC"
    assert (short["planned"]["overrun"], short["planned"]["by"]) == (True, "ann")


async def test_live_is_refused_with_everything_that_is_missing(office: Office) -> None:
    answer = await office.post("/bots/old/mode", target="live", reason="today")
    assert answer.status_code == 409
    assert "allow_live is false" in answer.json()["error"]
    assert "never proven by a drill" in answer.json()["error"]


async def test_paper_to_live_takes_two_steps_and_back_takes_one(tmp_path: Path) -> None:
    office = Office(tmp_path, {"old": DeployedBot(share=1.0)}, allow_live=True)
    await office.pass_time(150)
    await office.post("/bots/old/drill")
    await office.pass_time(100)
    await asyncio.wait_for(office.actions._drills["old"], 10)
    await office.pass_time(10)
    bot = office.links["old"].bot
    assert (await office.post("/bots/old/mode", target="live", reason="go")).status_code == 403
    assert bot.environment == {}
    second = await office.post("/bots/old/mode", target="live", reason="go", code=office.code("old"))
    assert (second.status_code, bot.environment) == (200, {"ARB_LIVE_MODE": "True"})
    bot.mode = "live"
    await office.pass_time(15)
    assert office.links["old"].view.totals.mode_changes == 0
    back = await office.post("/bots/old/mode", target="paper")
    assert (back.status_code, bot.environment) == (200, {"ARB_LIVE_MODE": "False"})


async def test_no_answer_holds_a_token(office: Office) -> None:
    seen = ""
    for path in ("/bots", "/bots/arb", "/bots/arb/settings"):
        seen += (await office.get(path)).text
    seen += (await office.client.get("/api/openapi.json")).text
    seen += repr(office.events) + repr(office.config)
    assert not [name for name, token in TOKENS.items() if token in seen]
