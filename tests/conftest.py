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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the long forms, and only them")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = bool(config.getoption("--soak"))
    left_out = [item for item in items if (item.get_closest_marker("soak") is not None) != wanted]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
