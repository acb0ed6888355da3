"""Live and System in every situation, query by query: what the exporter says, asked of a real Prometheus."""

import json
import re
from pathlib import Path

import pytest

from grafana import palette
from grafana.__main__ import DASHBOARDS
from tests.grafana import situations, worlds
from tests.grafana.wall import Prometheus, look, read

pytestmark = pytest.mark.stack

GONE = situations.END + 60
"""When the exporter's last scrape is a minute old."""
FILLS = (palette.NEUTRAL, palette.BLUE, palette.DIM_PURPLE, palette.PURPLE, palette.AMBER, palette.RED)
GREY, BLUE, DIM, PURPLE, AMBER, RED = FILLS


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
def test_each_tile_of_live_says_one_thing_and_the_right_one(bot: str, ask: Prometheus) -> None:
    for tile, (pattern, colour) in PICTURES[bot].items():
        said = look(ask, "live", tile, bot)
        assert len(said) == 1, f"{tile}: {[str(one) for one in said]}"
        assert re.fullmatch(pattern, str(said[0])), f"{tile}: {said[0]}"
        assert said[0].colour == colour, f"{tile}: {said[0]}"


@pytest.mark.parametrize("bot", situations.SITUATIONS)
def test_no_tile_ever_says_two_things(bot: str, ask: Prometheus) -> None:
    for at in (situations.END, situations.CROWD, GONE):
        for tile in (MODE, AGE, CAP, PNL, EXPOSED, FILL, KILL):
            assert len(look(ask, "live", tile, bot, at)) == 1, (tile, at)


def test_every_tile_is_blind_once_the_exporter_is_gone(ask: Prometheus) -> None:
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
def test_the_verdict_is_the_worst_of_all_bots_and_blind_without_one(page: str, ask: Prometheus) -> None:
    (worst,) = look(ask, page, "VERDICT", "alive")
    assert re.match(r"ACT NOW · \w+ [A-Z].* · \d+ (s|min) · \+\d+ more \|", str(worst)), worst
    assert worst.colour == RED
    assert float(worst.text) > 0
    (blind,) = look(ask, page, "VERDICT", "alive", GONE)
    assert (blind.name, blind.colour) == ("BLIND · the exporter says nothing", PURPLE)


def test_none_firing_is_said_only_while_the_rules_are_evaluated(ask: Prometheus) -> None:
    (none,) = look(ask, "live", "ALERTS", "alive")
    assert str(none) == "NONE FIRING · rules evaluated | 0"
    (blind,) = look(ask, "live", "ALERTS", "alive", GONE)
    assert (str(blind), blind.colour) == ("ALERTS · rules are not evaluated | BLIND", PURPLE)


def test_the_worst_alerts_come_first_and_what_does_not_fit_is_counted(ask: Prometheus) -> None:
    rows = look(ask, "live", "ALERTS", "alive", situations.CROWD)
    assert [str(row) for row in rows] == [
        "CRITICAL · Trouble1 · alive | 51",
        "CRITICAL · Trouble0 · alive | 50",
        "WARNING · Trouble6 · alive | 56",
        "WARNING · Trouble5 · alive | 55",
        "AND MORE · see System | 3",
    ]


def test_an_alert_says_who_has_it(ask: Prometheus) -> None:
    said = look(ask, "live", "ALERTS", "alive", situations.HELD)
    assert "CRITICAL · Trouble0 · alive · ann has it" in {row.name for row in said}
    assert "CRITICAL · Trouble1 · alive" in {row.name for row in said}


def test_capital_over_its_limit_is_red_and_at_its_limit_is_not(ask: Prometheus) -> None:
    rows = look(ask, "live", "Free cash", "full")
    assert [(row.name, row.colour) for row in rows] == [
        ("polymarket · $100 free · $230 of $200 locked", RED),
        ("kalshi · $200 free · $200 of $200 locked", GREY),
    ]


def lanes(ask: Prometheus, page: str, bot: str, *, label: str = "") -> dict[str, str]:
    """What the page's timeline says at the end, in words: by the label of its series, else by its lanes."""
    content = json.loads((DASHBOARDS / f"{page}.json").read_text())["panels"]
    (timeline,) = [one for one in content if one["type"] == "state-timeline"]
    words = timeline["fieldConfig"]["defaults"]["mappings"][0]["options"]
    return {
        labels[label] if label else target["legendFormat"]: words[f"{value:g}"]["text"]
        for target in timeline["targets"]
        for labels, value in ask(target["expr"], bot, situations.END)
    }


def test_a_stream_that_is_not_as_it_should_be_has_its_code(ask: Prometheus) -> None:
    said = lanes(ask, "live", "degraded", label="venue")
    assert said == {"kalshi": "DEGRADED", "polymarket": "CONNECTED", "gemini": "OTHER"}
    assert set(lanes(ask, "live", "disconnected", label="venue").values()) == {"NOT REPORTED"}
    never = lanes(ask, "live", "awaiting", label="venue")
    assert never == {"venues": "NOT REPORTED"}, "without a series Grafana would speak of time fields"


def test_a_venue_in_planned_quiet_is_planned_whatever_its_stream_says(ask: Prometheus) -> None:
    said = lanes(ask, "live", "venue planned", label="venue")
    assert said == {"kalshi": "PLANNED", "polymarket": "CONNECTED"}
    assert set(lanes(ask, "live", "venues planned", label="venue").values()) == {"PLANNED"}


@pytest.mark.parametrize(
    ("bot", "lane", "figure"),
    [
        ("alive", "none", None),
        ("planned", "PLANNED", "planned quiet, for another"),
        ("overrun", "OVERRUN", "planned quiet ended, not back, for"),
    ],
)
def test_planned_quiet_and_what_is_past_its_end_are_two_things(
    bot: str, lane: str, figure: str | None, ask: Prometheus
) -> None:
    assert lanes(ask, "system", bot)["planned"] == lane
    rows = {row.name: row for row in look(ask, "system", "LINK", bot) if row.name.startswith("planned")}
    assert set(rows) == ({figure} if figure else set())
    if bot == "overrun":
        (row,) = rows.values()
        assert (row.text, row.colour) == ("100", AMBER)


# Link of the chain: situation: what it says, its colour.
CHAIN = {
    "VENUES": {
        "alive": ("VENUES → | 1", GREY),
        "degraded": ("of 3 VENUES | 1", AMBER),
        "disconnected": ("DISCONNECTED | VENUES ?", DIM),
        "venue planned": ("VENUES → | 1", GREY),
        "venues planned": ("VENUES → | PLANNED", BLUE),
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
        "overrun": ("SOCKET → | DOWN", RED),
    },
    "EXPORTER": {"alive": ("unread corrupt | LEDGER", AMBER)},
    "SCRAPE": {"alive": ("SCRAPE → | 0", GREY)},
    "ALERT DELIVERY": {"alive": ("WATCHDOG | NEVER", AMBER)},
}


@pytest.mark.parametrize("link", CHAIN)
def test_each_link_of_the_chain_says_one_thing_and_the_right_one(link: str, ask: Prometheus) -> None:
    for bot, expected in CHAIN[link].items():
        (said,) = look(ask, "system", link, bot)
        assert (str(said), said.colour) == expected


def test_the_links_behind_a_broken_one_do_not_pretend_to_be_seen(ask: Prometheus) -> None:
    for link in ("VENUES", "BOT LOOP", "SOCKET"):
        (said,) = look(ask, "system", link, "alive", GONE)
        assert said.name == "BLIND"
        assert said.colour == DIM


def test_the_decisions_add_up_and_the_most_frequent_come_first(ask: Prometheus) -> None:
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


def test_the_list_of_bots_has_each_with_its_verdict(ask: Prometheus) -> None:
    content = json.loads((DASHBOARDS / "system.json").read_text())
    below = [one for row in content["panels"] for one in row.get("panels", [])]
    (bots,) = [one for one in below if one["title"].startswith("BOTS")]
    rows = [
        labels for target in bots["targets"] for labels, _ in ask(target["expr"], "alive", situations.END)
    ]
    verdicts = {labels["bot"]: labels["level"] for labels in rows if "level" in labels}
    assert verdicts.keys() == situations.SITUATIONS.keys()
    assert (verdicts["alive"], verdicts["planned"], verdicts["disconnected"]) == ("ok", "planned", "act")


def test_the_choice_of_bots_holds_them_all_when_the_exporter_is_gone(ask: Prometheus) -> None:
    content = json.loads(Path(DASHBOARDS / "live.json").read_text())
    definition = content["templating"]["list"][2]["definition"]
    expression = re.fullmatch(r"query_result\((.*)\)", definition)
    assert expression
    known = {labels["bot"] for labels, _ in ask(expression[1], "", GONE)}
    assert known == {*situations.SITUATIONS, worlds.BOT}
