"""The committed files in a real Grafana: provisioned as they are, every panel known, every query answered.

The ledger's statements ask the database of a real exporter that watches a real bot.
"""

import json
import os
import shutil
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from deploy.first_start import make_secrets
from deploy.local_stack import write_provisioning
from deploy.programs import grafana_home, plugin_folder
from grafana.__main__ import DASHBOARDS, PAGES
from grafana.page import TAG
from grafana.sql import control, freshness, lanes, live, performance
from grafana.sql.statement import Kind, Statement
from grafana.targets import LEDGER_TYPE
from tests.grafana import ledgers
from tests.grafana.ledgers import BOT, Ledger
from tests.stack.operator_stand import CHROMIUM, chromium
from tests.stack.processes import HOST, free_port, running

pytestmark = pytest.mark.stack

Ask = Callable[..., Any]
KINDS = {Kind.TIME: "time", Kind.NUMBER: "number", Kind.COUNT: "number", Kind.TEXT: "string"}
"""What a column is to Grafana; one of nulls alone is a number to it."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A day of history, states, decisions and positions, written by a real exporter."""

    def enough(ledger: Ledger) -> bool:
        now = time.time()
        ledger.begin, ledger.end = now - 2 * 86400, now
        tables = ("fills", "decisions", "order_intents", "feed", "live_positions", "bots")
        with closing(sqlite3.connect(f"file:{ledger.path}?mode=ro", uri=True)) as db:
            return all(db.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").fetchone()[0] for table in tables)

    with ledgers.real_session(tmp_path_factory.mktemp("session"), enough) as ledger:
        yield ledger


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, session: Ledger) -> Iterator[str]:
    """A Grafana that was given the committed files and a Prometheus that watches itself, with two alerts."""
    home = grafana_home(os.environ)
    if home is None:
        pytest.skip("Grafana is not installed (PATH or GRAFANA_HOME)")
    if shutil.which("prometheus") is None:
        pytest.skip("Prometheus is not installed")
    folder = tmp_path_factory.mktemp("grafana")
    plugins = plugin_folder(home)
    if plugins is None:
        pytest.skip("Grafana's plugin for SQLite is not installed beside it")
    make_secrets(folder / "secrets")
    write_provisioning(folder / "provisioning", folder / "secrets")
    prometheus, grafana = (f"{HOST}:{free_port()}" for _ in range(2))
    settings = {
        "PROMETHEUS_URL": f"http://{prometheus}",
        "ALERTMANAGER_URL": f"http://{HOST}:{free_port()}",
        "ADMIN_URL": f"http://{HOST}:{free_port()}",
        "DASHBOARDS_DIR": str(DASHBOARDS),
        "GF_PATHS_PROVISIONING": str(folder / "provisioning"),
        "GF_PATHS_DATA": str(folder / "data"),
        "GF_PATHS_LOGS": str(folder / "log"),
        "REPORTING_DB": str(session.path),
        "GF_PATHS_PLUGINS": str(plugins),
        "GF_SERVER_HTTP_ADDR": HOST,
        "GF_SERVER_HTTP_PORT": grafana.partition(":")[2],
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_AUTH_ANONYMOUS_ORG_ROLE": "Admin",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    }

    call = asking(grafana)

    def up(program: str, path: str) -> Callable[[], bool]:
        def answers() -> bool:
            try:
                return urllib.request.urlopen(f"http://{program}{path}", timeout=2).status == 200
            except OSError:
                return False

        return answers

    def provisioned() -> bool:
        found = call("/api/search?type=dash-db") if up(grafana, "/api/health")() else []
        return {page["uid"] for page in found} == set(uids().values())

    with (
        running(
            prometheus_command(folder, prometheus), folder / "prometheus.log", up(prometheus, "/-/ready")
        ),
        running(
            [home / "bin" / "grafana", "server", "--homepath", home],
            folder / "grafana.log",
            provisioned,
            settings,
        ),
    ):
        yield grafana


@pytest.fixture(scope="module")
def ask(address: str) -> Ask:
    """Asks that Grafana."""
    return asking(address)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's own browser."""
    with chromium() as found:
        yield found


def asking(address: str) -> Ask:
    """Asks a Grafana at an address; without a body by GET."""

    def call(path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://{address}{path}", data, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            return json.load(refused)

    return call


RULES = {
    "groups": [
        {
            "name": "console",
            "interval": "1s",
            "rules": [
                {"alert": "TradebotWatchdog", "expr": "vector(1)", "labels": {"severity": "none"}},
                {
                    "alert": "TradebotDisconnected",
                    "expr": "vector(1)",
                    "labels": {"severity": "critical", "bot": BOT},
                },
                {"alert": "TradebotExporterDown", "expr": "vector(1)", "labels": {"severity": "warning"}},
                {
                    "record": "tradebot_exporter_address_info",
                    "expr": "vector(1)",
                    "labels": {"address": "http://console.example:9121"},
                },
            ],
        }
    ]
}


def prometheus_command(folder: Path, address: str) -> list[str | Path]:
    job = {"job_name": "prometheus", "static_configs": [{"targets": [address]}]}
    (folder / "rules.yml").write_text(json.dumps(RULES))
    (folder / "prometheus.yml").write_text(
        json.dumps(
            {"global": {"scrape_interval": "1s"}, "scrape_configs": [job], "rule_files": ["rules.yml"]}
        )
    )
    return [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={address}",
    ]


def uids() -> dict[str, str]:
    return {name: json.loads((DASHBOARDS / name).read_text())["uid"] for name in PAGES}


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def test_all_data_sources_are_there_and_answer(ask: Ask) -> None:
    sources = {source["uid"]: source for source in ask("/api/datasources")}
    assert {uid: source["type"] for uid, source in sources.items()} == {
        "prom": "prometheus",
        "bot-sqlite": LEDGER_TYPE,
        "alertmanager": "alertmanager",
        "bot-admin": "alertmanager",
    }
    assert sources["prom"]["isDefault"]
    assert all(source["readOnly"] for source in sources.values())
    for uid in ("prom", "bot-sqlite"):
        assert ask(f"/api/datasources/uid/{uid}/health")["status"] == "OK"


def test_the_pages_are_in_their_folder_under_their_tag(ask: Ask) -> None:
    found = {page["uid"]: page for page in ask(f"/api/search?type=dash-db&folderUIDs=trading-bot&tag={TAG}")}
    assert {uid: page["title"] for uid, page in found.items()} == {
        "tradebot-analytics": "Analytics",
        "tradebot-config": "Config",
        "tradebot-live": "Live",
        "tradebot-system": "System",
    }
    assert {page["folderTitle"] for page in found.values()} == {"Trading bot"}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_is_taken_as_it_was_committed(name: str, ask: Ask) -> None:
    answer = ask(f"/api/dashboards/uid/{uids()[name]}")
    committed = json.loads((DASHBOARDS / name).read_text())
    assert answer["meta"]["provisioned"]
    assert answer["dashboard"]["refresh"] == committed["refresh"] == "5s"
    assert answer["dashboard"]["panels"] == committed["panels"]


def test_every_kind_of_panel_is_installed(ask: Ask) -> None:
    installed = {plugin["id"] for plugin in ask("/api/plugins?type=panel")} | {"row"}
    used = {panel["type"] for name in PAGES for panel in panels(json.loads((DASHBOARDS / name).read_text()))}
    assert used <= installed


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_query_is_answered_without_an_error(name: str, ask: Ask) -> None:
    dashboard = json.loads((DASHBOARDS / name).read_text())
    asked = [
        (panel["title"] or panel["description"], target)
        for panel in panels(dashboard)
        for target in panel.get("targets", [])
        if target["datasource"]["type"] == "prometheus"
    ]
    asked += [
        (note["name"], note["target"])
        for note in dashboard["annotations"]["list"]
        if note["datasource"]["type"] == "prometheus"
    ]
    assert asked
    faults = []
    for where, target in asked:
        text = json.dumps(target).replace("${prom}", "prom").replace("$bot", "arb")
        query = {**json.loads(text), "intervalMs": 15000, "maxDataPoints": 500}
        answer = ask("/api/ds/query", {"from": "now-1h", "to": "now", "queries": [query]})
        result = answer.get("results", {}).get(target["refId"], {"error": answer})
        if "error" in result or not result.get("frames"):
            faults.append(f"{where}, {target['refId']}: {result}")
    assert not faults, "\n".join(faults)


def result_of(ask: Ask, target: dict[str, Any], begin: float, end: float) -> dict[str, Any]:
    sql = target["queryText"]
    for name, value in {
        "${bot:sqlstring}": f"'{BOT}'",
        "${lane:sqlstring}": "kind",
        "$measure": "dollars",
    }.items():
        sql = sql.replace(name, value)
    query = {**target, "datasource": {"type": LEDGER_TYPE, "uid": "bot-sqlite"}}
    query |= {"rawQueryText": sql, "queryText": sql}
    span = {"from": str(int(begin * 1000)), "to": str(int(end * 1000))}
    answer = ask("/api/ds/query", {**span, "queries": [query]})
    return dict(answer.get("results", {}).get(target["refId"], {"error": answer}))


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_statement_gives_grafana_the_columns_and_types_that_its_panel_expects(
    name: str, ask: Ask, session: Ledger
) -> None:
    known = {made.text: made for made in ledgers.statements().values()}
    dashboard = json.loads((DASHBOARDS / name).read_text())
    asked = [
        (panel["title"] or panel["description"], target)
        for panel in panels(dashboard)
        for target in panel.get("targets", [])
        if target["datasource"]["type"] == LEDGER_TYPE
    ]
    assert asked
    faults = []
    for where, target in asked:
        made = known[target["queryText"]]
        result = result_of(ask, target, session.begin, time.time())
        if "error" in result or not result.get("frames"):
            faults.append(f"{where}: {result}")
            continue
        rows = 0
        for frame in result["frames"]:
            values = dict(
                zip((f["name"] for f in frame["schema"]["fields"]), frame["data"]["values"], strict=True)
            )
            rows = max(rows, *map(len, values.values()))
            for field in frame["schema"]["fields"]:
                wanted = KINDS[made.columns[field["name"]]]
                found = any(value is not None for value in values[field["name"]])
                if field["type"] != wanted and found:
                    faults.append(f"{where}, {field['name']}: {field['type']}, not {wanted}")
        if not rows and made.text not in MAY_BE_SILENT:
            faults.append(f"{where}: no row")
    assert not faults, "\n".join(faults)


def test_every_mark_has_a_moment_an_end_a_title_and_words_on_every_page(ask: Ask, session: Ledger) -> None:
    now = time.time()
    fired = {"state": "firing", "fingerprint": "f", "fired_at": now - 60, "seen_until": now}
    rows = [("alert", "TradebotDisconnected firing", json.dumps(fired)), ("setting_change", "ARB_CAP", "{}")]
    for seq, (kind, what, data) in enumerate(rows, start=-len(rows)):
        session.change(
            "INSERT INTO events (seq, at, bot, kind, severity, who, what, data)"
            " VALUES (?, ?, ?, ?, 'warning', 'ann', ?, ?)",
            (seq, now - 60, BOT, kind, what, data),
        )
    session.change(
        "INSERT INTO kills (id, bot, who, source, reason, drill, sent_at, state)"
        " VALUES ('mark', ?, 'ann', 'page', 'looks wrong', 0, ?, 'sent')",
        (BOT, now - 60),
    )
    known = {made.text: made for made in ledgers.statements().values()}
    for name in PAGES:
        notes = json.loads((DASHBOARDS / name).read_text())["annotations"]["list"]
        marked = [note for note in notes if note["datasource"]["type"] == LEDGER_TYPE]
        assert {note["name"] for note in marked} == {"Kills", "Alerts", "Changes", "Restarts"}
        for note in marked:
            assert note["target"]["queryText"] in known
            (frame,) = result_of(ask, note["target"], session.begin, time.time())["frames"]
            types = {field["name"]: field["type"] for field in frame["schema"]["fields"]}
            assert types == {"time": "time", "timeEnd": "time", "title": "string", "text": "string"}
            moments, ends, titles, words = frame["data"]["values"]
            assert moments, note["name"]
            assert all(titles)
            assert all(words)
            assert all(begin <= end for begin, end in zip(moments, ends, strict=True))
            assert all(abs(begin / 1000 - now) < 3600 for begin in moments), "in milliseconds"


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("name", ["live.json", "config.json"])
def test_a_press_on_an_alert_opens_its_runbook_on_the_exporters_page(
    name: str, address: str, browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    page.goto(f"http://{address}/d/{uids()[name]}?kiosk")
    page.wait_for_selector("a[href*='TradebotExporterDown']", timeout=30_000)
    links = page.eval_on_selector_all(
        "a[href*='/runbooks/']", "found => found.map(one => [one.textContent, one.href])"
    )
    context.close()
    said = {text.partition(" · ")[2].partition(" · ")[0]: where for text, where in links}
    (down,) = (said[text] for text in said if text.startswith("ExporterDown"))
    assert said["Disconnected"] == "http://console.example:9121/runbooks/TradebotDisconnected"
    assert down == "http://console.example:9121/runbooks/TradebotExporterDown"


MAY_BE_SILENT = {
    made.text
    for made in (
        freshness.blind(),
        freshness.real_money(),
        live.operator_day(),
        live.operator_day_is_utc(),
        control.as_of(),
        control.blind(),
        control.last_known(),
        control.codes(),
        control.unverified(),
        control.last_command(),
        control.changeable("Paper simulation"),
        control.changeable(control.OTHERS),
        control.closable(),
        *(freshness.when_it_was(figure()) for figure in ledgers.FIGURES),
    )
}
"""Statements that answer only while something is so."""


@pytest.mark.parametrize(
    "made",
    [performance.equity(), lanes.groups(), lanes.slippages(), lanes.fill_rates(), lanes.gross_to_net()],
    ids=["equity", "groups", "slippages", "fill rates", "gross to net"],
)
def test_what_grafana_shows_is_what_plain_sqlite_answers(made: Statement, ask: Ask, session: Ledger) -> None:
    begin, end = time.time() - 2 * 86400, time.time() - 5
    target = {"refId": "A", "queryType": "table", "queryText": made.text, "timeColumns": []}
    (frame,) = result_of(ask, target, begin, end)["frames"]
    rows = session.ask(made, begin, end)
    assert len(rows) > 3
    for (name, kind), shown in zip(made.columns.items(), frame["data"]["values"], strict=True):
        column = [row[name] for row in rows]
        assert shown == (column if kind is Kind.TEXT else pytest.approx(column)), name


@pytest.mark.parametrize("variable", ["bot", "lane"])
def test_what_can_be_chosen_comes_from_the_ledger(variable: str, ask: Ask, session: Ledger) -> None:
    dashboard = json.loads((DASHBOARDS / "analytics.json").read_text())
    (chosen,) = [one for one in dashboard["templating"]["list"] if one["name"] == variable]
    target = {"refId": "A", "queryType": "table", "queryText": chosen["query"], "timeColumns": []}
    (frame,) = result_of(ask, target, 0, 1)["frames"]
    words = frame["data"]["values"][-1]
    assert words == [BOT] if variable == "bot" else set(words) >= {"cross_venue"}


def test_a_query_that_is_wrong_would_be_seen(ask: Ask) -> None:
    query = {
        "refId": "A",
        "datasource": {"type": "prometheus", "uid": "prom"},
        "expr": "nonsense(",
        "instant": True,
    }
    answer = ask("/api/ds/query", {"from": "now-1h", "to": "now", "queries": [query]})
    assert "error" in answer["results"]["A"]
