"""Random values of the simulated providers: ids, secrets, durations. The same seed gives the same values.

Each draw has a name and depends on nothing else, so the order of threads does not matter.
"""

import string
from random import Random
from uuid import UUID

LETTERS = string.ascii_letters + string.digits


class Chance:
    """Random draws by name: the same name gives the same value."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def fraction(self, *name: object) -> float:
        """A number from 0 to below 1."""
        return self._random(name).random()

    def uuid(self, *name: object) -> str:
        """A random UUID."""
        return str(UUID(int=self._random(name).getrandbits(128), version=4))

    def letters(self, length: int, *name: object) -> str:
        """Letters and digits."""
        return "".join(self._random(name).choices(LETTERS, k=length))

    def _random(self, name: tuple[object, ...]) -> Random:
        return Random("/".join(map(str, (self._seed, *name))))  # noqa: S311  made up, and repeatable, is what it is for
