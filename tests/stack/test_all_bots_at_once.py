"""All bots at once: lost together they are one message, and without an exporter they are not accused."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from exporter.link import SILENT_AFTER_SECONDS
from tests.stack.console import Console, NotInstalledError
from tests.stack.live_bot import LiveBot
from tests.stack.processes import wait_until
from tests.stack.webhook import Message

pytestmark = pytest.mark.stack

TWENTY = [f"bot{number:02}" for number in range(20)]
LOST = "TradebotDisconnected"
ALERT = "TradebotExporterDown"
SCRAPE = 5.0
WORST = 30 + 5 + 5 + 5 + 1
"""Seconds: `for`, a scrape until it begins and until it is given up, an evaluation, the group's wait."""


@dataclass
class Crowd:
    """Twenty bots behind one network, and their console."""

    console: Console
    bots: list[LiveBot]

    def messages(self) -> list[Message]:
        """What was told of any of their links, in order."""
        told = self.console.webhook.messages()
        return [one for one in told if any(alert.labels["area"] == "link" for alert in one.alerts)]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    with ExitStack() as stack:
        # Their beats are spread over the second, so that a scrape may fall between the last ones.
        bots = [
            stack.enter_context(LiveBot(name, far=True, phase=number / len(TWENTY)))
            for number, name in enumerate(TWENTY)
        ]
        try:
            console = stack.enter_context(
                Console(tmp_path_factory.mktemp("crowd"), [bot.entry for bot in bots])
            )
        except NotInstalledError as error:
            pytest.skip(str(error))
        console.wait_for_bots(TWENTY)
        yield Crowd(console, bots)


def wait_for_a_moment_between(console: Console) -> None:
    """Wait until what is lost now is silent for 4.5 to 5.5 s at a scrape, which finds half of it gone."""
    (scraped,) = console.query('timestamp(up{job="tradebot"})')
    time.sleep((float(scraped["value"][1]) + SCRAPE - SILENT_AFTER_SECONDS + 0.5 - time.time()) % SCRAPE)


def test_twenty_bots_that_are_lost_at_once_are_one_message_and_one_when_they_are_back(crowd: Crowd) -> None:
    wait_for_a_moment_between(crowd.console)
    lost = time.time()
    for bot in crowd.bots:
        bot.lose_packets()
    try:
        wait_until(crowd.messages, "word of them")
        time.sleep(6)  # another scrape, and whatever else it brings
    finally:
        for bot in crowd.bots:
            bot.pass_packets()
    (told,) = crowd.messages()
    seconds = told.at - lost
    print(
        f"twenty bots lost: {told.receiver} after {seconds:.1f} s, {len(told.alerts)} alerts in one message"
    )
    assert (told.receiver, told.bots("firing")) == ("notify", TWENTY)
    assert {one.labels["alertname"] for one in told.alerts} == {LOST}
    assert seconds <= 20
    wait_until(lambda: len(crowd.messages()) > 1, "word of their return")
    time.sleep(6)
    _, back = crowd.messages()
    assert (back.receiver, back.bots("resolved"), back.bots("firing")) == ("notify", TWENTY, [])
    crowd.console.wait_for_bots(TWENTY)


def test_an_exporter_that_hangs_pages_and_its_bots_are_not_accused(crowd: Crowd) -> None:
    webhook, exporter = crowd.console.webhook, crowd.console.programs["exporter"]
    stopped = time.time()
    exporter.send(signal.SIGSTOP)
    wait_until(lambda: webhook.arrivals(alertname=ALERT, status="firing"), ALERT, 60)
    first = webhook.arrivals(alertname=ALERT, status="firing")[0]
    print(f"exporter stopped: {ALERT} at {first.receiver} after {first.at - stopped:.1f} s")
    assert first.at - stopped <= WORST
    assert (first.receiver, first.labels["severity"]) == ("page", "critical")
    exporter.send(signal.SIGCONT)
    went_on = time.time()
    wait_until(lambda: webhook.arrivals(alertname=ALERT, status="resolved"), "its resolution", 60)
    crowd.console.wait_for_bots(TWENTY)
    print(f"resolved after {webhook.arrivals(alertname=ALERT, status='resolved')[0].at - went_on:.1f} s")
    assert [one.labels for one in webhook.arrivals() if "bot" in one.labels and one.at > stopped] == []
