"""The kill file on disk: there at once, through no link, and only ours is taken away."""

import json
import os
import resource
import signal
import threading
from pathlib import Path

import pytest

from exporter.control import kill_file
from exporter.control.kill import Order
from exporter.errors import KillFileLeft, KillFileNotWritten

ORDER = Order("k1", "ann", "page", 'it trades "nonsense"', 1_795_197_200.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".kill_switch"


def test_it_says_who_killed_when_and_why_and_others_may_read_it(path):
    kill_file.write(path, ORDER)
    assert json.loads(path.read_text()) == {
        "by": "ann (page)",
        "ts": 1_795_197_200.0,
        "reason": 'it trades "nonsense"',
        "writer": "tradebot-console",
        "id": "k1",
    }
    assert path.stat().st_mode & 0o777 == 0o644


def test_our_own_is_taken_away_and_a_missing_one_is_fine(path):
    kill_file.write(path, ORDER)
    kill_file.remove(path)
    assert not path.exists()
    kill_file.remove(path)


@pytest.mark.parametrize("content", ["", "stop\n", '{"by": "control socket", "ts": 1, "reason": ""}', "[]"])
def test_what_stands_there_already_stays_and_is_left_to_who_wrote_it(path, content):
    path.write_text(content)
    kill_file.write(path, ORDER)
    assert path.read_text() == content
    with pytest.raises(KillFileLeft, match="not written by this console"):
        kill_file.remove(path)
    assert path.exists()


def test_a_link_is_never_followed(path, tmp_path):
    target = tmp_path / "precious"
    path.symlink_to(target)
    kill_file.write(path, ORDER)
    assert not target.exists(), "a dangling link stops the bot as it is"
    kill_file.write(target, ORDER)
    with pytest.raises(KillFileLeft):
        kill_file.remove(path)
    assert target.exists()
    assert path.is_symlink()


def test_a_folder_or_a_pipe_at_the_path_stops_the_bot_and_holds_nobody_up(tmp_path):
    folder, pipe = tmp_path / "folder", tmp_path / "pipe"
    folder.mkdir()
    os.mkfifo(pipe)
    for odd in (folder, pipe):
        kill_file.write(odd, ORDER)
        with pytest.raises(KillFileLeft):
            kill_file.remove(odd)


def test_a_folder_that_is_missing_or_takes_nothing_is_said(tmp_path):
    missing = tmp_path / "nowhere" / ".kill_switch"
    assert not kill_file.usable(missing)
    with pytest.raises(KillFileNotWritten, match="No such file or directory"):
        kill_file.write(missing, ORDER)
    (tmp_path / "file").write_text("")
    beneath = tmp_path / "file" / ".kill_switch"
    assert not kill_file.usable(beneath)
    with pytest.raises(KillFileNotWritten):
        kill_file.write(beneath, ORDER)
    assert kill_file.usable(tmp_path / ".kill_switch")


def test_a_disk_that_takes_the_name_and_not_the_content_stops_the_bot_as_well(path, monkeypatch):
    monkeypatch.setattr(kill_file, "_content", lambda order: {"reason": "x" * 100_000_000})
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limit[1]))
        kill_file.write(path, ORDER)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b""


def test_many_writers_at_once_leave_one_whole_file(path):
    writers = [threading.Thread(target=kill_file.write, args=(path, ORDER)) for _ in range(20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert json.loads(path.read_text())["id"] == "k1"
    assert list(path.parent.iterdir()) == [path]
