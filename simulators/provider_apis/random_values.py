"""What the simulated providers make up: ids, secrets, how long things take. The same seed makes the same up.

Each draw is named by what it is for and depends on nothing else, so that no order of threads changes it.
"""

import string
from random import Random
from uuid import UUID

LETTERS = string.ascii_letters + string.digits


class Chance:
    """Draws by name: the same name, the same draw."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def fraction(self, *name: object) -> float:
        """From 0 to below 1."""
        return self._random(name).random()

    def uuid(self, *name: object) -> str:
        """A random UUID."""
        return str(UUID(int=self._random(name).getrandbits(128), version=4))

    def letters(self, length: int, *name: object) -> str:
        """Letters and digits."""
        return "".join(self._random(name).choices(LETTERS, k=length))

    def _random(self, name: tuple[object, ...]) -> Random:
        return Random("/".join(map(str, (self._seed, *name))))  # noqa: S311  made up, and repeatable, is what it is for
