"""The panels that ask the ledger: what each must have, so that none can lie."""

import json
import re
from typing import Any

import pytest

from grafana import palette
from grafana.__main__ import PAGES
from grafana.page import encoded
from grafana.sql import performance
from grafana.sql.statement import Kind
from tests.grafana import ledgers
from tests.grafana.test_pages import GRAFANA, LEDGER, luma, panels

Panel = dict[str, Any]
STATEMENTS = {made.text: made for made in ledgers.statements().values()}
BOARDS = {name: json.loads(encoded(make())) for name, make in PAGES.items()}
ASKED = [
    (name, panel, target)
    for name, board in BOARDS.items()
    for panel in panels(board)
    for target in panel["targets"]
    if target["datasource"] == LEDGER
]
IDS = [f"{name} {panel['id']}{target['refId']}" for name, panel, target in ASKED]


def overridden(panel: Panel) -> dict[str, dict[str, Any]]:
    """What the panel says of each column, by its name."""
    return {
        item["matcher"]["options"]: {entry["id"]: entry.get("value") for entry in item["properties"]}
        for item in panel["fieldConfig"]["overrides"]
        if item["matcher"]["id"] == "byName"
    }


@pytest.mark.parametrize(("page", "panel", "target"), ASKED, ids=IDS)
def test_the_browser_and_everybody_else_read_the_same_statement(
    page: str, panel: Panel, target: Panel
) -> None:
    assert target["queryText"] == target["rawQueryText"]
    assert "\n" not in target["queryText"]
    made = STATEMENTS[target["queryText"]]
    times = [name for name, kind in made.columns.items() if kind is Kind.TIME]
    assert target["timeColumns"] == times, "of no other column are seconds made a time"
    assert target["queryType"] in {"table", "time series"}


@pytest.mark.parametrize(("page", "panel", "target"), ASKED, ids=IDS)
def test_a_panel_names_only_columns_that_its_statement_has(page: str, panel: Panel, target: Panel) -> None:
    columns = {
        name
        for one in panel["targets"]
        if one["datasource"] == LEDGER
        for name in STATEMENTS[one["queryText"]].columns
    }
    if panel.get("transformations"):
        columns |= palette.VENUES.keys()  # a pivot makes columns of what a column holds
    assert overridden(panel).keys() <= columns


@pytest.mark.parametrize(("page", "panel", "target"), ASKED, ids=IDS)
def test_a_database_that_does_not_answer_is_blind_in_words(page: str, panel: Panel, target: Panel) -> None:
    if panel["type"] != "barchart":
        said = panel["fieldConfig"]["defaults"]["noValue"]
        assert re.search(r"BLIND|\?$", said)


def test_every_statement_is_on_a_page_or_fills_a_choice() -> None:
    asked = {target["queryText"] for _, _, target in ASKED}
    for board in BOARDS.values():
        asked |= {
            choice["query"] for choice in board["templating"]["list"] if choice.get("datasource") == LEDGER
        }
        asked |= {
            note["target"]["queryText"]
            for note in board["annotations"]["list"]
            if note["datasource"] == LEDGER
        }
    inside = {figure().text for figure in ledgers.FIGURES}  # of one that says whether it is now
    assert asked == STATEMENTS.keys() - inside


def test_names_of_tables_stand_in_the_package_of_statements_alone() -> None:
    for path in GRAFANA.glob("*.py"):
        assert not re.search(r"\bSELECT\b|\bFROM\b", path.read_text()), path.name


def test_every_chart_draws_words_where_there_is_nothing_to_draw() -> None:
    for _, panel, target in ASKED:
        if panel["type"] == "timeseries":
            assert "note" in STATEMENTS[target["queryText"]].columns
            note = overridden(panel)["note"]
            assert note["custom.showValues"] is True
            assert note["custom.hideFrom"] == {"legend": True, "tooltip": True, "viz": False}
            assert note["mappings"][0]["options"]["result"]["text"] == "no data yet"


def test_a_tile_without_a_figure_says_so_and_a_name_is_never_read_as_one() -> None:
    for _, panel, target in ASKED:
        if panel["type"] != "stat":
            continue
        assert panel["options"]["reduceOptions"] == {
            "calcs": ["lastNotNull"],
            "fields": "/^value$/",
            "values": True,
        }
        assert overridden(panel)["name"] == {"unit": "string", "mappings": []}
        (look,) = [
            {entry["id"]: entry["value"] for entry in item["properties"]}
            for item in panel["fieldConfig"]["overrides"]
            if item["matcher"] == {"id": "byFrameRefID", "options": target["refId"]}
        ]
        dash, unknown = look["mappings"]
        assert dash["options"]["result"]["text"] == "–"
        assert dash["options"]["to"] > float(performance.NOT_YET)
        assert unknown["options"]["result"]["color"] == palette.PURPLE


def test_the_sign_of_pnl_colours_no_tile() -> None:
    for name, panel, _ in ASKED:
        if panel["type"] == "stat" and "PnL" in panel["description"]:
            assert not re.search(f"{palette.RED}|{palette.AMBER}", json.dumps(panel)), name


def test_the_calendars_shades_are_no_alarm_and_grow_with_the_size() -> None:
    urgent = {palette.RED, palette.AMBER, palette.PURPLE, palette.BLUE}
    assert not urgent & set(palette.BANDS.values())
    for sign in (1, -1):
        lumas = [luma(palette.BANDS[sign * size]) for size in (1, 2, 3)]
        assert lumas == sorted(lumas)


def test_the_choice_of_all_lanes_counts_one_that_appears_later() -> None:
    (lane,) = [
        choice for choice in BOARDS["analytics.json"]["templating"]["list"] if choice["name"] == "lane"
    ]
    assert (lane["includeAll"], lane["allValue"], lane["current"]["value"]) == (True, "kind", "$__all")


def test_simulated_is_said_in_words_on_analytics() -> None:
    asked = [
        target["queryText"]
        for name, panel, target in ASKED
        if name == "analytics.json" and "simulated" in panel["description"]
    ]
    assert len(asked) == 2
    assert all("'SIMULATED'" in text for text in asked)
