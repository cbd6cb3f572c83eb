"""Which series are told to be one acquisition by their headers."""
import random
from pathlib import Path

import numpy as np
import pytest
from archive_parts import MODULATED, find, series_facts
from hypothesis import given, settings, strategies as st

from LTDiffStandardizeLib.volumes import find_series, read_volume
from LTDiffTrainingLib.archives.index import Index
from LTDiffTrainingLib.archives.manifest import paired_series
from LTDiffTrainingLib.archives.matching import candidates, matched_slices

IN_MEMORY = Path(":memory:")  # as SQLite calls it


def found(*series, shuffled=None):
    """The candidates among series of facts, which are put into an index as files in the given or a shuffled order."""
    files = [(f"{number}/{index}", 1, 1, facts) for number, one in enumerate(series) for index, facts in enumerate(one)]
    if shuffled is not None:
        random.Random(shuffled).shuffle(files)
    with Index(IN_MEMORY) as index:
        index.add(index.archive_id(Path("archive")), 1, files, [])
        index.finish(1)
        return list(candidates(index))


def only(*series):
    (one,) = found(*series)
    return one


def test_two_kernels_of_one_scan_match_whatever_their_patient_and_uids():
    one = only(series_facts(uid="1", currents=MODULATED), series_facts(uid="2", patient="other", kernel="B70f", currents=MODULATED))
    assert (one.slices, one.differs, one.tied_by, one.refusal) == (5, "kernel", "acquisition time and tube current", None)


def test_two_slice_thicknesses_match_where_they_have_slices_at_the_same_positions():
    thin = series_facts(41, uid="1", thickness=1.0, distance=1.0, currents=MODULATED)
    thick = series_facts(9, uid="2", thickness=5.0, distance=5.0, currents=MODULATED)
    one = only(thin, thick)
    assert (one.slices, one.differs, one.refusal) == (9, "slice thickness", None)
    assert only(thin, series_facts(9, uid="2", kernel="B70f", thickness=5.0, distance=5.0)).differs == "kernel and slice thickness"
    between = only(thin, series_facts(7, uid="2", thickness=5.0, distance=5.0, first=100.5))
    assert between.refusal == "only 0 of 7 slices lie at the same positions (3 are needed)"


@pytest.mark.parametrize(("changes", "refusal"), [
    ({"second": 40030.0}, "the slices were acquired 30 s apart"),
    ({"currents": 300.0}, "the tube current differs by 33 %"),
    ({"kernel": "B40f"}, "both have the kernel B40f and 2 mm slice thickness, so nothing is known to differ"),
    ({"kernel": "B40f", "thickness": None}, "both have the kernel B40f and an unknown slice thickness, so nothing is known to differ"),
])  # fmt: skip
def test_series_of_one_patient_that_contradict_are_refused_with_the_cause(changes, refusal):
    first = series_facts(uid="1", currents=200.0, thickness=changes.get("thickness", 2.0))
    one = only(first, series_facts(**{"uid": "2", "kernel": "B70f", "currents": 200.0, **changes}))
    assert one.refusal == refusal


@pytest.mark.parametrize("changes", [
    {"pixel": 0.71}, {"u": -33.5}, {"day": "20200104"}, {"kvp": 100.0}, {"first": 300.0}, {"slices": 2}, {"second": 40030.0, "patient": "other"},
])  # fmt: skip
def test_series_of_another_place_voltage_or_day_are_no_candidates(changes):
    assert found(series_facts(uid="1"), series_facts(**{"uid": "2", "kernel": "B70f", **changes})) == []


def test_without_times_a_modulated_current_ties_and_a_constant_one_does_not():
    one, other = {"uid": "1", "second": None, "day": ""}, {"uid": "2", "second": None, "day": "", "kernel": "B70f", "patient": "other"}
    tied = only(series_facts(**one, currents=MODULATED), series_facts(**other, currents=MODULATED))
    assert tied.refusal is None and tied.tied_by == "modulated tube current, as the acquisition time is missing"
    assert found(series_facts(**one, currents=200.0), series_facts(**other, currents=200.0)) == []
    same = only(series_facts(**one, currents=200.0), series_facts(**{**other, "patient": "a"}, currents=200.0))
    assert same.refusal is None and same.tied_by.startswith("patient identifier, as the acquisition time is missing")


def test_one_patient_identifier_with_two_birth_dates_is_two_patients():
    untimed = {"second": None, "day": ""}
    assert found(series_facts(uid="1", born="19600101", **untimed), series_facts(uid="2", born="19700101", kernel="B70f", **untimed)) == []


def test_three_kernels_of_one_scan_make_three_pairs():
    kernels = [series_facts(uid=str(number), kernel=kernel) for number, kernel in enumerate(("B30f", "B40f", "B70f"))]
    assert len(found(*kernels)) == 3


def test_slices_are_looked_at_only_where_time_current_or_patient_may_agree(monkeypatch):
    looked, slices = [], Index.slices
    monkeypatch.setattr(Index, "slices", lambda index, series: looked.append(series) or slices(index, series))
    series = [series_facts(uid=f"{patient}{kernel}", patient=str(patient), kernel=kernel, second=30000.0 + 300 * patient)
              for patient in range(30) for kernel in ("B40f", "B70f")]  # fmt: skip
    assert len(found(*series)) == 30 and len(looked) == 60
    untimed = [series_facts(uid=f"{patient}{kernel}", patient=str(patient), kernel=kernel, second=None, currents=200.0)
               for patient in range(30) for kernel in ("B40f", "B70f")]  # fmt: skip
    assert len(found(*untimed)) == 30 and len(looked) == 120


acquisitions = st.lists(st.tuples(
    st.sampled_from(["B40f", "B70f"]), st.sampled_from([(1.0, 1.0), (2.0, 2.0), (4.0, 4.0)]), st.sampled_from([100.0, 104.0, 104.04]),
    st.sampled_from([None, 40000.0, 40100.0]), st.sampled_from([None, 200.0, MODULATED]), st.sampled_from(["a", "b"]),
), min_size=2, max_size=5)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(acquisitions, st.permutations(range(5)), st.integers(0, 99))
def test_candidates_depend_neither_on_uids_nor_on_the_order_of_files(drawn, uids, seed):

    def judged(uid_of, shuffled):
        series = [series_facts(6, uid=uid_of(number), kernel=kernel, thickness=thickness, distance=distance, first=first, second=second,
                               currents=currents, patient=patient)
                  for number, (kernel, (thickness, distance), first, second, currents, patient) in enumerate(drawn)]  # fmt: skip
        numbers = {one[0].series.key: number for number, one in enumerate(series)}
        return sorted(repr((*sorted(numbers[side.facts.key] for side in (one.first, one.second)), one.slices, one.differs, one.tied_by, one.refusal))
                      for one in found(*series, shuffled=shuffled))  # fmt: skip

    assert judged(str, None) == judged(lambda number: f"9.{uids[number]}", seed)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 30, width=32), min_size=2, max_size=12, unique_by=lambda z: round(z, 1)),
       st.lists(st.floats(0, 30, width=32), min_size=2, max_size=12, unique_by=lambda z: round(z, 1)))  # fmt: skip
def test_partners_are_mutual_near_and_the_same_from_either_side(first, second):
    with Index(IN_MEMORY) as index:
        for uid, positions in (("1", first), ("2", second)):
            files = [(f"{uid}/{z}", 1, 1, series_facts(1, uid=uid, first=z, distance=0.0)[0]) for z in positions]
            index.add(index.archive_id(Path("archive")), 1, files, [])
        a, b = (index.slices(number) for number in (1, 2))
    there, back = matched_slices(a, b, 0.7), matched_slices(b, a, 0.7)
    assert np.array_equal(there, back[::-1])
    assert all(np.all(np.diff(indices) > 0) for indices in there)
    assert np.all(np.abs(a.z[there[0]] - b.z[there[1]]) <= max(0.05, 0.02 * np.median(np.diff(a.z))) + 1e-9)


def test_the_real_pairs_are_found_among_difficult_files_and_none_across_patients(shared_data, tmp_path):
    rows = find(shared_data / "pairs", shared_data / "conformance", output=tmp_path / "out")
    kernels = {("B40f", "B70f"): 30, ("FC13", "FC51"): 4, ("UB", "YA"): 32}
    assert {(row["source_kernel"], row["target_kernel"]): row["slices_used"] for row in rows} == kernels
    assert all(row["accepted"] and row["tied_by"] == "acquisition time and tube current" for row in rows)
    assert all(row["largest_shift_pixels"] < 0.1 and abs(row["median_difference_hu"]) < 1 and row["lowest_coherence"] > 0.99 for row in rows)
    assert len({row["patient"] for row in rows}) == 3
    (lung,) = (pair for split in {row["split"] for row in rows} for pair in paired_series(tmp_path / "out", split) if len(pair) == 30)
    for name, kernel in (("source", "B40f"), ("target", "B70f")):
        volume = read_volume(find_series(shared_data / "pairs" / "lungdx-a0002" / kernel)[0])
        air = volume.padding if volume.padding is not None else np.zeros(volume.hu.shape, bool)
        assert np.array_equal(getattr(lung, name)[~air], volume.hu[~air])
    assert lung.description["acquisition"]["distance"] == pytest.approx(8)
