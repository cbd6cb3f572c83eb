"""Train LTDiff++, or another system of the paper, on simulated or real pairs: data, phases, validation, bundle.

  python LTDiffTraining/Scripts/train.py --config cpu --output FOLDER
  python LTDiffTraining/Scripts/train.py --config cpu --system ddpm --data FOLDER/data --output OTHER
  python -m torch.distributed.run --nproc-per-node=4 LTDiffTraining/Scripts/train.py --config gpu --output FOLDER

A second start with the same output continues where the first stopped, also after a kill. Several processes train one model
on shares of the same batches; over several machines FOLDER must be on a file system that all see.
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
    from LTDiffTrainingLib.pipeline import Place, train
    from LTDiffTrainingLib.loop.processes import started
    from LTDiffTrainingLib.settings import load_settings

    settings = load_settings(arguments.config, arguments.system, arguments.seed)
    output = Path(arguments.output)
    data = Path(arguments.data) if arguments.data else output / "data"
    output.mkdir(parents=True, exist_ok=True)
    command = shlex.join(["python", "LTDiffTraining/Scripts/train.py", *sys.argv[1:]])
    with started(choose_device(arguments.device)) as (processes, device):
        report = (lambda line: print(line, flush=True)) if processes.first else (lambda line: None)
        train(settings, Place(output, data, command, device, arguments.processes, processes, report), _real_pairs(arguments, data, processes))
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="cpu", help="a preset (cpu, gpu, smoke) or a TOML file like them (default: cpu)")
    parser.add_argument("--output", required=True, metavar="FOLDER", help="data, checkpoints, log.csv and the bundle go here")
    parser.add_argument("--system", default="ltdiff", help="what to train: ltdiff, unetplusplus, ddpm, diffusionct, stan_ct or literal (default: ltdiff)")
    parser.add_argument("--seed", type=int, help="of weights and batches (default: the configuration's)")
    parser.add_argument("--data", metavar="FOLDER", help="simulated pairs and maps, which trainings may share (default: FOLDER of --output, data)")
    parser.add_argument("--pairs", action="append", default=[], metavar="FOLDER",
                        help="accepted pairs of find_pairs.py, of which those of the training split are trained on too")
    parser.add_argument("--processes", type=int, default=1, help="processes for the simulation (default: 1)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda[:N] (default: auto)")
    parser.add_argument("--volume", action="append", default=[], metavar="PATH",
                        help="a real CT with a sharp kernel; its soft partner is made by the transfer curve of --softening")
    parser.add_argument("--softening", metavar="PROTOCOL", help='the protocol from the volumes\' kernel to a softer one, such as "B70f to B40f"')
    arguments = parser.parse_args()
    if bool(arguments.volume) != bool(arguments.softening):
        parser.error("--volume and --softening go together")
    return arguments


def _real_pairs(arguments: argparse.Namespace, data: Path, processes) -> list:
    from LTDiffTrainingLib.archives import paired_series

    found = [series for folder in arguments.pairs for series in paired_series(Path(folder), "train")]
    if not arguments.volume:
        return found
    from LTDiffStandardizeLib.model.bundle import load_bundle
    from LTDiffStandardizeLib.model.protocols import choose_protocol
    from LTDiffStandardizeLib.volumes import read_volume
    from LTDiffTrainingLib.transfer_pairs import pair_from_volume

    folders = [data / "real" / f"volume-{number:03d}" for number in range(len(arguments.volume))]
    volumes = [read_volume(path) for path in arguments.volume]
    softening, _ = choose_protocol(arguments.softening, volumes[0].facts.kernel, load_bundle().protocol)
    for volume, folder in processes.share(list(zip(volumes, folders))):
        pair_from_volume(volume, softening, folder)
    processes.wait()
    return found + [pair_from_volume(volume, softening, folder) for volume, folder in zip(volumes, folders)]


if __name__ == "__main__":
    from LTDiffStandardizeLib.script import run_script

    run_script(main)
