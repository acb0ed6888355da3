"""A backup is taken under load and put back elsewhere: same rows, same chain, same latches, same tokens."""

import asyncio
import contextlib
import json
import logging
import os
import sqlite3
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.__main__ import main
from exporter.config import load
from exporter.reporting import archive, backup, schema
from exporter.reporting.archive import BackupUnusable, opened
from exporter.reporting.claim import Claim
from exporter.reporting.database import prepare
from exporter.reporting.events import verify_file
from exporter.reporting.keeper import Keeper
from tests.exporter.reporting.keeping import Feed, rows, running, until

NOW = 1_700_000_000.0


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """`main` sets up logging for the whole process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("exporter").setLevel(logging.NOTSET)


def place(folder: Path) -> Path:
    """A settings file in a folder of its own, with the tokens of two people named."""
    folder.mkdir()
    settings = folder / "exporter.yml"
    settings.write_text(
        "reporting_db: data/reporting.db\n"
        "tokens: {operators: {ann: ./secrets/ann}, grafana: ./secrets/grafana}\n"
        "bots: [{name: arb, kind: arb}]\n"
    )
    return settings


def filled(folder: Path, events: int = 3) -> Path:
    """The same with a database, latches and tokens."""
    settings = place(folder)
    (folder / "secrets").mkdir()
    for name in ("ann", "grafana"):
        (folder / "secrets" / name).write_text(f"token of {name}")
    (folder / "data").mkdir()
    (folder / "data" / "breach-arb.json").write_text('{"day": "2026-01-02", "at": 1767312000.0}')
    (folder / "data" / "kill-arb.json").write_text('{"kills": []}')
    (folder / "data" / "something-else.json").write_text("{}")
    asyncio.run(write_events(folder / "data" / "reporting.db", events))
    return settings


async def write_events(path: Path, count: int) -> None:
    async with running(Keeper(path, pace=0.01)) as kept:
        for number in range(count):
            kept.events.record("note", what=f"number {number}")
        await until(lambda: kept.state == "ok" and not kept.events.pending)


def everything(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    tables = rows(path, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return {str(name): rows(path, f"SELECT * FROM {name}") for (name,) in tables}


def test_what_was_backed_up_stands_elsewhere_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there, file = filled(tmp_path / "here"), place(tmp_path / "there"), tmp_path / "console.backup"
    assert main(["--config", str(here), "backup", str(file)]) == 0
    said = capsys.readouterr().out
    assert "3 events, 2 latches, 2 tokens" in said
    assert "keep it as secret as they are" in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    assert main(["--config", str(there), "restore", str(file)]) == 0
    old, new = tmp_path / "here", tmp_path / "there"
    assert everything(new / "data" / "reporting.db") == everything(old / "data" / "reporting.db")
    for name in ("data/breach-arb.json", "data/kill-arb.json", "secrets/ann", "secrets/grafana"):
        assert (new / name).read_bytes() == (old / name).read_bytes()
    assert stat.S_IMODE((new / "secrets" / "ann").stat().st_mode) == 0o600
    assert not (new / "data" / "something-else.json").exists()
    capsys.readouterr()
    assert main(["--config", str(there), "verify-events"]) == 0
    assert "3 events, none changed, removed, inserted or moved; held against 1 known heads" in (
        capsys.readouterr().out
    )
    assert sorted(item.name for item in tmp_path.iterdir()) == ["console.backup", "here", "there"]


def test_the_restored_chain_is_continued(tmp_path: Path) -> None:
    here, there, file = filled(tmp_path / "here"), place(tmp_path / "there"), tmp_path / "console.backup"
    assert main(["--config", str(here), "backup", str(file)]) == 0
    assert main(["--config", str(there), "restore", str(file)]) == 0
    path = tmp_path / "there" / "data" / "reporting.db"
    asyncio.run(write_events(path, 1))
    assert [kind for (kind,) in rows(path, "SELECT kind FROM events")] == ["note"] * 4
    assert verify_file(path, ()).faults == []


async def test_a_backup_under_load_is_the_database_of_one_moment(tmp_path: Path) -> None:
    settings = await asyncio.to_thread(filled, tmp_path / "here")
    config, job = load(settings), Feed()
    async with running(Keeper(config.reporting_db, [job], pace=0.01)) as kept:
        await until(lambda: kept.state == "ok")
        for number in range(5):
            job.pending += [f"{number}-{row}" for row in range(200)]
            kept.events.record("note", what=f"backup {number}")
            file = tmp_path / f"{number}.backup"
            made = await asyncio.to_thread(backup.make, config, file, lambda text: None)
            with opened(file) as (packed, manifest):
                (tmp_path / "copy.db").write_bytes(packed.read(archive.DATABASE))
            assert manifest == made
            copied = [detail for _, detail in rows(tmp_path / "copy.db")]
            assert len(copied) == made.rows.get("feed", 0)
            assert str(verify_file(tmp_path / "copy.db", ()).head) == made.events
            await until(lambda: not job.pending)
            assert rows(config.reporting_db)[: len(copied)] == rows(tmp_path / "copy.db")
        assert kept.errors == 0


def test_what_a_killed_exporter_left_half_written_is_not_in_the_backup(tmp_path: Path) -> None:
    config = load(filled(tmp_path / "here", events=500))
    kill = (
        "import os, signal, sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "db.execute('PRAGMA cache_size = 5'); db.execute('BEGIN IMMEDIATE');"
        "db.execute(\"UPDATE events SET what = 'half' || hex(zeroblob(200))\");"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", kill, config.reporting_db], check=False)
    assert config.reporting_db.with_name("reporting.db-journal").stat().st_size > 0
    made = backup.make(config, tmp_path / "console.backup", lambda text: None)
    assert made.rows["events"] == 500
    with opened(tmp_path / "console.backup") as (packed, _):
        (tmp_path / "copy.db").write_bytes(packed.read(archive.DATABASE))
    assert verify_file(tmp_path / "copy.db", ()).faults == []


def test_a_restore_is_refused_while_an_exporter_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, file = filled(tmp_path / "here"), tmp_path / "console.backup"
    assert main(["--config", str(here), "backup", str(file)]) == 0
    before = everything(tmp_path / "here" / "data" / "reporting.db")
    claim = Claim(tmp_path / "here" / "data" / "reporting.db")
    claim.take()
    assert main(["--config", str(here), "restore", str(file)]) == 2
    claim.release()
    assert "stop it first, then restore" in capsys.readouterr().err
    assert everything(tmp_path / "here" / "data" / "reporting.db") == before


def test_what_was_there_is_set_aside_and_newer_latches_and_tokens_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, file = filled(tmp_path / "here"), tmp_path / "console.backup"
    assert main(["--config", str(here), "backup", str(file)]) == 0
    data = tmp_path / "here" / "data"
    asyncio.run(write_events(data / "reporting.db", 2))
    later = everything(data / "reporting.db")
    (data / "kill-arb.json").write_text('{"kills": ["pressed since"]}')
    (tmp_path / "here" / "secrets" / "ann").write_text("a new token")
    capsys.readouterr()
    assert main(["--config", str(here), "restore", str(file)]) == 0
    said = capsys.readouterr().err
    [aside] = data.glob("reporting.db.before-restore-*")
    assert everything(aside) == later
    assert len(rows(data / "reporting.db", "SELECT * FROM events")) == 3
    assert json.loads((data / "kill-arb.json").read_text()) == {"kills": ["pressed since"]}
    assert (tmp_path / "here" / "secrets" / "ann").read_text() == "a new token"
    assert f"kept: {data / 'kill-arb.json'}" in said
    assert f"kept: {tmp_path / 'here' / 'secrets' / 'ann'}" in said
    # What the restore took off the chain is known beside it, and said once an exporter runs again.
    assert main(["--config", str(here), "verify-events"]) == 1
    assert "5 rows were known and only 3 are there" in capsys.readouterr().out
    asyncio.run(write_events(data / "reporting.db", 1))
    assert rows(data / "reporting.db", "SELECT kind FROM events WHERE severity = 'critical'") == [
        ("events_not_continued",)
    ]
    assert main(["--config", str(here), "verify-events"]) == 0


def test_a_journal_without_its_database_is_not_rolled_back_into_the_restored_one(tmp_path: Path) -> None:
    here, file = filled(tmp_path / "here"), tmp_path / "console.backup"
    assert main(["--config", str(here), "backup", str(file)]) == 0
    path = tmp_path / "here" / "data" / "reporting.db"
    before = everything(path)
    path.unlink()
    path.with_name("reporting.db-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\0" * 600)
    assert main(["--config", str(here), "restore", str(file)]) == 0
    assert not path.with_name("reporting.db-journal").exists()
    assert everything(path) == before


def repacked(file: Path, change: dict[str, bytes]) -> None:
    """The same backup with other contents."""
    with zipfile.ZipFile(file) as old:
        contents = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in {**contents, **change}.items():
            new.writestr(name, data)


def manifest_of(file: Path, **change: object) -> bytes:
    with zipfile.ZipFile(file) as packed:
        return json.dumps({**json.loads(packed.read(archive.MANIFEST)), **change}).encode()


@pytest.mark.parametrize("damage", ["cut", "not a zip", "another latch", "other events", "newer", "absent"])
def test_a_backup_that_is_not_whole_or_not_ours_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    here, file = filled(tmp_path / "here"), tmp_path / "console.backup"
    assert main(["--config", str(here), "backup", str(file)]) == 0
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-200])
    elif damage == "not a zip":
        file.write_bytes(b"something else")
    elif damage == "another latch":
        repacked(file, {"latches/kill-arb.json": b"{}"})
    elif damage == "other events":
        repacked(file, {archive.MANIFEST: manifest_of(file, events=f"4:{'a' * 64}")})
    elif damage == "newer":
        repacked(file, {archive.MANIFEST: manifest_of(file, schema=schema.VERSION + 1)})
    else:
        file.unlink()
    data = tmp_path / "here" / "data"
    before, names = everything(data / "reporting.db"), sorted(item.name for item in data.iterdir())
    capsys.readouterr()
    assert main(["--config", str(here), "restore", str(file)]) == 2
    assert len(capsys.readouterr().err.splitlines()[-1]) > 20
    assert everything(data / "reporting.db") == before
    assert sorted(item.name for item in data.iterdir()) == names


def test_a_name_in_a_backup_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    here, file = filled(tmp_path / "here"), tmp_path / "console.backup"
    assert main(["--config", str(here), "backup", str(file)]) == 0
    with zipfile.ZipFile(file) as packed:
        files = json.loads(packed.read(archive.MANIFEST))["files"]
    odd = "latches/kill-/../../../evil-kill.json"
    repacked(
        file,
        {
            archive.MANIFEST: manifest_of(file, files={**files, odd: files["latches/kill-arb.json"]}),
            odd: b'{"kills": []}',
        },
    )
    there = place(tmp_path / "there")
    assert main(["--config", str(there), "restore", str(file)]) == 0
    assert list(tmp_path.rglob("evil*")) == []


def test_a_damaged_database_makes_no_backup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here, file = filled(tmp_path / "here", events=300), tmp_path / "console.backup"
    path = tmp_path / "here" / "data" / "reporting.db"
    data = bytearray(path.read_bytes())
    root = rows(path, "SELECT rootpage FROM sqlite_master WHERE name = 'events'")[0][0]
    assert isinstance(root, int)
    size = schema.PAGE_BYTES
    data[(root - 1) * size : root * size] = os.urandom(size)
    path.write_bytes(data)
    assert main(["--config", str(here), "backup", str(file)]) == 2
    assert "the database is damaged" in capsys.readouterr().err
    assert not file.exists()
    assert [item.name for item in tmp_path.iterdir()] == ["here"]


@pytest.mark.parametrize(
    ("where", "says"),
    [("here/exporter.yml", "is there already"), ("no/folder/x", "cannot be written")],
)
def test_a_place_where_no_backup_can_be_made_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str, says: str
) -> None:
    here = filled(tmp_path / "here")
    assert main(["--config", str(here), "backup", str(tmp_path / where)]) == 2
    assert says in capsys.readouterr().err


def test_without_a_database_there_is_nothing_to_back_up_or_to_verify(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = place(tmp_path / "here")
    for command in (["backup", str(tmp_path / "x")], ["verify-events"]):
        assert main(["--config", str(here), *command]) == 2
        assert "the exporter makes it at its first start" in capsys.readouterr().err


def test_verify_events_holds_the_chain_against_a_head_from_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = filled(tmp_path / "here", events=4)
    path = tmp_path / "here" / "data" / "reporting.db"
    head = str(verify_file(path, ()).head)
    assert main(["--config", str(here), "verify-events", "--head", head]) == 0
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("DELETE FROM events WHERE seq = 4")
        db.commit()
    path.with_name("reporting.db.head.json").unlink()
    capsys.readouterr()
    assert main(["--config", str(here), "verify-events"]) == 0
    assert "no head was known" in capsys.readouterr().out
    assert main(["--config", str(here), "verify-events", "--head", head]) == 1
    assert "the tail was cut off" in capsys.readouterr().out


def test_how_far_it_is_is_said_to_whoever_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(archive, "SAID_EVERY", 0.0)
    said: list[str] = []
    backup.make(load(filled(tmp_path / "here")), tmp_path / "console.backup", said.append)
    assert any(text.startswith("copied: ") for text in said)
    assert "packed reporting.db: 100%" in said


def test_a_token_that_cannot_be_read_is_left_out_and_said(tmp_path: Path) -> None:
    config = load(filled(tmp_path / "here"))
    (tmp_path / "here" / "secrets" / "ann").unlink()
    said: list[str] = []
    made = backup.make(config, tmp_path / "console.backup", said.append)
    assert "tokens/operators/ann" not in made.files
    assert any("ann" in text and "cannot be read" in text for text in said)


def test_a_disk_without_room_for_the_copy_is_said_before_it_is_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load(filled(tmp_path / "here"))
    monkeypatch.setattr(backup.shutil, "disk_usage", lambda folder: Full())
    with pytest.raises(BackupUnusable, match="choose another folder"):
        backup.make(config, tmp_path / "console.backup", lambda text: None)


class Full:
    """What the system says of a full disk."""

    free = 0


def test_prepare_finds_nothing_to_do_after_a_restore(tmp_path: Path) -> None:
    here, there, file = filled(tmp_path / "here"), place(tmp_path / "there"), tmp_path / "console.backup"
    assert main(["--config", str(here), "backup", str(file)]) == 0
    assert main(["--config", str(there), "restore", str(file)]) == 0
    assert prepare(tmp_path / "there" / "data" / "reporting.db", NOW).set_aside is None
