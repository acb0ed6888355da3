"""What a person reads of a message that a stand-in took: title, text and links, whatever the service."""

import html
import re
from dataclasses import dataclass
from typing import Any

from tests.stack.mail_server import Mail
from tests.stack.receivers_stand import Stand
from tests.stack.services import Taken, TelegramHtml


@dataclass(frozen=True)
class Message:
    """One message: its links by what they say, and what the service took for it."""

    service: str
    title: str
    text: str
    links: dict[str, str]
    raw: Any

    def __str__(self) -> str:
        return f"{self.service}: {self.title}"


def messages(stand: Stand) -> list[Message]:
    """All that was taken so far. Raises AssertionError where something was refused."""
    assert stand.services.refused == stand.mail.refused == []
    taken = [of_taken(each) for each in list(stand.services.taken) if each.service in _READERS]
    return taken + [_of_mail(each) for each in list(stand.mail.mails)]


def of_taken(taken: Taken) -> Message:
    """The message in what one of the services took."""
    return _READERS[taken.service](taken)


def _of_slack(taken: Taken) -> Message:
    (attachment,) = taken.content["attachments"]
    links = {action["text"]: action["url"] for action in attachment["actions"]}
    links["title"] = attachment["title_link"]
    return Message("Slack", attachment["title"], html.unescape(attachment["text"]), links, taken.content)


def _of_telegram(taken: Taken) -> Message:
    read = TelegramHtml(taken.content["text"])
    title, _, text = read.text.partition("\n")
    return Message("Telegram", title, text, read.links, taken.content)


def _of_pagerduty(taken: Taken) -> Message:
    payload = taken.content["payload"]
    links = {link["text"]: link["href"] for link in taken.content["links"]}
    details = payload["custom_details"]
    text = "\n".join(details[name] for name in ("firing", "resolved") if details[name])
    return Message("PagerDuty", payload["summary"], text, links, taken.content)


def _of_webhook(taken: Taken) -> Message:
    """Alertmanager's own message, which is for a program: names and annotations."""
    content = taken.content
    (name,) = {each["labels"]["alertname"] for each in content["alerts"]}
    text = "\n".join(each["annotations"].get("description", "") for each in content["alerts"])
    return Message("webhook", f"{content['receiver']} {content['status']} {name}", text, {}, content)


def _of_mail(mail: Mail) -> Message:
    tagged = mail.part("html")
    found = re.findall(r'<a href="([^"]+)">([^<]+)</a>', tagged)
    links = {words: html.unescape(address) for address, words in reversed(found)}  # the first alert's
    plain = mail.part("plain")
    assert set(links.values()) <= set(re.findall(r"https?://\S+", plain)), (
        "both parts lead to the same places"
    )
    return Message("mail", str(mail.message["Subject"]), plain, links, mail)


_READERS = {"slack": _of_slack, "telegram": _of_telegram, "pagerduty": _of_pagerduty, "webhook": _of_webhook}
