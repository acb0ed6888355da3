"""Every setting that can change while the bot runs: changed over a running engine's socket, seen to work."""

import math
from pathlib import Path

import pytest

from arb_bot.settings import Settings
from botkit.hot_reload import catalogue
from botkit.setting_values import Setting
from tests.arb_bot.setting_rows import ROWS, Row
from tests.arb_bot.setting_scenes import PLAIN, cross
from tests.arb_bot.stage import Stage

CATALOGUE: dict[str, Setting] = {declared.key: declared for declared in catalogue(Settings).values()}


def test_every_setting_has_a_row_or_needs_a_restart() -> None:
    hot = [key for key, declared in CATALOGUE.items() if declared.hot]
    assert sorted(row.key for row in ROWS) == sorted(hot)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_a_change_works_from_the_next_cycle_and_a_refused_one_not_at_all(
    row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path, row.scene, PLAIN | row.base, monkeypatch)
    try:
        stage.after(2)
        assert row.look(stage.after(row.cycles)) == row.before
        snapshot = stage.settings.snapshot()
        for refused in wrong_values(CATALOGUE[row.key]):
            reply = stage.update(row.key, refused)
            assert reply["ok"] is False, refused
            assert reply["error"].startswith("expected "), refused
        assert stage.settings.snapshot() == snapshot
        assert row.look(stage.after(row.cycles)) == row.before
        reply = stage.update(row.key, row.value)
        assert (reply["ok"], reply["key"], reply["old"]) == (True, row.key, snapshot[row.key])
        states = stage.after(row.cycles)
        assert row.look(states) == row.after
        assert states[0]["config_snapshot"] == snapshot | {row.key: row.value}
    finally:
        stage.close()


@pytest.mark.parametrize("key", [key for key, declared in CATALOGUE.items() if not declared.hot])
def test_what_is_read_at_start_only_is_answered_so(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path, cross(), PLAIN, monkeypatch)
    try:
        snapshot = stage.settings.snapshot()
        reply = stage.update(key, CATALOGUE[key].default)
        assert (reply["ok"], reply["error"]) == (False, "requires_restart")
        assert stage.after(1)[-1]["config_snapshot"] == snapshot
    finally:
        stage.close()


def test_the_documented_eleven_are_there() -> None:
    documented = {
        "ARB_LIVE_MODE",
        "ARB_DAILY_LOSS_CAP_USD",
        "ARB_MAX_DOLLARS_PER_TRADE",
        "ARB_MAX_CONTRACTS_PER_TRADE",
        "ARB_MAX_BANKROLL_FRACTION_PER_TRADE",
        "ARB_MARKET_COOLDOWN_SECONDS",
        "ARB_LANE_STRUCTURAL_BUCKET_ENABLED",
        "ARB_LANE_CROSS_ENABLED",
        "ARB_LANE_STRUCTURAL_PARITY_ENABLED",
        "ARB_MAX_BUCKET_LEGS",
        "ARB_MAX_BUCKET_CONSECUTIVE_FAILURES",
    }
    assert documented <= CATALOGUE.keys()


def test_every_setting_says_what_it_is_and_does() -> None:
    for key, declared in CATALOGUE.items():
        assert declared.help, key
        assert declared.category, key
        numeric = declared.kind in (int, float)
        assert not numeric or not declared.key.endswith(("_USD", "_SECONDS", "_DAYS")) or declared.unit, key


def wrong_values(declared: Setting) -> list[object]:
    """Values that a setting does not take, of every sort."""
    wrong: list[object] = [[], {}, "no such value", math.nan, math.inf]
    if declared.kind is not bool:
        wrong.append(True)
    if declared.kind is int:
        wrong += [1.5, "50.0"]
    if declared.minimum is not None:
        wrong.append(declared.minimum - 1)
    if declared.maximum is not None:
        wrong.append(declared.maximum + 1)
    if not declared.optional:
        wrong += [None, ""]
    return wrong
