"""The statements of dashboards are found wherever they stand, and filled in as Grafana would."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.panel_queries import PanelQuery, UnknownVariable, panel_queries

SOURCE = {"type": "frser-sqlite-datasource", "uid": "bot-sqlite"}


def page(folder: Path, sql: str, *, variables: list[dict[str, Any]] | None = None) -> Path:
    dashboard = {
        "title": "Analytics",
        "panels": [
            {
                "title": "Hosts",
                "type": "stat",
                "datasource": {"type": "prometheus"},
                "targets": [{"expr": "up"}],
            },
            {
                "title": "Folded",
                "type": "row",
                "panels": [
                    {
                        "title": "PnL",
                        "type": "table",
                        "datasource": SOURCE,
                        "targets": [{"refId": "A", "queryText": sql}],
                    }
                ],
            },
        ],
        "annotations": {
            "list": [{"name": "kills", "datasource": SOURCE, "target": {"queryText": "SELECT 2"}}]
        },
        "templating": {
            "list": [
                {
                    "name": "bot",
                    "type": "query",
                    "datasource": SOURCE,
                    "query": "SELECT bot FROM bots",
                },
                *(variables or []),
            ]
        },
    }
    (folder / "analytics.json").write_text(json.dumps(dashboard))
    return folder


def test_panels_in_folded_rows_annotations_and_variables_are_found(tmp_path: Path) -> None:
    found = panel_queries("arb", page(tmp_path, "SELECT 1"))
    assert [query.name for query in found] == [
        "Analytics · PnL",
        "Analytics · annotation kills",
        "Analytics · variable bot",
    ]


def test_range_bot_and_group_macro_are_filled_in(tmp_path: Path) -> None:
    sql = (
        "SELECT $__unixEpochGroupSeconds(at, 60) FROM t WHERE bot = ${bot:sqlstring} AND at >= $__from / 1000"
    )
    [query, *_] = panel_queries("it's", page(tmp_path, sql))
    assert query.between(10.0, 20.0) == (
        "SELECT (CAST((at) / ( 60) AS INTEGER) * ( 60)) FROM t WHERE bot = 'it''s' AND at >= 10000 / 1000"
    )
    assert not query.range_free


def test_a_toggle_makes_one_statement_for_each_of_its_options(tmp_path: Path) -> None:
    toggle = {"name": "measure", "type": "custom", "query": "USD : dollars, trades"}
    found = panel_queries("arb", page(tmp_path, "SELECT '$measure', '$measure'", variables=[toggle]))
    assert [(query.panel, query.sql) for query in found[:2]] == [
        ("PnL (dollars)", "SELECT 'dollars', 'dollars'"),
        ("PnL (trades)", "SELECT 'trades', 'trades'"),
    ]


def test_the_choice_of_all_stands_unquoted_as_grafana_puts_it(tmp_path: Path) -> None:
    lanes = {"name": "lane", "type": "query", "datasource": SOURCE, "query": "SELECT 1", "allValue": "kind"}
    sql = "SELECT 1 FROM fills WHERE kind IN (${lane:sqlstring})"
    [query, *_] = panel_queries("arb", page(tmp_path, sql, variables=[lanes]))
    assert query.sql == "SELECT 1 FROM fills WHERE kind IN (kind)"


@pytest.mark.parametrize("sql", ["SELECT '${nobody}'", "SELECT '$nobody'", "SELECT ${bot:csv}"])
def test_what_nobody_declared_is_an_error_and_not_a_query(tmp_path: Path, sql: str) -> None:
    with pytest.raises(UnknownVariable):
        panel_queries("arb", page(tmp_path, sql))


def test_an_unknown_macro_is_an_error_too() -> None:
    with pytest.raises(UnknownVariable):
        PanelQuery("a", "b", "SELECT $__interval").between(0.0, 1.0)


def test_every_statement_of_the_committed_pages_can_be_filled_in() -> None:
    filled_in = [query.between(0.0, 1e9) for query in panel_queries("arb")]
    assert [sql for sql in filled_in if re.search(r"\$\w|\$\{", sql)] == []
