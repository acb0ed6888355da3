"""Fresh data folders to run sessions in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.arb_bot.lab import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A fresh data folder; whatever runs in it is ended afterwards."""
    laboratory = Lab(tmp_path)
    yield laboratory
    laboratory.crash()


@pytest.fixture
def new_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Lab]]:
    """As many fresh data folders as a test wants."""
    labs: list[Lab] = []

    def make() -> Lab:
        labs.append(Lab(tmp_path_factory.mktemp("lab")))
        return labs[-1]

    yield make
    for laboratory in labs:
        laboratory.crash()
