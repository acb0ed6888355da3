"""A kill as Prometheus and the verdict show it."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from exporter.collector import Collector
from exporter.verdict import LONGEST, Level, judge
from tests.doubles import bots
from tests.exporter.control.kill_stand import Stand

STAGES = ("ready", "sent", "acked", "verified", "unproven", "not_verified")


class Shown:
    """What a scrape of the stand shows."""

    def __init__(self, stand: Stand) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(Collector([stand.view], clock=lambda: stand.now))

    def value(self, name: str, /, **labels: str) -> float | None:
        return self._registry.get_sample_value(f"tradebot_{name}", {"bot": "arb", **labels})

    @property
    def stage(self) -> str:
        """The one stage that is 1; every other is there and 0."""
        values = {stage: self.value("kill_state", state=stage) for stage in STAGES}
        assert sorted(values.values(), key=str) == [0, 0, 0, 0, 0, 1]
        return next(stage for stage, value in values.items() if value)


async def killed(bot: bots.DeployedBot, folder: Path, seconds: float, **asked: object) -> Stand:
    stand = Stand(bot, folder)
    await stand.cycles(60)
    await stand.press(**asked)
    await stand.for_seconds(seconds)
    return stand


async def test_before_a_kill_the_paths_and_the_last_drill_are_shown_and_nothing_of_a_kill(tmp_path):
    stand = Stand(bots.OwnBot(), tmp_path)
    shown = Shown(stand)
    assert shown.stage == "ready"
    assert shown.value("kill_path", path="socket") == 1
    assert shown.value("kill_path", path="file") == 0
    assert [shown.value("kill_proof", rung=rung) for rung in ("flag", "gate", "quiet")] == [0, 0, 0]
    for name in ("timestamp_seconds", "positions_remaining", "time_to_verified_seconds", "quiet_cycles"):
        assert shown.value(f"kill_{name}") is None
    assert shown.value("last_drill_timestamp_seconds") is None
    for command in ("kill_switch", "update_config"):
        for result in ("ok", "refused", "unknown", "not_sent"):
            assert shown.value("commands_total", command=command, result=result) == 0


async def test_a_proven_kill_shows_its_rung_its_time_and_what_remains(tmp_path):
    stand = await killed(bots.OwnBot(), tmp_path, 1)
    shown = Shown(stand)
    assert shown.stage == "verified"
    assert shown.value("kill_proof", rung="flag") == 1
    assert shown.value("kill_proof", rung="quiet") == 0
    assert shown.value("kill_timestamp_seconds") == stand.now - 1
    assert shown.value("kill_time_to_verified_seconds") == 0.25
    assert shown.value("kill_positions_remaining") == 5
    assert judge(stand.view.at(stand.now)).text == "HALTED PROVEN"
    assert judge(stand.view.at(stand.now)).level is Level.PLANNED


async def test_silence_is_shown_as_it_counts(tmp_path):
    stand = await killed(bots.DeployedBot(), tmp_path, 20)
    shown = Shown(stand)
    assert shown.stage == "unproven"
    assert shown.value("kill_quiet_cycles") == 2
    needed = shown.value("kill_quiet_cycles_needed")
    assert needed is not None
    assert stand.standing().words == f"UNPROVEN: quiet 2 of {needed:.0f}"


async def test_silence_that_proves_nothing_has_no_number_that_would(tmp_path):
    stand = await killed(bots.DeployedBot(share=0.05), tmp_path, 60)
    assert Shown(stand).value("kill_quiet_cycles_needed") is None
    assert stand.standing().words == "UNPROVEN: quiet, not proven"


@pytest.mark.parametrize(
    ("bot", "seconds", "level", "text"),
    [
        (bots.Ignores, 30, Level.ACT, "NOT KILLED"),
        (bots.FallsSilent, 60, Level.ACT, "KILL NOT PROVEN, STALE"),
        (bots.FallsSilent, 5, Level.LOOK, "KILLING"),
    ],
)
async def test_the_verdict_says_of_a_kill_what_is_most_pressing(tmp_path, bot, seconds, level, text):
    stand = await killed(bot(), tmp_path, seconds)
    verdict = judge(stand.view.at(stand.now))
    assert (verdict.level, verdict.text) == (level, text)
    assert len(verdict.text) <= LONGEST
    assert not any(character.isdigit() for character in verdict.text), "no clock in a label"


async def test_a_drill_is_called_one(tmp_path):
    stand = await killed(bots.OwnBot(), tmp_path, 1, drill=True)
    assert judge(stand.view.at(stand.now)).text == "DRILL HALTED PROVEN"
    assert Shown(stand).value("last_drill_timestamp_seconds") == stand.now - 0.75
