"""For any events of a job, in any order: its row is what the model says, and its published events are true.

A few machines here; `make proof` runs many.
"""

from resilience.state_machine import run
from testkit.fixtures.aws import Cloud


def test_in_any_interleaving_the_row_is_what_the_model_says(cloud: Cloud) -> None:
    run(cloud, machines=8, steps=20)
