"""The catalogues hold every setting, say the same as the bots themselves, and their faults are all found."""

import math
from pathlib import Path

import pytest

from arb_bot.settings import Settings
from botkit.hot_reload import catalogue as declared_by
from botkit.setting_values import Setting
from exporter.config_faults import ConfigError
from exporter.control.catalogue import FOLDER, catalogue, load
from exporter.control.parameter import BadValue, Parameter, same
from exporter.state import is_credential

ARB = catalogue("arb")
BOTS_OWN: dict[str, Setting] = {s.key: s for s in declared_by(Settings).values()}
TYPES = {bool: "switch", int: "integer", float: "number", str: "text", tuple: "amounts"}
CATEGORIES = {
    "safety": "Safety Rails",
    "sizing": "Sizing",
    "lanes": "Lanes",
    "fill_model": "Lanes",
    "time_regime": "Lanes",
    "bucket_quality": "Bucket Quality",
    "cooldowns": "Cooldowns",
    "runtime": "Exchange",
    "venues": "Exchange",
}
DEPLOYED_HOT = {
    "ARB_LIVE_MODE": "effective",
    "ARB_DAILY_LOSS_CAP_USD": "shown",
    "ARB_MAX_DOLLARS_PER_TRADE": "effective",
    "ARB_MAX_CONTRACTS_PER_TRADE": "shown",
    "ARB_MAX_BANKROLL_FRACTION_PER_TRADE": "shown",
    "ARB_MARKET_COOLDOWN_SECONDS": "shown",
    "ARB_LANE_STRUCTURAL_BUCKET_ENABLED": "shown",
    "ARB_LANE_CROSS_ENABLED": "shown",
    "ARB_LANE_STRUCTURAL_PARITY_ENABLED": "shown",
    "ARB_MAX_BUCKET_LEGS": "shown",
    "ARB_MAX_BUCKET_CONSECUTIVE_FAILURES": "shown",
}
"""What deployed bots take while they run, and which of it does anything there."""


def test_nothing_is_missing_on_either_side() -> None:
    assert set(ARB.of(own=True)) == set(BOTS_OWN)


@pytest.mark.parametrize("key", BOTS_OWN)
def test_a_setting_is_described_as_the_bot_declares_it(key: str) -> None:
    declared, described = BOTS_OWN[key], ARB.parameters[key]
    assert described.type == TYPES[declared.kind]
    assert described.category == CATEGORIES[declared.category]
    assert (described.optional, described.unit, described.choices) == (
        declared.optional,
        declared.unit,
        declared.choices,
    )
    assert same(described.parse(described.default), declared.wire(declared.default))
    assert (described.restart is None) == declared.hot
    assert described.risk == declared.risk
    assert described.help == declared.help


@pytest.mark.parametrize("key", BOTS_OWN)
def test_every_bound_is_finite_and_lets_nothing_through_that_the_bot_refuses(key: str) -> None:
    declared, described = BOTS_OWN[key], ARB.parameters[key]
    if described.minimum is None or described.maximum is None:
        assert declared.minimum is declared.maximum is None
        return
    assert math.isfinite(described.minimum) and math.isfinite(described.maximum)
    assert declared.minimum in {None, described.minimum}
    assert declared.maximum in {None, described.maximum}
    if described.type != "amounts":
        for bound in (described.minimum, described.maximum):
            exact = int(bound) if described.type == "integer" else bound
            assert declared.parse(described.parse(exact)) == exact


def test_what_zero_switches_off_counts_as_unlimited() -> None:
    unlimited = {key for key, p in ARB.parameters.items() if p.own and p.zero_is_unlimited}
    words = ("0 switches", "0 takes all", "0 joins any")
    said = {k for k, s in BOTS_OWN.items() if s.risk == "up" and any(word in s.help for word in words)}
    assert unlimited == said


def test_deployed_bots_take_the_eleven_and_two_of_them_do_something() -> None:
    assert {k: p.deployed for k, p in ARB.parameters.items() if p.deployed != "refused"} == DEPLOYED_HOT
    for key, effect in DEPLOYED_HOT.items():
        assert ARB.parameters[key].refusal(own=False) is None
        assert ARB.parameters[key].observable(own=False) == (effect == "effective")
    assert "start only" in str(ARB.parameters["ARB_MAX_CONSECUTIVE_FAILURES"].refusal(own=False))
    assert ARB.parameters["ARB_MAX_CONSECUTIVE_FAILURES"].refusal(own=True) is None


def test_what_only_others_have_is_no_setting_of_our_bot() -> None:
    assert ARB.parameters["ARB_STREAM_MODE"].refusal(own=True) == "this bot has no such setting"


@pytest.mark.parametrize("kind", ["arb", "ema"])
def test_every_setting_has_a_sentence_and_none_is_a_credential(kind: str) -> None:
    for key, parameter in catalogue(kind).parameters.items():
        assert parameter.help and not parameter.help.endswith("."), key
        assert not is_credential(key)
    assert catalogue(kind).mode_setting in catalogue(kind).parameters


def test_the_six_categories_of_the_design_come_first() -> None:
    assert ARB.categories[:6] == (
        "Safety Rails",
        "Sizing",
        "Lanes",
        "Bucket Quality",
        "Cooldowns",
        "Exchange",
    )


def test_the_files_travel_with_the_package() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {"arb.yml", "ema.yml"}
    assert FOLDER.parent.name == "exporter"


def test_all_faults_of_a_catalogue_are_said_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "arb.yml"
    file.write_text(
        """\
kind: arb
categories: {safety: Safety Rails}
settings:
  safety:
    GOOD: {type: integer, minimum: 0, maximum: 9, default: 3, help: fine}
    NO_RANGE: {type: integer, default: 3, help: a number without bounds}
    NO_HELP: {type: switch, default: true}
    ENDLESS: {type: number, minimum: 0, maximum: .inf, default: 3, help: no end}
    WRONG: {type: integer, minimum: 0, maximum: 9, default: 10, help: outside}
    SORT: {type: float, default: 1, help: what is a float}
    TYPO: {type: switch, defalt: true, help: misspelt}
"""
    )
    with pytest.raises(ConfigError) as caught:
        load(file)
    found = [str(fault) for fault in caught.value.faults]
    assert [line.split(":")[0] for line in found] == [f"line {n}" for n in (6, 7, 8, 9, 10, 11, 11)]
    assert "expected a whole number from 0 to 9, got 10" in found[3]
    assert "did you mean `default`?" in found[5] or "did you mean `default`?" in found[6]


def test_faults_between_settings_are_said_too(tmp_path: Path) -> None:
    file = tmp_path / "arb.yml"
    file.write_text(
        """\
kind: arb
categories: {safety: Safety Rails}
settings:
  safety:
    API_SECRET: {type: text, default: x, help: a secret}
    B: {type: switch, optional: true, default: null, inherits: [NOT_THERE], help: blank}
  other:
    B: {type: switch, default: true, help: again}
"""
    )
    with pytest.raises(ConfigError) as caught:
        load(file)
    text = str(caught.value)
    assert "line 5: settings.safety.API_SECRET looks like a credential" in text
    assert "names NOT_THERE, which is no setting here" in text
    assert "line 7: settings.other has no title" in text
    assert "line 8: settings.other.B stands under `safety`, too" in text


def test_a_catalogue_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.yml")


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        ("ARB_MAX_CONTRACTS_PER_TRADE", 50, 50),
        ("ARB_MAX_CONTRACTS_PER_TRADE", " 50 ", 50),
        ("ARB_DAILY_LOSS_CAP_USD", "15.5", 15.5),
        ("ARB_DAILY_LOSS_CAP_USD", 15, 15),
        ("ARB_LANE_CROSS_ENABLED", "off", False),
        ("ARB_LANE_CROSS_ENABLED", True, True),
        ("ARB_MARKET_COOLDOWN_SCOPE", "market_side", "market_side"),
        ("ARB_LANE_CROSS_KELLY_FRACTION_CAP", "", None),
        ("ARB_LANE_CROSS_KELLY_FRACTION_CAP", None, None),
        ("ARB_BANKROLL_BY_VENUE", "kalshi=250, polymarket=1e2", {"kalshi": 250.0, "polymarket": 100.0}),
    ],
)
def test_a_good_value_is_read_as_what_it_is(key: str, raw: object, value: object) -> None:
    read = ARB.parameters[key].parse(raw)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("key", "raw", "got"),
    [
        ("ARB_MAX_CONTRACTS_PER_TRADE", 50.0, "got 50.0"),
        ("ARB_MAX_CONTRACTS_PER_TRADE", "50.0", "got '50.0'"),
        ("ARB_MAX_CONTRACTS_PER_TRADE", True, "got True"),
        ("ARB_MAX_CONTRACTS_PER_TRADE", 10**400, "got a number of many digits"),
        ("ARB_MAX_CONTRACTS_PER_TRADE", None, "got blank"),
        ("ARB_DAILY_LOSS_CAP_USD", math.nan, "got nan"),
        ("ARB_DAILY_LOSS_CAP_USD", math.inf, "got inf"),
        ("ARB_DAILY_LOSS_CAP_USD", "1e999", "got '1e999'"),
        ("ARB_DAILY_LOSS_CAP_USD", -1, "from 0 to 1000000 USD, got -1"),
        ("ARB_DAILY_LOSS_CAP_USD", "1_000", "got '1_000'"),
        ("ARB_DAILY_LOSS_CAP_USD", [], "got []"),
        ("ARB_LANE_CROSS_ENABLED", "maybe", "true or false, got 'maybe'"),
        ("ARB_LANE_CROSS_ENABLED", 1, "got 1"),
        ("ARB_MARKET_COOLDOWN_SCOPE", "town", "one of market, market_side"),
        ("ARB_BANKROLL_BY_VENUE", "kalshi=-1", "got 'kalshi=-1'"),
        ("ARB_BANKROLL_BY_VENUE", {"kalshi": "x"}, "amounts like"),
        ("ARB_KILL_SWITCH_FILE", "two\nlines", "text on one line"),
    ],
)
def test_a_bad_value_is_refused_with_what_was_expected(key: str, raw: object, got: str) -> None:
    with pytest.raises(BadValue) as caught:
        ARB.parameters[key].parse(raw)
    assert got in str(caught.value) and "\n" not in str(caught.value)


def raises(key: str, before: object, after: object, settings: dict[str, object] | None = None) -> bool:
    parameter: Parameter = ARB.parameters[key]
    return parameter.raises_risk(before, parameter.parse(after), settings or {})


def test_the_direction_of_risk_is_decided_from_both_values() -> None:
    assert raises("ARB_DAILY_LOSS_CAP_USD", 10, 15)
    assert not raises("ARB_DAILY_LOSS_CAP_USD", 15, 10)
    assert raises("ARB_DAILY_LOSS_CAP_USD", 10, 0), "0 is no cap at all"
    assert not raises("ARB_DAILY_LOSS_CAP_USD", 0, 10)
    assert raises("ARB_LANE_CROSS_ENABLED", False, True)
    assert not raises("ARB_LANE_CROSS_ENABLED", True, False)
    assert raises("ARB_MIN_NET_EDGE_PER_CONTRACT", 0.02, 0.01)
    assert not raises("ARB_MIN_NET_EDGE_PER_CONTRACT", 0.01, 0.02)
    assert raises("ARB_CANARY_MODE", True, False)
    assert not raises("ARB_POLL_INTERVAL_SECONDS", 60, 5)
    assert not raises("ARB_DAILY_LOSS_CAP_USD", 10, 10.0)


def test_an_unknown_value_before_counts_as_raising() -> None:
    assert raises("ARB_DAILY_LOSS_CAP_USD", None, 1)
    assert raises("ARB_LANE_CROSS_ENABLED", "?", False)


def test_a_blank_is_judged_by_what_it_inherits() -> None:
    key, known = "ARB_LANE_CROSS_KELLY_FRACTION_CAP", {"ARB_KELLY_FRACTION_CAP": 0.5}
    assert raises(key, 0.3, "", known)
    assert not raises(key, 0.8, "", known)
    assert raises(key, "", 0.8, known)
    assert not raises(key, "", 0.4, known)
    assert raises(key, 0.8, "", {}), "what it would inherit is not known"
    assert raises("ARB_LANE_CROSS_KELLY_FRACTION_MULTIPLIER", 0.5, "")
    assert not raises("ARB_LANE_CROSS_KELLY_FRACTION_MULTIPLIER", 2, "")
    kelly = {"ARB_ENABLE_EXECUTION_AWARE_KELLY": True}
    assert not raises("ARB_LANE_CROSS_USE_EXECUTION_AWARE_KELLY", "", True, kelly)
    assert raises("ARB_LANE_CROSS_USE_EXECUTION_AWARE_KELLY", "", False, kelly)


def test_a_blank_edge_may_inherit_either_threshold() -> None:
    key = "ARB_LANE_CROSS_MIN_NET_EDGE_PER_CONTRACT"
    known = {"ARB_MIN_NET_EDGE_PER_CONTRACT": 0.01, "ARB_DISCOVERY_MIN_NET_EDGE_PER_CONTRACT": -0.01}
    assert raises(key, 0.005, "", known)
    assert not raises(key, -0.02, "", known)


def test_values_are_the_same_as_far_as_they_survive_being_written() -> None:
    assert same(0.1 + 0.2, 0.3) and same(10, 10.0) and same(None, "") and same({"a": 1}, {"a": 1.0})
    assert not same(True, 1) and not same(1, 1.001) and not same(None, 0) and not same("a", "b")
    assert not same({"a": 1}, {"b": 1})
