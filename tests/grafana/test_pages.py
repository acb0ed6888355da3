"""The pages' code and the committed JSON: what every panel must have, so that none can lie."""

import json
import re
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.metrics import DECLARED
from grafana import alert_queries, kill_queries, palette, queries
from grafana.__main__ import DASHBOARDS, PAGES, main
from grafana.page import TAG, encoded
from grafana.words import STREAM_WORDS

Page = dict[str, Any]
Panel = dict[str, Any]
ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "grafana"
DATA_SOURCE = {"type": "prometheus", "uid": "${prom}"}
LEDGER = {"type": "frser-sqlite-datasource", "uid": "${ledger}"}
MIXED = {"type": "datasource", "uid": "-- Mixed --"}
DESK = {"analytics.json": ("now-90d", 47), "config.json": ("now-7d", 11)}
"""Pages that are no wall, whose choices come from the ledger: their range, and how high they are."""
# Own metrics of Prometheus, Alertmanager and the client library that the pages may ask for.
OTHERS = {
    "ALERTS",
    "ALERTS_FOR_STATE",
    "up",
    "alertmanager_notifications_failed_total",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "prometheus_notifications_alertmanagers_discovered",
    "prometheus_notifications_dropped_total",
    "prometheus_notifications_errors_total",
    "scrape_duration_seconds",
}


def page(name: str) -> Page:
    return json.loads(encoded(PAGES[name]()))  # type: ignore[no-any-return]


@pytest.fixture(scope="module", params=sorted(PAGES))
def dashboard(request: pytest.FixtureRequest) -> Page:
    return page(request.param)


def panels(dashboard: Page) -> list[Panel]:
    """Every panel that asks something, those under collapsed rows too, without the rows themselves."""
    found = []
    for panel in dashboard["panels"]:
        found += panel.get("panels", [])
        if panel["type"] not in {"row", "text"}:
            found.append(panel)
    return found


def is_prometheus(target: dict[str, Any]) -> bool:
    return bool(target["datasource"] == DATA_SOURCE)


def stats(dashboard: Page) -> list[Panel]:
    """The stats that Prometheus answers; those of the ledger are tested in test_ledger_pages.py."""
    return [
        panel
        for panel in panels(dashboard)
        if panel["type"] == "stat" and all(is_prometheus(target) for target in panel["targets"])
    ]


def of_prometheus(dashboard: Page) -> list[tuple[Panel, dict[str, Any]]]:
    return [
        (panel, target) for panel in panels(dashboard) for target in panel["targets"] if is_prometheus(target)
    ]


def expressions() -> list[str]:
    """Every expression of every page."""
    found = []
    for name in PAGES:
        content = page(name)
        found += [target["expr"] for _, target in of_prometheus(content)]
        found += [
            note["target"]["expr"]
            for note in content["annotations"]["list"]
            if note["datasource"] == DATA_SOURCE
        ]
        found += [
            variable["definition"]
            for variable in content["templating"]["list"]
            if variable.get("datasource") == DATA_SOURCE
        ]
    return found


def name_of(panel: Panel) -> str:
    return str(panel["title"] or panel["description"])


def overrides(panel: Panel, ref_id: str) -> dict[str, Any]:
    """What the panel overrides for one query."""
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"] == {"id": "byFrameRefID", "options": ref_id}:
            return {entry["id"]: entry.get("value") for entry in override["properties"]}
    return {}


# --- The committed files ---
def test_the_committed_files_are_what_the_code_gives() -> None:
    assert main(["--check"]) == 0


def test_the_same_code_gives_the_same_bytes() -> None:
    assert [encoded(make()) for make in PAGES.values()] == [encoded(make()) for make in PAGES.values()]


def test_a_stale_file_is_named_and_fails_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--folder", str(tmp_path)]) == 0
    assert main(["--folder", str(tmp_path), "--check"]) == 0
    (tmp_path / "live.json").write_text("{}")
    (tmp_path / "system.json").unlink()
    assert main(["--folder", str(tmp_path), "--check"]) == 1
    said = capsys.readouterr().err
    assert "live.json is stale" in said
    assert "system.json is stale" in said


def test_no_other_dashboard_lies_beside_them() -> None:
    assert {path.name for path in DASHBOARDS.iterdir()} == set(PAGES)


# --- What all pages share ---
def test_a_page_is_ready_for_the_wall(dashboard: Page) -> None:
    assert dashboard["uid"].startswith("tradebot-")
    assert (dashboard["refresh"], dashboard["timezone"], dashboard["tags"]) == ("5s", "utc", [TAG])
    start, _ = DESK.get(f"{dashboard['title'].lower()}.json", ("now/d", 27))
    assert dashboard["time"] == {"from": start, "to": "now"}
    assert dashboard["preload"] is True
    assert dashboard["editable"] is False


def test_a_bar_of_links_leads_to_every_page_with_its_bot(dashboard: Page) -> None:
    (link,) = dashboard["links"]
    assert (link["type"], link["tags"], link["asDropdown"], link["includeVars"]) == (
        "dashboards",
        [TAG],
        False,
        True,
    )
    assert "placement" not in link, "in a menu it would be no bar"


def test_bot_and_data_sources_are_variables(dashboard: Page) -> None:
    source, ledger, bot, *_ = dashboard["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == ("prom", "datasource", "prometheus")
    assert source["current"]["value"] == "prom"
    assert (ledger["name"], ledger["type"], ledger["query"]) == ("ledger", "datasource", LEDGER["type"])
    assert ledger["current"]["value"] == "bot-sqlite"
    asked = LEDGER if f"{dashboard['title'].lower()}.json" in DESK else DATA_SOURCE
    assert (bot["name"], bot["type"], bot["datasource"]) == ("bot", "query", asked)


def test_the_choice_of_bots_survives_an_exporter_that_is_gone() -> None:
    assert "last_over_time(tradebot_connected[7d])" in queries.BOT_VARIABLE


def test_it_fills_a_1080p_kiosk_and_no_more_and_a_page_of_the_desk_has_no_hole(dashboard: Page) -> None:
    upper = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    covered = {cell for panel in upper for cell in cells(panel)}
    _, height = DESK.get(f"{dashboard['title'].lower()}.json", ("now/d", 27))
    assert covered == {(x, y) for x in range(24) for y in range(height)}


def test_no_two_panels_overlap(dashboard: Page) -> None:
    rows = [row["panels"] for row in dashboard["panels"] if row["type"] == "row"]
    for group in (dashboard["panels"], *rows):
        for one, other in combinations(group, 2):
            assert not cells(one) & cells(other), (name_of(one), name_of(other))


def cells(panel: Panel) -> set[tuple[int, int]]:
    at = panel["gridPos"]
    assert at["x"] + at["w"] <= 24
    return {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}


def test_ids_are_unique_and_rows_are_collapsed(dashboard: Page) -> None:
    rows = [panel for panel in dashboard["panels"] if panel["type"] == "row"]
    ids = Counter(panel["id"] for panel in (*panels(dashboard), *rows))
    assert set(ids.values()) == {1}
    assert all(row["collapsed"] and row["panels"] and row["title"] for row in rows)


# --- Every panel ---
def test_every_panel_says_what_it_is(dashboard: Page) -> None:
    for panel in panels(dashboard):
        assert len(panel["description"]) > 10, panel["id"]
        if panel["type"] != "stat":
            assert re.match(r"[A-Za-z]{2,}", panel["title"]), panel["id"]


def test_every_query_has_its_data_source_a_reference_and_one_kind(dashboard: Page) -> None:
    for panel in panels(dashboard):
        assert panel["datasource"] in (DATA_SOURCE, LEDGER, MIXED), name_of(panel)
        references = [target["refId"] for target in panel["targets"]]
        assert references, name_of(panel)
        assert len(set(references)) == len(references), name_of(panel)
        sources = [target["datasource"] for target in panel["targets"]]
        if panel["datasource"] == MIXED:
            assert all(source in (DATA_SOURCE, LEDGER) for source in sources), name_of(panel)
        else:
            assert all(source == panel["datasource"] for source in sources), name_of(panel)
    for _, target in of_prometheus(dashboard):
        assert target["instant"] is not target["range"]


def test_every_panel_has_units_or_words(dashboard: Page) -> None:
    for panel in panels(dashboard):
        defaults = panel["fieldConfig"]["defaults"]
        by_column = any(
            entry["id"] == "unit"
            for item in panel["fieldConfig"]["overrides"]
            for entry in item["properties"]
        )
        assert defaults.get("unit") or defaults.get("mappings") or by_column, name_of(panel)


def test_a_panel_of_one_bot_names_it(dashboard: Page) -> None:
    for panel in panels(dashboard):
        about_bot = any(re.search(r"\$(\{bot:|bot)", json.dumps(target)) for target in panel["targets"])
        if panel["type"] != "stat":
            assert about_bot == ("$bot" in panel["title"]), name_of(panel)


def test_every_time_says_its_zone(dashboard: Page) -> None:
    assert dashboard["timezone"] == "utc"
    for panel in panels(dashboard):
        for unit in re.findall(r'"(time:[^"]+)"', json.dumps(panel)):
            assert "[UTC]" in unit, name_of(panel)
        if panel["type"] in {"timeseries", "state-timeline"}:
            assert "UTC" in panel["title"], name_of(panel)


# --- Truth ---
def test_what_no_query_answers_is_purple_words_on_every_stat(dashboard: Page) -> None:
    for panel in stats(dashboard):
        defaults = panel["fieldConfig"]["defaults"]
        (mapping,) = defaults["mappings"]
        assert (mapping["type"], mapping["options"]["match"]) == ("special", "null+nan"), name_of(panel)
        assert mapping["options"]["result"]["color"] == palette.PURPLE
        assert re.search(r"\?$|BLIND", mapping["options"]["result"]["text"]), name_of(panel)
        assert defaults["noValue"] == mapping["options"]["result"]["text"]


def test_words_in_place_of_a_number_never_hide_that_there_is_none(dashboard: Page) -> None:
    for panel in stats(dashboard):
        for target in panel["targets"]:
            mappings = overrides(panel, target["refId"]).get("mappings")
            if mappings is not None:
                assert any(m["type"] == "special" and m["options"]["match"] == "null+nan" for m in mappings)


def test_live_figures_are_instant_so_that_an_old_one_cannot_stay(dashboard: Page) -> None:
    for panel, target in of_prometheus(dashboard):
        history = panel["type"] in {"timeseries", "state-timeline"}
        assert target["instant"] is not history, name_of(panel)


def test_every_level_of_a_stat_has_a_colour_and_a_name(dashboard: Page) -> None:
    for panel in stats(dashboard):
        for target in panel["targets"]:
            look = overrides(panel, target["refId"])
            assert target["legendFormat"].strip()
            if target["refId"] != "U":
                assert look["color"]["mode"] == "fixed", name_of(panel)


def test_a_figure_of_the_bot_says_why_it_is_missing(dashboard: Page) -> None:
    for panel in stats(dashboard):
        of_bot = any("$bot" in target["expr"] for target in panel["targets"])
        why = [target for target in panel["targets"] if target["refId"] == "U"]
        assert bool(why) == of_bot, name_of(panel)
        for target in why:
            assert target["legendFormat"] == "{{why}}"
            words = overrides(panel, "U")["mappings"][0]["options"]
            assert words.keys() == {str(code) for code in queries.WHY_CODES.values()}


def test_the_six_reasons_for_not_knowing_are_six_words() -> None:
    assert set(queries.WHY_CODES) == {"BLIND", "PLANNED", "DISCONNECTED", "AWAITING", "STALE", "NOT REPORTED"}
    assert len(set(queries.WHY_CODES.values())) == 6


def test_the_gap_in_a_timeline_is_words_too(dashboard: Page) -> None:
    for panel in panels(dashboard):
        if panel["type"] == "state-timeline":
            (codes, nothing) = panel["fieldConfig"]["defaults"]["mappings"]
            assert codes["options"]["0"]["text"] == "NOT REPORTED"
            assert nothing["options"]["result"]["text"] == "no record"


def test_a_stream_word_that_nobody_foresaw_is_shown_as_other() -> None:
    assert STREAM_WORDS[6][0] == "OTHER"
    assert 'status!~"connected|' in queries.STREAMS


def test_a_kill_is_called_ready_only_over_a_path_that_can_be_used_now() -> None:
    assert 'tradebot_kill_path{bot="$bot", path="socket"}' in kill_queries.KILL_READY
    assert 'tradebot_kill_state{bot="$bot", state=~"ready"}' in kill_queries.KILL_READY
    ready = [name for name in PAGES if re.search(r"\bREADY\b|(?<!RE-)\bARMED\b", json.dumps(page(name)))]
    assert ready == ["live.json"]


def test_none_firing_rests_on_rules_that_are_evaluated() -> None:
    assert "Watchdog" in alert_queries.NONE_FIRING
    assert "Watchdog" in alert_queries.NOT_EVALUATED


def test_every_alert_of_the_strip_leads_to_its_runbook_on_the_exporters_own_page(dashboard: Page) -> None:
    console = dashboard["templating"]["list"][-1]
    assert (console["name"], console["hide"], console["datasource"]) == ("console", 2, DATA_SOURCE)
    (strip,) = [panel for panel in panels(dashboard) if panel["description"].startswith("ALERTS: ")]
    linked = {
        override["matcher"]["options"]: entry["value"]
        for override in strip["fieldConfig"]["overrides"]
        for entry in override["properties"]
        if entry["id"] == "links"
    }
    assert set(linked) == {"A", "B", "C", "D"}
    for ref_id, links in linked.items():
        (target,) = [target for target in strip["targets"] if target["refId"] == ref_id]
        assert re.match(r"(CRITICAL|WARNING) · ", target["legendFormat"])
        assert [link["url"] for link in links] == ["${console}/runbooks/${__field.labels.alertname}"]


# --- Colours and sizes ---
def test_the_more_urgent_colour_is_the_lighter_one_in_greyscale() -> None:
    lumas = [luma(colour) for colour in palette.BY_URGENCY]
    steps = [lighter - darker for darker, lighter in pairwise(lumas)]
    assert min(steps) >= 15, steps


def test_white_text_stands_out_from_every_fill() -> None:
    fills = (*palette.BY_URGENCY, palette.DIM_PURPLE, palette.LANE)
    assert min(contrast_with_white(colour) for colour in fills) >= 3, "WCAG: large text needs 3 : 1"


def luma(colour: str) -> float:
    """Brightness 0–255 of `#RRGGBB` when a picture is made grey (ITU-R BT.601 weights)."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def contrast_with_white(colour: str) -> float:
    """Contrast ratio by WCAG 2.1, 1 to 21."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 1.05 / (luminance + 0.05)


def test_both_text_sizes_of_a_stat_are_said_since_one_alone_overflows(dashboard: Page) -> None:
    for panel in stats(dashboard):
        assert panel["options"]["text"].keys() == {"titleSize", "valueSize"}, name_of(panel)


def test_the_tiles_are_read_from_four_metres() -> None:
    live = page("live.json")
    tiles = [panel for panel in live["panels"] if panel["gridPos"]["y"] == 4]
    assert [panel["gridPos"]["w"] for panel in tiles] == [4] * 6
    for panel in tiles:
        assert panel["options"]["text"] == {"titleSize": 36, "valueSize": 56}
        for target in panel["targets"]:
            fixed = re.sub(r"{{.*?}}", "", target["legendFormat"])
            assert len(fixed) <= 12, f"{fixed} wraps in a tile"


def test_the_chain_is_read_from_four_metres() -> None:
    system = page("system.json")
    tiles = [panel for panel in system["panels"] if panel["gridPos"]["y"] == 3]
    assert [panel["gridPos"]["w"] for panel in tiles] == [4] * 6
    names = [target["legendFormat"] for panel in tiles for target in panel["targets"]]
    assert [name for name in names if len(re.sub(r"{{.*?}}", "", name)) > 12] == [], "these wrap in a tile"


# --- Metrics ---
def test_metric_names_stand_in_the_modules_of_queries() -> None:
    for path in GRAFANA.glob("*.py"):
        if path.name not in {"queries.py", "kill_queries.py", "alert_queries.py"}:
            named = re.findall(r"\btradebot_[a-z_]+", path.read_text())
            assert not named, f"{path.name}: {named}"


def test_every_metric_of_the_pages_is_exported() -> None:
    exported = {metric.name for metric in DECLARED}
    used = {
        re.sub(r"_bucket$", "", name) for name in re.findall(r"\btradebot_[a-z_]+", "\n".join(expressions()))
    }
    assert used <= exported, sorted(used - exported)


def test_every_exported_metric_is_on_a_page_or_says_why_not() -> None:
    asked = "\n".join(expressions())
    idle = {metric.name for metric in DECLARED if not re.search(rf"\b{metric.name}(_bucket)?\b", asked)}
    assert idle == set(queries.UNUSED), "grafana.queries.UNUSED lists what no page shows, with the reason"
    assert all(len(reason) > 20 for reason in queries.UNUSED.values())


def test_other_metrics_are_of_prometheus_alertmanager_and_the_process() -> None:
    strange = re.compile(r"\b(?:up|ALERTS\w*|(?:prometheus|alertmanager|process|scrape|go|python)_[a-z_]+)\b")
    used = set(strange.findall(re.sub(r'"[^"]*"', "", "\n".join(expressions()))))
    assert used == OTHERS


# --- Provisioning ---
def test_the_data_sources_take_their_addresses_from_the_environment() -> None:
    content = yaml.safe_load((GRAFANA / "provisioning/datasources/tradebot.yml").read_text())
    sources = {source["uid"]: source for source in content["datasources"]}
    assert sources.keys() == {"prom", "bot-sqlite", "alertmanager", "bot-admin"}
    assert sources["bot-sqlite"] == {
        "name": "Ledger",
        "uid": "bot-sqlite",
        "type": "frser-sqlite-datasource",
        "access": "proxy",
        "editable": False,
        "jsonData": {
            "path": "$REPORTING_DB",
            "pathPrefix": "file:",
            "pathOptions": "mode=ro&_pragma=busy_timeout(5000)&_pragma=query_only(1)",
            "attachLimit": 0,
        },
    }
    assert (sources["prom"]["type"], sources["prom"]["url"]) == ("prometheus", "$PROMETHEUS_URL")
    assert sources["prom"]["isDefault"] is True
    silences = sources["alertmanager"]
    assert (silences["type"], silences["url"]) == ("alertmanager", "$ALERTMANAGER_URL")
    assert silences["jsonData"] == {"implementation": "prometheus", "handleGrafanaManagedAlerts": False}
    control = sources["bot-admin"]
    assert (control["type"], control["url"]) == ("alertmanager", "$ADMIN_URL"), "Admins alone may post to it"
    assert control["jsonData"] == {**silences["jsonData"], "httpHeaderName1": "X-Admin-Token"}
    assert control["secureJsonData"] == {"httpHeaderValue1": "$__file{/run/tradebot/grafana_token}"}


def test_the_pages_lie_in_a_folder_of_their_own_and_cannot_be_changed_by_hand() -> None:
    content = yaml.safe_load((GRAFANA / "provisioning/dashboards/tradebot.yml").read_text())
    (provider,) = content["providers"]
    assert (provider["folder"], provider["folderUid"]) == ("Trading bot", "trading-bot")
    assert provider["allowUiUpdates"] is False
    assert provider["options"]["path"] == "$DASHBOARDS_DIR"
