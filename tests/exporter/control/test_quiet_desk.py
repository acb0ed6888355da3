"""Planned quiet on disk and in the log of events: over restarts, full disks and damaged files."""

import asyncio
import json

import pytest

from exporter.control.maintenance import Maintenance, MaintenanceFiles
from exporter.control.quiet_desk import QuietDesk
from exporter.planned import Planned
from exporter.verdict import verdict
from exporter.view import BotView
from tests.doubles.messages import T0, goodbye, state

MINUTE = 60.0


class Stand:
    """A desk for one bot, with a clock that a test moves and events that it reads."""

    def __init__(self, folder, now: float = T0) -> None:
        self.now = now
        self.events: list[tuple[str, str, str]] = []
        self.view = BotView("arb", now=now)
        self.files = MaintenanceFiles(folder)
        self.desk = QuietDesk([self.view], self.files, self._tell, lambda: self.now)

    def _tell(self, kind, group, now, *, bot, what, why, severity, source):
        assert (group, bot, source) == (kind, "arb", "exporter")
        self.events.append((kind, what, severity))

    async def look(self, at: float | None = None) -> None:
        """Look once, and let what is to be written be written."""
        self.now = self.now if at is None else at
        self.desk.look()
        for task in [*self.desk._writing.values()]:
            await task

    def order(self, minutes: float = 30) -> None:
        self.view.maintenance = Maintenance(self.now, self.now + MINUTE * minutes, "new disk", "ann")

    def beats_until(self, at: float) -> None:
        self.view.connected(at)
        self.view.received(state(1, at, uptime_seconds=1.0), at)


async def test_an_order_and_that_the_bot_was_away_survive_a_restart(tmp_path):
    stand = Stand(tmp_path)
    stand.beats_until(T0)
    stand.order()
    await stand.look()
    stand.view.received(goodbye(), T0 + 5)
    stand.view.disconnected(T0 + 5, "closed by the bot")
    await stand.look(T0 + 6)
    again = Stand(tmp_path, T0 + 60)
    assert again.view.maintenance == Maintenance(T0, T0 + 1800, "new disk", "ann", away=True)
    assert again.view.last_quiet == Planned(
        T0, T0 + 1800, "maintenance: new disk", again.view.last_quiet.zone, "ann"
    )


async def test_an_order_that_ran_out_while_nobody_looked_is_an_overrun_until_the_bot_is_up(tmp_path):
    stand = Stand(tmp_path)
    stand.order(10)
    await stand.look()
    again = Stand(tmp_path, T0 + 15 * MINUTE)
    assert again.view.maintenance is None
    assert again.view.at(again.now).planned_end == T0 + 600
    await again.look()
    assert again.events == [("planned", "not back from quiet that was planned until 18:03 UTC", "warning")]
    again.beats_until(again.now)
    await again.look(again.now + 1)
    assert again.view.at(again.now).planned_end is None
    assert not (tmp_path / "maintenance-arb.json").exists()


async def test_a_quiet_that_ended_long_before_this_program_began_is_forgotten(tmp_path):
    stand = Stand(tmp_path)
    stand.order(10)
    await stand.look()
    assert Stand(tmp_path, T0 + 2 * 86_400).view.last_quiet is None


async def test_a_goodbye_is_known_by_the_next_run_of_this_program(tmp_path):
    stand = Stand(tmp_path)
    stand.beats_until(T0)
    stand.view.received(goodbye("upgrade"), T0 + 1)
    stand.view.disconnected(T0 + 1, "closed by the bot")
    await stand.look(T0 + 2)
    again = Stand(tmp_path, T0 + 200)
    assert again.view.at(again.now).planned_end == T0 + 121
    assert again.view.last_quiet.reason == "stopped: upgrade"


def away_with_a_goodbye(folder) -> Stand:
    stand = Stand(folder)
    stand.beats_until(T0)
    stand.view.received(goodbye("upgrade"), T0 + 1)
    stand.view.disconnected(T0 + 1, "closed by the bot")
    return stand


def test_a_goodbye_in_the_last_moment_of_this_program_is_kept(tmp_path):
    away_with_a_goodbye(tmp_path).desk.ending()
    again = Stand(tmp_path, T0 + 20).view
    again.disconnected(T0 + 20, "connection refused")
    sight = again.at(T0 + 20)
    assert (sight.expected, sight.planned_end) == (False, T0 + 121)
    assert verdict(again, T0 + 20).text == "PLANNED until 17:55 UTC"
    assert again.at(T0 + 121).expected


async def test_a_goodbye_of_an_earlier_run_is_forgotten_once_the_bot_was_reached(tmp_path):
    away_with_a_goodbye(tmp_path).desk.ending()
    again = Stand(tmp_path, T0 + 20)
    again.beats_until(T0 + 21)
    await again.look(T0 + 22)
    again.view.disconnected(T0 + 23, "closed by the bot")
    assert again.view.at(T0 + 24).expected
    assert again.view.last_quiet is None


async def test_files_of_an_earlier_release_are_read(tmp_path):
    kept = {"since": T0, "until": T0 + 600, "reason": "new disk", "who": "ann"}
    (tmp_path / "maintenance-arb.json").write_text(json.dumps(kept))
    assert Stand(tmp_path, T0 + 60).view.maintenance == Maintenance(T0, T0 + 600, "new disk", "ann")


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "{",
        "[]",
        '{"since": 1}',
        '{"since": "x", "until": NaN}',
        f'{{"since": {T0}, "until": {T0 + 1e9}}}',
        f'{{"quiet": {{"since": {T0}, "until": {T0 + 1e9}, "zone": "UTC"}}}}',
        '{"quiet": 7}',
        '{"quiet": {"since": null, "until": null}}',
    ],
)
def test_a_damaged_file_plans_nothing(tmp_path, kept):
    (tmp_path / "maintenance-arb.json").write_text(kept)
    view = Stand(tmp_path, T0 + 60).view
    assert (view.maintenance, view.last_quiet) == (None, None)


@pytest.mark.parametrize("zone", ["Nowhere/Land", "../etc/passwd", "", "\0"])
def test_a_zone_that_is_none_becomes_utc(tmp_path, zone):
    quiet = {"since": T0, "until": T0 + 600, "reason": "x", "zone": zone, "by": "schedule"}
    (tmp_path / "maintenance-arb.json").write_text(json.dumps({"quiet": quiet}))
    found = Stand(tmp_path, T0 + 60).view.last_quiet
    assert found is not None
    assert found.zone.key == "UTC"


async def test_a_full_disk_is_logged_and_the_order_holds(tmp_path, caplog):
    (tmp_path / "in the way").write_text("")
    stand = Stand(tmp_path / "in the way")
    stand.order()
    await stand.look()
    assert "bot arb: its planned quiet: it is not kept over a restart of this program" in caplog.text
    assert not stand.view.at(stand.now).expected


async def test_a_disk_that_hangs_holds_up_no_look(tmp_path, monkeypatch):
    stand = Stand(tmp_path)
    began = asyncio.Event()

    async def hang(work):
        began.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("exporter.control.quiet_desk.errand", hang)
    stand.order()
    stand.desk.look()
    await began.wait()
    stand.now += 1800
    stand.desk.look()
    assert [what for _, what, _ in stand.events] == ["maintenance is over"]
    for task in stand.desk._writing.values():
        task.cancel()


async def test_what_is_written_last_is_what_holds_last(tmp_path):
    """An order of a person and a look of the desk may write at once; either writes what is true then."""
    stand = Stand(tmp_path)
    stand.order()
    await stand.look()
    stand.view.maintenance = None
    assert stand.files.keep(stand.view) == ""
    await stand.look(T0 + 1)
    assert Stand(tmp_path, T0 + 2).view.maintenance is None
