"""Faults of real bots reach a webhook through the real exporter, Prometheus and Alertmanager, and go again.

All faults are caused at once and mended at once, so that the whole takes a minute; each test looks at one.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.stack.console import ArbBot, Console, NotInstalledError
from tests.stack.live_bot import LiveBot
from tests.stack.processes import wait_until
from tests.stack.webhook import Arrival, Webhook

pytestmark = pytest.mark.stack

LIMIT = 20.0
"""Seconds from the fault to the receiver, by the product's promise."""

# Bot, alert, receiver. A bot of tier live whose last mode is paper is warned of at first; `real` trades.
EXPECTED = {
    "killed": ("TradebotDisconnected", "notify"),
    "stopped": ("TradebotDisconnected", "notify"),
    "hung": ("TradebotLoopHung", "notify"),
    "paper": ("TradebotDisconnected", "paper"),
    "real": ("TradebotDisconnected", "page"),
    "loser": ("TradebotLossCapBreached", "page"),
}


@dataclass
class Incident:
    """What was caused and mended when (epoch seconds, by bot), and what arrived."""

    webhook: Webhook
    console: Console
    caused: dict[str, float] = field(default_factory=dict)
    mended: dict[str, float] = field(default_factory=dict)

    def arrivals(self, bot: str, status: str) -> list[Arrival]:
        alert, receiver = EXPECTED[bot]
        return self.webhook.arrivals(bot=bot, alertname=alert, receiver=receiver, status=status)

    def all_have(self, status: str, bots: set[str]) -> bool:
        return all(self.arrivals(bot, status) for bot in bots)


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Incident]:
    """Seven bots, of which six are broken and one restarts as planned; then all is mended."""
    folder: Path = tmp_path_factory.mktemp("incident")
    names = ("killed", "stopped", "hung", "planned", "well")
    with ExitStack() as stack:
        arbs = {name: ArbBot(name, folder) for name in names} | {
            "paper": ArbBot("paper", folder, tier="paper")
        }
        real, loser = (stack.enter_context(LiveBot(name)) for name in ("real", "loser"))
        real.unhedged_usd = 38.0
        entries = [arb.entry for arb in arbs.values()] + [real.entry, loser.entry]
        try:
            console = stack.enter_context(Console(folder, entries))
        except NotInstalledError as error:
            pytest.skip(str(error))
        for arb in arbs.values():
            stack.callback(arb.stop)
            arb.start()
        console.wait_for_bots([entry.name for entry in entries])
        incident = Incident(console.webhook, console)
        cause(incident, arbs, real, loser)
        mend(incident, arbs, real)
        yield incident


def cause(incident: Incident, arbs: dict[str, ArbBot], real: LiveBot, loser: LiveBot) -> None:
    """Break everything, and wait until all of it was told or twice the limit has passed."""
    arbs["planned"].send(signal.SIGTERM)
    arbs["killed"].send(signal.SIGKILL)
    arbs["paper"].send(signal.SIGKILL)
    arbs["stopped"].send(signal.SIGSTOP)
    arbs["hung"].hang()
    real.vanish()
    loser.daily_pnl = -12.0
    incident.caused = dict.fromkeys(EXPECTED, time.time())
    assert arbs["planned"].ended() == 0
    wait_for(lambda: incident.all_have("firing", set(EXPECTED)))


def mend(incident: Incident, arbs: dict[str, ArbBot], real: LiveBot) -> None:
    """Bring everything back but the broken cap, which holds for the day."""
    for name in ("planned", "killed", "paper"):
        arbs[name].start()
    arbs["stopped"].send(signal.SIGCONT)
    arbs["hung"].go_on()
    real.come_back()
    incident.mended = dict.fromkeys(EXPECTED.keys() - {"loser"}, time.time())
    wait_for(lambda: incident.all_have("resolved", set(incident.mended)))


def wait_for(holds: object) -> None:
    """Wait as long as makes sense; what is still missing then fails in the test that looks for it."""
    try:
        wait_until(holds, "", 2 * LIMIT)  # type: ignore[arg-type]
    except TimeoutError:
        return


@pytest.mark.parametrize("bot", EXPECTED)
def test_a_fault_is_at_its_receiver_in_time(bot: str, incident: Incident) -> None:
    first = incident.arrivals(bot, "firing")[0]
    seconds = first.at - incident.caused[bot]
    print(f"{bot}: {EXPECTED[bot][0]} at {first.receiver} after {seconds:.1f} s")
    assert seconds <= LIMIT


@pytest.mark.parametrize("bot", sorted(EXPECTED.keys() - {"loser"}))
def test_an_alert_resolves_when_its_bot_is_back(bot: str, incident: Incident) -> None:
    last = incident.arrivals(bot, "resolved")[-1]
    print(f"{bot}: resolved after {last.at - incident.mended[bot]:.1f} s")
    assert last.at > incident.mended[bot]


def test_a_broken_cap_does_not_resolve(incident: Incident) -> None:
    assert incident.arrivals("loser", "resolved") == []


@pytest.mark.parametrize("bot", EXPECTED)
def test_what_arrives_says_what_is_wrong_where_and_what_to_do(bot: str, incident: Incident) -> None:
    first = incident.arrivals(bot, "firing")[0]
    critical = first.receiver == "page"
    assert first.labels["severity"] == ("critical" if critical else "warning")
    assert first.labels["tier"] == ("paper" if bot == "paper" else "live")
    assert bot in first.annotations["description"]
    assert first.annotations["runbook_url"] == f"prometheus/runbooks/{first.labels['alertname']}.md"
    assert first.annotations["dashboard"].endswith(f"?var-bot={bot}")


def test_a_paper_bots_alert_pages_nobody(incident: Incident) -> None:
    assert incident.arrivals("paper", "firing")
    assert incident.webhook.arrivals(receiver="page", tier="paper") == []
    assert incident.webhook.arrivals(receiver="page", bot="paper") == []


def test_the_page_for_a_live_bot_silences_its_own_warning(incident: Incident) -> None:
    """The warning may come first; once the page is out it is not said again."""
    paged = incident.arrivals("real", "firing")[0].at
    warned = incident.webhook.arrivals(bot="real", receiver="notify", status="firing")
    assert all(arrival.at <= paged + 1 for arrival in warned)


@pytest.mark.parametrize("bot", ["planned", "well"])
def test_neither_a_planned_restart_nor_a_healthy_bot_raises_anything(bot: str, incident: Incident) -> None:
    assert incident.webhook.arrivals(bot=bot) == []
    told = incident.console.query(f'count_over_time(ALERTS{{bot="{bot}"}}[10m])')
    assert told == []


def test_nothing_arrives_at_a_receiver_that_no_route_names(incident: Incident) -> None:
    assert incident.webhook.arrivals(receiver="default") == []


def test_the_watchdog_arrives(incident: Incident) -> None:
    """A minute after the start at the latest: until then Prometheus may not have found Alertmanager."""
    wait_for(lambda: incident.webhook.arrivals(receiver="watchdog"))
    assert incident.webhook.arrivals(receiver="watchdog", alertname="TradebotWatchdog", status="firing")
