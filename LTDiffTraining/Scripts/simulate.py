"""Simulate paired CT series: random chest phantoms, one noisy scan each, reconstructed with two kernels.

  python LTDiffTraining/Scripts/simulate.py --output FOLDER --phantoms 5 --slices 40

Each pair becomes a folder with source.npy and target.npy (int16 HU) and series.json; --format nrrd adds source.nrrd and
target.nrrd for viewing. The same arguments give the same pairs; what is there already is kept.
"""
import argparse
import sys
from pathlib import Path

# Installed, both libraries lie beside Scripts; in a checkout the sister module's folder holds the second.
MODULE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(MODULE), str(MODULE.parent / "LTDiffStandardize")]


def main() -> int:
    arguments = _parse()
    from LTDiffStandardizeLib.volumes import write_volume_file
    from LTDiffTrainingLib.evaluation import as_volume
    from LTDiffTrainingLib.simulation.plan import held_out_plan
    from LTDiffTrainingLib.simulation.running import simulate_plan

    plan = held_out_plan(arguments.split, arguments.phantoms, arguments.slices, arguments.seed)
    output = Path(arguments.output)
    for series in simulate_plan(plan, output, arguments.processes, clean=arguments.twins, report=lambda line: print(line, flush=True)):
        if arguments.format == "nrrd":
            for name, volume in zip(("source", "target"), as_volume(series)):
                write_volume_file(volume, series.folder / f"{name}.nrrd", overwrite=True)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, metavar="FOLDER")
    parser.add_argument("--split", default="test", choices=("train", "validation", "test"), help="which phantoms (default: test)")
    parser.add_argument("--phantoms", type=int, default=5)
    parser.add_argument("--slices", type=int, default=40, help="contiguous slices of 1 mm (default: 40)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other phantoms of the split (default: 0)")
    parser.add_argument("--twins", action="store_true", help="also without noise")
    parser.add_argument("--format", default="npy", choices=("npy", "nrrd"))
    parser.add_argument("--processes", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    from LTDiffStandardizeLib.script import run_script

    run_script(main)
