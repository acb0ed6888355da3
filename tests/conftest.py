"""Fixtures that every test folder shares."""

from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "shared" / "samples"


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of recorded real sessions beside the project; what reads it skips where it is missing."""
    if not SAMPLES.is_dir():
        pytest.skip("the recorded samples are not beside this checkout")
    return SAMPLES
