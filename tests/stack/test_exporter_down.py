"""An exporter that answers nobody is told of, its bots are not accused, and it is well again afterwards."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.console import Console, NotInstalledError
from tests.stack.live_bot import LiveBot
from tests.stack.processes import wait_until

pytestmark = pytest.mark.stack

ALERT = "TradebotExporterDown"
WORST = 30 + 5 + 5 + 5 + 1
"""Seconds: `for`, a scrape until it begins and until it is given up, an evaluation, the group's wait."""


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    with LiveBot("live") as bot:
        bot.unhedged_usd = 38.0
        try:
            with Console(tmp_path, [bot.entry]) as console:
                console.wait_for_bots(["live"])
                yield console
        except NotInstalledError as error:
            pytest.skip(str(error))


def test_an_exporter_that_hangs_pages_and_its_bots_are_not_accused(console: Console) -> None:
    webhook, exporter = console.webhook, console.programs["exporter"]
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
    console.wait_for_bots(["live"])
    print(f"resolved after {webhook.arrivals(alertname=ALERT, status='resolved')[0].at - went_on:.1f} s")
    assert webhook.arrivals(bot="live") == []
