"""Fill the paper's tables: every system on real pairs and on held-out phantoms, the ablation, and targets never trained for.

  python LTDiffTraining/Scripts/evaluate.py --output FOLDER
  python LTDiffTraining/Scripts/evaluate.py --output FOLDER --only phantoms ablation --model training/bundle/ltdiff-chest

FOLDER gets tables.json (rows as in agreement.json, with the table), tables.csv, tables.md, differences.json, sd_ratios.json,
charts under figures, and report.txt. A table that is filled is kept; a second start goes on. Needs PyRadiomics and finufft.
"""
import argparse
import sys
from pathlib import Path

# Installed, both libraries lie beside Scripts; in a checkout the sister module's folder holds the second.
MODULE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(MODULE), str(MODULE.parent / "LTDiffStandardize")]
SHIPPED = MODULE / "Systems"
BESIDE = MODULE.parent.parent / "shared" / "data" / "pairs"
TABLES = ("patients", "phantoms", "varied", "real-phantoms", "ablation", "targets")


def main() -> int:
    arguments = _parse()
    from LTDiffStandardizeLib.errors import InputError
    from LTDiffStandardizeLib.model.bundle import load_bundle
    from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import available
    from LTDiffTrainingLib.evaluation.gates import gates_text
    from LTDiffTrainingLib.evaluation.plan import Evaluation, Size
    from LTDiffTrainingLib.evaluation.published import published_rows
    from LTDiffTrainingLib.evaluation.tables import write_all, write_charts

    there, why_not = available()
    if not there:
        raise InputError(why_not)
    report, output = (lambda line: print(line, flush=True)), Path(arguments.output)
    size = Size(arguments.phantoms, arguments.slices, arguments.per_range, arguments.seed)
    made = Evaluation(output, load_bundle(arguments.model), _systems(arguments, report), _pairs(arguments), size, arguments.device, arguments.processes, report)
    tables = []
    for table in made.tables(tuple(arguments.only)):
        tables.append(table)
        write_all(output, tables, published_rows())
    for line in (write_charts(output, tables), gates_text(tables)):
        if line:
            report(line)
    (output / "report.txt").write_text(gates_text(tables) + "\n", encoding="utf-8")
    report(f"Written to {output / 'tables.md'}.")
    return 0


def _systems(arguments: argparse.Namespace, report) -> dict:
    from LTDiffTrainingLib.systems.store import load_system

    folders = [Path(p) for p in arguments.system] or (sorted(p for p in SHIPPED.iterdir() if p.is_dir()) if SHIPPED.is_dir() else [])
    found = [load_system(folder, arguments.device) for folder in folders]
    if not found:
        report("No trained system of the paper was found; train some with train.py --system, and name their folders with --system.")
    order = {name: number for number, name in enumerate(("unetplusplus", "ddpm", "diffusionct", "stan_ct", "literal", "ltdiff"))}
    found.sort(key=lambda t: (order[t.system.name], t.facts["seed"]))
    return {f"{t.system.title}, seed {t.facts['seed']}": t for t in found}


def _pairs(arguments: argparse.Namespace) -> Path | None:
    if arguments.pairs:
        return Path(arguments.pairs)
    return BESIDE if BESIDE.is_dir() else None


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, metavar="FOLDER")
    parser.add_argument("--only", nargs="+", default=TABLES, choices=TABLES, metavar="TABLE", help=f"which tables, of {', '.join(TABLES)} (default: all)")
    parser.add_argument("--model", default="ltdiff-chest", help="a shipped model or the folder of a bundle (default: ltdiff-chest)")
    parser.add_argument("--system", action="append", default=[], metavar="FOLDER", help="a trained system of train.py, output/system/NAME (default: those that are shipped)")
    parser.add_argument("--pairs", metavar="FOLDER", help="real pairs, a subfolder for each scan; phantoms by their names (default: those of "
                        "../shared/data/pairs beside the repository where there are any, else the shipped sample)")
    parser.add_argument("--phantoms", type=int, default=6, help="(default: 6)")
    parser.add_argument("--slices", type=int, default=24, help="contiguous slices of 1 mm per phantom (default: 24)")
    parser.add_argument("--per-range", type=int, default=100, help="random regions per HU range over all cases of a table (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other phantoms (default: 0)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--processes", type=int, default=1, help="processes for the simulation (default: 1)")
    return parser.parse_args()


if __name__ == "__main__":
    from LTDiffStandardizeLib.script import run_script

    run_script(main)
