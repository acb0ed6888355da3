"""Ledgers that are kept between runs."""

from pathlib import Path

import pytest

from benchmarks import ledger_trades, ledgers
from benchmarks.ledger_generator import ANALYTICS


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ledgers.tempfile, "gettempdir", lambda: str(tmp_path))


def test_a_ledger_is_made_once_and_only_its_owner_may_see_it() -> None:
    folder = ledgers.ledger(20, days=2.0)
    made = (folder / ANALYTICS).stat()
    assert ledgers.ledger(20, days=2.0) == folder
    assert (folder / ANALYTICS).stat() == made
    assert ledgers.ledger(21, days=2.0) != folder
    assert folder.parent.stat().st_mode & 0o077 == 0


def test_it_is_made_anew_when_other_rows_would_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ledgers.ledger(5, days=1.0)
    assert ledgers._fingerprint.__wrapped__() == ledgers._fingerprint()
    monkeypatch.setattr(ledger_trades, "NOTHING_FILLED", 0.5)
    ledgers._fingerprint.cache_clear()
    try:
        assert ledgers.ledger(5, days=1.0) != before
    finally:
        ledgers._fingerprint.cache_clear()


def test_a_copy_may_be_written_without_touching_what_is_kept(tmp_path: Path) -> None:
    kept = ledgers.ledger(5, days=1.0)
    copied = ledgers.copy(kept, tmp_path / "mine")
    (copied / ANALYTICS).write_bytes(b"")
    assert (kept / ANALYTICS).stat().st_size > 0
