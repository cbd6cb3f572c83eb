"""The engine against the reference values of the IBSI digital phantom, and against PyRadiomics where definitions coincide."""
import csv
from decimal import Decimal

import numpy as np
import pytest
from feature_parts import SPACING, ball, tissue

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.radiomics.matrices.cooccurrence import Cooccurrence, count_pairs
from LTDiffStandardizeLib.radiomics.matrices.differences import level_differences
from LTDiffStandardizeLib.radiomics.matrices.levels import box_of, wide_levels
from LTDiffStandardizeLib.radiomics.matrices.runs import Runs, count_runs
from LTDiffStandardizeLib.radiomics.profiles import (WITHOUT_LEVELS, IbsiProfile, PyRadiomicsProfile, describe, ibsi, profile_of,
                                                     values_of)  # fmt: skip
from LTDiffStandardizeLib.radiomics.profiles.ibsi import COOCCURRENCE, DIFFERENCES, IN_SPACE, RUN_LENGTH
from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import available
from LTDiffStandardizeLib.radiomics.regions import region_from_sphere
from LTDiffStandardizeLib.volumes import read_volume

usable, why_not = available()
needs_pyradiomics = pytest.mark.skipif(not usable, reason=why_not)
FAMILIES = {"stat": 18, "ih": 23, "cm": 150, "rlm": 96, "ngt": 15}

# Our names of what PyRadiomics has under others, GLCM, GLRLM and NGTDM.
PYRADIOMICS = {
    "glcm": {"MaximumProbability": "joint_max", "JointAverage": "joint_avg", "SumSquares": "joint_var", "JointEntropy": "joint_entr",
             "DifferenceAverage": "diff_avg", "DifferenceVariance": "diff_var", "DifferenceEntropy": "diff_entr", "SumAverage": "sum_avg",
             "SumEntropy": "sum_entr", "JointEnergy": "energy", "Contrast": "contrast", "Id": "inv_diff", "Idm": "inv_diff_mom",
             "InverseVariance": "inv_var", "Correlation": "corr", "Autocorrelation": "auto_corr", "ClusterTendency": "clust_tend",
             "ClusterShade": "clust_shade", "ClusterProminence": "clust_prom", "Imc1": "info_corr1", "Imc2": "info_corr2"},
    "glrlm": {"ShortRunEmphasis": "sre", "LongRunEmphasis": "lre", "LowGrayLevelRunEmphasis": "lgre", "HighGrayLevelRunEmphasis": "hgre",
              "ShortRunLowGrayLevelEmphasis": "srlge", "ShortRunHighGrayLevelEmphasis": "srhge", "LongRunLowGrayLevelEmphasis": "lrlge",
              "LongRunHighGrayLevelEmphasis": "lrhge", "GrayLevelNonUniformity": "glnu", "GrayLevelNonUniformityNormalized": "glnu_norm",
              "RunLengthNonUniformity": "rlnu", "RunLengthNonUniformityNormalized": "rlnu_norm", "RunPercentage": "r_perc",
              "GrayLevelVariance": "gl_var", "RunVariance": "rl_var", "RunEntropy": "rl_entr"},
    "ngtdm": {name: name.lower() for name in ("Coarseness", "Contrast", "Busyness", "Complexity", "Strength")},
}  # fmt: skip


@pytest.fixture(scope="module")
def reference(shared_data):
    with open(shared_data / "features" / "ibsi_digital_phantom_reference.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def phantom(shared_data):
    import SimpleITK

    folder = shared_data / "features" / "ibsi-digital-phantom" / "nifti"
    image, mask = (SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(folder / name))) for name in ("image/phantom.nii.gz", "mask/mask.nii.gz"))
    return image.astype(np.int16), mask > 0


def half_a_digit(printed):
    """Half a unit of the last of the three significant digits to which the reference values are printed."""
    value = Decimal(printed)
    return 0.0 if value == 0 else float(Decimal(5).scaleb(value.adjusted() - 3))


def test_every_reference_value_of_the_digital_phantom_is_met(phantom, reference):
    profile = IbsiProfile(bin_width=1.0, bin_origin=None)
    found = {tag: value for (_, tag), value in zip(profile.names(), values_of(profile, *phantom, (2.0, 2.0, 2.0)))}
    rows = [row for row in reference if row["tag"].split("_")[0] in FAMILIES]
    assert {row["tag"] for row in rows} == set(found)
    off = {row["tag"]: (found[row["tag"]], row["value"]) for row in rows
           if not abs(found[row["tag"]] - float(row["value"])) <= float(row["tolerance"]) + half_a_digit(row["value"]) * 1.0001}  # fmt: skip
    print(f"{len(rows) - len(off)} of {len(rows)} IBSI reference values within tolerance")
    assert off == {}


def test_the_profile_has_every_tag_once_and_says_what_it_means():
    tags = [tag for _, tag in IbsiProfile().names()]
    assert len(tags) == len(set(tags)) == 302
    assert {family: sum(tag.split("_")[0] == family for tag in tags) for family in FAMILIES} == FAMILIES
    assert all("Unit:" in describe(tag) for tag in tags)
    assert "central differences" in describe("ih_max_grad_g") and "same as" not in describe("cm_corr_2D_avg")


def test_the_origin_of_the_bins_is_a_setting_that_moves_the_levels():
    fixed, moving = (values_of(IbsiProfile(bin_origin=origin), tissue(), ball(), SPACING) for origin in (-1000.0, None))
    names = [tag for _, tag in IbsiProfile().names()]
    average = names.index("cm_joint_avg_3D_comb")
    assert fixed[average] - moving[average] == pytest.approx((tissue()[ball()].min() + 1000) / 25, abs=1)
    assert fixed[names.index("cm_contrast_3D_comb")] == pytest.approx(moving[names.index("cm_contrast_3D_comb")], rel=0.05)
    assert IbsiProfile(bin_origin=None).as_dict()["bin_origin"] is None and "smallest value" in IbsiProfile(bin_origin=None).about()


@pytest.mark.parametrize("bright", [1e7, -1e7, 3e38, -3e38])
@pytest.mark.parametrize("profile", [IbsiProfile(), IbsiProfile(bin_origin=None),
                                     pytest.param(PyRadiomicsProfile(), marks=needs_pyradiomics)])  # fmt: skip
def test_one_voxel_without_measure_leaves_what_needs_no_levels(profile, bright):
    hu, mask = tissue().astype(np.float32), ball()
    hu[6, 20, 22] = bright
    values = values_of(profile, hu, mask, SPACING)
    classes = np.array([feature_class for feature_class, _ in profile.names()])
    without_levels = np.isin(classes, WITHOUT_LEVELS)
    assert without_levels.any() and np.isfinite(values[without_levels]).all() and np.isnan(values[~without_levels]).all()
    extreme = [name.lower() for _, name in profile.names()].index("maximum" if profile.name == "pyradiomics" else "stat_max")
    assert values[extreme] == hu[mask].max()


@pytest.mark.parametrize("profile", [IbsiProfile(), pytest.param(PyRadiomicsProfile(), marks=needs_pyradiomics)])
def test_a_region_of_what_stands_for_nothing_in_32_bits_raises_nothing(profile):
    hu = np.full((3, 4, 5), np.finfo(np.float32).min)
    values = values_of(profile, hu, np.ones(hu.shape, bool), SPACING)
    means = values[[name.lower().endswith("mean") and feature_class == "ID" for feature_class, name in profile.names()]]
    assert means == pytest.approx([float(hu[0, 0, 0])])


def test_metal_on_the_extended_scale_keeps_its_levels():
    hu = tissue()
    hu[6, 20, 22] = 30710
    assert np.isfinite(values_of(IbsiProfile(), hu, ball(), SPACING)).all()


def test_slices_measured_a_few_at_a_time_have_the_features_of_all_at_once(monkeypatch):
    at_once = values_of(IbsiProfile(), tissue(), ball(), SPACING)
    monkeypatch.setattr(ibsi, "ENTRIES_AT_ONCE", 1)
    np.testing.assert_allclose(values_of(IbsiProfile(), tissue(), ball(), SPACING), at_once, rtol=1e-12)


@pytest.mark.parametrize("name, wrong, setting", [
    ("ibsi", {"bin_width": -25}, "bin_width"), ("ibsi", {"bin_width": 0}, "bin_width"),
    ("ibsi", {"bin_width": np.inf}, "bin_width"), ("ibsi", {"bin_origin": np.nan}, "bin_origin"),
    pytest.param("pyradiomics", {"bin_width": 0.0}, "bin_width", marks=needs_pyradiomics),
    pytest.param("pyradiomics", {"classes": ["GLCM", "Nonsense"]}, "classes", marks=needs_pyradiomics),
])  # fmt: skip
def test_settings_with_which_nothing_can_be_measured_are_refused_by_name(name, wrong, setting):
    with pytest.raises(InputError, match=f"^The setting {setting} cannot be .+; it must be .+\\.$"):
        profile_of(name, wrong)


def assert_like_pyradiomics(hu, mask):
    """Distance 1, 13 directions, averaged; bins of 25 HU from the edge below the smallest value, as PyRadiomics has them."""
    import SimpleITK
    from radiomics import glcm, glrlm, ngtdm

    origin = 25.0 * np.floor(hu[mask].min() / 25)
    levels = wide_levels(hu, mask, 25.0, origin)
    pairs = count_pairs(levels, IN_SPACE)
    ours = {
        "glcm": dict(zip(COOCCURRENCE, Cooccurrence(pairs + pairs.swapaxes(1, 2), levels).features(COOCCURRENCE.values()).mean(axis=1))),
        "glrlm": dict(zip(RUN_LENGTH, Runs(count_runs(levels, IN_SPACE), levels).features(RUN_LENGTH.values()).mean(axis=1))),
        "ngtdm": dict(zip(DIFFERENCES, level_differences(levels).features(DIFFERENCES.values()))),
    }
    image, label = SimpleITK.GetImageFromArray(hu), SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    classes = {"glcm": glcm.RadiomicsGLCM, "glrlm": glrlm.RadiomicsGLRLM, "ngtdm": ngtdm.RadiomicsNGTDM}
    for name, pairs_of_names in PYRADIOMICS.items():
        theirs = classes[name](image, label, binWidth=25).execute()
        for their_name, our_name in pairs_of_names.items():
            assert ours[name][our_name] == pytest.approx(float(theirs[their_name]), rel=1e-8), (name, their_name)


@needs_pyradiomics
def test_features_at_offset_1_are_those_of_pyradiomics_on_tissue():
    assert_like_pyradiomics(tissue(), ball())


@needs_pyradiomics
def test_features_at_offset_1_are_those_of_pyradiomics_on_a_real_volume(shared_data):
    volume = read_volume(shared_data / "volumes" / "lidc-idri-0314")
    middle = len(volume.hu) // 2
    for centre in ((middle, 200, 330), (middle, 330, 256), (middle, 256, 150)):
        region = region_from_sphere(centre, 9.0, volume.spacing, volume.hu.shape)
        assert region.slices[0].stop - region.slices[0].start > 10
        crop = region.crop(volume.hu)
        box = box_of(region.mask)
        assert_like_pyradiomics(crop[box], region.mask[box])
