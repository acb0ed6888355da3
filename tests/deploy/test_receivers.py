"""Alertmanager's configuration from what is set: all combinations, faults, odd values."""

import itertools
import json
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.receiver_kinds import ADDRESS, CHANNEL, HOST_AND_PORT, SENDER, URL, USER
from deploy.receiver_texts import DEAD_MAN, RECEIVERS, TOLD
from deploy.receivers import configure, main

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "prometheus"
HOOK = "https://hooks.slack.example/services/T0/B0/x"
SET = {
    "Slack": ({}, {"slack_url": HOOK}),
    "e-mail": (
        {
            "SMTP_SMARTHOST": "smtp.example.com:587",
            "SMTP_FROM": "Bots of mine <bots@example.com>",
            "SMTP_TO": "ann@example.com,bob@example.com",
            "SMTP_USER": "bots@example.com",
        },
        {"smtp_password": 'it\'s: "{{ .x }}" # \\n & more'},
    ),
    "Telegram": ({"TELEGRAM_CHAT_ID": "-1001234567890"}, {"telegram_token": "123456789:" + "Ab_-9" * 7}),
    "PagerDuty": ({}, {"pagerduty_key": "0123456789abcdef" * 2}),
    "webhook": ({"NOTIFY_WEBHOOK_URL": "https://x.example/hook?a=b&c=%20"}, {"webhook_token": "t'o\"k#en"}),
    DEAD_MAN: ({"DEAD_MAN_URL": "https://alive.example/ping/1"}, {}),
}
"""What has to be set for each service: variables and secret files."""
KEYS = {
    "Slack": "slack_configs",
    "e-mail": "email_configs",
    "Telegram": "telegram_configs",
    "PagerDuty": "pagerduty_configs",
}
AMTOOLS = [found for place in os.get_exec_path() if (found := shutil.which("amtool", path=place)) is not None]
"""Every version that is on the PATH."""


class Place:
    """A folder of secrets, one to write into, and what was said."""

    def __init__(self, folder: Path) -> None:
        self.secrets, self.out = folder / "secrets", folder / "out"
        self.secrets.mkdir()
        self.token = folder / "alertmanager_token"
        self.token.write_text("the-exporters-own\n")
        self.variables: dict[str, str] = {}

    def set(self, *services: str, **more: str) -> None:
        """Set nothing but these services, and these variables."""
        for old in self.secrets.iterdir():
            old.unlink()
        self.variables = dict(more)
        for service in services:
            variables, secrets = SET[service]
            self.variables |= variables
            for name, text in secrets.items():
                (self.secrets / name).write_text(text)

    def make(self) -> tuple[str, ...]:
        """Write everything; the sentences on what cannot be used."""
        return configure(
            self.out,
            committed=COMMITTED,
            secrets=self.secrets,
            variables=self.variables,
            exporter="http://exporter:9121",
            token=self.token,
        ).faults

    def written(self) -> dict[str, Any]:
        """The configuration as YAML says it."""
        loaded: dict[str, Any] = yaml.safe_load((self.out / "alertmanager.yml").read_text())
        return loaded

    def receivers(self) -> dict[str, dict[str, Any]]:
        """The receivers by name."""
        return {each["name"]: each for each in self.written()["receivers"]}

    def amtool(self, *words: str) -> str:
        """What amtool answers; it fails where it finds a fault."""
        if not AMTOOLS:
            pytest.skip("amtool is not installed (Debian: prometheus-alertmanager)")
        done = [
            subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=30)
            for program in AMTOOLS
        ]
        assert [each.stderr + each.stdout for each in done if each.returncode] == []
        return done[0].stdout

    def check(self) -> None:
        """That Alertmanager takes it."""
        self.amtool("check-config", str(self.out / "alertmanager.yml"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def told(receiver: dict[str, Any]) -> dict[str, int]:
    """How many of each integration a receiver has."""
    return {key: len(configs) for key, configs in receiver.items() if key != "name"}


def test_with_nothing_set_it_is_the_committed_file(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(place.out), "--committed", str(COMMITTED), "--secrets", str(place.secrets)]
    assert main(words, {"SLACK_CHANNEL": "", "SMTP_TLS": "", "PUBLIC_URL": ""}) == 0
    for name in ("alertmanager.yml", "templates/addresses.tmpl", "templates/tradebot.tmpl"):
        assert (place.out / name).read_text() == (COMMITTED / name).read_text(), name
    assert capsys.readouterr().out.startswith("Alerts are told to nobody: ")


@pytest.mark.parametrize("count", range(len(SET) + 1))
def test_every_combination_of_services_is_taken_and_tells_whom_it_should(count: int, place: Place) -> None:
    for services in itertools.combinations(SET, count):
        place.set(*services)
        assert place.make() == (), services
        place.check()
        assert list(place.receivers()) == list(RECEIVERS)
        for name, receiver in place.receivers().items():
            here = [service for service in services if name in TOLD[service]]
            hooks = 1 + sum(service not in KEYS for service in here)
            assert told(receiver) == {"webhook_configs": hooks} | {
                KEYS[service]: 1 for service in here if service in KEYS
            }
        said = (place.out / "receivers.txt").read_text()
        assert all((service in said) == (service in services) for service in SET if service != DEAD_MAN)
        assert f"{DEAD_MAN} is {'on' if DEAD_MAN in services else 'not set'}" in said


ROUTES = [
    ("page", {"severity": "critical", "area": "risk", "tier": "live"}),
    ("page", {"severity": "critical", "area": "self"}),
    ("notify", {"severity": "warning", "area": "market", "tier": "unknown"}),
    ("remind", {"severity": "info", "area": "control", "tier": "live"}),
    ("paper", {"severity": "warning", "area": "link", "tier": "paper"}),
    ("watchdog", {"severity": "none", "area": "self", "alertname": "TradebotWatchdog"}),
    ("digest", {"severity": "digest", "area": "self"}),
    ("test", {"severity": "test", "area": "self", "tests": "warning"}),
    ("default", {"severity": "other"}),
]


@pytest.mark.parametrize("services", [(), tuple(SET)], ids=["nothing set", "everything set"])
@pytest.mark.parametrize(("receiver", "labels"), ROUTES)
def test_a_route_leads_to_the_receiver_that_is_written(
    receiver: str, labels: dict[str, str], services: tuple[str, ...], place: Place
) -> None:
    place.set(*services)
    place.make()
    words = [f"{name}={value}" for name, value in labels.items()]
    file = f"--config.file={place.out / 'alertmanager.yml'}"
    assert place.amtool("config", "routes", "test", file, *words).strip() == receiver


def test_the_exporter_hears_of_everything_with_a_token_of_its_own(place: Place) -> None:
    place.set()
    place.make()
    for name, receiver in place.receivers().items():
        (hook,) = receiver["webhook_configs"]
        assert hook["url"] == "http://exporter:9121/api/alerts", name
        assert hook["send_resolved"] is True
        token = Path(hook["http_config"]["authorization"]["credentials_file"])
        assert token == place.out / "secrets" / "alertmanager_token"
        assert token.read_text() == "the-exporters-own"


def test_pagerduty_hears_of_what_is_critical_alone_and_telegram_rings_for_nothing_else(place: Place) -> None:
    place.set(*SET)
    place.make()
    receivers = place.receivers()
    assert [name for name in RECEIVERS if "pagerduty_configs" in receivers[name]] == ["page", "test"]
    loud = {
        name: not receiver["telegram_configs"][0]["disable_notifications"]
        for name, receiver in receivers.items()
        if "telegram_configs" in receiver
    }
    assert [name for name, rings in loud.items() if rings] == ["page", "test"]


def test_the_end_of_a_digest_and_of_a_test_is_no_news_but_an_incident_is_closed(place: Place) -> None:
    place.set(*SET)
    place.make()
    for name in ("digest", "test"):
        for key, configs in place.receivers()[name].items():
            for config in configs if key != "name" else []:
                own = "alertmanager_token" in json.dumps(config)
                assert config["send_resolved"] is (own or key == "pagerduty_configs"), (name, key)


def test_what_others_may_not_read_is_for_the_group_alone_and_what_is_not_used_any_more_goes(
    place: Place,
) -> None:
    place.set(*SET)
    place.make()
    files = [path for path in place.out.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o640}
    assert stat.S_IMODE((place.out / "secrets").stat().st_mode) == 0o750
    place.set("Slack")
    place.make()
    assert sorted(path.name for path in (place.out / "secrets").iterdir()) == [
        "alertmanager_token",
        "slack_url",
    ]


def test_what_has_not_changed_is_not_written_again(place: Place) -> None:
    """The end of a start lets Alertmanager read what is newer than what it has read, and nothing else."""
    place.set(*SET, PUBLIC_URL="https://wall.example")
    place.make()
    before = {path: path.stat().st_mtime_ns for path in place.out.rglob("*")}
    place.make()
    assert {path: path.stat().st_mtime_ns for path in place.out.rglob("*")} == before
    place.set("Slack")
    place.make()
    assert (place.out / "alertmanager.yml").stat().st_mtime_ns > before[place.out / "alertmanager.yml"]


def test_what_editors_put_around_a_secret_is_no_part_of_it(place: Place) -> None:
    place.set()
    (place.secrets / "slack_url").write_bytes(b"\xef\xbb\xbf" + HOOK.encode() + b" \r\n")
    place.make()
    assert (place.out / "secrets" / "slack_url").read_text() == HOOK


# Each fault by itself, beside a PagerDuty that is well: what is set, and the sentence.
FAULTS: list[tuple[dict[str, str], dict[str, str], str]] = [
    (
        {"SLACK_CHANNEL": "#bots"},
        {},
        "Slack is off: neither secrets/slack_url nor secrets/slack_token is there.",
    ),
    ({}, {"slack_url": ""}, "Slack is off: secrets/slack_url is empty."),
    ({}, {"slack_url": "ftp://x"}, "Slack is off: secrets/slack_url is not one web address."),
    ({}, {"slack_url": f"{HOOK}\n{HOOK}"}, "Slack is off: secrets/slack_url is not one web address."),
    ({}, {"slack_url": "x" * 5000}, "Slack is off: secrets/slack_url is not one web address."),
    ({}, {"slack_token": "xoxb-1"}, "Slack is off: SLACK_CHANNEL is not set."),
    (
        {"SLACK_CHANNEL": "#a"},
        {"slack_token": '"xoxb-1"'},
        "Slack is off: secrets/slack_token is not one word",
    ),
    (
        {"SLACK_CHANNEL": "#a"},
        {"slack_token": "x", "slack_url": HOOK},
        "Slack is off: there are both secrets/slack_url and secrets/slack_token: remove one.",
    ),
    (
        {"SLACK_CHANNEL": "{{ .x }}"},
        {"slack_url": HOOK},
        "Slack is off: SLACK_CHANNEL is not a channel such as #bots.",
    ),
    ({"SMTP_SMARTHOST": "smtp.example.com"}, {}, "E-mail is off: SMTP_SMARTHOST is not HOST:PORT such as "),
    ({"SMTP_TO": "a@b.c"}, {}, "E-mail is off: SMTP_SMARTHOST is not set."),
    ({"SMTP_SMARTHOST": "x:25", "SMTP_FROM": "a@b"}, {}, "E-mail is off: SMTP_TO is not set."),
    (
        {"SMTP_SMARTHOST": "x:25", "SMTP_FROM": "a@b", "SMTP_TO": "c@d\nBcc: e@f"},
        {},
        "E-mail is off: SMTP_TO is not a list of addresses",
    ),
    (
        {"SMTP_SMARTHOST": "x:25", "SMTP_FROM": "a@b", "SMTP_TO": "c@d", "SMTP_TLS": "maybe"},
        {},
        "E-mail is off: SMTP_TLS is neither true nor false.",
    ),
    (
        {"SMTP_SMARTHOST": "x:25", "SMTP_FROM": "a@b", "SMTP_TO": "c@d", "SMTP_USER": "u"},
        {},
        "E-mail is off: secrets/smtp_password is missing.",
    ),
    (
        {"SMTP_SMARTHOST": "x:25", "SMTP_FROM": "a@b", "SMTP_TO": "c@d"},
        {"smtp_password": "p"},
        "E-mail is off: secrets/smtp_password is there, and SMTP_USER is not set.",
    ),
    ({"TELEGRAM_CHAT_ID": "5"}, {}, "Telegram is off: secrets/telegram_token is missing."),
    ({}, {"telegram_token": "123:" + "a" * 35}, "Telegram is off: TELEGRAM_CHAT_ID is not set."),
    ({"TELEGRAM_CHAT_ID": "@me"}, {"telegram_token": "123:" + "a" * 35}, "Telegram is off: TELEGRAM_CHAT_ID"),
    ({"TELEGRAM_CHAT_ID": "0"}, {"telegram_token": "123:" + "a" * 35}, "Telegram is off: TELEGRAM_CHAT_ID"),
    ({"TELEGRAM_CHAT_ID": "5"}, {"telegram_token": "a/b"}, "Telegram is off: secrets/telegram_token is not "),
    ({}, {"webhook_token": "t"}, "Webhook is off: NOTIFY_WEBHOOK_URL is not set."),
    ({"NOTIFY_WEBHOOK_URL": "https://x/{{ .x }}"}, {}, "Webhook is off: NOTIFY_WEBHOOK_URL is not a web"),
    ({"DEAD_MAN_URL": 'https://x/"\n- evil'}, {}, "Dead-man's switch is off: DEAD_MAN_URL is not a web"),
    ({"PUBLIC_URL": "wall.example"}, {}, "Links in messages lead to http://localhost:3000: PUBLIC_URL is"),
    ({"EXPORTER_PUBLIC_URL": "http://x/{{ end }}"}, {}, "Links in messages lead to http://localhost:9121: "),
    ({}, {"slack-url": HOOK}, "Nothing reads secrets/'slack-url'; the names are slack_url, "),
]


@pytest.mark.parametrize(("variables", "secrets", "sentence"), FAULTS)
def test_what_cannot_be_used_is_one_sentence_and_the_others_go_on(
    variables: dict[str, str], secrets: dict[str, str], sentence: str, place: Place
) -> None:
    place.set("PagerDuty", **variables)
    for name, text in secrets.items():
        (place.secrets / name).write_text(text)
    (fault,) = place.make()
    assert fault.startswith(sentence)
    assert not any(text.strip() in fault for text in secrets.values() if len(text) > 3)
    place.check()
    assert told(place.receivers()["page"])["pagerduty_configs"] == 1
    assert fault in (place.out / "receivers.txt").read_text()


def test_a_secret_that_is_a_folder_or_no_text_is_one_sentence(place: Place) -> None:
    place.set("Slack")
    (place.secrets / "pagerduty_key").mkdir()
    (place.secrets / "telegram_token").write_bytes(b"\xff\xfe")
    assert place.make() == (
        "Telegram is off: secrets/telegram_token cannot be read as text.",
        "PagerDuty is off: secrets/pagerduty_key is a folder.",
    )
    place.check()


def test_the_exit_status_says_that_something_is_off_but_never_keeps_alertmanager_from_starting(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.set("Slack", SLACK_CHANNEL="no channel")
    words = [str(place.out), "--committed", str(COMMITTED), "--secrets", str(place.secrets)]
    assert main(words, place.variables) == 1
    assert main([*words, "--go-on"], place.variables) == 0
    assert "Slack is off: SLACK_CHANNEL is not a channel" in capsys.readouterr().out
    lost = [*words, "--exporter", "http://x", "--token", str(place.secrets / "none")]
    assert main(lost, place.variables) == 2
    assert main([*lost, "--go-on"], place.variables) == 0, "there is the configuration of the last start"
    shutil.rmtree(place.out)
    assert main([*lost, "--go-on"], place.variables) == 2
    assert "could not be written" in capsys.readouterr().err


def test_no_folder_of_secrets_is_no_fault(tmp_path: Path) -> None:
    rendered = configure(tmp_path / "out", committed=COMMITTED, secrets=tmp_path / "none", variables={})
    assert rendered.faults == ()


VALUES = {
    "SLACK_CHANNEL": CHANNEL,
    "SMTP_SMARTHOST": HOST_AND_PORT,
    "SMTP_FROM": SENDER,
    "SMTP_TO": ADDRESS,
    "SMTP_USER": USER,
    "NOTIFY_WEBHOOK_URL": URL,
    "DEAD_MAN_URL": URL,
    "TELEGRAM_API_URL": URL,
    "PAGERDUTY_URL": URL,
}


@given(data=st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_accepted_alertmanager_takes_and_reads_as_it_was_meant(
    data: st.DataObject, place: Place
) -> None:
    """A configuration that it refuses would leave nobody told of anything."""
    place.set(*SET)
    for name, pattern in VALUES.items():
        place.variables[name] = data.draw(st.from_regex(pattern, fullmatch=True), label=name)
    place.make()
    place.check()
    page, watchdog = place.receivers()["page"], place.receivers()["watchdog"]
    if "slack_configs" in page:
        assert page["slack_configs"][0]["channel"] == place.variables["SLACK_CHANNEL"].strip()
    assert watchdog["webhook_configs"][-1]["url"] == place.variables["DEAD_MAN_URL"].strip()


@given(text=st.text(max_size=40))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_whatever_breaks_out_of_the_file(text: str, place: Place) -> None:
    """Either it is refused, or it stands there as it is: the shape of the file is always the same."""
    place.set(*SET)
    for name in VALUES:
        place.variables[name] = text
    for name in ("slack_url", "smtp_password", "telegram_token", "pagerduty_key", "webhook_token"):
        (place.secrets / name).write_text(text, encoding="utf-8")
    place.make()
    for name, receiver in place.receivers().items():
        hooks = [each["url"] for each in receiver.get("webhook_configs", [])]
        assert hooks[0] == "http://exporter:9121/api/alerts", name
        assert set(hooks[1:]) <= {text.strip()}
    assert place.written()["route"] == yaml.safe_load((COMMITTED / "alertmanager.yml").read_text())["route"]
