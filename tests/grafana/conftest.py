"""Ledgers that the tests of statements ask."""

import sqlite3
from pathlib import Path

import pytest

from tests.grafana import ledgers
from tests.grafana.ledgers import Ledger


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Ledger:
    """The recorded session's stores, mirrored."""
    return ledgers.mirrored(tmp_path_factory.mktemp("recorded"), samples / "arb-session")


@pytest.fixture(scope="session")
def original(recorded: Ledger) -> sqlite3.Connection:
    """The recorded analytics store itself, a copy."""
    return sqlite3.connect(recorded.path.parent / "stores" / "analytics.db")


@pytest.fixture
def nothing(tmp_path: Path) -> Ledger:
    """A database that nothing was written into."""
    return ledgers.empty(tmp_path, 1_795_000_000, 1_795_100_000)
