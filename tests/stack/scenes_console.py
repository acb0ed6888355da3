"""Scenes of the console's own parts: each breaks a program, a file or a disk of a small console of its own.

`STANDS` says which scenes share a console, because none of them disturbs the others there.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.doubles import bots
from tests.stack.console import Console
from tests.stack.live_bot import LiveBot
from tests.stack.lying_bot import LyingBot
from tests.stack.processes import HOST, free_port, wait_until
from tests.stack.scene import PAGED, WARNED, Act, NotPossibleError, Outcomes, Scene, Stage, Told, play
from tests.stack.scenes_bots import DAY, KEPT, NOTHING, nothing, scripted

DISK_BYTES = 64 * 2**20
KILLED = "killed"
"""The bot whose kill is a message that can fail."""


def configuration(stage: Stage) -> Path:
    """The folder that Prometheus reads."""
    return stage.console.folder / "configuration"


def reloaded(stage: Stage, program: str) -> None:
    """Have a program read its configuration again, as a person who changed it would."""
    stage.console.programs[program].send(signal.SIGHUP)


def exporter_killed(stage: Stage) -> None:
    """Kill it the hard way."""
    stage.console.programs["exporter"].send(signal.SIGKILL)
    stage.console.programs["exporter"].ended()


def exporter_started(stage: Stage) -> None:
    """Start it again."""
    stage.console.start("exporter")


def wrong_address(stage: Stage) -> None:
    """Prometheus looks for itself where nothing listens."""
    file = configuration(stage) / "targets" / "prometheus.yml"
    stage.held = file.read_text()
    file.write_text(yaml.safe_dump([{"targets": [f"{HOST}:{free_port()}"]}]))


def right_address(stage: Stage) -> None:
    """It finds itself again."""
    (configuration(stage) / "targets" / "prometheus.yml").write_text(stage.held)


def alertmanager_misread(stage: Stage) -> None:
    """Its configuration is changed to what it cannot read."""
    file = stage.console.alertmanager_yml
    stage.held = file.read_text()
    file.write_text(stage.held + "\nroutes_are_not_here: true\n")
    reloaded(stage, "alertmanager")


def alertmanager_reads(stage: Stage) -> None:
    """The change is taken back."""
    stage.console.alertmanager_yml.write_text(stage.held)
    reloaded(stage, "alertmanager")


def rules_misread(stage: Stage) -> None:
    """A file of rules comes that is none."""
    (configuration(stage) / "rules" / "mine.yml").write_text("groups: {}\n")
    reloaded(stage, "prometheus")


def rules_fail(stage: Stage) -> None:
    """A rule comes that can be read and not evaluated."""
    rule = {"record": "mine", "expr": "up * on () up"}
    text = yaml.safe_dump({"groups": [{"name": "mine", "rules": [rule]}]})
    (configuration(stage) / "rules" / "mine.yml").write_text(text)
    reloaded(stage, "prometheus")


def without_my_rules(stage: Stage) -> None:
    """The file is taken away."""
    (configuration(stage) / "rules" / "mine.yml").unlink()
    reloaded(stage, "prometheus")


def exporter_stood(stage: Stage) -> None:
    """Wait until the exporter has run for as long as its own restart is forgiven."""
    age = 'time() - process_start_time_seconds{job="tradebot"} > 301'
    wait_until(lambda: stage.console.query(age), "an exporter that has run for five minutes", 360)


def service_broken(stage: Stage) -> None:
    """The service behind one receiver answers with errors, and something has to be told to it."""
    stage.console.webhook.failing = frozenset({"remind"})
    stage.console.order(f"/bots/{KILLED}/kill", reason="somebody has to be told of it")


def service_works(stage: Stage) -> None:
    """It answers again."""
    stage.console.webhook.failing = frozenset()


def database_locked(stage: Stage) -> None:
    """Somebody holds the lock of the reporting database and does not let go."""
    stage.held = sqlite3.connect(stage.console.reporting_db, timeout=30, isolation_level=None)
    stage.held.execute("BEGIN EXCLUSIVE")


def database_free(stage: Stage) -> None:
    """The lock is let go."""
    stage.held.execute("ROLLBACK")
    stage.held.close()


def event_altered(stage: Stage) -> None:
    """Somebody rewrites what an event says, behind the exporter's back."""
    stage.held = _rewritten(stage, "somebody else")


def event_put_back(stage: Stage) -> None:
    """The event says again what it said."""
    _rewritten(stage, stage.held)


def _rewritten(stage: Stage, what: str) -> str:
    """Change the first event while the exporter is away for a moment; returns what it said."""
    stage.console.stop("exporter")
    with closing(sqlite3.connect(stage.console.reporting_db, timeout=10, isolation_level=None)) as db:
        ((before,),) = db.execute("SELECT what FROM events ORDER BY seq LIMIT 1").fetchall()
        db.execute("UPDATE events SET what = ? WHERE seq = (SELECT min(seq) FROM events)", (what,))
    stage.console.start("exporter")
    return str(before)


def disk_filled(stage: Stage) -> None:
    """Something else writes until hardly anything is left."""
    folder = stage.console.reporting_db.parent
    if folder == stage.console.folder:
        raise NotPossibleError("only root can mount a small disk")
    free = shutil.disk_usage(folder).free
    (folder / "ballast").write_bytes(bytes(free - DISK_BYTES // 33))


def disk_emptied(stage: Stage) -> None:
    """It is taken away."""
    (stage.console.reporting_db.parent / "ballast").unlink()


def alertmanager_away(stage: Stage) -> None:
    """Alertmanager is killed, and away until Prometheus knows that it tells nobody.

    Meanwhile nothing is heard by whoever waits for the Watchdog: that is who has to call.
    """
    webhook = stage.console.webhook
    wait_until(lambda: webhook.messages("watchdog"), "the watchdog", 70)
    stage.console.programs["alertmanager"].send(signal.SIGKILL)
    killed = time.time()
    for alert in ("TradebotPrometheusTargetMissing", "TradebotNotificationsFailing"):
        firing = f'ALERTS{{alertname="{alert}", alertstate="firing"}}'
        wait_until(lambda: stage.console.query(firing), f"{alert} in Prometheus", 240)  # noqa: B023
    heard = [message for message in webhook.messages("watchdog") if message.at > killed + 1]
    assert not heard, "the dead man's switch heard of a Watchdog that nobody could send"
    assert time.time() > killed + UNHEARD, "longer than a Watchdog may be late"
    stage.console.start("alertmanager")


def prometheus_stopped(stage: Stage) -> None:
    """Prometheus stands still; what it sent last holds for four minutes, then nobody is called any more."""
    stage.console.programs["prometheus"].send(signal.SIGSTOP)

    def unheard() -> bool:
        return time.time() - stage.console.webhook.messages("watchdog")[-1].at > UNHEARD

    wait_until(unheard, "a dead man's switch that hears nothing", 240 + UNHEARD + 60)


def lost_today(**fields: Any) -> Act:
    """It loses its cap, for as long as the day lasts by the clock of bot and exporter."""

    def act(stage: Stage) -> None:
        now = time.time() + stage.bot.ahead
        midnight = now + until_midnight(now)
        stage.bot.says(daily_pnl=lambda at: -12.0 if at < midnight else 0.0, **fields)

    return act


def the_day_ends(stage: Stage) -> None:
    """Midnight comes by that clock."""
    time.sleep(until_midnight(time.time() + stage.bot.ahead))


def until_midnight(now: float) -> float:
    """Seconds until the UTC day ends."""
    return DAY - now % DAY


UNHEARD = 90.0
"""Seconds without a Watchdog, which comes each minute, after which a dead man's switch calls somebody."""

WATCHED = Told("watchdog", "none")
NEW_DAY = "the UTC day rolled over"

# fmt: off
TARGET_MISSING = Scene(
    "target", "TradebotPrometheusTargetMissing", PAGED, "Prometheus does not find itself",
    None, wrong_address, right_address, says="prometheus")
REFUSED_BY_ALERTMANAGER = Scene(
    "alertmanager_reload", "TradebotConfigReloadFailed", WARNED, "Alertmanager's file is broken and reloaded",
    None, alertmanager_misread, alertmanager_reads, says="alertmanager", ends=90)
REFUSED_BY_PROMETHEUS = Scene(
    "prometheus_reload", "TradebotConfigReloadFailed", WARNED, "a broken file of rules is reloaded",
    None, rules_misread, without_my_rules, says="prometheus", ends=90)
RULE_FAILS = Scene(
    "rule", "TradebotRulesFailing", WARNED, "a rule cannot be evaluated",
    None, rules_fail, without_my_rules, says="mine", ends=400)
NOT_DELIVERED = Scene(
    "service", "TradebotNotificationsFailing", WARNED, "a receiver's service answers 500",
    None, service_broken, service_works, says="webhook", fires=120, ends=420, prepare=exporter_stood)
LOCKED = Scene(
    "lock", "TradebotReportingStale", WARNED, "the reporting database is locked",
    None, database_locked, database_free, fires=340, ends=150)
EXPORTER_GONE = Scene(
    "exporter", "TradebotExporterDown", PAGED, "SIGKILL of the exporter",
    None, exporter_killed, exporter_started)
ALTERED = Scene(
    "chain", "TradebotEventChainBroken", WARNED, "an event is altered by hand",
    None, event_altered, event_put_back, fires=90, ends=700)
FULL = Scene(
    "disk", "TradebotDiskWillFill", WARNED, "the disk is filled to 3 %",
    None, disk_filled, disk_emptied, says="reporting", fires=120, ends=150)
DEAF = Scene(
    "alertmanager", "TradebotNotificationsFailing", WARNED, "Alertmanager is away; told when it is back",
    None, alertmanager_away, nothing, fires=60, ends=200)
WATCHDOG = Scene(
    "watchdog", "TradebotWatchdog", WATCHED, "nothing: it always fires; it ends when Prometheus stands still",
    None, nothing, prometheus_stopped, fires=70, tells_its_end=False)
DAYS_LOSS = Scene(
    "loser_of_the_day", "TradebotLossCapBreached", PAGED, "its cap lost; ends with the UTC day",
    scripted(), lost_today(last_cycle=NOTHING), the_day_ends, ended=NEW_DAY, ends=KEPT)
DAYS_OPENINGS = Scene(
    "unbound_today", "TradebotCapNotEnforced", PAGED, "opens on, its cap lost; ends with the UTC day",
    scripted(), lost_today(), the_day_ends, ended=NEW_DAY, ends=KEPT)
# fmt: on


@dataclass(frozen=True)
class Stand:
    """Scenes that share a console: on a small disk where they fill it, before midnight where the day ends."""

    name: str
    scenes: tuple[Scene, ...]
    on_a_disk: bool = False
    before_midnight: float | None = None
    """Seconds that are left of the UTC day when it starts, by the clock of the exporter and its bots."""

    def played(self, folder: Path) -> Outcomes:
        """Play them; raises NotInstalledError."""
        with ExitStack() as stack:
            ahead = 0.0
            if self.before_midnight is not None:
                ahead = until_midnight(time.time()) - self.before_midnight
            played = [
                (scene, scene.makes(scene.name, folder) if scene.makes else None) for scene in self.scenes
            ]
            others = [LiveBot("live"), LyingBot(KILLED, bots.OwnBot())]
            there = [stack.enter_context(bot) for bot in (*others, *(bot for _, bot in played if bot))]
            for _, bot in played:
                if bot is not None:
                    bot.ahead = ahead
            disk = stack.enter_context(_small_disk(folder / "disk")) if self.on_a_disk else None
            entries = [bot.entry for bot in there]
            console = stack.enter_context(Console(folder, entries, disk=disk, ahead=ahead))
            console.wait_for_bots([entry.name for entry in entries])
            return play(console, played, to_the_end=True)


STANDS = (
    Stand("told", (TARGET_MISSING, REFUSED_BY_ALERTMANAGER, RULE_FAILS, NOT_DELIVERED, LOCKED)),
    Stand("exporter", (EXPORTER_GONE, REFUSED_BY_PROMETHEUS)),
    Stand("disk", (ALTERED, FULL), on_a_disk=True),
    Stand("deaf", (DEAF,)),
    Stand("watched", (WATCHDOG,)),
    Stand("midnight", (DAYS_LOSS, DAYS_OPENINGS), before_midnight=120.0),
)
SCENES = tuple(scene for stand in STANDS for scene in stand.scenes)


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path | None]:
    """A disk of 64 MiB in memory; None where only root could mount one."""
    if os.geteuid() != 0:
        yield None
        return
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
