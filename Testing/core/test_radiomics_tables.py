import csv

import numpy as np
import pytest

from LTDiffStandardizeLib.errors import OutputError
from LTDiffStandardizeLib.radiomics.features import FeatureTable
from LTDiffStandardizeLib.radiomics.regions import Region
from LTDiffStandardizeLib.radiomics.tables import feature_rows, write_features_csv, write_regions_csv


@pytest.fixture
def region():
    mask = np.zeros((2, 3, 4), dtype=bool)
    mask[0] = True
    return Region("[10,250] 001", "[10,250]", "random", (slice(1, 3), slice(4, 7), slice(8, 12)), mask, "phantom 3")


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_features_are_written_one_value_a_line_in_full_precision(tmp_path, region):
    features = FeatureTable.of([{"GLCM": {"Contrast": 1 / 3}, "ID": {"Mean": float("nan")}}])
    write_features_csv(tmp_path / "features.csv", feature_rows("série 1", "ls", [region], features))
    first, second = read(tmp_path / "features.csv")
    assert first == {"patient": "phantom 3", "series": "série 1", "region": "[10,250] 001", "range": "[10,250]", "method": "ls",
                     "class": "GLCM", "feature": "Contrast", "value": repr(1 / 3)}
    assert (second["class"], second["value"]) == ("ID", "nan")


def test_a_region_list_says_where_the_regions_lie(tmp_path, region):
    write_regions_csv(tmp_path / "regions.csv", [region])
    row, = read(tmp_path / "regions.csv")
    assert [row[name] for name in ("z_start", "z_stop", "x_start", "x_stop", "voxels", "group")] == [
        "1", "3", "8", "12", "12", "phantom 3"]


def test_a_failure_half_way_leaves_no_file(tmp_path, region):
    def rows():
        yield from feature_rows("s", "ls", [region], FeatureTable.of([{"ID": {"Mean": 1.0}}]))
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        write_features_csv(tmp_path / "features.csv", rows())
    assert list(tmp_path.iterdir()) == []


def test_an_existing_table_is_kept_unless_overwriting_is_allowed(tmp_path, region):
    path = tmp_path / "regions.csv"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError):
        write_regions_csv(path, [region])
    assert path.read_text(encoding="utf-8") == "mine"
    write_regions_csv(path, [region], overwrite=True)
    assert len(read(path)) == 1
