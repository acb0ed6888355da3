"""Every button of the pages: where it posts, what it asks for, and that nothing typed can break or slip."""

import fnmatch
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from grafana import buttons
from grafana.__main__ import PAGES
from grafana.page import encoded
from tests.stack.processes import ROOT

Action = dict[str, Any]
Panel = dict[str, Any]


def panels() -> Iterator[Panel]:
    for make in PAGES.values():
        for panel in json.loads(encoded(make()))["panels"]:
            yield panel
            yield from panel.get("panels", [])


def on_canvas() -> list[tuple[Panel, Action]]:
    return [
        (panel, action)
        for panel in panels()
        if panel["type"] == "canvas"
        for element in panel["options"]["root"]["elements"]
        for action in element["actions"]
    ]


def in_rows() -> list[tuple[Panel, Action]]:
    return [
        (panel, action)
        for panel in panels()
        for item in panel.get("fieldConfig", {}).get("overrides", [])
        for entry in item["properties"]
        if entry["id"] == "actions"
        for action in entry["value"]
    ]


ALL = [*on_canvas(), *in_rows()]
IDS = [f"{panel['id']} {action['title']}" for panel, action in ALL]
each = pytest.mark.parametrize(("panel", "action"), ALL, ids=IDS)


def test_what_can_be_done_has_a_button() -> None:
    assert {action["title"] for _, action in on_canvas()} == {
        "KILL",
        "Pause",
        "Resume",
        "Drill",
        "Re-arm",
        "Maintenance",
    }
    assert {action["title"] for _, action in in_rows()} == {"Change…", "Close"}


@each
def test_a_button_posts_to_the_one_place_that_grafana_is_told_to_allow(panel: Panel, action: Action) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    environment = compose["services"]["grafana"]["environment"]
    allowed = environment["GF_SECURITY_ACTIONS_ALLOW_POST_URL"]
    assert environment["GF_DATAPROXY_SEND_USER_HEADER"] == "true"
    assert (action["type"], action["fetch"]["method"]) == ("fetch", "POST")
    assert fnmatch.fnmatch(action["fetch"]["url"], allowed)
    assert action["fetch"]["url"].startswith(buttons.BOT_API)


@each
def test_what_is_typed_goes_into_the_query_alone(panel: Panel, action: Action) -> None:
    asked = {variable["key"] for variable in action["variables"]}
    query = dict(action["fetch"]["queryParams"])
    assert asked == {value[1:] for value in query.values() if re.fullmatch(r"\$[A-Za-z]+", value)}
    assert asked <= buttons.INPUTS.keys()
    assert action["fetch"]["body"] == "{}", "a quotation mark in it would break it"
    assert not any(f"${name}" in action["fetch"]["url"] for name in asked)


@each
def test_nothing_is_done_without_a_confirmation_that_names_the_bot(panel: Panel, action: Action) -> None:
    assert "$bot" in action["confirmation"]
    assert action["confirmation"].endswith("?") or "? " in action["confirmation"]


@pytest.mark.parametrize("title", ["KILL", "Pause", "Drill", "Close"])
def test_what_lowers_the_risk_asks_for_no_code(title: str) -> None:
    for _, action in ALL:
        if action["title"] == title:
            assert "code" not in dict(action["fetch"]["queryParams"])


@pytest.mark.parametrize("title", ["Resume", "Re-arm", "Change…"])
def test_what_may_raise_it_can_be_given_reason_and_code(title: str) -> None:
    for _, action in ALL:
        if action["title"] == title:
            query = dict(action["fetch"]["queryParams"])
            assert (query["reason"], query["code"]) == ("$why", "$code")


def test_a_dialog_that_slips_to_another_position_is_caught_by_what_was_typed() -> None:
    ((_, close),) = [found for found in in_rows() if found[1]["title"] == "Close"]
    assert dict(close["fetch"]["queryParams"]) == {"symbol": "$symbol"}
    assert "${__data.fields.position}" in close["fetch"]["url"]


@pytest.mark.parametrize("panel", [panel for panel, _ in in_rows()], ids=lambda panel: panel["title"])
def test_rows_with_buttons_stand_in_the_order_of_their_statement(panel: Panel) -> None:
    assert "transformations" not in panel
    assert not panel["options"].get("sortBy")
    (target,) = panel["targets"]
    assert re.search(r"ORDER BY (position|p\.opened_at, p\.position_id)$", target["queryText"])


@pytest.mark.parametrize("panel", [p for p in panels() if p["type"] == "canvas"], ids=lambda p: p["title"])
def test_a_canvas_is_made_so_that_its_buttons_work(panel: Panel) -> None:
    assert panel["pluginVersion"] == buttons.GRAFANA
    image = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]["image"]
    assert image.endswith(f":{buttons.GRAFANA}")
    assert panel["options"]["inlineEditing"] is False
    for element in panel["options"]["root"]["elements"]:
        assert "api" not in element["config"], "an older way to press, which everybody may"
        assert element["background"]["color"]["fixed"] == "transparent", "outlined: no field of alarm"
        assert all(action["oneClick"] for action in element["actions"])


@each
def test_beside_a_button_stands_who_may_press_it_and_what_became_of_the_last_command(
    panel: Panel, action: Action
) -> None:
    (page,) = [page for page in map(whole, PAGES) if panel in seen_with(page, panel)]
    said = json.dumps([*seen_with(page, panel), *page["panels"]], ensure_ascii=False)
    assert "LAST COMMAND" in said or "COMMANDS · $bot" in said
    assert "grafana_users" in said


def whole(name: str) -> dict[str, Any]:
    page: dict[str, Any] = json.loads(encoded(PAGES[name]()))
    return page


def seen_with(page: dict[str, Any], panel: Panel) -> list[Panel]:
    """The panels of the row in which it stands."""
    rows = [page["panels"], *(row["panels"] for row in page["panels"] if row["type"] == "row")]
    return next((row for row in rows if panel in row), [])
