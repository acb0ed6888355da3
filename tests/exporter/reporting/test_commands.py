"""The commands on the reporting database, as people type them (backup and restore: test_backup)."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.__main__ import main
from exporter.reporting import database
from exporter.reporting.claim import Claim
from exporter.reporting.rollups import Rollups

MIDNIGHT = 1_767_312_000.0  # 2026-01-02


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """`main` sets up logging for the whole process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("exporter").setLevel(logging.NOTSET)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A settings file; its database has two fills of bot arb and the rollups of them."""
    path = tmp_path / "exporter.yml"
    path.write_text("reporting_db: data/reporting.db\nbots: [{name: arb, kind: arb}]\n")
    (tmp_path / "data").mkdir()
    asyncio.run(fill(tmp_path / "data" / "reporting.db"))
    return path


async def fill(path: Path) -> None:
    database.prepare(path, MIDNIGHT)
    db = await database.connect(path)
    try:
        await db.execute_fetchall("BEGIN IMMEDIATE")
        await db.executemany(
            "INSERT INTO fills VALUES ('arb', 1, ?, ?, '2026-01-02', 'i', 'intra_venue', 'kalshi/M1', 10, 10,"
            " 0.02, ?, 0, 1, 'kalshi', '{}')",
            [(1, MIDNIGHT + 60, 1.5), (2, MIDNIGHT + 90, -0.5)],
        )
        await Rollups({}).fills_added(db, "arb", 1, 0, 2)
        await db.execute_fetchall("COMMIT")
    finally:
        await db.close()


def change(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(statement)
        db.commit()


def test_rebuild_says_that_the_rollups_agreed(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(settings), "rebuild"]) == 0
    said = capsys.readouterr().out
    assert "daily_pnl: 1 rows agreed" in said
    assert said.splitlines()[-1] == "11 rollups made anew: all agreed with what was there."


def test_rebuild_says_which_rollups_did_not_agree_and_puts_them_right(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(settings.parent / "data" / "reporting.db", "UPDATE daily_pnl SET pnl = pnl + 5")
    assert main(["--config", str(settings), "rebuild"]) == 1
    said = capsys.readouterr().out
    assert "daily_pnl: 1 of 1 rows differed, by 5 at most" in said
    assert said.splitlines()[-1] == "11 rollups made anew: 1 did not agree with their rows."
    assert main(["--config", str(settings), "rebuild"]) == 0


def test_rebuild_of_a_damaged_database_says_that_nothing_was_made_anew(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (settings.parent / "data" / "reporting.db").write_bytes(b"no database, " * 1000)
    assert main(["--config", str(settings), "rebuild"]) == 1
    said = capsys.readouterr().out
    assert "Nothing was made anew: " in said
    assert "agreed" not in said


def test_rebuild_is_refused_while_an_exporter_writes(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claim = Claim(settings.parent / "data" / "reporting.db")
    claim.take()
    assert main(["--config", str(settings), "rebuild"]) == 2
    claim.release()
    assert "written by another exporter; stop that one" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["rebuild", "verify-events"])
def test_where_no_database_is_none_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    path = tmp_path / "exporter.yml"
    path.write_text("reporting_db: data/reporting.db\nbots: [{name: arb, kind: arb}]\n")
    assert main(["--config", str(path), command]) == 2
    assert "the exporter makes it at its first start" in capsys.readouterr().err
    assert [item.name for item in tmp_path.iterdir()] == ["exporter.yml"]


def test_options_may_stand_before_the_command_and_after_it(settings: Path) -> None:
    assert main(["--config", str(settings), "verify-events"]) == 0
    assert main(["verify-events", "--config", str(settings)]) == 0


@pytest.mark.parametrize("arguments", [["backup"], ["restore"], ["verify-events", "--head", "12"]])
def test_what_a_command_needs_is_asked_for(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
