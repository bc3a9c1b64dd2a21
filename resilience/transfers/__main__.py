"""Test all faults of a transfer in all variants, at both sizes."""

import argparse
import re
import time
import traceback

from resilience import figures
from resilience.transfers.matrix import CELLS, SIZES
from resilience.transfers.running import running


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m resilience.transfers", description=__doc__)
    parser.add_argument("--only", default="", help="only the cells whose name contains this")
    figures.add_option(parser)
    options = parser.parse_args()
    began = time.monotonic()
    chosen = [cell for cell in CELLS if options.only in str(cell)]
    with running(chosen) as transfers:
        ended = {cell: transfer.exception() for cell, transfer in transfers.items()}
    wrong = {cell: error for cell, error in ended.items() if error}
    for cell, error in wrong.items():
        told = "".join(traceback.format_exception(error)).rstrip()
        print(f"  {cell}", re.sub("^", "      ", told, flags=re.MULTILINE), sep="\n")
    seconds = round(time.monotonic() - began)
    print(f"transfers: {len(chosen)} cells tried, {len(wrong)} wrong, {seconds} s")
    found = {
        "tried": len(chosen),
        "passed": len(chosen) - len(wrong),
        "lost": len(wrong),
        "faults": len({cell.row.title for cell in chosen}),
        "variants": len({cell.row for cell in chosen}),
        "sizes": [size for size in SIZES if any(cell.size == size for cell in chosen)],
        "seconds": seconds,
    }
    figures.keep_whole("transfers", found, options, part_of_it=options.only)
    raise SystemExit(figures.code(found))


if __name__ == "__main__":
    main()
