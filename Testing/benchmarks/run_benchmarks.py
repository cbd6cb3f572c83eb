#!/usr/bin/env python3
"""Measures what the README promises of speed and memory, beside peers of equal size where there are any.

    python3 Testing/run.py bench [--json FILE] [--only NAME] [--quick]

Everything runs on one thread and is told in CPU-seconds of its process, ours and the peer in turns; numbers are medians
over the rounds, with the smallest and the largest. A ratio is ours / peer, the median of the rounds' ratios: smaller is
better. On a machine that is busy otherwise CPU-seconds grow too, ratios hardly do. All takes about half an hour,
most of it for the peers of the features and the damaged series.
"""
import environment  # noqa: F401, before the libraries that read it

import argparse
import json
import sys
import time
from importlib import import_module
from pathlib import Path

from LTDiffStandardizeLib.script import run_script
from LTDiffStandardizeLib.volumes.atomic import file_aside
from machine import facts
from measuring import Skipped

# name -> the module beside this file whose run(quick) gives the rows
BENCHMARKS = {
    "slices": "standardizing",
    "diffusion": "diffusion_peer",
    "memory": "memory",
    "features": "features",
    "peers": "feature_peers",
    "dicom": "dicom_files",
    "archive": "indexing",
    "simulation": "simulating",
    "training": "training",
    "conformance": "conformance",
    "faults": "faults",
    "soak": "soak",
    "fuzz": "fuzzing",
}


def main():
    parser = argparse.ArgumentParser(prog="run.py bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too: name, value, unit, peer, ratio")
    parser.add_argument("--only", action="append", choices=BENCHMARKS, metavar="NAME", help=f"repeatable; one of {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and slices: to see that it runs, not for figures")
    arguments = parser.parse_args()
    print("\n".join(facts()), flush=True)
    rows, skipped = measure(arguments.only or list(BENCHMARKS), arguments.quick)
    print(f"\n{table(rows)}")
    for sentence in skipped:
        print(sentence)
    if arguments.json:
        with file_aside(arguments.json, overwrite=True) as partial:
            partial.write_text(json.dumps([row.as_dict() for row in rows], indent=1) + "\n", encoding="utf-8")


def measure(names, quick):
    """The rows of the benchmarks, and a sentence for each that cannot run here."""
    rows, skipped = [], []
    for name in names:
        start = time.monotonic()
        try:
            rows += import_module(BENCHMARKS[name]).run(quick)
        except Skipped as reason:
            skipped.append(f"Left out: {name}. {reason}")
        print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return rows, skipped


def table(rows):
    """The rows as text in columns."""
    cells = [("benchmark (ours / peer)", "ours", "spread", "unit", "peer", "ratio", "spread", "")]
    cells += [(row.name, number(row.value), spread(row.spread), row.unit, number(row.peer), number(row.ratio), spread(row.ratio_spread), row.note)
              for row in rows]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*cells)]
    aligned = ("<", ">", "<", "<", ">", ">", "<", "<")
    lines = ["  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(line, aligned, widths)).rstrip() for line in cells]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def number(value):
    return "" if value is None else f"{value:.3g}"


def spread(limits):
    return "" if limits is None else f"{limits[0]:.3g}-{limits[1]:.3g}"


if __name__ == "__main__":
    run_script(main)
