"""The seeds of the fuzz targets and their past findings pass. `make fuzz` looks for more."""

import pytest

from resilience.fuzz.seeds import seeds
from resilience.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_each_input_that_is_kept_is_read_as_documented(target: str) -> None:
    inputs = list(seeds(target))
    assert inputs
    for data in inputs:
        TARGETS[target](data)
