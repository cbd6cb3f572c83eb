"""Several patients in one comparison, ComBat beside the volumes, and the list of patients."""
import json

import numpy as np
import pytest
from report_parts import box_regions, noisy_volume

from LTDiffStandardizeLib.comparison import STANDARD, compare, joined, with_combat, write_figures
from LTDiffStandardizeLib.comparison.cases import read_cases
from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.radiomics.measuring import measure
from LTDiffStandardizeLib.radiomics.profiles import IbexProfile, IbsiProfile
from LTDiffStandardizeLib.radiomics.regions import Region

PROFILE = IbsiProfile()


def patient(seed, name, sd=8.0, methods=("input", "output")):
    regions = [Region(region.name, region.hu_range, region.kind, region.slices, region.mask, name) for region in box_regions()]
    volumes = {methods[0]: noisy_volume(sd=sd, seed=seed), methods[1]: noisy_volume(sd=19.0, seed=seed)}
    return compare(noisy_volume(seed=seed), volumes, regions, profile=PROFILE)


@pytest.fixture(scope="module")
def three():
    return joined(patient(seed, f"patient {seed}") for seed in range(3))


def test_the_regions_of_all_patients_are_compared_together(three):
    alone = [patient(seed, f"patient {seed}") for seed in range(3)]
    assert len(three.regions) == 3 * len(alone[0].regions) and three.patients() == ["patient 0", "patient 1", "patient 2"]
    for method in (STANDARD, "input", "output"):
        np.testing.assert_array_equal(three.features[method].values, np.concatenate([one.features[method].values for one in alone]))
        np.testing.assert_array_equal(three.hu[method], np.concatenate([one.hu[method] for one in alone]))
    assert {row["n_regions"] for row in three.agreement} == {len(three.regions)}
    assert three.regions_of_the_pictures() == three.regions[: len(alone[0].regions)]


def test_volumes_of_the_later_patients_are_forgotten():
    seen = []

    def patients():
        for seed in range(3):
            one = patient(seed, str(seed))
            seen.append(one.volumes)
            yield one

    found = joined(patients())
    assert found.volumes is seen[0] and all(volumes is not found.volumes for volumes in seen[1:])


def test_patients_with_other_volumes_cannot_be_joined():
    with pytest.raises(InputError, match="name the same for all"):
        joined([patient(0, "a"), patient(1, "b", methods=("input", "other"))])


def test_combat_is_a_method_without_a_volume_that_corrects_mean_and_spread(three):
    found = with_combat(three, "input")
    assert found.methods == ["input", "output", "input + ComBat"] and list(found.volumes) == ["input", "output"]
    ccc = {(row["method"], row["feature_class"]): row["ccc_mean"] for row in found.agreement}
    assert all(ccc["input + ComBat", name] > ccc["input", name] for name in ("IH", "GLCM", "GLRLM"))
    column = [tag for _, tag in PROFILE.names()].index("cm_contrast_3D_comb")
    mean = {method: found.features[method].values[:, column].mean() for method in (*found.methods, STANDARD)}
    assert abs(mean["input + ComBat"] - mean[STANDARD]) < 0.1 * abs(mean["input"] - mean[STANDARD])


def test_the_figures_are_written_for_every_feature_and_in_strict_json(three, tmp_path):
    one_to_one, summary = write_figures(with_combat(three, "input"), tmp_path, "input", "output")
    lines = one_to_one.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 3 * len(PROFILE.names()) and lines[0].startswith("method,regions,feature_class,feature,ccc,ccc_low")

    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    content = json.loads(summary.read_text(encoding="utf-8"), parse_constant=refuse)
    assert content["profile"]["name"] == "ibsi" and content["profile"]["settings"] == {"bin_width": 25.0, "bin_origin": -1000.0}
    assert content["patients"] == 3 and {row["method"] for row in content["paper_protocol"]} == {"input", "output", "input + ComBat"}
    lists = content["trustworthy"]["regions"]["[-100,250]"]
    assert sum(map(len, lists.values())) == len(PROFILE.names()) and len(lists["became"]) > 50


def test_a_region_without_usable_voxels_is_undefined_and_ends_nothing():
    hu = np.random.default_rng(0).normal(size=(2, 8, 8)).astype(np.float32)
    hu[0, 0, 0] = np.nan
    box = (slice(0, 2), slice(0, 8), slice(0, 8))
    regions = [Region(name, "r", "label", box, mask) for name, mask in (("all", np.ones(hu.shape, bool)), ("none", np.zeros(hu.shape, bool)),
                                                                        ("good", ~np.isnan(hu)))]  # fmt: skip
    for profile in (IbexProfile(), IbsiProfile()):
        values = measure(profile, {"a": hu}, regions, (1, 1, 1))["a"].values
        assert np.isnan(values[:2]).all() and np.isfinite(values[2]).any()


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_of_patients_names_paths_beside_it_and_shapes(tmp_path):
    (tmp_path / "a").mkdir()
    write(tmp_path / "a" / "tumour.nrrd", "")
    path = write(tmp_path / "cases.csv", "patient,reference,roi,input,ltdiff\nP1,a,a/tumour.nrrd; random:5,a,/else/where\nP2,a,,a,a\n")
    first, second = read_cases(path)
    assert (first.patient, first.reference) == ("P1", str(tmp_path / "a"))
    assert first.volumes == {"input": str(tmp_path / "a"), "ltdiff": "/else/where"}
    assert first.rois == (str(tmp_path / "a" / "tumour.nrrd"), "random:5") and second.rois == ()


@pytest.mark.parametrize("text, word", [
    ("patient,reference\nP1,a\n", "at least one named volume"), ("reference,input\na,b\n", "needs patient"), ("", "none"),
    ("patient,reference,input\nP1,a,\n", "Line 2"), ("patient,reference,input\nP1,a,b\nP1,a,b\n", "P1 more than once"),
    ("patient,reference,input\n", "has no patient"),
])  # fmt: skip
def test_a_list_of_patients_that_cannot_be_used_is_refused_in_words(tmp_path, text, word):
    with pytest.raises(InputError, match=word):
        read_cases(write(tmp_path / "cases.csv", text))


def test_a_list_that_does_not_exist_and_one_with_semicolons_are_refused_with_the_remedy(tmp_path):
    with pytest.raises(InputError, match="nosuch.csv does not exist; check the path"):
        read_cases(tmp_path / "nosuch.csv")
    with pytest.raises(InputError, match="semicolons between its columns; save it again with commas"):
        read_cases(write(tmp_path / "cases.csv", "patient;reference;input\nP1;a;b\n"))
