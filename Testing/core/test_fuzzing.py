"""Damaged and hostile DICOM series: each is read or refused in words, whatever a decoder makes of it. `run.py bench --only fuzz` does many more."""
from contextlib import suppress
from importlib.util import find_spec
from random import Random

import pytest
from fuzz_running import cases
from fuzz_seeds import made_seeds
from hypothesis import given, strategies as st
from mutations import MUTATIONS, mutated_series, size_claimed

CASES = 500
pytestmark = pytest.mark.skipif(find_spec("resource") is None, reason="this system has no limits on the memory of a process")


@pytest.fixture(scope="module")
def made():
    return made_seeds()


def test_damaged_series_are_read_or_refused_in_words():
    verdicts = list(cases(0, CASES))
    assert [verdict["number"] for verdict in verdicts] == list(range(CASES))
    found = [f"{verdict['number']} ({verdict['what']}): {defect}" for verdict in verdicts for defect in verdict["defects"]]
    assert found == [], "repeat one with: python3 Testing/core/fuzz_running.py NUMBER"
    outcomes = {verdict["outcome"] for verdict in verdicts}
    assert {"read", "refused"} <= outcomes and sum(verdict["standardized"] for verdict in verdicts)


def test_the_same_number_gives_the_same_series(made):
    for number in range(30):
        assert mutated_series(number, made, {}) == mutated_series(number, made, {})


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_every_mutation_changes_files_of_several_encodings(made, mutation):
    changed = set()
    for name, files in made.items():
        for number in range(10):
            with suppress(Exception):  # a file that it cannot take apart
                changed |= {name} if mutation(files[0], Random(number)) != files[0] else set()
    assert len(changed) >= (4 if mutation is size_claimed else len(made) - 2)


@given(st.integers(0, 2**64))
def test_a_series_always_has_as_many_files_as_its_seed_or_one_more(made, number):
    what, files = mutated_series(number, made, {})
    assert len(files) - len(made[what.split(";")[0]]) in (0, 1)
