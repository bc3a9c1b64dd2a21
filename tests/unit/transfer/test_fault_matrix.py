"""Each fault of a transfer once, at the relevant size: resilience/transfers/matrix.py. `make proof` tries all its
variants at both sizes.

The transfers run in parallel; the first test starts those of all selected tests.
"""

from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from resilience.transfers.matrix import CELLS, MATRIX, TESTED, Cell
from resilience.transfers.running import running


@pytest.fixture(scope="module")
def transfers(request: pytest.FixtureRequest) -> Iterator[dict[Cell, Future[None]]]:
    """Those of all selected cells."""
    names = {item.name for item in request.session.items if item.path == request.path}
    chosen = [
        cell for cell in TESTED if f"{test_it_is_the_right_object_or_none_and_a_reason.__name__}[{cell}]" in names
    ]
    with running(chosen) as begun:
        yield begun


@pytest.mark.parametrize("cell", TESTED, ids=str)
def test_it_is_the_right_object_or_none_and_a_reason(cell: Cell, transfers: dict[Cell, Future[None]]) -> None:
    transfers[cell].result()


def test_each_fault_is_run_once_here_and_at_both_sizes_by_make_proof() -> None:
    assert sorted(cell.row.title for cell in TESTED) == sorted({row.title for row in MATRIX})
    assert len({str(cell) for cell in CELLS}) == len(CELLS) == 2 * len(MATRIX)
