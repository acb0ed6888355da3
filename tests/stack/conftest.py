"""One bad minute for every test that looks at it, and the table of what was told of it."""

from collections.abc import Iterable, Iterator

import pytest

from tests.stack import incident as incidents
from tests.stack.console import NotInstalledError
from tests.stack.scene import Outcome, rows
from tests.stack.whole import Whole, everything

_PLAYED = pytest.StashKey[list[Outcome]]()


@pytest.fixture(scope="session")
def incident(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[incidents.Incident]:
    """A console to which everything has just happened, still up."""
    try:
        with incidents.happened(
            tmp_path_factory.mktemp("incident"), incidents.MINUTE, to_the_end=False
        ) as incident:
            _keep(request.config, incident.outcomes.values())
            yield incident
    except NotInstalledError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Everything that the rules can call somebody for, from its symptom to its end."""
    try:
        found = everything(tmp_path_factory.mktemp("whole"))
    except NotInstalledError as error:
        pytest.skip(str(error))
    _keep(request.config, found.outcomes.values())
    return found


def _keep(config: pytest.Config, outcomes: Iterable[Outcome]) -> None:
    config.stash.setdefault(_PLAYED, []).extend(outcomes)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how long each alert took, whatever the tests made of it."""
    if outcomes := config.stash.get(_PLAYED, []):
        terminalreporter.section("alerts caused by their symptoms")
        table = list(rows(outcomes))
        widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
        for row in table:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            terminalreporter.write_line(" | ".join(cells).rstrip())
