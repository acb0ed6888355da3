"""A real Alertmanager tells every service, once each, and whoever opens a link finds what it promises."""

import html
import json
import os
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.programs import grafana_home
from tests.prometheus.promtool import alert_rules
from tests.stack.console import NotInstalledError, fetch
from tests.stack.mail_server import MailServer
from tests.stack.processes import ROOT, wait_until
from tests.stack.receivers_read import Message, messages, of_taken
from tests.stack.receivers_stand import CHAT, Stand, Told, real_pages, standing
from tests.stack.services import SLACK_TOKEN

pytestmark = pytest.mark.stack

NOW = "DISCONNECTED · last mode live · PnL -8.50 USD (bot) · cap 10 USD"
HOSTILE = 'quotes "<b>&`x` *y*" <!channel> {{ .Labels }}'
CHATS = ("Slack", "Telegram", "mail")
PAGES = {json.loads(file.read_text())["uid"] for file in (ROOT / "grafana" / "dashboards").glob("*.json")}


def alert(name: str, bot: str, severity: str = "critical", **labels: str) -> Told:
    """Labels and annotations of one alert, with the links of the rule of that name."""
    rule = next(each for each in alert_rules() if each["alert"] == f"Tradebot{name}")
    links = rule["annotations"]
    assert isinstance(links, dict)
    own = {"alertname": f"Tradebot{name}", "bot": bot, "severity": severity, "area": "link", "tier": "live"}
    return own | labels, {
        "summary": str(links["summary"]),
        "description": f"{bot} said: {HOSTILE}",
        "now": NOW,
        "ended": "",
        "runbook_url": str(links["runbook_url"]),
        "dashboard": str(links["dashboard"]).replace("{{ $labels.bot }}", bot),
    }


CRITICAL = alert("Disconnected", "arb")
FOLLOWS = alert("FeedFrozen", "arb", "warning", area="market")
WARNING = alert("StateStale", "ema", "warning")
PAPER = alert("Disconnected", "demo", "warning", tier="paper")
INFO = alert("DrillOverdue", "arb", "info", area="control")
TEST: Told = (
    {"alertname": "TradebotTestPage", "severity": "test", "area": "self", "tests": "critical", "page": "7"},
    {"summary": "A test page", "description": "ann asked for it. Nothing is wrong."},
)
DIGEST: Told = (
    {"alertname": "TradebotDailyDigest", "severity": "digest", "area": "self", "date": "2026-11-20"},
    {"summary": "Yesterday", "description": "arb: PnL +3.20 USD (bot)\nno alerts & no <kills>"},
)
WATCHDOG: Told = ({"alertname": "TradebotWatchdog", "severity": "none", "area": "self"}, {"summary": "open"})
FIRING = {
    "page firing TradebotDisconnected": ("CRITICAL · arb · Disconnected", (*CHATS, "PagerDuty")),
    "notify firing TradebotStateStale": ("WARNING · ema · StateStale", CHATS),
    "paper firing TradebotDisconnected": ("PAPER WARNING · demo · Disconnected", CHATS),
    "remind firing TradebotDrillOverdue": ("INFO · arb · DrillOverdue", CHATS),
    "test firing TradebotTestPage": ("TEST · TestPage", (*CHATS, "PagerDuty")),
    "digest firing TradebotDailyDigest": ("DIGEST · 2026-11-20", CHATS),
}
"""What the first alerts make: by message of the webhook the title, and who else is told."""
RESOLVED = {
    "page resolved TradebotDisconnected": ("RESOLVED · arb · Disconnected", (*CHATS, "PagerDuty")),
    "notify resolved TradebotStateStale": ("RESOLVED · ema · StateStale", CHATS),
    "paper resolved TradebotDisconnected": ("PAPER RESOLVED · demo · Disconnected", CHATS),
}
MANY = "CRITICAL 20 · bot-00, bot-01, bot-02 and 17 more · Disconnected"


def told_once(stand: Stand, expected: dict[str, tuple[str, tuple[str, ...]]], *more: str) -> list[Message]:
    """Wait until everybody was told; nobody twice, nobody else. What was told before has to be in `more`."""
    wanted = [f"{service}: {title}" for title, services in expected.values() for service in services]
    wanted += [f"webhook: {title}" for title in expected]
    wanted += more
    wait_until(
        lambda: len(messages(stand)) >= len(wanted),
        f"{sorted(set(wanted) - set(map(str, messages(stand))))}",
        40,
    )
    # What is told twice comes when its group is looked at again, a second later.
    time.sleep(2)
    assert Counter(map(str, messages(stand))) - Counter(wanted) == Counter()
    assert Counter(wanted) - Counter(map(str, messages(stand))) == Counter()
    return messages(stand)


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with ExitStack() as stack:
        pages = ""
        if grafana_home(os.environ) is not None:
            pages = stack.enter_context(real_pages(tmp_path_factory.mktemp("grafana")))
        try:
            yield stack.enter_context(standing(tmp_path_factory.mktemp("receivers"), pages=pages))
        except NotInstalledError as error:
            pytest.skip(str(error))


@pytest.fixture(scope="module")
def told(stand: Stand) -> list[Message]:
    """Alerts of every kind begin, one of them inhibited; most end; then twenty bots are lost at once."""
    stand.post(CRITICAL, FOLLOWS, WARNING, PAPER, INFO, TEST, DIGEST, WATCHDOG)
    begun = told_once(stand, FIRING)
    stand.post(CRITICAL, FOLLOWS, WARNING, PAPER, TEST, DIGEST, over=True, ended="recovered")
    ended = told_once(stand, RESOLVED, *map(str, begun), "PagerDuty: TEST · TestPage")
    stand.post(*(alert("Disconnected", f"bot-{number:02}") for number in range(20)))
    many = {"page firing TradebotDisconnected": (MANY, (*CHATS, "PagerDuty"))}
    return told_once(stand, many, *map(str, ended))


def only(told: list[Message], service: str, title: str) -> Message:
    """The first message of a service with this title."""
    return next(each for each in told if (each.service, each.title) == (service, title))


def test_everybody_is_told_once_of_each_beginning_and_end(told: list[Message]) -> None:
    assert {each.service for each in told} == {*CHATS, "PagerDuty", "webhook"}
    print(*(f"{each}\n{each.text}" for each in told), sep="\n")


@pytest.mark.parametrize("service", [*CHATS, "PagerDuty"])
def test_a_message_says_what_is_wrong_as_it_was_said_and_how_the_bot_is(
    service: str, told: list[Message]
) -> None:
    first = only(told, service, "CRITICAL · arb · Disconnected")
    assert f"arb said: {HOSTILE}" in first.text
    assert NOW in first.text
    assert "recovered" in only(told, service, "RESOLVED · arb · Disconnected").text
    assert "and 15 more: bot-05" in only(told, service, MANY).text


def test_slack_writes_into_the_channel_that_was_named(told: list[Message]) -> None:
    assert {each.raw["channel"] for each in told if each.service == "Slack"} == {"#bots"}


def test_telegram_rings_for_what_is_critical_and_for_a_test(told: list[Message]) -> None:
    sent = [each for each in told if each.service == "Telegram"]
    assert {str(each.raw["chat_id"]) for each in sent} == {CHAT}
    loud = [each.title for each in sent if each.raw.get("disable_notification") != "true"]
    assert sorted(loud) == sorted(
        ["CRITICAL · arb · Disconnected", "RESOLVED · arb · Disconnected", "TEST · TestPage", MANY]
    )


def test_an_incident_is_opened_and_closed_under_one_key_with_its_severity(told: list[Message]) -> None:
    events = [each.raw for each in told if each.service == "PagerDuty"]
    assert [event["event_action"] for event in events].count("resolve") == 2
    opened = only(told, "PagerDuty", "CRITICAL · arb · Disconnected").raw
    assert opened["dedup_key"] == only(told, "PagerDuty", "RESOLVED · arb · Disconnected").raw["dedup_key"]
    assert {event["payload"]["severity"] for event in events} == {"critical"}
    assert opened["payload"] | {"component": "arb", "class": "TradebotDisconnected"} == opened["payload"]


def test_mail_goes_to_every_reader_over_tls_and_after_a_login(told: list[Message], stand: Stand) -> None:
    for mail in stand.mail.mails:
        assert (mail.secure, mail.logged_in) == (True, True)
        assert mail.readers == ("ann@example.com", "bob@example.com")
        assert mail.message["From"] == "Trading console <console@example.com>"
    assert told


def test_a_digest_keeps_its_lines(told: list[Message]) -> None:
    for service in CHATS:
        assert DIGEST[1]["description"] in only(told, service, "DIGEST · 2026-11-20").text


def test_every_link_leads_where_it_says(told: list[Message], stand: Stand) -> None:
    opened: dict[str, str] = {}
    for message in told:
        for words, address in message.links.items():
            place = urlsplit(address)
            if address.startswith(stand.exporter):
                page = opened.get(address) or opened.setdefault(address, fetch(address))
                assert words in {"Runbook", "I have it"}
                assert ("Mitigation" in page) == place.path.startswith("/runbooks/"), address
                if words == "I have it":
                    assert place.path == "/"
                    assert "arb" in page
            else:
                assert address.startswith(stand.pages or "http://localhost:3000"), address
                assert words in {"Page", "title"}
                if place.path.strip("/"):
                    assert place.path.removeprefix("/d/") in PAGES, address
                    assert place.query.startswith("var-bot=")
                if stand.pages:
                    opened.setdefault(address, fetch(address))
    print(*sorted(opened), sep="\n")
    assert f"{stand.exporter}/runbooks/TradebotDisconnected" in opened
    if stand.pages:
        asked = f"{stand.pages}/api/dashboards/uid/tradebot-system"
        assert json.loads(fetch(asked))["dashboard"]["uid"] == "tradebot-system"


def test_the_links_of_every_rule_lead_somewhere(stand: Stand) -> None:
    for rule in alert_rules():
        name, notes = str(rule["alert"]), rule["annotations"]
        assert isinstance(notes, dict)
        assert name in html.unescape(fetch(f"{stand.exporter}/runbooks/{name}"))
        assert urlsplit(str(notes["dashboard"])).path.removeprefix("/d/") in PAGES, name


def test_the_exporter_heard_of_everything(told: list[Message], stand: Stand) -> None:
    assert told
    expected = {
        "TradebotDisconnected firing",
        "TradebotDisconnected resolved",
        "TradebotStateStale firing",
        "TradebotDrillOverdue firing",
    }

    def recorded() -> bool:
        rows = stand.look("/events?kind=alert&limit=200")["events"]
        return {row["what"] for row in rows} >= expected

    wait_until(recorded, "the exporter's history of alerts", 40)


def test_the_dead_mans_switch_is_called_by_the_watchdog_alone(told: list[Message], stand: Stand) -> None:
    """The stand-in refuses whatever else calls it."""
    assert told
    assert stand.services.of("dead man")


@pytest.mark.soak
def test_the_dead_mans_switch_is_called_once_a_minute(told: list[Message], stand: Stand) -> None:
    assert told
    wait_until(lambda: len(stand.services.of("dead man")) >= 4, "four calls", 240)
    times = [each.at for each in stand.services.of("dead man")]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    print("dead-man's switch called after", [round(gap, 1) for gap in gaps])
    assert all(55 < gap < 65 for gap in gaps)


def test_another_choice_counts_after_a_reload(told: list[Message], stand: Stand, tmp_path: Path) -> None:
    """Slack by a bot's token, mail to a server of this host without TLS and login, and nobody else."""
    assert told
    before = len(stand.services.taken)
    with MailServer() as mail:
        (tmp_path / "secrets").mkdir()
        stand.configure(
            tmp_path / "secrets",
            {"slack_token": SLACK_TOKEN},
            SLACK_CHANNEL="bots",
            SMTP_SMARTHOST=mail.address,
            SMTP_FROM="console@example.com",
            SMTP_TO="ann@example.com",
            SMTP_TLS="false",
        )
        urllib.request.urlopen(f"{stand.alertmanager}/-/reload", b"", timeout=10).close()
        stand.post(alert("KillNotVerified", "arb", area="control"))
        title = "CRITICAL · arb · KillNotVerified"

        def told_now() -> list[tuple[str, str]]:
            # A group in which something ended lately may be told again after a reload: not looked at.
            new = [of_taken(each) for each in stand.services.taken[before:]]
            return [(str(each), each.raw["channel"]) for each in new if each.title == title]

        def mailed() -> list[tuple[bool, tuple[str, ...]]]:
            of_it = [each for each in mail.mails if each.message["Subject"] == title]
            return [(each.secure, each.readers) for each in of_it]

        wait_until(lambda: mailed() and told_now(), "Slack and the mail", 30)
        assert told_now() == [(f"Slack: {title}", "bots")]
        assert mailed() == [(False, ("ann@example.com",))]
        assert {each.service for each in stand.services.taken[before:]} == {"slack"}
