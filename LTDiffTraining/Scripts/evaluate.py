"""Measure every method on held-out simulated phantoms: CCC per class and HU range, SD ratios, gates.

  python LTDiffTraining/Scripts/evaluate.py --output FOLDER

Simulates the phantoms, standardizes them with none, power, ls, ls_noise and ltdiff, and prints tables with 90 %
intervals; FOLDER gets tables.json (rows as in agreement.json) and report.txt. Needs PyRadiomics and finufft.
"""
import argparse
import json
import sys
from pathlib import Path

# Installed, both libraries lie beside Scripts; in a checkout the sister module's folder holds the second.
MODULE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(MODULE), str(MODULE.parent / "LTDiffStandardize")]


def main() -> int:
    arguments = _parse()
    from LTDiffStandardizeLib.errors import InputError
    from LTDiffStandardizeLib.model.bundle import load_bundle
    from LTDiffStandardizeLib.model.standardizer import Settings
    from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import available
    from LTDiffStandardizeLib.volumes.atomic import file_aside
    from LTDiffTrainingLib.evaluation import as_text, gates, largest_shifts, measure, sd_rows
    from LTDiffTrainingLib.simulation.plan import held_out_plan
    from LTDiffTrainingLib.simulation.running import simulate_plan

    there, why_not = available()
    if not there:
        raise InputError(why_not)
    report = lambda line: print(line, flush=True)
    output, bundle = Path(arguments.output), load_bundle(arguments.model)
    plan = held_out_plan("test", arguments.phantoms, arguments.slices, arguments.seed)
    series = simulate_plan(plan, output / "phantoms", arguments.processes, clean=False, report=report)
    made = measure(series, bundle.protocol, bundle, arguments.per_range, arguments.seed,
                   settings=Settings(device=arguments.device, steps=arguments.steps), report=report)
    rows, deviations = made.agreement, sd_rows(made)
    held = gates(rows, deviations)
    lines = [as_text(rows, deviations), "", "Mean HU of soft-tissue regions off the target's by at most: "
             + ", ".join(f"{method} {shift:.1f}" for method, shift in largest_shifts(made).items()), ""]
    lines += [f"{'holds ' if g['holds'] else 'MISSED'} {g['gate']}: {g['value']:.3f} (limit {g['limit']:.3f})" for g in held]
    lines.append(f"{sum(g['holds'] for g in held)} of {len(held)} gates hold.")
    report("\n".join(lines))
    for name, text in (("tables.json", json.dumps(rows, indent=1)), ("sd_ratios.json", json.dumps(deviations, indent=1)), ("report.txt", "\n".join(lines))):
        with file_aside(output / name, overwrite=True) as aside:
            aside.write_text(text + "\n", encoding="utf-8")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, metavar="FOLDER")
    parser.add_argument("--model", default="ltdiff-chest", help="a shipped model or the folder of a bundle (default: ltdiff-chest)")
    parser.add_argument("--phantoms", type=int, default=6, help="(default: 6)")
    parser.add_argument("--slices", type=int, default=40, help="contiguous slices of 1 mm per phantom (default: 40)")
    parser.add_argument("--per-range", type=int, default=100, help="random regions per HU range over all phantoms (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other phantoms (default: 0)")
    parser.add_argument("--steps", type=int, help="evaluations of the denoiser (default: the bundle's)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--processes", type=int, default=1, help="processes for the simulation (default: 1)")
    return parser.parse_args()


if __name__ == "__main__":
    from LTDiffStandardizeLib.script import run_script

    run_script(main)
