"""Small comparisons for the tests of the report: a chest-like reference and methods of known faults."""
import numpy as np

from LTDiffStandardizeLib.comparison import STANDARD, Comparison, compare
from LTDiffStandardizeLib.radiomics.features import FeatureTable
from LTDiffStandardizeLib.radiomics.profiles import IbexProfile
from LTDiffStandardizeLib.radiomics.regions import Region
from LTDiffStandardizeLib.report import ReportTexts
from LTDiffStandardizeLib.volumes import CTVolume

SPACING = (0.7, 0.7, 5.0)
LABELS = {"none": "none", "power": "power", "ltdiff": "LTDiff++"}


def noisy_volume(sd=20.0, offset=0.0, seed=0, shape=(3, 64, 64)):
    noise = np.random.default_rng(seed).normal(size=shape)
    anatomy = 40 * np.sin(np.arange(shape[2]) / 9.0)
    return CTVolume((anatomy + sd * noise + offset).round().astype(np.int16), spacing=SPACING, name=f"sd {sd:g}")


def box_regions(shape=(3, 64, 64), side=12, kind="random", label="[-100,250]"):
    starts = [(z, y, x) for z in range(shape[0]) for y in range(2, shape[1] - side, 20) for x in range(2, shape[2] - side, 20)]
    return [Region(f"{label} {number}", label, kind, (slice(z, z + 1), slice(y, y + side), slice(x, x + side)), np.ones((1, side, side), bool))
            for number, (z, y, x) in enumerate(starts, 1)]  # fmt: skip


def small_comparison(processes=1):
    reference = noisy_volume()
    volumes = {"none": noisy_volume(sd=8.0), "power": noisy_volume(sd=18.0), "ltdiff": noisy_volume(sd=20.0, seed=1)}
    return compare(reference, volumes, box_regions(), processes)


def comparison_of(values):
    """A comparison of given feature values: {method or STANDARD: {class: one value a region}}."""
    regions = box_regions()[: len(next(iter(values[STANDARD].values())))]
    features = {method: FeatureTable.of({name: {"Value": numbers[index]} for name, numbers in classes.items()} for index in range(len(regions)))
                for method, classes in values.items()}  # fmt: skip
    volumes = {method: noisy_volume() for method in values if method != STANDARD}
    hu = {method: np.ones((len(regions), 2)) for method in values}
    return Comparison(noisy_volume(), volumes, regions, features, IbexProfile(), hu, np.zeros(len(regions)))


def texts(**changes):
    parts = dict(title="Two kernels", labels=LABELS, captions={STANDARD: "B70f (standard)"}, range_notes={}, methods=[("none", "As it is.")],
                 facts=[("Input", "kernel B40f")], limits=["One phantom."], attribution=["Made for a test."])  # fmt: skip
    return ReportTexts(**{**parts, **changes})
