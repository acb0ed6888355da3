"""One bad minute for every test that looks at it."""

from collections.abc import Iterator

import pytest

from tests.stack import incident as incidents
from tests.stack.console import NotInstalledError


@pytest.fixture(scope="session")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Iterator[incidents.Incident]:
    """A console to which everything has just happened, still up."""
    try:
        with incidents.happened(tmp_path_factory.mktemp("incident")) as incident:
            yield incident
    except NotInstalledError as error:
        pytest.skip(str(error))
