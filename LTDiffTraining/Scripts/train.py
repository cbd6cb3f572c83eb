"""Train LTDiff++ on simulated pairs: data, three phases, validation, bundle.

  python LTDiffTraining/Scripts/train.py --config cpu --output FOLDER

A second start with the same output continues where the first stopped, also after a kill.
"""
import argparse
import shlex
import sys
from pathlib import Path

# Installed, both libraries lie beside Scripts; in a checkout the sister module's folder holds the second.
MODULE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(MODULE), str(MODULE.parent / "LTDiffStandardize")]


def main() -> int:
    arguments = _parse()
    from LTDiffStandardizeLib.model.engine import choose_device
    from LTDiffTrainingLib.pipeline import train
    from LTDiffTrainingLib.settings import load_settings

    output = Path(arguments.output)
    output.mkdir(parents=True, exist_ok=True)
    report = lambda line: print(line, flush=True)
    command = shlex.join(["python", "LTDiffTraining/Scripts/train.py", *sys.argv[1:]])
    train(load_settings(arguments.config), output, command, arguments.processes, choose_device(arguments.device),
          _real_pairs(arguments, output), report)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="cpu", help="a preset (cpu, gpu, smoke) or a TOML file like them (default: cpu)")
    parser.add_argument("--output", required=True, metavar="FOLDER", help="data, checkpoints, log.csv and the bundle go here")
    parser.add_argument("--processes", type=int, default=1, help="processes for the simulation (default: 1)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda[:N] (default: auto)")
    parser.add_argument("--volume", action="append", default=[], metavar="PATH",
                        help="a real CT with a sharp kernel; its soft partner is made by the transfer curve of --softening")
    parser.add_argument("--softening", metavar="PROTOCOL", help='the protocol from the volumes\' kernel to a softer one, such as "B70f to B40f"')
    arguments = parser.parse_args()
    if bool(arguments.volume) != bool(arguments.softening):
        parser.error("--volume and --softening go together")
    return arguments


def _real_pairs(arguments: argparse.Namespace, output: Path) -> list:
    if not arguments.volume:
        return []
    from LTDiffStandardizeLib.model.bundle import load_bundle
    from LTDiffStandardizeLib.model.protocols import choose_protocol
    from LTDiffStandardizeLib.volumes import read_volume
    from LTDiffTrainingLib.transfer_pairs import pair_from_volume

    volumes = [read_volume(path) for path in arguments.volume]
    softening, _ = choose_protocol(arguments.softening, volumes[0].facts.kernel, load_bundle().protocol)
    return [pair_from_volume(v, softening, output / "data" / "real" / f"volume-{i:03d}") for i, v in enumerate(volumes)]


if __name__ == "__main__":
    from LTDiffStandardizeLib.script import run_script

    run_script(main)
