"""The last known mode on disk: what a restart of the exporter must not forget."""

import logging

from exporter.last_modes import LastModes
from exporter.view import BotView
from tests.doubles import messages
from tests.doubles.messages import T0


def view_of(modes: LastModes) -> BotView:
    view = BotView("arb", now=T0, last_mode=modes.restore("arb"))
    view.connected(T0)
    return view


def seen_in(folder, mode: str) -> BotView:
    """A bot that reported this mode to an exporter that keeps it in the folder."""
    modes = LastModes(folder)
    view = view_of(modes)
    view.received(messages.state(cycle=1, mode=mode), T0 + 5)
    modes.keep(view)
    return view


def test_a_bot_on_paper_is_on_paper_before_its_first_state_after_a_restart(tmp_path):
    assert view_of(LastModes(tmp_path)).tier is None
    seen_in(tmp_path / "not" / "there" / "yet", "paper")
    assert view_of(LastModes(tmp_path / "not" / "there" / "yet")).tier == "paper"


def test_a_mode_that_changed_while_the_exporter_was_away_is_a_change_that_nobody_ordered(tmp_path):
    seen_in(tmp_path, "paper")
    assert seen_in(tmp_path, "live").totals.mode_changes == 1
    assert seen_in(tmp_path, "live").totals.mode_changes == 0


def test_a_mode_is_written_when_it_changes_and_not_with_every_message(tmp_path):
    modes = LastModes(tmp_path)
    view = view_of(modes)
    assert not modes.wants(view)
    view.received(messages.state(cycle=1, mode="paper"), T0 + 5)
    assert modes.wants(view)
    modes.keep(view)
    (tmp_path / "mode-arb").unlink()
    modes.keep(view)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_mode_is_not_known(tmp_path, caplog):
    (tmp_path / "mode-arb").write_bytes(b"\xff\xfe")
    with caplog.at_level(logging.ERROR):
        assert LastModes(tmp_path).restore("arb") is None
        (tmp_path / "mode-arb").write_text("ready")
        assert LastModes(tmp_path).restore("arb") is None
    assert len(caplog.records) == 2


def test_a_folder_that_takes_no_files_is_told_once_and_tried_again(tmp_path, caplog):
    modes = LastModes(tmp_path / "folder")
    view = view_of(modes)
    (tmp_path / "folder").write_text("in the way")
    view.received(messages.state(cycle=1, mode="paper"), T0 + 5)
    with caplog.at_level(logging.ERROR):
        modes.keep(view)
        modes.keep(view)
    assert len(caplog.records) == 1
    (tmp_path / "folder").unlink()
    modes.keep(view)
    assert LastModes(tmp_path / "folder").restore("arb") == "paper"
