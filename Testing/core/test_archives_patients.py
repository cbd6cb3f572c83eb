"""Patients of an archive: nothing of them is told, and none is in two splits."""
import pytest
from archive_parts import find, reconstruction, scan, scan_hu
from hypothesis import given, settings, strategies as st
from small_cohort import Heard

from LTDiffStandardizeLib.errors import InputError
from LTDiffTrainingLib.archives import paired_series
from LTDiffTrainingLib.archives.patients import SPLITS, PatientGroups, shares_of, split_of


def found(tmp_path, **options):
    return find(tmp_path / "archive", output=tmp_path / "out", **{"shares": (1, 0, 0), **options})


def test_nothing_of_a_patient_is_told_in_the_pairs_the_manifest_or_the_log(tmp_path):
    heard = Heard()
    for patient in (3, 4):
        scan(tmp_path / "archive" / "Doe Jane", patient, uid=None)
    reconstruction(tmp_path / "archive" / "Doe Jane" / "again", 3, "B90f", uid="1.2.3.9", each=lambda index: {"AcquisitionTime": "120000"})
    rows = found(tmp_path, heard=heard)
    assert sorted(row["accepted"] for row in rows) == [False, False, True, True] and len({row["patient"] for row in rows if row["accepted"]}) == 2
    told = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.name not in ("index.sqlite", "skipped.csv", "salt.txt")]
    text = b"\n".join(str(path.relative_to(tmp_path / "out")).encode() + path.read_bytes() for path in told) + "\n".join(heard.said).encode()
    assert len(told) >= 9
    for secret in (b"Doe", b"1.2.3", b"1.2.4", b"1960", b"20200403", b"2020", b"1011", b"4711", b"soft", str(tmp_path).encode()):
        assert secret not in text
    again = find(tmp_path / "archive", output=tmp_path / "other")
    assert not {row["pair"] for row in rows} & {row["pair"] for row in again}


def test_series_with_two_patient_identifiers_are_one_patient_of_one_split(tmp_path):
    for patient in range(6):
        reconstruction(tmp_path / "archive" / f"soft{patient}", patient, "B40f")
        reconstruction(tmp_path / "archive" / f"sharp{patient}", patient, "B70f", PatientID=f"Z{patient}", PatientBirthDate="")
        reconstruction(tmp_path / "archive" / f"third{patient}", patient, "B80f", uid=f"1.9.{patient}", PatientID=f"Z{patient}", PatientBirthDate="19600102",
                       hu=scan_hu(patient, blur=0.3))  # fmt: skip
    rows = found(tmp_path, shares=(50, 25, 25))
    assert len(rows) == 18 and all(row["accepted"] for row in rows)
    assert len({row["patient"] for row in rows}) == 6 and len({(row["patient"], row["split"]) for row in rows}) == 6
    for split in {row["split"] for row in rows}:
        assert {pair.description["patient"] for pair in paired_series(tmp_path / "out", split)} == {row["patient"] for row in rows if row["split"] == split}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12), st.randoms())
def test_groups_and_their_splits_do_not_depend_on_the_order_of_the_joins(joins, random):
    def groups(order):
        made = PatientGroups()
        for first, second in order:
            made.join((str(first), ""), (str(second), ""))
        return [made.group((str(number), "")) for number in range(10)]

    shuffled = [join[::-1] for join in joins]
    random.shuffle(shuffled)
    assert groups(joins) == groups(shuffled)
    assert all(groups(joins)[first] == groups(joins)[second] for first, second in joins)


def test_a_record_without_birth_date_joins_all_of_its_identifier():
    groups = PatientGroups()
    groups.join_undated([("a", "x"), ("a", ""), ("b", "x"), ("b", "y")])
    assert groups.group(("a", "x")) == groups.group(("a", "")) and groups.group(("b", "x")) != groups.group(("b", "y"))


def test_splits_have_the_shares_asked_for_and_depend_on_the_seed():
    drawn = {seed: [split_of((str(number), ""), seed, (70, 15, 15)) for number in range(3000)] for seed in (0, 1)}
    assert [drawn[0].count(split) / 3000 for split in SPLITS] == pytest.approx([0.7, 0.15, 0.15], abs=0.03)
    assert drawn[0] != drawn[1]
    assert shares_of("80/10/10") == (80, 10, 10)
    for text in ("80/20", "a/b/c", "0/0/0", "-1/1/1", "inf/1/1", "nan/1/1"):
        with pytest.raises(InputError, match="is no split; give the shares"):
            shares_of(text)
