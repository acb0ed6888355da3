"""Profiles as files: those that come with the bot are whole, a wrong one is refused in one sentence."""

from pathlib import Path

import pytest

from arb_bot import StartRefused
from arb_bot.command_line import parser, read_settings
from arb_bot.profiles import names, profile
from arb_bot.settings import Settings
from botkit.hot_reload import catalogue, from_env


def loaded(*arguments: str, **environ: str) -> Settings:
    return read_settings(parser().parse_args(arguments), environ).current


@pytest.mark.parametrize("name", names())
def test_every_profile_that_comes_with_the_bot_can_be_loaded_and_stays_on_paper(name: str) -> None:
    assert not from_env(Settings, profile(name)).settings.live_mode
    assert name in parser().format_help()


def test_the_live_starter_is_the_documented_one() -> None:
    settings = loaded("--profile", "live-starter")
    assert (settings.daily_loss_cap, settings.max_consecutive_failures) == (10.0, 5)
    canary = (settings.canary_mode, settings.canary_max_dollars, settings.canary_max_contracts)
    assert canary == (True, 15.0, 30)
    assert settings.bankroll("kalshi") == 100.0
    assert (settings.max_dollars_per_trade, settings.max_contracts_per_trade) == (20.0, 50)
    assert settings.max_bankroll_fraction == 0.06
    assert (settings.lane_bucket, settings.lane_cross) == (True, True)
    assert (settings.lane_intra, settings.lane_parity, settings.lane_tree) == (False, False, False)
    assert (settings.bucket_min_net_edge, settings.max_bucket_legs) == (0.02, 4)
    assert (settings.market_cooldown_seconds, settings.market_cooldown_scope) == (1800, "market_side")
    assert (settings.opportunity_cooldown_seconds, settings.poll_interval) == (3600, 25.0)
    assert settings.kalshi_fee == 0.015
    assert settings.enabled_venues == ("kalshi",)


def test_the_command_line_goes_before_the_environment_and_that_before_the_profile() -> None:
    assert loaded("--profile", "live-starter").poll_interval == 25.0
    from_environment = loaded("--profile", "live-starter", ARB_POLL_INTERVAL_SECONDS="30")
    assert from_environment.poll_interval == 30.0
    both = loaded("--profile", "live-starter", "--interval", "9", ARB_POLL_INTERVAL_SECONDS="30")
    assert both.poll_interval == 9.0
    assert both.max_dollars_per_trade == 20.0


def test_without_a_profile_the_markets_say_which() -> None:
    assert loaded().market_cooldown_seconds == 120
    assert loaded("--replay", "quotes.jsonl").market_cooldown_seconds == 240


def test_a_file_of_ones_own_is_a_profile(tmp_path: Path) -> None:
    own = tmp_path / "mine.env"
    own.write_text("# mine\n\nARB_MAX_DOLLARS_PER_TRADE = 7.5\nARB_KELLY_FRACTION_CAP=\n")
    settings = loaded("--profile", str(own))
    assert settings.max_dollars_per_trade == 7.5
    assert settings.kelly_cap == 1.0, "a blank value is the default"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ARB_MAX_DOLLARS_PER_TRADE", "line 1: expected KEY=VALUE"),
        ("\nARB_MAX_DOLARS_PER_TRADE=7", "line 2: ARB_MAX_DOLARS_PER_TRADE is no setting of this bot"),
        ("ARB_RUN=1", "no setting"),
        ("KALSHI_ENABLED=true\nKALSHI_ENABLED=false", "line 2: KALSHI_ENABLED stands there twice"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(tmp_path: Path, text: str, sentence: str) -> None:
    own = tmp_path / "mine.env"
    own.write_text(text)
    with pytest.raises(StartRefused, match=sentence):
        profile(str(own))


def test_a_profile_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="no profile and no file careful; profiles are demo, live-starter"):
        profile("careful")
    with pytest.raises(StartRefused, match="cannot be read"):
        profile(str(tmp_path))
    (tmp_path / "odd").write_bytes(b"\xff\xfe")
    with pytest.raises(StartRefused, match="cannot be read"):
        profile(str(tmp_path / "odd"))


def test_the_help_says_of_every_setting_what_it_takes_and_does() -> None:
    text = parser().format_help()
    assert "ARB_MAX_DOLLARS_PER_TRADE = 40.0" in text
    assert "(sizing; a number from 0 USD)" in text
    assert "(lanes; a number from 0 to 1 or blank to inherit)" in text
    assert "(runtime; a whole number from 0 to 65535, read at start only)" in text
    for declared in catalogue(Settings).values():
        assert f"\n  {declared.key} = " in text
        assert declared.help in text
