"""make down: ends the local stack by the pids that `make up` recorded. Its data is lost: it was in memory."""

import argparse

from local import stack
from local.up import end


def main() -> None:
    argparse.ArgumentParser(prog="make down", description=__doc__).parse_args()
    folder = stack.folder_from_environment()
    with stack.alone(folder):
        print("down: ended" if end(folder) else "down: nothing was running")


if __name__ == "__main__":
    main()
