"""The texts that people are sent, made by amtool with both of Alertmanager's engines."""

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from deploy.receiver_texts import receivers
from deploy.receivers import LONGEST_ADDRESS
from tests.prometheus.promtool import PROMETHEUS
from tests.stack.services import TelegramHtml, slack

DESCRIPTION = (
    "Nothing is heard from {bot} although it should be running: its control socket is closed or silent. What "
    "it holds and what works at its venues is not known until it is back."
)
NOW = "DISCONNECTED · last mode live · PnL -8.50 USD (bot) · cap 10 USD"
HOSTILE = "<b>& `x` *y* _z_ \"q\" 'r' <!channel> {{ .Labels }} 100 %"


def alert(name: str = "Disconnected", bot: str = "arb", **more: str) -> dict[str, Any]:
    """One alert as Alertmanager's templates see it; what is no label goes to the annotations."""
    labels = {
        "alertname": f"Tradebot{name}",
        "bot": bot,
        "severity": "critical",
        "area": "link",
        "tier": "live",
    }
    notes = {
        "description": DESCRIPTION.format(bot=bot),
        "now": NOW,
        "runbook_url": f"prometheus/runbooks/Tradebot{name}.md",
        "dashboard": f"/d/tradebot-system?var-bot={bot}",
    }
    status = more.pop("status", "firing")
    for key, value in more.items():
        (labels if key in {*labels, "tests", "date"} else notes)[key] = value
    times = {"startsAt": "2026-11-21T00:00:00Z", "endsAt": "2026-11-21T00:00:00Z"}
    return {"status": status, "labels": labels, "annotations": notes, **times, "fingerprint": "1"}


def message(*alerts: dict[str, Any]) -> dict[str, Any]:
    """A group of alerts as Alertmanager's templates see it."""
    common = dict(set.intersection(*(set(each["labels"].items()) for each in alerts)))
    status = "firing" if any(each["status"] == "firing" for each in alerts) else "resolved"
    return {"receiver": "page", "status": status, "alerts": alerts, "commonLabels": common, "groupLabels": {}}


class Texts:
    """Makes texts from the templates of a folder."""

    def __init__(self, amtool: str, folder: Path, templates: Path = PROMETHEUS / "templates") -> None:
        self._amtool, self._data, self._templates = amtool, folder / "data.json", templates

    def make(self, text: str, told: dict[str, Any], engine: str = "text") -> str:
        """What a text of the configuration becomes for a group of alerts."""
        self._data.write_text(json.dumps(told))
        options = {"glob": f"{self._templates}/*.tmpl", "text": text, "data": self._data, "type": engine}
        words = [f"--template.{name}={value}" for name, value in options.items()]
        command = [self._amtool, "template", "render", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def named(self, name: str, *alerts: dict[str, Any], engine: str = "text") -> str:
        """What one template becomes."""
        return self.make(f'{{{{ template "tradebot.{name}" . }}}}', message(*alerts), engine)

    def telegram(self, *alerts: dict[str, Any]) -> TelegramHtml:
        """A message as Telegram reads it, which is strict."""
        made = self.named("telegram", *alerts, engine="html")
        assert len(made) <= 4096
        return TelegramHtml(made)


@pytest.fixture
def texts(amtool: str, tmp_path: Path) -> Texts:
    return Texts(amtool, tmp_path)


class Mail(HTMLParser):
    """A mail as it is read: text without tags, and where the links lead."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text, self.links, self.tags = "", list[str](), set[str]()
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep where it leads."""
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        """Keep what it says."""
        self.text += data


def test_one_alert_is_a_title_what_it_means_how_the_bot_is_and_three_links(texts: Texts) -> None:
    told = texts.telegram(alert())
    assert told.text == (
        f"CRITICAL · arb · Disconnected\n{DESCRIPTION.format(bot='arb')}\n{NOW}\n\nPage · Runbook · I have it"
    )
    assert told.links == {
        "Page": "http://localhost:3000/d/tradebot-system?var-bot=arb",
        "Runbook": "http://localhost:9121/runbooks/TradebotDisconnected",
        "I have it": "http://localhost:9121/",
    }


def test_an_end_says_why(texts: Texts) -> None:
    over = alert(status="resolved", ended="planned: quiet began")
    assert texts.telegram(over).text.startswith(
        "RESOLVED · arb · Disconnected\narb · Disconnected: planned: quiet began\n"
    )


def test_what_nobody_evaluates_any_more_is_not_called_resolved(texts: Texts) -> None:
    silent, over = alert(status="resolved", ended=""), alert(status="resolved", ended="recovered")
    assert texts.telegram(silent).text.startswith(
        "NOT KNOWN · arb · Disconnected\narb · Disconnected: nothing more is heard of it, that is no end\n"
    )
    colors = [texts.named("color", each) for each in (alert(), alert(severity="warning"), over, silent)]
    assert colors == ["danger", "warning", "good", "warning"]
    own = texts.telegram(alert("ExporterDown", bot="", status="resolved"))
    assert own.text.startswith("RESOLVED · ExporterDown\nExporterDown: no longer reported\n")


def test_twenty_bots_are_one_message_that_can_be_read(texts: Texts) -> None:
    bots = [alert(bot=f"bot-{number:02}") for number in range(20)]
    told = texts.telegram(*bots)
    title, first, meaning, now, *rest = told.text.splitlines()
    assert title == "CRITICAL 20 · bot-00, bot-01, bot-02 and 17 more · Disconnected"
    assert (first, now) == ("bot-00 · Disconnected", NOW)
    assert meaning == DESCRIPTION.format(bot="bot-00")
    assert told.text.count("Nothing is heard") == 1
    assert rest[:3] == ["", "bot-01 · Disconnected", NOW]
    assert "and 15 more: bot-05, bot-06, bot-07, bot-08, bot-09, bot-10, bot-11, bot-12 …" in rest
    assert len(told.text) < 1000


def test_alerts_of_one_bot_are_told_apart_and_each_means_something(texts: Texts) -> None:
    told = texts.telegram(alert("StateStale"), alert("LoopHung"), alert("Flapping", status="resolved"))
    assert told.text.splitlines()[0] == "CRITICAL 2 · arb · StateStale, LoopHung"
    assert told.text.count(DESCRIPTION.format(bot="arb")) == 2
    assert "arb · Flapping: nothing more is heard of it" in told.text


@pytest.mark.parametrize(
    ("labels", "title"),
    [
        ({"severity": "warning"}, "WARNING · arb · X"),
        ({"severity": "info"}, "INFO · arb · X"),
        ({"severity": "warning", "tier": "paper"}, "PAPER WARNING · arb · X"),
        ({"severity": "critical", "bot": ""}, "CRITICAL · X"),
        ({"severity": "test", "bot": "", "tests": "critical"}, "TEST · X"),
    ],
)
def test_a_title_says_how_bad_it_is_and_whether_money_is_at_stake(
    labels: dict[str, str], title: str, texts: Texts
) -> None:
    assert texts.named("title", alert("X", **labels)) == title


def test_a_digest_keeps_its_lines(texts: Texts) -> None:
    lines = "arb: PnL +3.20 USD (bot), 14 trades\nno alerts & no <kills>"
    digest = alert("DailyDigest", severity="digest", date="2026-11-20", description=lines, bot="")
    told = TelegramHtml(texts.named("telegram.digest", digest, engine="html"))
    assert told.text == f"DIGEST · 2026-11-20\n{lines}\nPage"
    assert lines in Mail(texts.named("email.digest", digest, engine="html")).text
    assert lines in texts.named("email.digest.plain", digest)


def test_what_a_bot_says_is_shown_as_it_is_and_formats_nothing(texts: Texts) -> None:
    hostile = alert(description=HOSTILE, now=HOSTILE, ended=HOSTILE)
    assert texts.telegram(hostile).text.count(HOSTILE) == 2
    ended = texts.telegram({**hostile, "status": "resolved"})
    assert HOSTILE[:40] in ended.text
    mail = Mail(texts.named("email", hostile, engine="html"))
    assert mail.text.count(HOSTILE) == 2
    assert mail.tags == {"html", "head", "meta", "body", "h3", "p", "b", "br", "a"}
    said = texts.named("body", hostile)
    assert not re.search("[<>]", said)
    assert html.unescape(said).count(HOSTILE) == 2
    assert texts.named("body.plain", hostile).count(HOSTILE) == 2


def test_names_carry_nothing_into_a_title_an_address_or_a_line(texts: Texts) -> None:
    odd = alert("X<y>\nBcc: a@b", bot='<!here> "x" *y*', dashboard='javascript:alert("x")', now="")
    assert texts.named("title", odd) == "CRITICAL · -here-x-y- · X-y-Bcc:-a-b"
    assert texts.named("page", odd) == "http://localhost:3000"
    assert texts.named("runbook", odd) == "http://localhost:9121/runbooks/TradebotXyBccab"
    assert texts.telegram(odd).links["Page"] == "http://localhost:3000"
    assert "javascript" not in texts.named("email", odd, engine="html")


def test_slack_takes_what_it_is_sent_and_formats_none_of_it(texts: Texts) -> None:
    settings = {"Slack": {"api_url": "http://x"}}
    for name in ("page", "notify", "remind", "paper", "digest", "test"):
        (config,) = next(r for r in receivers(settings, None) if r["name"] == name)["slack_configs"]
        told = message(alert(description=HOSTILE), alert("X", bot="ema"))
        filled = {key: texts.make(config[key], told) for key in ("title", "text", "fallback", "color")}
        actions = [{**each, "url": texts.make(each["url"], told)} for each in config["actions"]]
        slack({"attachments": [{**filled, "actions": actions, "mrkdwn_in": config["mrkdwn_in"]}]})


@pytest.mark.parametrize("character", ["&", "<", '"', "x", "ß", "😀"])
@pytest.mark.parametrize(
    ("status", "count"), [("firing", 3), ("firing", 40), ("resolved", 40), ("both", 7), ("both", 40)]
)
def test_the_longest_message_still_fits_telegram(
    character: str, status: str, count: int, amtool: str, tmp_path: Path
) -> None:
    """It refuses what is longer than 4096 characters, and Alertmanager would cut it inside a tag."""
    shutil.copytree(PROMETHEUS / "templates", tmp_path / "templates")
    longest = "https://" + "a" * (LONGEST_ADDRESS - 8)
    addresses = tmp_path / "templates" / "addresses.tmpl"
    addresses.write_text(re.sub(r"http://localhost:\d+", longest, addresses.read_text()))
    told = [
        alert(
            f"{number}{'A' * 80}",
            bot=f"{number}{'b' * 80}",
            description=character * 1000,
            now=character * 1000,
            ended=character * 1000,
            dashboard="/d/" + "d" * 120,
            status=["firing", "resolved"][number % 2] if status == "both" else status,
        )
        for number in range(count)
    ]
    texts = Texts(amtool, tmp_path, tmp_path / "templates")
    made = texts.telegram(*told)
    assert made.links["I have it"].startswith(longest)
    digest = alert("DailyDigest", description=character * 9000, date="2026-11-20")
    assert len(texts.named("telegram.digest", digest, engine="html")) <= 4096
