import pytest
from conformance_table import dicom_files, table


@pytest.fixture(scope="module")
def rows(shared_data, tmp_path_factory):
    return table(shared_data / "conformance", tmp_path_factory.mktemp("conformance") / "out")


def test_every_difficult_file_is_standardized_or_refused_in_one_sentence(rows, shared_data):
    assert sorted(row.file for row in rows) == dicom_files(shared_data / "conformance")
    for row in rows:
        assert row.outcome in ("standardized", "refused"), row
        assert row.sentence.endswith(".") and "\n" not in row.sentence
    assert sum(row.outcome == "standardized" for row in rows) >= 55


def test_what_is_standardized_lost_nothing_and_has_no_error(rows):
    for row in rows:
        if row.outcome == "standardized":
            assert row.same_grid and row.loss <= (0.5 if row.lossy else 0), row
            assert row.errors == (), row
