"""Debian's promtool and amtool: found, or the test skips; in CI their absence is a failure."""

import os
import shutil

import pytest


def found(program: str, package: str) -> str:
    """The program's path; without it the test is skipped, or fails where CI promised to have it."""
    path = shutil.which(program)
    if path is None:
        reason = f"{program} is not installed (Debian: {package})"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return path


@pytest.fixture(scope="session")
def promtool() -> str:
    return found("promtool", "prometheus")


@pytest.fixture(scope="session")
def amtool() -> str:
    return found("amtool", "prometheus-alertmanager")
