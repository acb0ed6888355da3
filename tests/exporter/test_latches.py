"""The breach latch on disk: over restarts, full disks and damaged files."""

import json
import logging
import os
from dataclasses import replace

import pytest

from exporter.latches import Latches
from exporter.losscap import Breach
from exporter.view import BotView
from tests.doubles import messages
from tests.doubles.messages import T0


def breached_view(latches: Latches) -> BotView:
    view = BotView("arb", now=T0, breach=latches.restore("arb"))
    view.connected(T0)
    view.received(messages.state(cycle=1, daily_pnl=-11.0), T0 + 5)
    return view


def test_a_breach_survives_a_restart_of_the_exporter(tmp_path):
    latches = Latches(tmp_path / "not" / "there" / "yet")
    latches.keep(breached_view(latches))
    again = BotView("arb", now=T0 + 60, breach=Latches(tmp_path / "not" / "there" / "yet").restore("arb"))
    assert again.latch.active(T0 + 60) == Breach("2026-11-20", T0 + 5, cap=10.0)


def test_a_latch_that_is_not_set_is_not_written(tmp_path):
    latches = Latches(tmp_path)
    latches.keep(BotView("arb", now=T0, breach=latches.restore("arb")))
    assert list(tmp_path.iterdir()) == []


def test_a_latch_is_written_once_and_not_with_every_message(tmp_path):
    latches = Latches(tmp_path)
    view = breached_view(latches)
    latches.keep(view)
    (tmp_path / "breach-arb.json").unlink()
    latches.keep(view)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_files_leaves_the_latch_in_memory_and_says_so_once(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    latches = Latches(tmp_path / "file")
    view = breached_view(latches)
    with caplog.at_level(logging.ERROR):
        latches.keep(view)
        latches.keep(view)
    assert view.totals.latch_errors == 2
    assert len([record for record in caplog.records if "cannot be written" in record.message]) == 1
    assert view.latch.active(T0 + 5) is not None


def test_a_latch_is_written_later_when_the_disk_has_room_again(tmp_path, caplog):
    in_the_way = tmp_path / "folder"
    in_the_way.write_text("full")
    latches = Latches(in_the_way)
    view = breached_view(latches)
    latches.keep(view)
    in_the_way.unlink()
    with caplog.at_level(logging.INFO):
        latches.keep(view)
    assert "is on disk now" in caplog.text
    assert Latches(in_the_way).restore("arb") == view.latch.breach


@pytest.mark.parametrize(
    "damaged", ["", "{", "[]", '{"day": 5, "at": 1}', '{"day": "2026-11-20", "at": "x"}']
)
def test_a_damaged_latch_is_set_aside_and_counts_as_a_breach_when_it_was_written(tmp_path, caplog, damaged):
    path = tmp_path / "breach-arb.json"
    path.write_text(damaged)
    os.utime(path, (T0, T0))
    latches = Latches(tmp_path)
    view = BotView("arb", now=T0 + 60, breach=latches.restore("arb"))
    assert view.latch.active(T0 + 60) == Breach("2026-11-20", T0)
    assert view.latch.active(T0 + 86_400) is None
    latches.keep(view)
    assert Latches(tmp_path).restore("arb") == Breach("2026-11-20", T0)
    assert "taken as a breach when it was written, 2026-11-20 17:53:20 UTC" in caplog.text
    assert (tmp_path / "breach-arb.damaged").read_text() == damaged
    assert "set aside" in caplog.text


def test_an_unreadable_latch_is_told_and_not_fatal(tmp_path, caplog):
    path = tmp_path / "breach-arb.json"
    path.mkdir()
    os.utime(path, (T0, T0))
    assert Latches(tmp_path).restore("arb") == Breach("2026-11-20", T0)
    assert "cannot be read" in caplog.text


def test_the_file_says_its_day_and_time_and_the_cap(tmp_path):
    latches = Latches(tmp_path)
    latches.keep(breached_view(latches))
    assert json.loads((tmp_path / "breach-arb.json").read_text()) == {
        **{"day": "2026-11-20", "at": T0 + 5, "cap": 10.0},
        **{"opened_at": None, "opening": ""},
    }


def test_what_was_opened_in_spite_of_a_breach_survives_a_restart_as_well(tmp_path):
    latches = Latches(tmp_path)
    view = breached_view(latches)
    latches.keep(view)
    view.latch.breach = replace(view.latch.breach, opened_at=T0 + 20, opening="filled intra_venue x")
    assert latches.wants(view)
    latches.keep(view)
    assert Latches(tmp_path).restore("arb") == view.latch.breach


@pytest.mark.parametrize("said", ["soon", None, True, float("nan"), [], 10**400])
def test_an_opening_at_no_time_is_none_and_the_breach_stays(tmp_path, said):
    content = {"day": "2026-11-20", "at": T0, "cap": said, "opened_at": said, "opening": 7}
    (tmp_path / "breach-arb.json").write_text(json.dumps(content))
    kept = Latches(tmp_path).restore("arb")
    assert (kept.day, kept.at, kept.opening) == ("2026-11-20", T0, "")
    assert (kept.cap, kept.opened_at) == ((1.0, 1.0) if said is True else (None, None))
