"""One target under atheris: `python -m proof.fuzz.run TARGET [options of libFuzzer] [corpora]`."""

import sys

import atheris

with atheris.instrument_imports(include=["dailies", "proof"]):
    from proof.fuzz.targets import TARGETS


def main() -> None:
    name, *options = sys.argv[1:]
    target = TARGETS[name]
    atheris.Setup([name, *options], lambda data: target(bytes(data)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
