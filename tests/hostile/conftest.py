"""The good runs, trained once."""

from pathlib import Path

import pytest

from tests.hostile.good import good_runs, quick


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """See `good_runs`."""
    with pytest.MonkeyPatch.context() as patch:
        quick(patch)
        return good_runs(tmp_path_factory.mktemp("good"))
