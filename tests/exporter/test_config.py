"""exporter.yml is understood, and everything wrong with it is said at once, with its place and its remedy."""

from pathlib import Path

import pytest

from exporter.config import Config, ConfigError, ExchangeHours, Window, addresses, load, unused_parts
from exporter.config_summary import summary

ROOT = Path(__file__).parents[2]
FULL = """\
listen: {host: 127.0.0.1, port: 9121}
reporting_db: /var/lib/tradebot/reporting.db
tokens:
  operators: {ann: /run/secrets/ann_token}
  viewers: {wall: /run/secrets/viewer_token}
  grafana: /run/secrets/grafana_token
  alertmanager: /run/secrets/alertmanager_token
grafana_users: [admin]
allow_live: false
four_eyes: true
day: {tz: America/New_York, rolls_at: "17:00"}
bots:
  - name: arb
    kind: arb
    host: arb-bot
    port: 9120
    stores: {orders: /data/arb/arb_orders.db, analytics: analytics.db}
    kill_file: kills/.kill_switch
    expected_interval: 60
    stale_after: 180.5
    tier: paper
    schedule:
      - {tz: America/New_York, days: thu, from: "03:00", to: "05:00", reason: venue maintenance}
      - {tz: UTC, days: [sat, sun-mon], from: 22:00, to: 01:30, reason: weekend}
  - name: ema-2
    kind: ema
    host: "::1"
"""
ONE_BOT = "bots: [{name: arb, kind: arb}]\n"


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "exporter.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults(folder: Path, text: str | bytes) -> list[str]:
    """The faults of a file as lines, which must be there."""
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text))
    return [str(fault) for fault in caught.value.faults]


def test_the_whole_file_is_understood(tmp_path: Path) -> None:
    config = load(write(tmp_path, FULL))
    arb, ema = config.bots
    assert (config.listen.host, config.listen.port) == ("127.0.0.1", 9121)
    assert config.latch_folder == Path("/var/lib/tradebot")
    assert (config.day.tz, config.day.rolls_at, config.four_eyes) == ("America/New_York", 17 * 60, True)
    assert (arb.name, arb.host, arb.port, arb.tier) == ("arb", "arb-bot", 9120, "paper")
    assert (arb.expected_interval, arb.stale_after) == (60.0, 180.5)
    assert (ema.name, ema.kind, ema.host, ema.port) == ("ema-2", "ema", "::1", 9120)
    assert (ema.expected_interval, ema.stale_after, ema.tier, ema.schedule) == (None, None, None, ())
    night, weekend = arb.schedule
    assert (night.days, night.opens, night.closes) == (frozenset({3}), 180, 300)
    assert (weekend.days, weekend.opens, weekend.closes) == (frozenset({5, 6, 0}), 22 * 60, 90)


SCHEDULED = """\
bots:
  - name: arb
    kind: arb
    schedule:
      - {exchange: XNYS}
      - {exchange: XNAS, open: extended, reason: shares rest}
      - {exchange: XLON, venue: london}
      - {tz: UTC, days: thu, from: "03:00", to: "05:00", reason: maintenance, venue: kalshi}
"""


def test_a_schedule_names_exchanges_and_venues(tmp_path: Path) -> None:
    shares, extended, london, kalshi = load(write(tmp_path, SCHEDULED)).bots[0].schedule
    assert isinstance(shares, ExchangeHours)
    assert (shares.exchange, shares.open, shares.reason, shares.venue) == ("XNYS", "regular", None, None)
    assert isinstance(extended, ExchangeHours)
    assert (extended.open, extended.reason) == ("extended", "shares rest")
    assert (london.venue, kalshi.venue) == ("london", "kalshi")
    assert isinstance(kalshi, Window)


def test_what_a_schedule_means_is_said_in_words(tmp_path: Path) -> None:
    said = summary(load(write(tmp_path, SCHEDULED)))
    assert "meant to be quiet  while XNYS is closed, by its regular hours\n" in said
    assert "while XNAS is closed, by its extended hours: shares rest\n" in said
    assert "while XLON is closed, by its regular hours (london alone)\n" in said
    assert "thu 03:00 to 05:00 UTC: maintenance (kalshi alone)" in said


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (
            "{exchange: NYSE}",
            ".exchange is 'NYSE', but expected the code of an exchange (ISO 10383), `XNYS`.",
        ),
        (
            "{exchange: XXXX}",
            ".exchange is 'XXXX', but expected the code of an exchange (ISO 10383), one of XASX",
        ),
        ("{exchange: 7}", ".exchange is 7, but expected the code"),
        ("{exchange: XNYS, open: all}", ".open is 'all', but expected `regular` or `extended`."),
        ("{exchange: XLON, open: extended}", ".open is 'extended', but only XNAS and XNYS have known hours"),
        ("{exchange: XNYS, reasn: x}", ".reasn is not a known key; did you mean `reason`?"),
        ("{exchange: XNYS, tz: UTC}", ".tz is not a known key; known here: exchange, open, reason, venue."),
        ("{exchange: XNYS, reason: ''}", ".reason is '', but expected a few words that say why"),
        ("{exchange: XNYS, venue: 'kal shi'}", ".venue is 'kal shi', but expected a venue's name"),
        ("XNYS", " is 'XNYS', but expected a group of keys"),
    ],
)
def test_what_is_wrong_in_a_schedule_is_said_with_its_line(tmp_path: Path, entry: str, says: str) -> None:
    (found,) = faults(tmp_path, f"bots:\n  - name: a\n    kind: arb\n    schedule:\n      - {entry}\n")
    assert found.startswith(f"line 5: bots[0].schedule[0]{says}")


def test_paths_are_taken_from_the_folder_of_the_file(tmp_path: Path) -> None:
    config = load(write(tmp_path, FULL.replace("/var/lib/tradebot/reporting.db", "var/reporting.db")))
    assert config.bots[0].stores == {
        "orders": Path("/data/arb/arb_orders.db"),
        "analytics": tmp_path / "analytics.db",
    }
    assert config.bots[0].kill_file == tmp_path / "kills/.kill_switch"
    assert config.latch_folder == tmp_path / "var"


def test_a_file_with_one_bot_needs_nothing_else(tmp_path: Path) -> None:
    config = load(write(tmp_path, ONE_BOT))
    assert (config.listen.host, config.listen.port) == ("127.0.0.1", 9121)
    assert (config.bots[0].host, config.bots[0].port) == ("127.0.0.1", 9120)
    assert unused_parts(config) == []


def test_the_file_of_the_compose_stack_is_good() -> None:
    (bot,) = load(ROOT / "exporter.yml").bots
    assert (bot.name, bot.kind, bot.host) == ("arb", "arb", "arb-bot")


def test_every_fault_is_reported_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
listen: {host: "http://x", port: 99999}
listn: 3
four_eyes: yes
bots:
  - name: Arb
    kind: arbx
    port: "9120"
    stale_aftr: 3
    stale_after: .nan
    schedule: [{tz: America/New_Yrk, days: thr, from: "03:00", to: "25:00"}]
  - name: a
    kind: arb
    port: 9130
    expected_interval: 60
    stale_after: 30
    stores: {order: x.db}
"""
    found = faults(tmp_path, text)
    wanted = [
        "line 1: listen.host is 'http://x', but expected a host name",
        "line 1: listen.port is 99999, but expected a whole number from 1 to 65535",
        "line 2: listn is not a known key; did you mean `listen`?",
        "line 3: four_eyes is 'yes', but expected true or false",
        "line 5: bots[0].name is 'Arb', but expected a name of small letters",
        "line 6: bots[0].kind is 'arbx', but expected `arb` or `ema`",
        "line 7: bots[0].port is '9120', but expected a whole number",
        "line 8: bots[0].stale_aftr is not a known key; did you mean `stale_after`?",
        "line 9: bots[0].stale_after is nan, but expected seconds",
        "line 10: bots[0].schedule[0].days is 'thr', but expected days such as",
        "line 10: bots[0].schedule[0].reason is missing",
        "line 10: bots[0].schedule[0].to is '25:00', but expected a time of day",
        "line 10: bots[0].schedule[0].tz is 'America/New_Yrk', but expected an IANA time zone",
        "line 15: bots[1].stale_after is 30 s, but must be above expected_interval (60 s)",
        "line 16: bots[1].stores.order is not a known key; did you mean `orders`?",
    ]
    assert len(found) == len(wanted)
    for line, start in zip(found, wanted, strict=True):
        assert line.startswith(start)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ONE_BOT + "bots: []\n", "line 2: bots is written twice (first on line 1)"),
        ("bots: [{name: a, kind: arb, name: b}]\n", "line 1: bots[0].name is written twice"),
        ("bots: []\n", "line 1: bots is empty; expected at least one bot"),
        ("", "bots is missing"),
        ("- a\n", "the file is a list, but expected a group of keys"),
        ("bots:\n\t- name: a\n", "line 2: the file is not YAML here: found character '\\t'"),
        ("bots: [\n", "line 2: the file is not YAML here"),
        ("bots: []\n---\nbots: []\n", "the file is not YAML here: but found another document"),
        ("bots: \x01\n", "the file is not YAML: unacceptable character"),
        ("[" * 5000, "the file is nested too deeply"),
        (b"bots: \xff\n", "the file is not UTF-8 text (byte 6)"),
        ("bots: &a [*a]\n", "line 1: bots[0] contains itself"),
        ("bots: !!python/name:os.system x\n", "line 1: bots is not a plain value"),
        ("? [a]\n: b\n" + ONE_BOT, "has a key that is not a word"),
        ("bots: {name: a}\n", "line 1: bots is a group of keys, but expected a list"),
        (ONE_BOT + "listen:\n", "line 2: listen is empty, but expected a group of keys"),
        (ONE_BOT + "day: {tz: utcc}\n", "line 2: day.tz is 'utcc', but expected an IANA time zone"),
        (ONE_BOT + "day: {tz: europe/london}\n", "expected an IANA time zone, `Europe/London`"),
        (ONE_BOT + "day: {tz: ../../etc/passwd}\n", "expected an IANA time zone"),
        (ONE_BOT + "xyz: 1\n", "line 2: xyz is not a known key; known here: allow_live, bots, day"),
        (ONE_BOT + "grafana_users: admin\n", "grafana_users is 'admin', but expected a list"),
        (ONE_BOT + f"reporting_db: {'9' * 400}\n", "expected the path of a file"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_what_to_do(
    tmp_path: Path, text: str | bytes, says: str
) -> None:
    assert any(says in fault for fault in faults(tmp_path, text))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "a b"),
        ("name", "../a"),
        ("name", ""),
        ("name", "a" * 65),
        ("host", "arb-bot:9120"),
        ("host", "1.2.3.400"),
        ("host", '""'),
        ("port", "0"),
        ("port", "65536"),
        ("port", "true"),
        ("port", "91.5"),
        ("expected_interval", "0"),
        ("expected_interval", "-1"),
        ("expected_interval", ".inf"),
        ("expected_interval", "true"),
        ("expected_interval", "604801"),
        ("stale_after", "soon"),
        ("stale_after", "9" * 400),
        ("tier", "demo"),
        ("kill_file", "[a]"),
    ],
)
def test_a_bad_value_of_a_bot_is_named_by_its_path(tmp_path: Path, key: str, value: str) -> None:
    bot = {"name": "arb", "kind": "arb"} | {key: value}
    text = "bots:\n  - " + "\n    ".join(f"{name}: {written}" for name, written in bot.items()) + "\n"
    (fault,) = faults(tmp_path, text)
    assert f"bots[0].{key} is" in fault
    assert "expected" in fault


def test_two_bots_may_share_neither_name_nor_socket(tmp_path: Path) -> None:
    found = faults(tmp_path, "bots:\n- {name: a, kind: arb}\n- {name: a, kind: arb}\n")
    assert found == [
        "line 3: bots[1] has the same host and port as bots[0]; each bot has a control socket of its own.",
        "line 3: bots[1].name is 'a' like bots[0]; give each bot a name of its own.",
    ]


def test_a_window_must_have_a_length(tmp_path: Path) -> None:
    window = '{tz: UTC, days: daily, from: "03:00", to: "03:00", reason: nothing}'
    (fault,) = faults(tmp_path, f"bots: [{{name: a, kind: arb, schedule: [{window}]}}]\n")
    assert 'a whole day is from "00:00" to "24:00"' in fault
    whole = window.replace('from: "03:00", to: "03:00"', 'from: "00:00", to: "24:00"')
    config = load(write(tmp_path, f"bots: [{{name: a, kind: arb, schedule: [{whole}]}}]\n"))
    assert (config.bots[0].schedule[0].opens, config.bots[0].schedule[0].closes) == (0, 1440)
    assert config.bots[0].schedule[0].days == frozenset(range(7))


def test_words_that_other_yaml_readers_turn_into_something_else_stay_words(tmp_path: Path) -> None:
    config = load(write(tmp_path, "bots: [{name: no, kind: arb, host: on}]\n"))
    assert (config.bots[0].name, config.bots[0].host) == ("no", "on")


def test_a_token_that_was_pasted_is_never_repeated(tmp_path: Path) -> None:
    secret = "s3cr3t-token"
    for tokens in (
        f"{{grafana: {secret}}}",
        f"{{grafana: {secret}/b==}}",
        f"{{operators: {{ann: {secret}}}}}",
        secret,
        f"[{secret}]",
    ):
        found = faults(tmp_path, ONE_BOT + f"tokens: {tokens}\n")
        assert len(found) == 1
        assert "tokens" in found[0]
        assert secret not in found[0]


def test_token_files_do_not_show_in_the_settings_printed(tmp_path: Path) -> None:
    config = load(write(tmp_path, FULL))
    assert config.tokens.grafana == Path("/run/secrets/grafana_token")
    assert "secrets" not in repr(config) + repr(config.tokens)


def test_settings_cannot_be_changed_once_read(tmp_path: Path) -> None:
    config = load(write(tmp_path, ONE_BOT))
    with pytest.raises(ValueError, match="frozen"):
        config.allow_live = True  # type: ignore[misc]


def test_every_part_of_the_file_is_used(tmp_path: Path) -> None:
    assert unused_parts(load(write(tmp_path, FULL))) == []


def test_stores_of_a_kind_of_bot_whose_stores_are_not_known_are_named(tmp_path: Path) -> None:
    config = load(write(tmp_path, "bots: [{name: e, kind: ema, stores: {trades: /data/trades.db}}]\n"))
    assert unused_parts(config) == ["stores of e"]


def test_a_missing_file_and_a_folder_in_its_place_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist; give its path with --config"):
        load(tmp_path / "nothing.yml")
    with pytest.raises(ConfigError, match="is a folder, which Docker makes"):
        load(tmp_path)
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / ("x" * 300))


def test_a_file_written_on_windows_is_read(tmp_path: Path) -> None:
    config = load(write(tmp_path, b"\xef\xbb\xbf" + ONE_BOT.replace("\n", "\r\n").encode()))
    assert isinstance(config, Config)


def test_addresses_come_from_the_environment_or_are_on_this_machine() -> None:
    found = addresses({"PUBLIC_URL": "https://wall.example/grafana/", "PROMETHEUS_URL": ""})
    assert found.grafana_public == "https://wall.example/grafana"
    assert found.prometheus == "http://127.0.0.1:9090"
    assert found.prometheus_public == "http://localhost:9090"


def test_bad_addresses_are_reported_together_without_their_password() -> None:
    with pytest.raises(ConfigError) as caught:
        addresses(
            {"PUBLIC_URL": "wall", "GRAFANA_URL": "http://me:hunter2@x", "PROMETHEUS_URL": "http://x:99999"}
        )
    assert [fault.place for fault in caught.value.faults] == ["GRAFANA_URL", "PROMETHEUS_URL", "PUBLIC_URL"]
    assert "hunter2" not in str(caught.value)
