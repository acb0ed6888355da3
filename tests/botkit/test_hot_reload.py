"""Settings at start and while the bot runs: what is taken, what is refused, with which words."""

import dataclasses
import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.hot_reload import (
    InvalidSettings,
    Refused,
    RequiresRestart,
    SettingsStore,
    UnknownKey,
    catalogue,
    from_env,
    setting,
)
from botkit.setting_values import Amounts


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    live: bool = setting(False, key="ARB_LIVE_MODE", category="safety", risk="up")
    cap: float = setting(
        10.0,
        key="ARB_CAP",
        category="safety",
        unit="USD",
        minimum=0,
        maximum=1e6,
        risk="up",
        help="Loss a day.",
    )
    contracts: int = setting(100, key="ARB_CONTRACTS", category="sizing", minimum=1, maximum=1000)
    edge: float | None = setting(None, key="ARB_EDGE", category="lanes", minimum=0, maximum=1)
    scope: str = setting("market", key="ARB_SCOPE", category="cooldowns", choices=("market", "market_side"))
    depth: int = setting(-1, key="ARB_DEPTH", category="runtime", maximum=0, unit="levels")
    name: str = setting("bot", key="ARB_NAME", category="runtime")
    bankroll: Amounts = setting((("kalshi", 250.0),), key="ARB_BANKROLL", category="sizing", minimum=0)  # noqa: RUF009 - immutable
    port: int = setting(9120, key="ARB_PORT", category="runtime", hot=False)

    def __post_init__(self) -> None:
        if self.live and self.cap == 0:
            raise ValueError("ARB_LIVE_MODE needs ARB_CAP above 0")


@pytest.fixture
def store() -> SettingsStore[Settings]:
    return SettingsStore(Settings())


TAKEN = [
    ("ARB_LIVE_MODE", True, True),
    ("ARB_LIVE_MODE", " Yes ", True),
    ("ARB_LIVE_MODE", "off", False),
    ("ARB_CAP", 50, 50.0),
    ("ARB_CAP", "50.5", 50.5),
    ("ARB_CAP", "1e3", 1000.0),
    ("ARB_CAP", ".5", 0.5),
    ("ARB_CONTRACTS", 50, 50),
    ("ARB_CONTRACTS", " +50 ", 50),
    ("ARB_EDGE", 0.02, 0.02),
    ("ARB_EDGE", None, None),
    ("ARB_EDGE", "  ", None),
    ("ARB_SCOPE", "market_side", "market_side"),
    ("ARB_NAME", "any text", "any text"),
    ("ARB_BANKROLL", "polymarket=100, kalshi=250", {"kalshi": 250.0, "polymarket": 100.0}),
    ("ARB_BANKROLL", {"kalshi": 1}, {"kalshi": 1.0}),
]


@pytest.mark.parametrize(("key", "value", "typed"), TAKEN)
def test_a_value_that_fits_is_taken_typed(
    store: SettingsStore[Settings], key: str, value: object, typed: object
) -> None:
    before = store.snapshot()
    change = store.update(key, value)
    assert (change.key, change.old, change.new) == (key, before[key], typed)
    assert store.snapshot() == {**before, key: typed}
    assert type(store.snapshot()[key]) is type(typed)


REFUSED = [
    ("ARB_LIVE_MODE", "maybe", 'expected true or false, got "maybe"'),
    ("ARB_LIVE_MODE", 1, "expected true or false, got 1"),
    ("ARB_LIVE_MODE", None, "expected true or false, got null"),
    ("ARB_CAP", "ten", 'expected a number from 0 to 1e+06 USD, got "ten"'),
    ("ARB_CAP", "", 'expected a number from 0 to 1e+06 USD, got ""'),
    ("ARB_CAP", True, "expected a number from 0 to 1e+06 USD, got true"),
    ("ARB_CAP", math.nan, "expected a number from 0 to 1e+06 USD, got NaN"),
    ("ARB_CAP", math.inf, "expected a number from 0 to 1e+06 USD, got Infinity"),
    ("ARB_CAP", "nan", 'expected a number from 0 to 1e+06 USD, got "nan"'),
    ("ARB_CAP", "1e999", 'expected a number from 0 to 1e+06 USD, got "1e999"'),
    ("ARB_CAP", "1_000", 'expected a number from 0 to 1e+06 USD, got "1_000"'),
    pytest.param(
        "ARB_CAP", 10**5000, "expected a number from 0 to 1e+06 USD, got a number of many digits", id="digits"
    ),
    ("ARB_CAP", -0.01, "expected a number from 0 to 1e+06 USD, got -0.01"),
    ("ARB_CAP", [1], "expected a number from 0 to 1e+06 USD, got [1]"),
    ("ARB_CONTRACTS", 50.0, "expected a whole number from 1 to 1000, got 50.0"),
    ("ARB_CONTRACTS", "50.0", 'expected a whole number from 1 to 1000, got "50.0"'),
    ("ARB_CONTRACTS", "٥", 'expected a whole number from 1 to 1000, got "\\u0665"'),
    ("ARB_CONTRACTS", 0, "expected a whole number from 1 to 1000, got 0"),
    ("ARB_CONTRACTS", True, "expected a whole number from 1 to 1000, got true"),
    ("ARB_EDGE", 1.5, "expected a number from 0 to 1 or blank to inherit, got 1.5"),
    ("ARB_SCOPE", "side", 'expected one of market, market_side, got "side"'),
    ("ARB_DEPTH", 1, "expected a whole number up to 0 levels, got 1"),
    ("ARB_NAME", "", 'expected text, got ""'),
    ("ARB_NAME", 5, "expected text, got 5"),
    ("ARB_BANKROLL", "kalshi", 'expected amounts like kalshi=250,polymarket=100, each from 0, got "kalshi"'),
    (
        "ARB_BANKROLL",
        "a=1,a=2",
        'expected amounts like kalshi=250,polymarket=100, each from 0, got "a=1,a=2"',
    ),
    (
        "ARB_BANKROLL",
        {"a": -1},
        'expected amounts like kalshi=250,polymarket=100, each from 0, got {"a": -1}',
    ),
    ("ARB_BANKROLL", "", 'expected amounts like kalshi=250,polymarket=100, each from 0, got ""'),
    ("ARB_NAME", ["x" * 99], 'expected text, got ["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'),
]


@pytest.mark.parametrize(("key", "value", "sentence"), REFUSED)
def test_a_value_that_does_not_fit_is_refused_with_what_was_expected_and_changes_nothing(
    store: SettingsStore[Settings], key: str, value: object, sentence: str
) -> None:
    before = store.current
    with pytest.raises(Refused) as refused:
        store.update(key, value)
    assert str(refused.value) == sentence
    assert store.current is before


@pytest.mark.parametrize("key", ["ARB_NOPE", "live", "", None, 5, ["ARB_CAP"]])
def test_an_unknown_key_is_refused_by_its_name(store: SettingsStore[Settings], key: object) -> None:
    with pytest.raises(UnknownKey) as refused:
        store.update(key, 1)
    assert str(refused.value) == f"unknown key: {key}"


def test_what_is_read_at_start_only_answers_requires_restart(store: SettingsStore[Settings]) -> None:
    with pytest.raises(RequiresRestart, match=r"^requires_restart$"):
        store.update("ARB_PORT", 9121)
    assert store.current.port == 9120


def test_what_settings_must_fulfil_together_holds_after_a_change_too(store: SettingsStore[Settings]) -> None:
    store.update("ARB_LIVE_MODE", True)
    with pytest.raises(Refused, match="ARB_LIVE_MODE needs ARB_CAP above 0"):
        store.update("ARB_CAP", 0)
    assert store.current == Settings(live=True)


def test_a_command_line_override_outlives_every_later_change() -> None:
    loaded = from_env(Settings, {"ARB_CAP": "20"}, {"ARB_LIVE_MODE": True, "ARB_PORT": 0, "ARB_EDGE": None})
    store = SettingsStore(loaded.settings)
    store.update("ARB_CONTRACTS", 5)
    with pytest.raises(Refused):
        store.update("ARB_CONTRACTS", "bad")
    store.update("ARB_CAP", 30)
    assert store.current == Settings(live=True, port=0, contracts=5, cap=30.0)


def test_the_command_line_goes_before_the_environment_and_blank_means_default() -> None:
    loaded = from_env(Settings, {"ARB_CAP": "20", "ARB_CONTRACTS": " ", "ARB_EDGE": ""}, {"ARB_CAP": 7})
    assert loaded.settings == Settings(cap=7.0)
    assert loaded.warnings == ()


def test_all_faults_at_start_are_told_together() -> None:
    environ = {"ARB_CAP": "ten", "ARB_CONTRACTS": "1.5", "ARB_LIVE_MODE": "true"}
    with pytest.raises(InvalidSettings) as invalid:
        from_env(Settings, environ, {"ARB_NOPE": 1})
    assert invalid.value.faults == (
        'ARB_CAP: expected a number from 0 to 1e+06 USD, got "ten"',
        'ARB_CONTRACTS: expected a whole number from 1 to 1000, got "1.5"',
        "unknown key: ARB_NOPE",
    )


def test_settings_that_do_not_go_together_are_a_fault_at_start() -> None:
    with pytest.raises(InvalidSettings, match="ARB_LIVE_MODE needs ARB_CAP above 0"):
        from_env(Settings, {"ARB_LIVE_MODE": "1", "ARB_CAP": "0"})


def test_variables_that_look_like_settings_but_are_none_are_named() -> None:
    environ = {"ARB_CAPP": "1", "ARB_ZZZZ": "1", "ARB_KILL_KALSHI": "1", "PATH": "/bin"}
    loaded = from_env(Settings, environ, also_known=lambda name: name.startswith("ARB_KILL_"))
    assert loaded.warnings == (
        "ARB_CAPP is no setting of this bot; did you mean ARB_CAP?",
        "ARB_ZZZZ is no setting of this bot",
    )


def test_the_catalogue_tells_everything_about_a_setting() -> None:
    listed = catalogue(Settings)
    assert list(listed) == ["live", "cap", "contracts", "edge", "scope", "depth", "name", "bankroll", "port"]
    cap = listed["cap"]
    assert (cap.key, cap.kind, cap.default, cap.category, cap.unit) == (
        "ARB_CAP",
        float,
        10.0,
        "safety",
        "USD",
    )
    assert (cap.minimum, cap.maximum, cap.hot, cap.risk, cap.help) == (0, 1e6, True, "up", "Loss a day.")
    assert (listed["edge"].optional, listed["cap"].optional, listed["port"].hot) == (True, False, False)


def test_a_type_that_settings_cannot_have_is_found_at_once() -> None:
    @dataclasses.dataclass(frozen=True)
    class Odd:
        a: bytes = setting(b"", key="ARB_A", category="x")

    with pytest.raises(TypeError, match="a setting can't be of type"):
        SettingsStore(Odd())


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["1", "0.5", "yes"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.lists(st.tuples(st.sampled_from(list(SettingsStore(Settings()).snapshot())), ANYTHING), max_size=15)
)
def test_after_any_changes_every_setting_is_typed_finite_and_in_range(
    changes: list[tuple[str, object]],
) -> None:
    store = SettingsStore(Settings())
    for key, value in changes:
        before = store.snapshot()
        try:
            change = store.update(key, value)
        except Refused as exc:
            assert str(exc)
            assert store.snapshot() == before
        else:
            assert store.snapshot() == {**before, key: change.new}
    now = store.current
    assert type(now.live) is bool
    assert type(now.contracts) is int
    assert 1 <= now.contracts <= 1000
    assert type(now.cap) is float
    assert 0 <= now.cap <= 1e6
    assert now.edge is None or 0 <= now.edge <= 1
    assert now.scope in ("market", "market_side")
    assert all(math.isfinite(amount) and amount >= 0 for _, amount in now.bankroll)
    assert now.port == 9120


def test_changes_from_many_threads_are_all_kept() -> None:
    store = SettingsStore(Settings())
    keys = {"ARB_CAP": 5, "ARB_CONTRACTS": 7, "ARB_EDGE": 0.5, "ARB_NAME": "x"}

    def change(key: str, value: object) -> None:
        for _ in range(200):
            store.update(key, value)

    threads = [threading.Thread(target=change, args=item) for item in keys.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.current == Settings(cap=5.0, contracts=7, edge=0.5, name="x")
