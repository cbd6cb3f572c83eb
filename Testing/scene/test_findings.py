"""What a comparison has written, read back: the numbers must be those of the files, whoever asks for them."""
import csv
import json

import numpy as np
import pytest
from findings_parts import ROIS, VOLUMES

from LTDiffStandardizeLib.comparison.findings import Values
from LTDiffStandardizeLib.radiomics.profiles import IbsiProfile


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_with_a_reference_the_classes_are_those_of_the_agreement(compared):
    rows = json.loads((compared.folder / "agreement.json").read_text())
    classes = list(dict.fromkeys(name for name, _ in IbsiProfile().names()))
    assert compared.has_reference and compared.classes == rows and compared.methods() == list(VOLUMES)
    assert compared.class_names() == classes and compared.ranges() == ["tumour"]
    assert compared.class_rows("tumour") == rows and compared.class_rows("[10,250]") == []
    glcm = compared.class_rows("tumour", "GLCM")
    assert [row["method"] for row in glcm] == list(VOLUMES) and {row["feature_class"] for row in glcm} == {"GLCM"}


def test_features_are_those_of_the_table(compared):
    rows = rows_of(compared.folder / "feature_agreement.csv")
    assert compared.features == rows and compared.feature_rows("tumour") == rows
    of_class = compared.feature_rows("tumour", "GLRLM")
    assert len(of_class) == 3 * len(compared.names_of("GLRLM")) and {row["feature_class"] for row in of_class} == {"GLRLM"}
    assert compared.names_of("") == list(IbsiProfile().names())


def test_every_feature_is_in_one_list_of_the_trustworthy_ones(compared):
    lists = compared.trustworthy("tumour")
    assert sorted(tuple(name) for names in lists.values() for name in names) == sorted(IbsiProfile().names())
    assert set(lists) >= {"became", "stayed", "lost", "never"} and compared.trustworthy("[10,250]") == {}
    assert (compared.summary["trustworthy"]["before"], compared.summary["trustworthy"]["after"]) == (VOLUMES[0], VOLUMES[-1])


@pytest.mark.parametrize("kind", ["compared", "changed"])
def test_values_are_those_of_the_long_table_in_the_order_of_the_regions(kind, request):
    findings = request.getfixturevalue(kind)
    values, regions = findings.values, [row["region"] for row in rows_of(findings.folder / "regions.csv")]
    assert list(values.regions) == regions == list(ROIS)
    assert values.values.shape == (len(values.volumes), len(ROIS), len(values.names))
    rows = rows_of(findings.folder / ("features.csv" if kind == "compared" else "changes.csv"))
    for volume, column in ((values.volumes[0], "before"), (values.volumes[1], "after")):
        if kind == "compared":
            column, chosen = "value", [row for row in rows if row["method"] == volume]
        else:
            chosen = rows
        expected = {(row["region"], row["class"], row["feature"]): float(row[column]) for row in chosen}
        for name, feature in values.names[::17]:
            found = values.of(volume, name, feature, "tumour")
            np.testing.assert_array_equal(found, [expected[region, name, feature] for region in regions])


def test_the_reference_is_what_the_others_are_compared_with_and_else_the_volume_before(compared, changed):
    assert compared.values.reference == "standard" and compared.values.volumes == ["standard", *VOLUMES]
    assert changed.values.reference == VOLUMES[0] and changed.values.volumes == list(VOLUMES[:2])
    assert Values(["a", "standard"], [], [], [], np.empty((2, 0, 0))).reference == "standard"


def test_without_a_reference_there_are_changes_and_neither_ccc_nor_trust(changed):
    content = json.loads((changed.folder / "changes.json").read_text())
    assert not changed.has_reference and changed.classes == content["classes"] and changed.summary == content
    assert changed.features == changed.methods() == changed.feature_rows("tumour") == [] and changed.trustworthy("tumour") == {}
    assert "no CCC" in changed.summary["note"] and not any("ccc" in row for row in changed.classes)
    assert changed.ranges() == ["tumour"] and len(changed.class_names()) == len(changed.class_rows("tumour"))


def test_values_of_one_range_are_those_of_its_regions_only(tmp_path):
    path = tmp_path / "values.npz"
    np.savez(path, values=np.arange(12.0).reshape(2, 3, 2), volumes=["a", "b"], regions=["r1", "r2", "r3"],
             ranges=["low", "high", "low"], names=["IH\tmean", "GLCM\tsum\tof"])  # fmt: skip
    values = Values.read(path)
    assert values.names == [("IH", "mean"), ("GLCM", "sum\tof")] and values.reference == "a"
    assert values.of("b", "GLCM", "sum\tof", "low").tolist() == [7, 11] and values.of("a", "IH", "mean", "high").tolist() == [2]
    with pytest.raises(ValueError):
        values.of("c", "IH", "mean", "low")
