"""Debian's promtool and amtool: found, or the test skips and says what to install."""

import shutil

import pytest


def found(program: str, package: str) -> str:
    """The program's path."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed (Debian: {package})")
    return path


@pytest.fixture(scope="session")
def promtool() -> str:
    return found("promtool", "prometheus")


@pytest.fixture(scope="session")
def amtool() -> str:
    return found("amtool", "prometheus-alertmanager")
