"""Compares volumes by their radiomic features with a reference, standardized by LTDiff or made by anything else.

The same under python, PythonSlicer and Slicer --python-script.
"""
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from LTDiffStandardizeLib.cohort.progress import Console
from LTDiffStandardizeLib.comparison.cases import CASES_HELP, Case, read_cases
from LTDiffStandardizeLib.comparison.request import RANDOM_REGIONS, ComparisonRequest
from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.radiomics.profiles import PROFILES, describe, profile_of, read_settings
from LTDiffStandardizeLib.radiomics.regions.roi import ROI_HELP
from LTDiffStandardizeLib.script import run_script
from LTDiffStandardizeLib.tasks import run_comparison

DESCRIPTION = """\
Measures radiomic features of one list of regions in a reference and in other volumes on
the same voxels, and says how well they agree. For research use only.

The output folder gets report.html, agreement.json (CCC a class, HU range and volume),
feature_agreement.csv (every feature by itself: CCC, ICC, limits of agreement, relative
error), features.csv (every value), regions.csv and summary.json (settings, the paper's
own figure, which features became trustworthy). Without --reference it gets changes.csv and
changes.json instead: how features change from one volume to another, with no CCC.
"""

EPILOG = f"""\
regions (--roi, repeatable; without it random:100):
{ROI_HELP}
several patients:
{CASES_HELP}
examples:
  compare.py --reference B70f --volume input=B40f ltdiff=results/B40f --output compared
  compare.py --reference B70f.nrrd --volume a=a.nrrd b=b.nrrd --roi tumour.seg.dcm random:50
      --profile pyradiomics --combat --output compared
  compare.py --list-features ibex          1,401 names, one a line
  compare.py --explain NAME                what a feature means, and the parts of an IBEX name
"""


def parser():
    made = argparse.ArgumentParser(prog="compare.py", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    option = made.add_argument
    option("--reference", metavar="PATH", help="the standard: DICOM series, NRRD or NIfTI file; without it only changes are told")
    option("--volume", dest="volumes", metavar="NAME=PATH", nargs="+", action="extend", default=[], help="what is compared with it; repeatable")
    option("--roi", dest="rois", metavar="ROI", nargs="+", action="extend", default=[], help="where to measure, see below; repeatable")
    option("--cases", metavar="FILE.csv", help="several patients instead of --reference and --volume, see below")
    option("--output", metavar="DIR", help="folder for the results, made where it does not exist")
    option("--profile", choices=PROFILES, default="ibex", help="which features: ibex and ibsi are our own, pyradiomics needs that package "
           "and takes seconds for each large region, such as a slice (default: %(default)s)")  # fmt: skip
    option("--settings", metavar="FILE.json", help="parameters of the features other than the defaults, as summary.json has them under profile")
    option("--before", metavar="NAME", help="volume before standardization (default: the first)")
    option("--after", metavar="NAME", help="volume after it, which the report judges (default: the last)")
    option("--combat", action="store_true", help="also adjust the features of the volume before by ComBat, as a comparator")
    option("--feature", dest="charted", metavar="NAME", nargs="+", action="extend", default=[],
           help="features for the scatter and Bland-Altman charts (default: of each class the one of median CCC)")  # fmt: skip
    option("--patient", metavar="NAME", default="", help="written in the tables; files may hold none that identifies anybody (default: the name of "
                                                         "the output folder)")  # fmt: skip
    option("--processes", type=int, default=1, metavar="N", help="that measure at the same time (default: %(default)s)")
    option("--overwrite", action="store_true", help="replace the results of an earlier run")
    option("--list-features", choices=PROFILES, help="print the names of a profile, one a line, and end")
    option("--explain", metavar="NAME", help="print what a feature means, and end")
    return made


def main():
    arguments = parser().parse_intermixed_args()
    if arguments.list_features:
        print("\n".join(names_of(profile_of(arguments.list_features))))
        return 0
    if arguments.explain:
        print(describe(arguments.explain))
        return 0
    if not arguments.output:
        raise InputError("No folder for the results was named; add --output DIR, or see --help.")
    console = Console()
    paths = run_comparison(request_from(arguments), console)
    console.say("\n".join(str(path) for path in paths))
    return 0


def request_from(arguments):
    return ComparisonRequest(
        cases=cases_of(arguments), output=arguments.output, profile=arguments.profile,
        settings=read_settings(arguments.settings) if arguments.settings else {}, rois=tuple(arguments.rois) or RANDOM_REGIONS,
        before=arguments.before, after=arguments.after, combat=arguments.combat, charted=tuple(arguments.charted),
        patient=arguments.patient or None, processes=arguments.processes, overwrite=arguments.overwrite,
    )  # fmt: skip


def names_of(profile):
    """Every name once: where classes share names, with the class before it."""
    bare = [feature for _, feature in profile.names()]
    return bare if len(set(bare)) == len(bare) else [f"{feature_class}.{feature}" for feature_class, feature in profile.names()]


def cases_of(arguments):
    if arguments.cases:
        if arguments.reference or arguments.volumes:
            raise InputError("--cases names references and volumes itself; leave out --reference and --volume.")
        return read_cases(arguments.cases)
    volumes = dict(text.split("=", 1) for text in arguments.volumes if "=" in text)
    if not volumes or len(volumes) < len(arguments.volumes):
        raise InputError("A comparison needs for each volume --volume NAME=PATH, all names different, and mostly --reference PATH; see --help.")
    return [Case("", arguments.reference or "", volumes, ())]


if __name__ == "__main__":
    run_script(main)
