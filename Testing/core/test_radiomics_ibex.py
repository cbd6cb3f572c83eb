"""The IBEX-compatible set: its names, its values from their definitions, and what difficult regions give."""
from dataclasses import replace

import numpy as np
import pytest
from feature_parts import SPACING, ball, pairs_by_loop, runs_by_loop, tissue
from hypothesis import given, settings
from hypothesis import strategies as st

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.radiomics.matrices import cooccurrence, runs
from LTDiffStandardizeLib.radiomics.matrices.levels import Levels
from LTDiffStandardizeLib.radiomics.profiles import IbexProfile, IbexSettings, describe, profile_of, read_settings, values_of
from LTDiffStandardizeLib.radiomics.profiles.ibex_catalogue import COOCCURRENCE, RUN_LENGTH
from LTDiffStandardizeLib.radiomics.profiles.ibex_settings import CooccurrenceSettings, Scale

CATEGORIES = {
    "GradientOrientHistogram": 44, "GrayLevelCooccurenceMatrix25": 330, "GrayLevelCooccurenceMatrix3": 924, "GrayLevelRunLengthMatrix25": 33,
    "IntensityDirect": 16, "IntensityHistogram": 44, "NeighborIntensityDifference25": 5, "NeighborIntensityDifference3": 5,
}  # fmt: skip
PROFILE = IbexProfile()


def measured(hu, mask, profile=PROFILE, spacing=SPACING):
    return dict(zip([name for _, name in profile.names()], values_of(profile, hu, mask, spacing)))


@pytest.fixture(scope="module")
def found():
    return measured(tissue(), ball())


def ibex_levels(hu):
    return np.clip(np.floor(99 / 2100 * (hu.astype(float) + 1000) + 1.5), 1, 100).astype(int)


def test_there_are_1401_names_none_twice_in_eight_categories_and_six_classes():
    names = [name for _, name in PROFILE.names()]
    assert len(names) == len(set(names)) == 1401
    assert {category: sum(name.startswith(category + ".") for name in names) for category in CATEGORIES} == CATEGORIES
    assert list(dict.fromkeys(feature_class for feature_class, _ in PROFILE.names())) == ["GOH", "GLCM", "GLRLM", "ID", "IH", "NID"]


def test_the_order_of_the_names_is_fixed():
    names = [name for _, name in PROFILE.names()]
    assert names == [name for _, name in IbexProfile(IbexSettings()).names()]
    assert names[0] == "GradientOrientHistogram.InterQuartileRange" and names[43] == "GradientOrientHistogram.95PercentileArea"
    assert names[44] == "GrayLevelCooccurenceMatrix25.0-1AutoCorrelation" and names[-1] == "NeighborIntensityDifference3.TextureStrength"


def test_every_feature_says_what_it_means():
    for _, name in PROFILE.names():
        text = describe(name)
        assert "Unit:" in text and "Constant:" in text and text.endswith("Empty region: NaN.")
    with pytest.raises(InputError, match="--list-features"):
        describe("GrayLevelCooccurenceMatrix25.Nonsense")


def test_a_ball_of_tissue_has_all_features(found):
    assert len(found) == 1401 and np.isfinite(list(found.values())).all()


@pytest.mark.parametrize("category, direction, vectors", [
    ("GrayLevelCooccurenceMatrix25", 45, [(0, -1, 1)]),
    ("GrayLevelCooccurenceMatrix25", -333, [(0, 0, 1), (0, -1, 1), (0, -1, 0), (0, -1, -1)]),
    ("GrayLevelCooccurenceMatrix3", 8, [(-1, 1, 0)]),
    ("GrayLevelCooccurenceMatrix3", -333, [(0, 1, 0), (0, 0, 1), (1, 0, 0), (0, 1, 1), (0, -1, 1), (1, 0, 1), (-1, 0, 1), (1, 1, 0),
                                           (-1, 1, 0), (1, 1, 1), (1, -1, 1), (-1, 1, 1), (-1, -1, 1)]),
])  # fmt: skip
@pytest.mark.parametrize("offset", [1, 4, 7])
def test_cooccurrence_features_are_those_of_pairs_counted_one_by_one(found, category, direction, vectors, offset):
    levels = np.where(ball(), ibex_levels(tissue()), 0)
    counts = sum(pairs_by_loop(levels, offset * np.array(vector), 100) for vector in vectors)
    whole = Levels(levels, 0, 100, 100)
    expected = cooccurrence.Cooccurrence(counts[None], whole).features(COOCCURRENCE.values())[:, 0]
    np.testing.assert_allclose([found[f"{category}.{direction}-{offset}{name}"] for name in COOCCURRENCE], expected, rtol=1e-10)


def test_run_length_features_are_those_of_runs_counted_one_by_one_and_of_their_mean(found):
    levels = np.where(ball(), ibex_levels(tissue()), 0)
    rows, columns = (runs_by_loop(levels, vector, 100, 44) for vector in ((0, 0, 1), (0, -1, 0)))
    for direction, counts in ((0, rows), (90, columns), (-333, (rows + columns) / 2)):
        expected = runs.Runs(counts[None], Levels(levels, 0, 100, 100)).features(RUN_LENGTH.values())[:, 0]
        np.testing.assert_allclose([found[f"GrayLevelRunLengthMatrix25.{direction}{name}"] for name in RUN_LENGTH], expected, rtol=1e-12)


def test_statistics_are_of_hu_plus_1000(found):
    inside = tissue()[ball()] + 1000.0
    assert found["IntensityDirect.GlobalMean"] == pytest.approx(inside.mean())
    assert found["IntensityDirect.Energy"] == pytest.approx((inside**2).sum())
    assert found["IntensityDirect.GlobalStd"] == pytest.approx(inside.std(ddof=1))
    assert found["IntensityHistogram.Kurtosis"] == pytest.approx(((inside - inside.mean()) ** 4).mean() / inside.var() ** 2)
    assert found["IntensityHistogram.25Percentile"] == pytest.approx(np.percentile(inside, 25, method="hazen"))
    assert found["IntensityHistogram.50PercentileArea"] == pytest.approx(np.median(inside), abs=16)
    counts = np.histogram(inside, np.arange(-8, 4105, 16))[0]
    assert found["IntensityDirect.GlobalUniformity"] == pytest.approx(((counts / counts.sum()) ** 2).sum(), rel=0.05)


def test_thick_slices_have_no_neighbours_across_them_where_sizes_match_in_millimetres():
    thick = measured(tissue(), ball(), spacing=(0.7, 0.7, 8.0))
    for name in ("Busyness", "Coarseness", "Complexity", "Contrast", "TextureStrength"):
        assert thick[f"NeighborIntensityDifference3.{name}"] == thick[f"NeighborIntensityDifference25.{name}"]


def test_the_voxels_outside_the_mask_matter_to_the_gradient_alone(found):
    other = np.where(ball(), tissue(), 900).astype(np.int16)
    changed = {name for name, value in measured(other, ball()).items() if value != found[name]}
    assert changed and {name.split(".")[0] for name in changed} == {"GradientOrientHistogram"}


def test_the_box_around_a_region_does_not_matter(found):
    hu, mask = np.full((20, 60, 60), -700, np.int16), np.zeros((20, 60, 60), bool)
    hu[3:15, 5:45, 6:50], mask[3:15, 5:45, 6:50] = tissue(), ball()
    assert measured(hu, mask) == found


def test_floating_point_volumes_have_the_features_of_whole_numbers(found):
    floats = measured(tissue().astype(np.float32), ball())
    np.testing.assert_allclose(list(floats.values()), list(found.values()), rtol=1e-6)


def test_both_categories_can_have_grey_levels_of_their_own(found):
    coarse = replace(IbexSettings(), glcm25=CooccurrenceSettings((0, 90), offsets=(2,), scale=Scale(500, 1500, 10)))
    other = measured(tissue(), ball(), IbexProfile(coarse))
    assert len(other) == 1401 - 330 + 66
    in_space = [name for name in found if "Matrix3" in name]
    np.testing.assert_allclose([other[name] for name in in_space], [found[name] for name in in_space], rtol=1e-9)
    alone = measured(tissue(), ball(), IbexProfile(replace(coarse, glcm3=replace(coarse.glcm25, directions=(1, 0)))))
    in_slices = [name for name in other if "Matrix25" in name]
    np.testing.assert_allclose([alone[name] for name in in_slices], [other[name] for name in in_slices], rtol=1e-9)


def test_symmetric_matrices_hold_each_pair_both_ways():
    both = profile_of("ibex", {"glcm25": {"symmetric": True}, "glcm3": {"symmetric": True}})
    found = measured(tissue(), ball(), both)
    levels = np.where(ball(), ibex_levels(tissue()), 0)
    counts = pairs_by_loop(levels, np.array((0, 0, 4)), 100)
    expected = cooccurrence.Cooccurrence((counts + counts.T)[None], Levels(levels, 0, 100, 100)).features(COOCCURRENCE.values())[:, 0]
    np.testing.assert_allclose([found[f"GrayLevelCooccurenceMatrix25.0-4{name}"] for name in COOCCURRENCE], expected, rtol=1e-10)


def test_local_features_are_an_extension(found):
    wider = measured(tissue(), ball(), profile_of("ibex", {"local": {"wanted": True}}))
    assert len(wider) == 1417 and all(wider[name] == value for name, value in found.items())
    assert 0 < wider["IntensityDirect.LocalEntropyMin"] <= wider["IntensityDirect.LocalEntropyMedian"] <= wider["IntensityDirect.LocalEntropyMax"] <= np.log2(81)
    assert wider["IntensityDirect.EnergyNorm"] == pytest.approx(wider["IntensityDirect.RootMeanSquare"] ** 2)


def test_settings_go_through_json_and_unknown_ones_are_refused():
    wanted = {"glcm3": {"offsets": [1, 2]}, "intensity_offset": 1024.0}
    profile = profile_of("ibex", wanted)
    assert profile.settings.glcm3.offsets == (1, 2) and profile_of("ibex", profile.as_dict()) == profile
    for wrong in ({"glcm": {}}, {"glcm3": {"offsets": "1"}}, {"glcm3": {"symmetric": 1}}, {"nid3": {"size": 2.5}}):
        with pytest.raises(InputError, match="setting"):
            profile_of("ibex", wrong)


@pytest.mark.parametrize("wrong, setting", [
    ({"intensity_offset": float("nan")}, "intensity_offset"),
    ({"percentiles": [5, 101]}, "percentiles"),
    ({"glcm25": {"directions": [30]}}, "glcm25.directions"),
    ({"glcm3": {"directions": [0, 13]}}, "glcm3.directions"),
    ({"glcm3": {"directions": []}}, "glcm3.directions"),
    ({"glrlm25": {"directions": [0, 0]}}, "glrlm25.directions"),
    ({"glcm3": {"offsets": [0]}}, "glcm3.offsets"),
    ({"glcm25": {"offsets": [1, 10**6]}}, "glcm25.offsets"),
    ({"glcm25": {"scale": {"levels": 1}}}, "glcm25.scale.levels"),
    ({"glcm25": {"scale": {"levels": 10**6}}}, "glcm25.scale.levels"),
    ({"glrlm25": {"scale": {"low": 2100.0}}}, "glrlm25.scale.high"),
    ({"intensity_histogram": {"bins": 0}}, "intensity_histogram.bins"),
    ({"direct_histogram": {"low": 5000.0}}, "direct_histogram.high"),
    ({"nid25": {"histogram": {"high": float("inf")}}}, "nid25.histogram.high"),
    ({"nid3": {"size": 4}}, "nid3.size"),
    ({"local": {"sd_size": 1}}, "local.sd_size"),
])  # fmt: skip
def test_settings_with_which_nothing_can_be_measured_are_refused_by_name(wrong, setting):
    with pytest.raises(InputError, match=f"^The setting {setting} cannot be .+; it must be .+\\.$"):
        profile_of("ibex", wrong)


def test_settings_are_refused_when_they_are_made_too():
    with pytest.raises(InputError, match="setting levels"):
        Scale(levels=1)


def test_settings_that_are_no_json_object_are_refused(tmp_path):
    (tmp_path / "settings.json").write_text('{"profile": {"settings": 5}}', encoding="utf-8")
    with pytest.raises(InputError, match="settings.json cannot be read"):
        read_settings(tmp_path / "settings.json")


def test_an_offset_that_is_no_whole_number_counts_for_whole_numbers_too():
    half = profile_of("ibex", {"intensity_offset": 1000.5})
    whole, floats = (measured(tissue().astype(kind), ball(), half) for kind in (np.int16, np.float32))
    assert whole["IntensityDirect.GlobalMean"] == pytest.approx(tissue()[ball()].mean() + 1000.5, rel=1e-9)
    np.testing.assert_allclose(list(whole.values()), list(floats.values()), rtol=1e-6)


DIFFICULT = st.sampled_from(["noise", "constant", "two levels", "huge", "negative", "nan", "one voxel", "empty", "plane", "line"])


@settings(max_examples=60, deadline=None)
@given(DIFFICULT, st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9)), st.integers(0, 2**32 - 1))
def test_any_region_has_numbers_or_nan_and_never_an_exception(kind, shape, seed):
    rng = np.random.default_rng(seed)
    hu, mask = rng.normal(0, 100, shape).round().astype(np.float32), rng.random(shape) < 0.8
    mask.flat[0] = True
    if kind in ("constant", "two levels"):
        hu = np.where(rng.random(shape) < (0.5 if kind == "two levels" else 0), 80.0, 30.0).astype(np.float32)
    elif kind in ("huge", "negative"):
        hu = (hu + (30000 if kind == "huge" else -9000)).astype(np.int16)
    elif kind == "nan":
        hu.flat[0] = np.nan
    elif kind in ("one voxel", "empty"):
        mask[:] = False
        mask.flat[-1] = kind == "one voxel"
    elif kind == "plane":
        mask[1:] = False
    elif kind == "line":
        mask[:, 1:] = False
    values = measured(hu, mask)
    finite = np.isfinite(list(values.values()))
    assert not np.isinf(list(values.values())).any()
    if kind in ("nan", "empty"):
        assert not finite.any()
    else:
        inside = hu[mask].astype(float) + 1000
        assert values["IntensityDirect.GlobalMean"] == pytest.approx(inside.mean(), rel=1e-6)
        assert np.isnan(values["GrayLevelCooccurenceMatrix3.2-7Energy"])  # nothing lies seven slices away
        if kind in ("constant", "one voxel"):
            assert np.isnan(values["IntensityHistogram.Skewness"]) and values["IntensityHistogram.Range"] == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0, 1, 2]), st.booleans())
def test_turning_the_volume_round_changes_directions_alone(seed, axis, whole):
    """A flip moves what one direction has to another; statistics, differences and, turned as a whole, everything stay."""
    rng = np.random.default_rng(seed)
    hu, mask = rng.normal(40, 60, (6, 10, 11)).round().astype(np.int16), rng.random((6, 10, 11)) < 0.9
    axes = (0, 1, 2) if whole else (axis,)
    here, there = measured(hu, mask), measured(np.flip(hu, axes), np.flip(mask, axes))
    same = ["IntensityDirect", "IntensityHistogram", "NeighborIntensityDifference25", "NeighborIntensityDifference3", "GrayLevelRunLengthMatrix25"]
    same += ["GrayLevelCooccurenceMatrix25", "GrayLevelCooccurenceMatrix3", "GradientOrientHistogram"] if whole else []
    names = [name for name in here if name.split(".")[0] in same]
    np.testing.assert_allclose([there[name] for name in names], [here[name] for name in names], rtol=1e-9, atol=1e-12)
    if axis == 1 and not whole:
        for name in COOCCURRENCE:
            assert there[f"GrayLevelCooccurenceMatrix25.45-1{name}"] == pytest.approx(here[f"GrayLevelCooccurenceMatrix25.135-1{name}"], rel=1e-9)
