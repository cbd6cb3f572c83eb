"""Compare the lung cancer risk that Sybil predicts on standard, non-standard and synthesized series.

  python LTDiffTraining/Scripts/risk_study.py --cases CASES.csv --output FOLDER --sybil ENVIRONMENT/bin/sybil-predict

CASES.csv has the columns patient, standard, non_standard, synthesized: a line a patient, each path the folder of one
DICOM series (relative ones start at the folder of the file). With --method a synthesized field may be empty or the column
be left out: the non-standard series is then standardized first. FOLDER gets risks.csv, differences.csv, risk_study.json,
.md and .svg; what Sybil predicted stays in its folder predictions, and a second start goes on where the first stopped.

Sybil (https://github.com/reginabarzilaygroup/Sybil, MIT licence) is no part of this extension and needs an environment
of its own with Python < 3.11. --predictions reads what was predicted elsewhere: files as Sybil's prediction_scores.json,
named <patient>_standard.json, <patient>_non_standard.json and <patient>_synthesized.json.
"""
import argparse
import sys
from pathlib import Path

# Installed, both libraries lie beside Scripts; in a checkout the sister module's folder holds the second.
MODULE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(MODULE), str(MODULE.parent / "LTDiffStandardize")]


def main() -> int:
    arguments = _parse()
    from LTDiffStandardizeLib.cohort.folder import results_folder
    from LTDiffStandardizeLib.cohort.interruption import interruptible
    from LTDiffStandardizeLib.cohort.progress import Console
    from LTDiffTrainingLib.risk.cases import ROLES, read_cases
    from LTDiffTrainingLib.risk.files import verdicts, write_study
    from LTDiffTrainingLib.risk.predicting import Predictor, recorded
    from LTDiffTrainingLib.risk.study import carry_out
    from LTDiffTrainingLib.risk.sybil import find_program

    output, listener = Path(arguments.output), Console()
    program = None if arguments.predictions else find_program(arguments.sybil)
    cases = read_cases(arguments.cases, () if arguments.predictions else ROLES[:2] if arguments.method else ROLES)
    with interruptible(), results_folder(output):
        if arguments.predictions:
            risks_of = recorded(Path(arguments.predictions))
        else:
            risks_of = Predictor(program, output, arguments.timeout, _synthesis(arguments), cases, listener)
        study = carry_out(cases, risks_of, listener)
        paths = write_study(study, _about(arguments), output)
    for line in (*verdicts(study), f"{len(study.complete())} of {len(cases)} patients compared, {len(study.refused)} series refused.", *paths):
        listener.say(str(line))
    return 1 if study.refused else 0


def _synthesis(arguments: argparse.Namespace) -> dict:
    names = ("method", "target", "model", "device")
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}


def _about(arguments: argparse.Namespace) -> list[str]:
    risks = "read from recorded predictions" if arguments.predictions else f"predicted by {Path(arguments.sybil[0]).name}"
    about = [f"The risks were {risks}."]
    if arguments.method and not arguments.predictions:
        settings = ", ".join(f"{name} {value}" for name, value in _synthesis(arguments).items())
        about.append(f"Synthesized series that the list of patients does not name were made from the non-standard ones with {settings}.")
    return about


def _parse() -> argparse.Namespace:
    from LTDiffStandardizeLib.model.standardizer import METHODS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    option = parser.add_argument
    option("--cases", required=True, metavar="FILE.csv", help="the list of patients, see above")
    option("--output", required=True, metavar="FOLDER")
    option("--sybil", nargs="+", default=["sybil-predict"], metavar="WORD", help="Sybil's program and words that come before the folder, "
           "such as sybil-predict single from its version 1.7 on (default: sybil-predict)")  # fmt: skip
    option("--predictions", metavar="FOLDER", help="read predictions that were made elsewhere, and run nothing")
    option("--timeout", type=float, default=3600, metavar="SECONDS", help="that Sybil has for one series (default: 3600)")
    option("--method", choices=METHODS, help="makes synthesized series that the list does not name")
    option("--target", metavar="PROTOCOL", help="of that method, as standardize.py takes it")
    option("--model", metavar="NAME|FILE", help="of that method, as standardize.py takes it")
    option("--device", metavar="auto|cpu|cuda[:N]", help="of that method, as standardize.py takes it")
    arguments = parser.parse_args()
    if not arguments.method and (arguments.target or arguments.model or arguments.device):
        parser.error("--target, --model and --device say how --method is to work; give it too")
    return arguments


if __name__ == "__main__":
    from LTDiffStandardizeLib.script import run_script

    run_script(main)
