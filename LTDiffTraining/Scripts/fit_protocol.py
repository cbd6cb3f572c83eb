"""Fit a protocol to a scan that was reconstructed with two kernels: new curves for a new scanner, no training.

  python LTDiffTraining/Scripts/fit_protocol.py SOFT_SERIES SHARP_SERIES --output mine.json
  python LTDiffStandardize/Scripts/standardize.py scans/ --target mine.json --output results/

Both series must lie on one grid: the same slices, pixels and positions.
"""
import argparse
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

# Installed, both libraries lie beside Scripts; in a checkout the sister module's folder holds the second.
MODULE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(MODULE), str(MODULE.parent / "LTDiffStandardize")]


def main() -> int:
    arguments = _parse()
    if not arguments.output.endswith(".json"):
        arguments.output += ".json"
    from LTDiffStandardizeLib.model.bundle import load_bundle
    from LTDiffStandardizeLib.model.protocols import UNTRIED_TRUST, save_protocol
    from LTDiffStandardizeLib.volumes import read_volume
    from LTDiffStandardizeLib.volumes.atomic import file_aside
    from LTDiffTrainingLib.fitting.protocols import fit_protocol_to_volumes
    from LTDiffTrainingLib.fitting.trust import with_fitted_trust

    source, target = read_volume(arguments.source), read_volume(arguments.target)
    protocol = fit_protocol_to_volumes(source, target, arguments.slices)
    if find_spec("torch"):
        protocol = with_fitted_trust(protocol, source, target, load_bundle(arguments.model))
    else:
        protocol = replace(protocol, trust=UNTRIED_TRUST)
        print(f"PyTorch is not installed, so the network was not tried on the pair; of what it adds to the filter {UNTRIED_TRUST:.0%} will be used.")
    with file_aside(arguments.output) as aside:
        save_protocol(protocol, aside)
    print(f"{protocol.name}: {protocol.about} Written to {arguments.output}.")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="SOURCE", help="series with the source kernel: a DICOM folder, NRRD or NIfTI")
    parser.add_argument("target", metavar="TARGET", help="the same scan with the target kernel")
    parser.add_argument("--output", required=True, metavar="FILE.json")
    parser.add_argument("--model", default="ltdiff-chest", help="the model that will be used, a shipped one or the folder of a bundle (default: ltdiff-chest)")
    parser.add_argument("--slices", type=int, default=48, help="how many slices to use, spread evenly (default: 48)")
    return parser.parse_args()


if __name__ == "__main__":
    from LTDiffStandardizeLib.script import run_script

    run_script(main)
