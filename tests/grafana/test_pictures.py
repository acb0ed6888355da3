"""Live and System in every situation, query by query: what the exporter says, asked of a real Prometheus."""

import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grafana import palette
from grafana.__main__ import DASHBOARDS
from tests.grafana import situations
from tests.grafana.wall import Said, Series, read
from tests.stack.processes import HOST, free_port, running

pytestmark = pytest.mark.stack

Ask = Callable[[str, str, float], list[Series]]
GONE = situations.END + 60
"""When the exporter's last scrape is a minute old."""
FILLS = (palette.NEUTRAL, palette.BLUE, palette.DIM_PURPLE, palette.PURPLE, palette.AMBER, palette.RED)
GREY, BLUE, DIM, PURPLE, AMBER, RED = FILLS


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Asks a Prometheus that holds five minutes of every situation; nothing is scraped."""
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        pytest.skip("Prometheus is not installed")
    folder = tmp_path_factory.mktemp("situations")
    (folder / "samples.txt").write_text(situations.samples())
    make_blocks = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "samples.txt", "data"]
    subprocess.run(make_blocks, cwd=folder, check=True, capture_output=True, timeout=60)
    (folder / "prometheus.yml").write_text("{}\n")
    address = f"{HOST}:{free_port()}"
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=100y",
        "--query.lookback-delta=9s",  # stored samples have no markers of series that ended
        f"--web.listen-address={address}",
    ]

    def query(expression: str, bot: str, at: float) -> list[Series]:
        filled = expression.replace("$bot", bot).replace("$__interval", "15s")
        body = urllib.parse.urlencode({"query": filled, "time": at}).encode()
        with urllib.request.urlopen(f"http://{address}/api/v1/query", body, timeout=20) as answer:
            found = json.load(answer)["data"]["result"]
        return [(series["metric"], float(series["value"][1])) for series in found]

    def ready() -> bool:
        try:
            return urllib.request.urlopen(f"http://{address}/-/ready", timeout=1).status == 200
        except OSError:
            return False

    with running(command, folder / "prometheus.log", ready):
        yield query


def panel(page: str, begins: str) -> dict[str, Any]:
    """The stat whose description begins so."""
    content = json.loads((DASHBOARDS / f"{page}.json").read_text())
    (found,) = [one for one in content["panels"] if one.get("description", "").startswith(begins)]
    return dict(found)


def look(ask: Ask, page: str, begins: str, bot: str, at: float = situations.END) -> list[Said]:
    return read(panel(page, begins), lambda expression: ask(expression, bot, at))


MODE, AGE, CAP, PNL, EXPOSED, FILL, KILL = (
    "MODE",
    "DATA AGE",
    "LOSS CAP USED",
    "DAY PnL",
    "EXPOSED",
    "LAST FILL",
    "KILL: ",
)
NOTHING_IS_KNOWN = {CAP: "CAP ?", PNL: "PnL ?", EXPOSED: "RISK ?", FILL: "FILL ?"}


def because(why: str, colour: str) -> dict[str, tuple[str, str]]:
    """Every tile of which nothing is known, for one reason."""
    return {
        tile: (rf"{why} \| {re.escape(text)}", colour)
        for tile, text in {MODE: "MODE ?", **NOTHING_IS_KNOWN}.items()
    }


# Situation: tile: what it says (a pattern), its colour.
PICTURES: dict[str, dict[str, tuple[str, str]]] = {
    "alive": {
        MODE: (r"SIMULATED \| PAPER", BLUE),
        AGE: (r"DATA AGE \| 0", GREY),
        CAP: (r"CAP USED \| 0", GREY),
        PNL: (r"PnL bot UTC \| 3.5", GREY),
        EXPOSED: (r"EXPOSED \| 0", GREY),
        FILL: (r"LAST FILL \| 190", GREY),
        KILL: (r"alive's OWN KILL SWITCH \| OFF", GREY),
    },
    "awaiting": {
        **because("AWAITING", BLUE),
        AGE: (r"AWAITING \| AGE \?", BLUE),
        KILL: (r"AWAITING \| KILL \?", BLUE),
    },
    "stale": {
        **because("STALE", DIM),
        AGE: (r"DATA STALE \| 180", RED),
        KILL: (r"STALE \| KILL \?", DIM),
    },
    "disconnected": {
        **because("DISCONNECTED", DIM),
        AGE: (r"DATA STALE \| 185", RED),
        KILL: (r"disconnected KILL SWITCH · last known \| WAS OFF", DIM),
    },
    "planned": {
        **because("PLANNED", BLUE),
        AGE: (r"PLANNED \| 185", BLUE),
        KILL: (r"planned KILL SWITCH · last known \| WAS OFF", DIM),
    },
    "silent": {
        MODE: (r"MODE \| PAPER", BLUE),
        AGE: (r"DATA AGE \| 0", GREY),
        **{tile: (f"NOT REPORTED \\| {re.escape(text)}", DIM) for tile, text in NOTHING_IS_KNOWN.items()},
        KILL: (r"NOT REPORTED \| KILL \?", DIM),
    },
    "operator": {MODE: (r"SIMULATED \| KILLED", RED), KILL: (r"by an operator · 1 open \| KILLED", BLUE)},
    "halted": {MODE: (r"SIMULATED \| KILLED", RED), KILL: (r"by its own limits · 1 open \| KILLED", RED)},
    "lost": {KILL: (r"by its own limits · last known \| KILLED", RED)},
    "paused": {MODE: (r"SIMULATED \| PAUSED", BLUE), FILL: (r"FILLS TODAY \| NONE", GREY)},
    "breached": {
        MODE: (r"MODE \| LIVE", palette.INVERSE),
        CAP: (r"CAP BREACHED \| 1.05", RED),
        PNL: (r"PnL bot UTC \| -10.5", GREY),
        EXPOSED: (r"EXPOSED 9\+ \| 39", RED),
    },
    "half": {EXPOSED: (r"NOT REPORTED \| RISK \?", DIM)},
    "near": {CAP: (r"CAP USED \| 0.85", AMBER)},
    "uncapped": {CAP: (r"LOSS LIMIT \| NO CAP", GREY)},
    "blocked": {FILL: (r"by edge belo… \| BLOCKED", AMBER)},
    "disagrees": {PNL: (r"PnL ≠ LEDGER \| 3.5", AMBER)},
    "by its ledger": {PNL: (r"PnL ledger UTC \| -4.25", GREY)},
    "ready": {KILL: (r"KILL · drilled 3 d ago \| READY", GREY)},
    "undrilled": {KILL: (r"KILL · never drilled \| READY", GREY)},
    "by file": {KILL: (r"KILL · socket is down \| BY FILE ONLY", AMBER)},
    "no path": {KILL: (r"KILL cannot reach no path \| NO PATH", RED)},
    "no path now": {KILL: (r"KILL · no path now down as planned \| NO PATH", BLUE)},
    "stopped itself": {KILL: (r"by its own limits · 1 open \| KILLED", RED)},
    "being killed": {KILL: (r"being killed · since 3 min \| KILLING", AMBER)},
    "proven": {
        MODE: (r"SIMULATED \| KILLED", RED),
        KILL: (r"PROVEN \(flag\) · 1 position remains \| 1.*e\+12", BLUE),
    },
    "unproven": {KILL: (r"quiet 4 of 7 · see System \| UNPROVEN", RED)},
    "never proven": {KILL: (r"quiet 4, not proven · see System \| UNPROVEN", RED)},
    "not killed": {KILL: (r"not killed goes on · 1 position remains \| NOT KILLED", RED)},
    "rich": {PNL: (r"PnL bot UTC \| 1.235e\+04", GREY)},
    "poor": {PNL: (r"PnL bot UTC \| 2.346e\+04", GREY)},
}


@pytest.mark.parametrize("bot", PICTURES)
def test_each_tile_of_live_says_one_thing_and_the_right_one(bot: str, ask: Ask) -> None:
    for tile, (pattern, colour) in PICTURES[bot].items():
        said = look(ask, "live", tile, bot)
        assert len(said) == 1, f"{tile}: {[str(one) for one in said]}"
        assert re.fullmatch(pattern, str(said[0])), f"{tile}: {said[0]}"
        assert said[0].colour == colour, f"{tile}: {said[0]}"


@pytest.mark.parametrize("bot", situations.SITUATIONS)
def test_no_tile_ever_says_two_things(bot: str, ask: Ask) -> None:
    for at in (situations.END, situations.CROWD, GONE):
        for tile in (MODE, AGE, CAP, PNL, EXPOSED, FILL, KILL):
            assert len(look(ask, "live", tile, bot, at)) == 1, (tile, at)


def test_every_tile_is_blind_once_the_exporter_is_gone(ask: Ask) -> None:
    for tile, text in {MODE: "MODE ?", AGE: "AGE ?", KILL: "KILL ?", **NOTHING_IS_KNOWN}.items():
        (said,) = look(ask, "live", tile, "alive", GONE)
        assert (str(said), said.colour) == (f"BLIND | {text}", DIM)


def test_without_an_answer_from_prometheus_every_stat_says_so_in_purple() -> None:
    for page in ("live", "system"):
        for one in json.loads((DASHBOARDS / f"{page}.json").read_text())["panels"]:
            if one["type"] == "stat" and one["datasource"]["type"] == "prometheus":
                (said,) = read(one, lambda _expression: [])
                assert said.colour == PURPLE
                assert re.search(r"\?$|BLIND", said.text)


@pytest.mark.parametrize("page", ["live", "system"])
def test_the_verdict_is_the_worst_of_all_bots_and_blind_without_one(page: str, ask: Ask) -> None:
    (worst,) = look(ask, page, "VERDICT", "alive")
    assert re.match(r"ACT NOW · \w+ [A-Z].* · \d+ (s|min) · \+\d+ more \|", str(worst)), worst
    assert worst.colour == RED
    assert float(worst.text) > 0
    (blind,) = look(ask, page, "VERDICT", "alive", GONE)
    assert (blind.name, blind.colour) == ("BLIND · the exporter says nothing", PURPLE)


def test_none_firing_is_said_only_while_the_rules_are_evaluated(ask: Ask) -> None:
    (none,) = look(ask, "live", "ALERTS", "alive")
    assert str(none) == "NONE FIRING · rules evaluated | 0"
    (blind,) = look(ask, "live", "ALERTS", "alive", GONE)
    assert (str(blind), blind.colour) == ("ALERTS · rules are not evaluated | BLIND", PURPLE)


def test_the_worst_alerts_come_first_and_what_does_not_fit_is_counted(ask: Ask) -> None:
    rows = look(ask, "live", "ALERTS", "alive", situations.CROWD)
    assert [str(row) for row in rows] == [
        "CRITICAL · Trouble1 · alive | 51",
        "CRITICAL · Trouble0 · alive | 50",
        "WARNING · Trouble6 · alive | 56",
        "WARNING · Trouble5 · alive | 55",
        "AND MORE · see System | 3",
    ]


def test_an_alert_says_who_has_it(ask: Ask) -> None:
    said = look(ask, "live", "ALERTS", "alive", situations.HELD)
    assert "CRITICAL · Trouble0 · alive · ann has it" in {row.name for row in said}
    assert "CRITICAL · Trouble1 · alive" in {row.name for row in said}


def test_capital_over_its_limit_is_red_and_at_its_limit_is_not(ask: Ask) -> None:
    rows = look(ask, "live", "Free cash", "full")
    assert [(row.name, row.colour) for row in rows] == [
        ("polymarket · $100 free · $230 of $200 locked", RED),
        ("kalshi · $200 free · $200 of $200 locked", GREY),
    ]


def test_a_stream_that_is_not_as_it_should_be_has_its_code(ask: Ask) -> None:
    streams = json.loads((DASHBOARDS / "live.json").read_text())["panels"]
    (timeline,) = [one for one in streams if one["type"] == "state-timeline"]
    words = timeline["fieldConfig"]["defaults"]["mappings"][0]["options"]
    found = ask(timeline["targets"][0]["expr"], "degraded", situations.END)
    said = {labels["venue"]: words[f"{value:g}"]["text"] for labels, value in found}
    assert said == {"kalshi": "DEGRADED", "polymarket": "CONNECTED", "gemini": "OTHER"}
    lost = ask(timeline["targets"][0]["expr"], "disconnected", situations.END)
    assert {words[f"{value:g}"]["text"] for _, value in lost} == {"NOT REPORTED"}
    never = ask(timeline["targets"][0]["expr"], "awaiting", situations.END)
    assert never == [({"venue": "venues"}, 0)], "without a series Grafana would speak of time fields"


# Link of the chain: situation: what it says, its colour.
CHAIN = {
    "VENUES": {
        "alive": ("VENUES → | 1", GREY),
        "degraded": ("of 3 VENUES | 1", AMBER),
        "disconnected": ("DISCONNECTED | VENUES ?", DIM),
    },
    "BOT LOOP": {
        "alive": ("LOOP LAG → | 0.001", GREY),
        "hung": ("BOT LOOP → | HUNG", RED),
        "silent": ("NOT REPORTED | LOOP ?", DIM),
        "planned": ("PLANNED | LOOP ?", BLUE),
    },
    "SOCKET": {
        "alive": ("SOCKET → | UP", GREY),
        "disconnected": ("SOCKET → | DOWN", RED),
        "planned": ("SOCKET → | PLANNED", BLUE),
    },
    "EXPORTER": {"alive": ("unread corrupt | LEDGER", AMBER)},
    "SCRAPE": {"alive": ("SCRAPE → | 0", GREY)},
    "ALERT DELIVERY": {"alive": ("WATCHDOG | NEVER", AMBER)},
}


@pytest.mark.parametrize("link", CHAIN)
def test_each_link_of_the_chain_says_one_thing_and_the_right_one(link: str, ask: Ask) -> None:
    for bot, expected in CHAIN[link].items():
        (said,) = look(ask, "system", link, bot)
        assert (str(said), said.colour) == expected


def test_the_links_behind_a_broken_one_do_not_pretend_to_be_seen(ask: Ask) -> None:
    for link in ("VENUES", "BOT LOOP", "SOCKET"):
        (said,) = look(ask, "system", link, "alive", GONE)
        assert said.name == "BLIND"
        assert said.colour == DIM


def test_the_decisions_add_up_and_the_most_frequent_come_first(ask: Ask) -> None:
    content = json.loads((DASHBOARDS / "live.json").read_text())
    (feed,) = [one for one in content["panels"] if "15 minutes" in one["title"]]
    count, share, last = (ask(target["expr"], "blocked", situations.END) for target in feed["targets"][:3])
    assert [labels["reason"] for labels, _ in count] == ["edge below threshold"]
    assert count[0][1] == 20 * 61, "a state each 5 s for five minutes, both ends included"
    assert share[0][1] == 1
    assert last[0][1] in {0, 15}
    (blind,) = ask(feed["targets"][3]["expr"], "blocked", GONE)
    assert blind[0]["reason"].startswith("BLIND")
    assert not ask(feed["targets"][0]["expr"], "blocked", GONE), "old counts are not shown as now"


def test_the_list_of_bots_has_each_with_its_verdict(ask: Ask) -> None:
    content = json.loads((DASHBOARDS / "system.json").read_text())
    below = [one for row in content["panels"] for one in row.get("panels", [])]
    (bots,) = [one for one in below if one["title"].startswith("BOTS")]
    rows = [
        labels for target in bots["targets"] for labels, _ in ask(target["expr"], "alive", situations.END)
    ]
    verdicts = {labels["bot"]: labels["level"] for labels in rows if "level" in labels}
    assert verdicts.keys() == situations.SITUATIONS.keys()
    assert (verdicts["alive"], verdicts["planned"], verdicts["disconnected"]) == ("ok", "planned", "act")


def test_the_choice_of_bots_holds_them_all_when_the_exporter_is_gone(ask: Ask) -> None:
    content = json.loads(Path(DASHBOARDS / "live.json").read_text())
    definition = content["templating"]["list"][2]["definition"]
    expression = re.fullmatch(r"query_result\((.*)\)", definition)
    assert expression
    assert {labels["bot"] for labels, _ in ask(expression[1], "", GONE)} == situations.SITUATIONS.keys()
