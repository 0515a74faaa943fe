"""Lets benchmarks import from our tests, whatever else that is installed is called `tests`."""

import importlib.util
import sys
from pathlib import Path

if "tests" not in sys.modules:
    found = importlib.util.spec_from_loader("tests", None, is_package=True)
    assert found is not None
    sys.modules["tests"] = importlib.util.module_from_spec(found)
    sys.modules["tests"].__path__ = [str(Path(__file__).parents[1] / "tests")]
