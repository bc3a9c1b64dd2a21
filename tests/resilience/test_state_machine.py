"""Whatever happens to a job, in whatever order: its row is what the model says, and what is told of it is true.

A few machines here; `make proof` runs many.
"""

from resilience.state_machine import run
from testkit.fixtures.aws import Cloud


def test_in_any_interleaving_the_row_is_what_the_model_says(cloud: Cloud) -> None:
    run(cloud, machines=8, steps=20)
