"""The feature set: against PyRadiomics' own extractor, the IBSI reference values and closed forms."""
import csv
import logging
import math
from pathlib import Path

import numpy as np
import pytest
from feature_parts import SPACING, ball, tissue

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.radiomics.measuring import measure
from LTDiffStandardizeLib.radiomics.profiles.pyradiomics_orientation import orientation_features
from LTDiffStandardizeLib.radiomics.profiles.pyradiomics_histogram import histogram_features
from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import CLASSES, PyRadiomicsProfile, available, extract
from LTDiffStandardizeLib.radiomics.regions import Region

IBSI = Path(__file__).resolve().parents[3] / "shared" / "data" / "features"
usable, why_not = available()
needs_pyradiomics = pytest.mark.skipif(not usable, reason=why_not)
needs_ibsi = pytest.mark.skipif(not IBSI.is_dir(), reason="the IBSI phantom in ../shared/data is not there")

PYRADIOMICS = {"ID": "firstorder", "IH": "firstorder", "GLCM": "glcm", "GLRLM": "glrlm", "NID": "ngtdm"}

# PyRadiomics' names for the tags of the IBSI reference table.
IBSI_TAGS = {
    "GLCM": {"MaximumProbability": "joint_max", "JointAverage": "joint_avg", "SumSquares": "joint_var",
             "JointEntropy": "joint_entr", "DifferenceAverage": "diff_avg", "DifferenceVariance": "diff_var",
             "DifferenceEntropy": "diff_entr", "SumAverage": "sum_avg", "SumEntropy": "sum_entr",
             "JointEnergy": "energy", "Contrast": "contrast", "Id": "inv_diff", "Idn": "inv_diff_norm", "Idm": "inv_diff_mom",
             "Idmn": "inv_diff_mom_norm", "InverseVariance": "inv_var", "Correlation": "corr",
             "Autocorrelation": "auto_corr", "ClusterTendency": "clust_tend", "ClusterShade": "clust_shade",
             "ClusterProminence": "clust_prom", "Imc1": "info_corr1", "Imc2": "info_corr2"},
    "GLRLM": {"ShortRunEmphasis": "sre", "LongRunEmphasis": "lre", "LowGrayLevelRunEmphasis": "lgre",
              "HighGrayLevelRunEmphasis": "hgre", "ShortRunLowGrayLevelEmphasis": "srlge",
              "ShortRunHighGrayLevelEmphasis": "srhge", "LongRunLowGrayLevelEmphasis": "lrlge",
              "LongRunHighGrayLevelEmphasis": "lrhge", "GrayLevelNonUniformity": "glnu",
              "GrayLevelNonUniformityNormalized": "glnu_norm", "RunLengthNonUniformity": "rlnu",
              "RunLengthNonUniformityNormalized": "rlnu_norm", "RunPercentage": "r_perc",
              "GrayLevelVariance": "gl_var", "RunVariance": "rl_var", "RunEntropy": "rl_entr"},
    "NID": {name: name.lower() for name in ("Coarseness", "Contrast", "Busyness", "Complexity", "Strength")},
    "IH": {"Entropy": "entropy", "Uniformity": "uniformity", "Variance": "var", "Skewness": "skew",
           "MeanAbsoluteDeviation": "mad", "MedianAbsoluteDeviation": "medad"},
}
IBSI_PREFIXES = {"GLCM": "cm", "GLRLM": "rlm", "NID": "ngt", "IH": "ih"}


def crop_of(mask):
    return tuple(slice(where.min(), where.max() + 1) for where in np.nonzero(mask))


@pytest.fixture(scope="module")
def phantom():
    import SimpleITK

    image, mask = (SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(IBSI / "ibsi-digital-phantom" / "nifti" / name)))
                   for name in ("image/phantom.nii.gz", "mask/mask.nii.gz"))
    with open(IBSI / "ibsi_digital_phantom_reference.csv", newline="", encoding="utf-8") as file:
        reference = {row["tag"]: float(row["value"]) for row in csv.DictReader(file)}
    return image.astype(np.int16), mask > 0, reference


@needs_pyradiomics
def test_the_classes_hold_the_announced_numbers_of_features():
    features = extract(tissue(), ball(), SPACING)
    assert tuple(features) == CLASSES
    assert {name: len(values) for name, values in features.items()} == {
        "GOH": 11, "GLCM": 24, "GLRLM": 16, "ID": 16, "IH": 9, "NID": 5}
    assert all(math.isfinite(value) for values in features.values() for value in values.values())


@needs_pyradiomics
@pytest.mark.parametrize("force2d", [False, True])
def test_the_crop_gives_what_the_extractor_gives_on_the_whole_volume(force2d):
    import SimpleITK
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    hu, mask = tissue(), ball()
    extractor = RadiomicsFeatureExtractor(binWidth=25, force2D=force2d)
    image, label = SimpleITK.GetImageFromArray(hu), SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    for item in (image, label):
        item.SetSpacing(SPACING)
    whole = extractor.execute(image, label)
    ours = extract(hu[crop_of(mask)], mask[crop_of(mask)], SPACING, force2d)
    expected = {(ours_name, key.split("_")[2]): float(value) for key, value in whole.items()
                for ours_name, theirs in PYRADIOMICS.items() if key.startswith(f"original_{theirs}_")}
    compared = [(name, feature) for name in PYRADIOMICS for feature in ours[name] if (name, feature) in expected
                and (name != "IH" or feature in ("Entropy", "Uniformity"))]
    assert len(compared) == 63
    for name, feature in compared:
        assert ours[name][feature] == pytest.approx(expected[name, feature], rel=1e-10), (name, feature)


@needs_pyradiomics
def test_values_outside_the_mask_do_not_count():
    hu, mask = tissue(), ball()
    other = np.where(mask, hu, 1000).astype(np.int16)
    first, second = extract(hu, mask, SPACING), extract(other, mask, SPACING)
    assert all(first[name] == second[name] for name in CLASSES if name != "GOH")


@needs_pyradiomics
def test_a_region_of_one_slice_is_two_dimensional_whatever_is_asked():
    hu, mask = tissue((1, 30, 30)), ball((1, 30, 30)) | np.ones((1, 30, 30), bool)
    assert extract(hu, mask, SPACING) == extract(hu, mask, SPACING, force2d=True)


@needs_pyradiomics
def test_slices_are_kept_apart_on_request():
    hu, mask = tissue(), ball()
    shuffled = hu.copy()
    shuffled[1::2] = 80 - hu[1::2]  # breaks the relation between neighbouring slices only
    three = [extract(volume, mask, SPACING)["GLCM"]["Correlation"] for volume in (hu, shuffled)]
    two = [extract(volume, mask, SPACING, force2d=True)["GLCM"]["Correlation"] for volume in (hu, shuffled)]
    assert three[0] - three[1] > 5 * abs(two[0] - two[1])


@needs_pyradiomics
def test_many_regions_come_in_their_order_from_one_process_or_two():
    hu, done = tissue((6, 40, 40)), []
    boxes = [(slice(0, 6), slice(y, y + 20), slice(x, x + 20)) for y in (0, 20) for x in (0, 20)]
    regions = [Region(str(i), "r", "random", box, np.ones((6, 20, 20), bool)) for i, box in enumerate(boxes)]
    profile = PyRadiomicsProfile(CLASSES)
    alone = measure(profile, {"a": hu}, regions, SPACING, progress=lambda *step: done.append(step))["a"]
    assert done == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [alone.row(index) for index in range(4)] == [extract(hu[box], region.mask, SPACING) for box, region in zip(boxes, regions)]
    assert measure(profile, {"a": hu}, regions, SPACING, processes=2)["a"].values.tolist() == alone.values.tolist()
    assert measure(profile, {"a": hu}, [], SPACING)["a"].values.shape == (0, len(profile.names()))



@needs_pyradiomics
def test_a_single_voxel_has_intensities_but_no_texture(recwarn):
    features = extract(np.full((1, 1, 1), 55, np.int16), np.ones((1, 1, 1), bool), SPACING)
    assert features["ID"]["Mean"] == 55 and features["IH"]["Variance"] == 0
    assert math.isnan(features["GLCM"]["Contrast"]) and math.isnan(features["GOH"]["Mean"])
    assert not recwarn.list


@needs_pyradiomics
def test_the_extraction_is_silent_and_leaves_the_logger_as_it_was(caplog):
    logger = logging.getLogger("radiomics")
    before = logger.level
    extract(tissue(), ball(), SPACING)
    assert not caplog.records and logger.level == before


def test_a_region_without_usable_voxels_is_refused():
    hu = np.zeros((2, 3, 3), dtype=np.float32)
    with pytest.raises(InputError, match="holds no voxel"):
        extract(hu, np.zeros(hu.shape, bool), SPACING)
    hu[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="no finite numbers"):
        extract(hu, np.ones(hu.shape, bool), SPACING)


@needs_pyradiomics
@needs_ibsi
@pytest.mark.parametrize("force2d, suffix, merged", [(False, "3D", "_3D_avg"), (True, "2_5D", "_2_5D_avg")])
def test_the_ibsi_phantom_has_its_reference_values(phantom, force2d, suffix, merged):
    image, mask, reference = phantom
    features = extract(image, mask, (2, 2, 2), force2d, bin_width=1)
    endings = {"GLCM": merged, "GLRLM": merged, "NID": f"_{suffix}", "IH": ""}
    for feature_class, tags in IBSI_TAGS.items():
        for feature, tag in tags.items():
            expected = reference[f"{IBSI_PREFIXES[feature_class]}_{tag}{endings[feature_class]}"]
            # The reference values are given to three digits.
            assert features[feature_class][feature] == pytest.approx(expected, rel=6e-3), (feature_class, feature)


@needs_ibsi
def test_the_histogram_of_the_ibsi_phantom_has_its_reference_kurtosis_and_gradients(phantom):
    image, mask, reference = phantom
    features = histogram_features(image[mask], bin_width=1)
    assert features["Kurtosis"] - 3 == pytest.approx(reference["ih_kurt"], abs=5e-3)
    assert features["MaximumGradient"] * mask.sum() == pytest.approx(reference["ih_max_grad"])
    assert features["MinimumGradient"] * mask.sum() == pytest.approx(reference["ih_min_grad"])


def test_histogram_statistics_do_not_depend_on_the_bin_that_comes_first():
    values = tissue().ravel()
    first, shifted = histogram_features(values), histogram_features(values + 25 * 7)
    assert first == pytest.approx(shifted)


def test_a_constant_region_has_a_histogram_of_one_bin():
    assert set(histogram_features(np.full(10, 33)).values()) == {0.0}


@pytest.mark.parametrize("degrees", [0.0, 30.0, 90.0, 135.0])
def test_the_orientation_of_a_slope_is_its_direction_in_mm(degrees):
    y, x = np.mgrid[:20, :24].astype(float)
    slope = 5 * (math.cos(math.radians(degrees)) * 0.5 * x + math.sin(math.radians(degrees)) * 0.9 * y)[None]
    for hu in (slope, -slope):
        features = orientation_features(hu, np.ones(hu.shape, bool), (0.5, 0.9, 3.0))
        assert features["Percentile50"] % 180 == pytest.approx(degrees, abs=1e-6)


def test_orientations_of_noise_are_spread_evenly():
    hu = np.random.default_rng(0).normal(size=(4, 100, 100))
    features = orientation_features(hu, np.ones(hu.shape, bool), (1, 1, 1))
    assert len(features) == 11
    assert features["Mean"] == pytest.approx(90, abs=1.5)
    assert features["StandardDeviation"] == pytest.approx(180 / math.sqrt(12), abs=1)
    assert features["Kurtosis"] == pytest.approx(1.8, abs=0.05)


@pytest.mark.parametrize("hu, mask", [(np.zeros((2, 5, 5)), np.ones((2, 5, 5), bool)),
                                      (np.arange(50.0).reshape(2, 5, 5), np.zeros((2, 5, 5), bool)),
                                      (np.arange(5.0).reshape(1, 5, 1), np.ones((1, 5, 1), bool))],
                         ids=["constant", "empty mask", "one column"])
def test_where_nothing_changes_there_is_no_orientation(hu, mask):
    assert all(math.isnan(value) for value in orientation_features(hu, mask, (1, 1, 1)).values())
