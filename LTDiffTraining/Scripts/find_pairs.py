"""Find paired CT series in archives: scans that were reconstructed with two kernels or slice thicknesses.

  python LTDiffTraining/Scripts/find_pairs.py ARCHIVE [ARCHIVE ...] --output FOLDER

Headers are indexed, series of one acquisition matched by geometry, time and tube current, and compared slice by slice; what does not
match is refused with its reason. A second start with the same output goes on where the first stopped, also after a kill, and looks
only at files that are new or have changed. FOLDER gets

  pairs/               a folder for each accepted pair: source.npy, target.npy (int16 HU) and series.json
  manifest.json, .csv  every candidate pair, accepted or refused, with reason, measured numbers, patient and split; counts of files
  skipped.csv          every file that no pair can use, and why
  index.sqlite         what the headers say
  salt.txt             makes the identifiers of patients and pairs; another folder has others

pairs/ and the manifest hold no name, identifier, UID, date or path of the archive. skipped.csv and index.sqlite hold paths, and whoever
has salt.txt can try identifiers: keep these three where the archive is.
"""
import argparse
import sys
from pathlib import Path

# Installed, both libraries lie beside Scripts; in a checkout the sister module's folder holds the second.
MODULE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(MODULE), str(MODULE.parent / "LTDiffStandardize")]


def main() -> int:
    arguments = _parse()
    from LTDiffStandardizeLib.cohort.interruption import interruptible
    from LTDiffStandardizeLib.cohort.progress import Console
    from LTDiffTrainingLib.archives.finding import find_pairs
    from LTDiffTrainingLib.archives.patients import shares_of

    console = Console()
    with interruptible():
        counts = find_pairs(arguments.archives, arguments.output, arguments.processes, arguments.seed, shares_of(arguments.split), console)
    console.say(f"{counts['accepted']} pairs accepted, {counts['refused']} refused; {counts['paired_slices']} slices of "
                f"{counts['patients_train']} patients to train, {counts['patients_validation']} to validate, {counts['patients_test']} to test.")  # fmt: skip
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archives", nargs="+", type=Path, metavar="ARCHIVE", help="a folder of DICOM files, however deep and mixed")
    parser.add_argument("--output", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--processes", type=int, default=1, help="processes that read headers and compare slices (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="another seed puts other patients into the splits (default: 0)")
    parser.add_argument("--split", default="70/15/15", metavar="A/B/C",
                        help="shares of patients for train, validation and test (default: 70/15/15); a patient keeps its split as the archive grows")
    return parser.parse_args()


if __name__ == "__main__":
    from LTDiffStandardizeLib.script import run_script

    run_script(main)
