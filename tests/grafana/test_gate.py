"""Grafana's buttons: an Admin whom the exporter lets reaches the bot, and nobody else, however they ask.

What Grafana itself lets through (methods that it does not list, prefixes of Alertmanager's paths, encoded
dots, requests that name no user) arrives with the exporter's token, and is refused there.
"""

import os
from collections.abc import Iterator

import pytest

from deploy.programs import grafana_home
from tests.grafana.gate import PRESSED, PROXY, Gate, gate
from tests.stack.processes import wait_until

pytestmark = pytest.mark.stack

KILL = "/api/bots/arb/kill"
NOT_ADMIN = ("viv", "ed", "nobody")
ENTERED = ("eve", "robot")
"""Whom Grafana lets post: an Admin that the exporter does not know, a service account that has no name."""
SLIPPED = [
    f"{PROXY}/api/v2/silences/../../../{KILL.lstrip('/')}",
    f"{PROXY}/api/v2/silences/%2e%2e/%2e%2e/%2e%2e{KILL}",
    f"{PROXY}/api/v2/silences/..%2f..%2f..%2f{KILL.lstrip('/').replace('/', '%2f')}",
    f"{PROXY}/api/v2/silencesX/%2e%2e/%2e%2e/%2e%2e{KILL}",
    f"{PROXY}/api/v2/alerts/..%2f..%2f..{KILL}",
    f"{PROXY}/api/v2/silences{KILL}",
    f"{PROXY}/api/v2/silences/%252e%252e/%252e%252e/%252e%252e{KILL}",
    f"{PROXY}/alertmanager/api/v2/silences/%2e%2e/%2e%2e/%2e%2e/%2e%2e{KILL}",
    f"{PROXY}/{KILL}",
    f"{PROXY}/./{KILL.lstrip('/')}",
]
"""Paths that end at a kill, or seem to, behind a prefix that Grafana opens to everybody."""


@pytest.fixture(scope="module")
def stands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    if grafana_home(os.environ) is None:
        pytest.skip("Grafana is not installed (PATH or GRAFANA_HOME)")
    with gate(tmp_path_factory.mktemp("gate")) as found:
        wait_until(lambda: found.told()["state"]["fresh"], "the bot's first state")
        yield found


@pytest.fixture(autouse=True)
def unharmed(stands: Gate, request: pytest.FixtureRequest) -> Iterator[None]:
    """Nothing has reached the bot after a test that does not say so."""
    before = stands.asked()
    yield
    if "reaches_the_bot" not in request.node.name:
        assert stands.asked() == before
        assert stands.told()["kill"]["state"] == "ready"


@pytest.mark.parametrize("who", NOT_ADMIN)
@pytest.mark.parametrize("heads", [PRESSED, {}], ids=["pressed", "crafted"])
def test_who_is_no_admin_of_grafana_gets_no_change_to_the_exporter(
    who: str, heads: dict[str, str], stands: Gate
) -> None:
    for call in ("kill", "pause", "resume", "rearm", "drill", "settings?key=ARB_CANARY_MODE&value=true"):
        assert stands.send(who, "POST", f"{PROXY}/api/bots/arb/{call}", heads)[0] == 403
    assert stands.send(who, "POST", f"{PROXY}/api/kill", heads)[0] == 403


@pytest.mark.parametrize("who", ENTERED)
def test_an_admin_whom_the_exporter_does_not_let_is_refused_by_it(who: str, stands: Gate) -> None:
    for call in ("kill", "pause", "settings"):
        status, said = stands.press(who, call)
        assert status == 403
        assert "grafana_users" in said["error"] or "did not say who" in said["error"]


@pytest.mark.parametrize("method", ["PATCH", "HEAD", "OPTIONS", "PUT", "DELETE", "GET", "TRACE"])
@pytest.mark.parametrize("who", ["admin", *ENTERED, *NOT_ADMIN])
def test_no_other_method_changes_anything(method: str, who: str, stands: Gate) -> None:
    calls = ["kill", "pause", "rearm"] + ["settings"] * (method != "GET")  # which may be looked at
    for call in calls:
        for heads in ({}, PRESSED, {"X-HTTP-Method-Override": "POST"}):
            status, _ = stands.send(who, method, f"{PROXY}/api/bots/arb/{call}", heads)
            assert status >= 400, (call, heads)


@pytest.mark.parametrize("path", SLIPPED)
@pytest.mark.parametrize("who", ["admin", *ENTERED, *NOT_ADMIN])
def test_no_crooked_path_ends_at_a_kill(path: str, who: str, stands: Gate) -> None:
    for method in ("POST", "PATCH", "GET"):
        if who == "admin" and method == "POST" and "api/v" not in path:
            continue  # that is the straight way for whom it is open
        status, said = stands.send(who, method, path)
        assert status >= 300, said


@pytest.mark.parametrize("path", ["alerts", "silences", "status", "silencesX"])
def test_the_pages_of_grafanas_alerting_find_nothing_behind_it(path: str, stands: Gate) -> None:
    for who in ("admin", *NOT_ADMIN):
        assert stands.send(who, "GET", f"{PROXY}/api/v2/{path}")[0] == 404


@pytest.mark.parametrize("name", ["X-Grafana-User", "x-grafana-user", "X-Admin-Token"])
def test_nobody_becomes_admin_by_saying_so(name: str, stands: Gate) -> None:
    for who in (*ENTERED, *NOT_ADMIN):
        for method in ("POST", "PATCH"):
            status, _ = stands.send(who, method, f"{PROXY}{KILL}", {name: "admin"})
            assert status >= 400


def test_the_token_is_told_to_nobody(stands: Gate) -> None:
    token = (stands.folder / "secrets" / "grafana_token").read_text()
    for who in ("admin", *ENTERED, *NOT_ADMIN):
        for path in ("/api/datasources", "/api/datasources/uid/bot-admin", f"{PROXY}/api/bots"):
            assert token not in stands.send(who, "GET", path)[1]
    for log in stands.folder.glob("*.log"):
        assert token not in log.read_text(errors="replace")


def test_an_input_left_blank_is_no_value_and_a_blank_reason_none(stands: Gate) -> None:
    status, said = stands.press("admin", "settings", key="ARB_DAILY_LOSS_CAP_USD", value="$newValue")
    assert (status, said["error"]) == (422, "value is missing or blank")


def test_a_change_by_an_admin_reaches_the_bot_with_the_code_of_the_panel(stands: Gate) -> None:
    change = {"key": "ARB_DAILY_LOSS_CAP_USD", "value": "20"}
    status, said = stands.press("admin", "settings", **change, reason="$why", code="$code")
    assert (status, said["error"]) == (422, "this raises the risk: say why in `reason`")
    status, said = stands.press("admin", "settings", **change, reason="a calm day", code="$code")
    assert status == 403
    assert "code_needed" in said
    assert not any(asked["type"] == "update_config" for asked in stands.asked())
    (code,) = stands.told()["codes"]
    status, said = stands.press("admin", "settings", **change, reason="a calm day", code=code["code"])
    assert (status, said["who"], said["reason"]) == (200, "admin", "a calm day")
    (asked,) = [one for one in stands.asked() if one["type"] == "update_config"]
    assert (asked["key"], asked["value"]) == ("ARB_DAILY_LOSS_CAP_USD", 20.0)


def test_a_kill_by_an_admin_reaches_the_bot_and_says_who_it_was(stands: Gate) -> None:
    status, said = stands.press("admin", "kill", reason="$why")
    assert status == 200
    assert said["kills"][0]["who"] == "admin"
    assert said["kills"][0]["reason"] == ""
    wait_until(lambda: stands.told()["kill"]["state"] == "verified", "the kill to be proven")
    assert stands.bot.kills >= 1
