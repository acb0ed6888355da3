"""Scenes of bots: every alert about a bot, by what a real or a scripted one does.

Bots of tier live whose last mode was paper are only warned of; what must page is scripted, because no bot of
this project trades real money yet. Whatever a scripted bot is not told to say is well.
"""

import signal
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from exporter.losscap import utc_day
from tests.doubles import bots, messages
from tests.exporter.reporting.mirroring import add, bots_store, fill
from tests.stack.console import ArbBot
from tests.stack.live_bot import CAP_USD, LiveBot
from tests.stack.lying_bot import LyingBot
from tests.stack.processes import wait_until
from tests.stack.scene import ON_PAPER, PAGED, REMINDED, WARNED, Act, Bot, Scene, Stage

Makes = Callable[[str, Path], Bot]
DAY = 86_400.0
KEPT, HELD = 180.0, 400.0
"""Seconds after which what is held for two minutes, and for five, has ended."""

NO_FURTHER_CHANGE = "its mode has not changed again for a quarter of an hour"

PAPER_SETTINGS = {"ARB_LIVE_MODE": False, "ARB_DAILY_LOSS_CAP_USD": CAP_USD}
CAPPED = {"ARB_LIVE_MODE": True, "ARB_DAILY_LOSS_CAP_USD": CAP_USD}
NO_CAP = {"ARB_LIVE_MODE": True, "ARB_DAILY_LOSS_CAP_USD": 0.0}
EXPOSED, HEDGED = {"kalshi": 38.0}, {"kalshi": 0.0}
NO_ORDERS = {"kalshi": {"count": 0, "oldest_ts": None}}
STREAMS = {"kalshi": "connected", "polymarket": "connected"}
IN_PAPER = {"mode": "paper", "status": "paper", "config_snapshot": PAPER_SETTINGS}
TRIPPED = {
    "status": "killed",
    "kill_switch": messages.killed("automatic", "consecutive failures (5 of 5)"),
}
WELL = {"active": False, "reason": "ok", "since": None, "cause": None}
SKIPS = messages.cycle_of(messages.decision(action="skipped", reason="kelly_fraction_zero"))
OPENS = messages.cycle_of(messages.decision())
NOTHING = messages.cycle_of()


def old_order(now: float) -> dict[str, Any]:
    """An order that has worked for a minute."""
    return {"kalshi": {"count": 1, "oldest_ts": now - 60}}


def overdue(now: float) -> list[dict[str, Any]]:
    """A position that should have been settled more than an hour ago."""
    return [{"venue": "kalshi", "market_id": "KX-1", "expected_settlement_at": now - 3700}]


def arb(tier: str = "live", *arguments: str) -> Makes:
    """The arbitrage bot, in paper mode on simulated markets."""
    return lambda name, folder: ArbBot(name, folder, tier, arguments)


def scripted(tier: str = "live", **fields: Any) -> Makes:
    """A scripted bot, with what its states say from the beginning."""
    return lambda name, _: LiveBot(name, tier=tier, **fields)


def lying(bot: Callable[[], bots.DeployedBot], tier: str = "live") -> Makes:
    """A bot in memory that may lie."""
    return lambda name, _: LyingBot(name, bot(), tier)


def says(**fields: Any) -> Act:
    """Let its states say something else."""
    return lambda stage: stage.bot.says(**fields)


def being(**attributes: Any) -> Act:
    """Let it be in a condition."""

    def act(stage: Stage) -> None:
        for name, value in attributes.items():
            setattr(stage.bot, name, value)

    return act


def sent(number: signal.Signals) -> Act:
    """Send its process a signal."""
    return lambda stage: stage.bot.send(number)


def call(method: str) -> Act:
    """Have it do one thing."""
    return lambda stage: getattr(stage.bot, method)()


def nothing(stage: Stage) -> None:
    """Let time pass."""


def killed(stage: Stage) -> None:
    """Order it to stop."""
    stage.order("kill", reason="a scene")


def honest_and_rearmed(stage: Stage) -> None:
    """It obeys and speaks from now on, and is armed again."""
    stage.bot.bot.honest = True
    stage.bot.bot.mute = False
    rearmed(stage)


def rearmed(stage: Stage) -> None:
    """Armed again by somebody who knows why."""
    stage.order_with_code("rearm", reason="the scene is over")


def drilled_changed_and_killed(stage: Stage) -> None:
    """Prove the kill, change a setting, then kill in earnest: all of it over the admin API."""
    stage.order("settings", key="ARB_DAILY_LOSS_CAP_USD", value=5)
    drilled(stage)
    killed(stage)


def drilled(stage: Stage) -> None:
    """Prove the kill."""
    before = stage.console.look(f"/bots/{stage.name}")["kill"]["seen"]["last_drill"]
    stage.order("drill")

    def proven() -> bool:
        kill = stage.console.look(f"/bots/{stage.name}")["kill"]
        return kill["state"] == "ready" and kill["seen"]["last_drill"] != before

    wait_until(proven, "the drill to be proven and over")


def change_the_cap(stage: Stage) -> None:
    """Order a smaller day."""
    stage.order("settings", key="ARB_DAILY_LOSS_CAP_USD", value=5)


def change_it_honestly(stage: Stage) -> None:
    """The same of a bot that does it."""
    stage.bot.bot.honest = True
    change_the_cap(stage)


def quotes_stand_still(stage: Stage) -> None:
    """Its quotes grow old from now on."""
    began = time.time()
    stage.bot.says(quote_age_seconds=lambda now: {"kalshi": now - began})


def away_for_longer_than_planned(stage: Stage) -> None:
    """A minute of quiet is ordered, in which it goes and does not come back."""
    stage.order("maintenance", minutes=1, reason="a scene")
    stage.bot.vanish()


def three_restarts(stage: Stage) -> None:
    """It begins anew again and again, without a word."""
    for _ in range(3):
        stage.bot.restart()
        time.sleep(4)


def lost_and_found(stage: Stage) -> None:
    """It goes and comes three times, each seen by a scrape."""
    for _ in range(3):
        for act, seen in (("vanish", 0), ("come_back", 1)):
            call(act)(stage)
            connected = f'tradebot_connected{{bot="{stage.name}"}} == {seen}'
            wait_until(partial(stage.console.query, connected), connected)


def with_a_fill(name: str, folder: Path, **fields: Any) -> LiveBot:
    """A scripted bot whose own store holds one fill of today, without a profit."""
    path = folder / f"{name}.db"
    now = time.time()
    with closing(bots_store(path, "analytics")) as store:
        add(store, "fills", [fill(1, timestamp=now, date=utc_day(now), realized_pnl=0.0)])
    return LiveBot(name, stores={"analytics": str(path)}, **fields)


def with_a_fill_in_paper(name: str, folder: Path) -> LiveBot:
    """The same in paper mode."""
    return with_a_fill(name, folder, **IN_PAPER)


def drilled_long_ago(name: str, folder: Path) -> LyingBot:
    """A bot whose last drill was 31 days ago, by the exporter's own record."""
    (folder / f"drill-{name}.json").write_text(f'{{"at": {time.time() - 31 * DAY}}}')
    return LyingBot(name, bots.OwnBot())


def overwrite_its_store(stage: Stage) -> None:
    """Something overwrites the beginning of its store."""
    (path,) = stage.bot.entry.stores.values()
    broken = Path(path)
    stage.bot.store = broken.read_bytes()
    broken.write_bytes(b"this is no database\n" * 200)


def put_its_store_back(stage: Stage) -> None:
    """The store is put back."""
    (path,) = stage.bot.entry.stores.values()
    Path(path).write_bytes(stage.bot.store)


# A table with a layout of its own: bot, alert, who is told, what happens; how it is made, caused and mended.
# fmt: off
LINK = (
    Scene("killed", "TradebotDisconnected", WARNED, "SIGKILL",
          arb(), sent(signal.SIGKILL), call("start"), promise=10),
    Scene("paper", "TradebotDisconnected", ON_PAPER, "SIGKILL",
          arb("paper"), sent(signal.SIGKILL), call("start"), promise=10),
    Scene("stopped", "TradebotDisconnected", WARNED, "SIGSTOP",
          arb(), sent(signal.SIGSTOP), sent(signal.SIGCONT), promise=20),
    Scene("half_open", "TradebotDisconnected", WARNED, "its network swallows everything",
          scripted(far=True), call("lose_packets"), call("pass_packets"), promise=20),
    Scene("real", "TradebotDisconnected", PAGED, "gone, with 38 USD unhedged",
          scripted(unhedged_usd=EXPOSED), call("vanish"), call("come_back"), promise=20),
    Scene("away", "TradebotDisconnected", PAGED, "gone for two minutes",
          scripted(), call("vanish"), call("come_back"), fires=135),
    Scene("flapping", "TradebotFlapping", WARNED, "lost and found three times",
          scripted(), lost_and_found, nothing, fires=90, ends=640),
    Scene("mute", "TradebotStateStale", PAGED, "no more states",
          scripted(beats=False), being(mute=True), being(mute=False)),
    Scene("mute_in_paper", "TradebotStateStale", WARNED, "no more states",
          scripted(beats=False, **IN_PAPER), being(mute=True), being(mute=False)),
    Scene("looping", "TradebotCrashLooping", PAGED, "three restarts without a word",
          scripted(), three_restarts, nothing, ends=1100),
    Scene("paper_looping", "TradebotCrashLooping", ON_PAPER, "three restarts without a word",
          scripted("paper", **IN_PAPER), three_restarts, nothing, ends=1100),
    Scene("skewed", "TradebotClockSkew", WARNED, "its clock is 90 s ahead",
          scripted(), being(ahead=90.0), being(ahead=0.0), says="+90", fires=90, ends=KEPT),
    Scene("overrun", "TradebotMaintenanceOverrun", WARNED, "stays away after planned quiet",
          scripted(), away_for_longer_than_planned, call("come_back"), fires=200),
    Scene("hung", "TradebotLoopHung", WARNED, "its loop hangs",
          arb(), call("hang"), call("go_on"), promise=20),
    Scene("hung_live", "TradebotLoopHung", PAGED, "its loop hangs",
          scripted(), being(hung=True), being(hung=False), promise=20),
)

RISK = (
    Scene("near", "TradebotLossCapNear", WARNED, "85 % of its cap lost",
          with_a_fill, says(daily_pnl=-8.5), says(daily_pnl=-1.0), ends=HELD),
    Scene("loser", "TradebotLossCapBreached", PAGED, "its cap lost",
          scripted(), says(daily_pnl=-12.0, last_cycle=NOTHING), None, promise=20),
    Scene("paper_loser", "TradebotLossCapBreached", ON_PAPER, "its cap lost",
          scripted("paper", **IN_PAPER), says(daily_pnl=-12.0, last_cycle=NOTHING), None),
    Scene("unbound", "TradebotCapNotEnforced", PAGED, "opens on, its cap lost",
          scripted(), says(daily_pnl=-12.0), None, says="-12.00 USD by its own figures"),
    Scene("paper_unbound", "TradebotCapNotEnforced", ON_PAPER, "opens on, its cap lost",
          scripted("paper", **IN_PAPER), says(daily_pnl=-12.0), None),
    Scene("uncapped", "TradebotCapUnsetLive", PAGED, "trades live with a cap of 0",
          scripted(), says(config_snapshot=NO_CAP), says(config_snapshot=CAPPED), fires=75, ends=KEPT),
    Scene("paper_uncapped", "TradebotCapUnsetLive", ON_PAPER, "trades live with a cap of 0",
          scripted("paper"), says(config_snapshot=NO_CAP), says(config_snapshot=CAPPED), fires=75, ends=KEPT),
    Scene("failing", "TradebotConsecutiveFailures", WARNED, "five executions fail in a row",
          scripted(), says(consecutive_failures=5), says(consecutive_failures=0), says="5 times", ends=KEPT),
    Scene("exposed", "TradebotUnhedged", PAGED, "38 USD without the other leg",
          scripted(), says(unhedged_usd=EXPOSED), says(unhedged_usd=HEDGED), says="38.00 USD", ends=KEPT),
    Scene("exposed_in_paper", "TradebotUnhedged", WARNED, "38 USD without the other leg",
          scripted(**IN_PAPER), says(unhedged_usd=EXPOSED), says(unhedged_usd=HEDGED), ends=KEPT),
    Scene("working", "TradebotWorkingOrderOld", WARNED, "an order works for a minute",
          scripted(), says(working_orders=old_order), says(working_orders=NO_ORDERS), says="kalshi",
          ends=KEPT),
    Scene("unsettled", "TradebotSettlementOverdue", WARNED, "a position an hour past its settlement",
          scripted(), says(open_positions=overdue), says(open_positions=[]), says="kalshi", fires=100,
          ends=KEPT),
    Scene("apart", "TradebotLedgerDisagrees", PAGED, "reports 5 USD more than its fills",
          with_a_fill, says(daily_pnl=5.0), says(daily_pnl=0.0), fires=150, ends=HELD),
    Scene("apart_in_paper", "TradebotLedgerDisagrees", WARNED, "reports 5 USD more than its fills",
          with_a_fill_in_paper, says(daily_pnl=5.0), says(daily_pnl=0.0), fires=150, ends=HELD),
)

CONTROL = (
    Scene("halted", "TradebotKillSwitchActive", REMINDED, "an operator kills it",
          arb("live", "--paused"), drilled_changed_and_killed, rearmed, ends=KEPT),
    Scene("tripped", "TradebotKillSwitchActive", PAGED, "it kills itself",
          scripted(), says(**TRIPPED), says(status="live", kill_switch=WELL), ends=KEPT),
    Scene("paper_tripped", "TradebotKillSwitchActive", ON_PAPER, "it kills itself",
          scripted("paper", **IN_PAPER), says(**TRIPPED), says(status="paper", kill_switch=WELL), ends=KEPT),
    Scene("liar", "TradebotKillNotVerified", PAGED, "acks a kill and trades on",
          lying(bots.Liar), killed, honest_and_rearmed, ends=KEPT),
    Scene("paper_liar", "TradebotKillNotVerified", ON_PAPER, "acks a kill and trades on",
          lying(bots.Liar, "paper"), killed, honest_and_rearmed, ends=KEPT),
    Scene("silent", "TradebotKillUnproven", PAGED, "acks a kill and falls silent",
          lying(bots.FallsSilent), killed, honest_and_rearmed, ends=KEPT),
    Scene("paper_silent", "TradebotKillUnproven", ON_PAPER, "acks a kill and falls silent",
          lying(bots.FallsSilent, "paper"), killed, honest_and_rearmed, ends=KEPT),
    Scene("undrilled", "TradebotDrillOverdue", REMINDED, "last drilled 31 days ago",
          drilled_long_ago, nothing, drilled, fires=660, ends=KEPT),
    Scene("flipped", "TradebotModeChangedUnexpectedly", PAGED, "goes from paper to live by itself",
          scripted(**IN_PAPER), says(mode="live", status="live"), says(**IN_PAPER),
          ended=NO_FURTHER_CHANGE, ends=1250),
    Scene("paper_flipped", "TradebotModeChangedUnexpectedly", ON_PAPER, "goes from live to paper by itself",
          scripted("paper"), says(**IN_PAPER), nothing, ended=NO_FURTHER_CHANGE, ends=1000),
    Scene("unset", "TradebotSettingNotVerified", WARNED, "acks a change and keeps the old value",
          lying(bots.Liar), change_the_cap, change_it_honestly, says="ARB_DAILY_LOSS_CAP_USD", ends=KEPT),
)

MARKET = (
    Scene("degraded", "TradebotStreamDegraded", WARNED, "one venue's stream is degraded",
          scripted(stream_status=STREAMS), says(stream_status=STREAMS | {"kalshi": "degraded"}),
          says(stream_status=STREAMS), says="kalshi", fires=340, ends=KEPT),
    Scene("blind", "TradebotStreamDegraded", PAGED, "all venues' streams are degraded",
          scripted(stream_status=STREAMS), says(stream_status=dict.fromkeys(STREAMS, "degraded")),
          says(stream_status=STREAMS), fires=90, ends=KEPT),
    Scene("frozen", "TradebotFeedFrozen", WARNED, "a venue's quotes stand still",
          scripted(), quotes_stand_still, says(quote_age_seconds={"kalshi": 1.0}), says="kalshi",
          fires=340, ends=KEPT),
)

PERFORMANCE = (
    Scene("blocked", "TradebotBlocked", WARNED, "skips everything for one reason",
          scripted(last_cycle=NOTHING), says(last_cycle=SKIPS), says(last_cycle=OPENS),
          says="kelly_fraction_zero", fires=720, ends=680),
    Scene("slow", "TradebotCycleSlow", WARNED, "cycles take 1.9 s of their 2 s",
          scripted(), says(last_cycle=NOTHING | {"duration_ms": 1900}), says(last_cycle=NOTHING),
          fires=700, ends=500),
)

STORES = (
    Scene("unreadable", "TradebotStoreUnreadable", WARNED, "its store is overwritten",
          with_a_fill, overwrite_its_store, put_its_store_back, says="analytics", fires=130, ends=130),
)
# fmt: on

SCENES = (*LINK, *RISK, *CONTROL, *MARKET, *PERFORMANCE, *STORES)
