"""A request is checked as a whole before anything is done, and survives JSON."""
import json

import pytest
from hypothesis import given, strategies as st

from LTDiffStandardizeLib.cohort.request import FORMATS, Request
from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.model.standardizer import METHODS

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=250).filter(str.strip)


@given(
    inputs=st.lists(TEXTS, min_size=1), output=TEXTS, model=TEXTS, target=st.none() | TEXTS, rois=st.lists(TEXTS),
    device=st.sampled_from(["auto", "cpu", "cuda", "cuda:1"]), seed=st.integers(0, 2**32 - 1), samples=st.integers(1, 1000),
    steps=st.none() | st.integers(1, 1000), format=st.sampled_from(FORMATS), resume=st.booleans(),
)  # fmt: skip
def test_a_request_survives_json(**values):
    request = Request(**values)
    assert Request.from_json(request.to_json()) == request


@pytest.mark.parametrize("method", METHODS)
def test_every_method_can_be_asked_for_without_further_options(method):
    assert Request(("in",), "out", method=method).method == method


@pytest.mark.parametrize(("change", "words"), [
    ({"inputs": []}, "at least one folder or file"),
    ({"inputs": "scans"}, "at least one folder or file"),
    ({"inputs": ["scans", 3]}, "at least one folder or file"),
    ({"output": ""}, "output must name a folder"),
    ({"method": "gan"}, "one of ltdiff, ls_noise"),
    ({"format": "png"}, "one of dicom, nrrd, nifti"),
    ({"device": "tpu"}, "auto, cpu, cuda"),
    ({"seed": -1}, "seed must be a whole number from 0"),
    ({"seed": True}, "seed must be a whole number"),
    ({"seed": 1.5}, "not 1.5"),
    ({"samples": 0}, "samples must be"),
    ({"steps": 0}, "steps must be"),
    ({"dicom_regions": "yes"}, "dicom_regions must be true or false"),
    ({"resume": "yes"}, "resume must be true or false"),
    ({"target": " "}, "target must be a text"),
    ({"rois": ["a", ""]}, "paths of label maps"),
    ({"target": "B70f", "reference": "scans"}, "give one of them"),
    ({"method": "none", "target": "B70f"}, "changes nothing"),
    ({"method": "ls", "samples": 4}, "has no noise"),
    ({"method": "ls_noise", "steps": 4}, "has no steps"),
])  # fmt: skip
def test_a_value_that_is_not_allowed_is_refused_in_words(change, words):
    text = json.dumps({"inputs": ["in"], "output": "out", **change})
    with pytest.raises(InputError, match=words):
        Request.from_json(text)


@pytest.mark.parametrize(("text", "words"), [
    ("", "not valid JSON"),
    ("[1]", "no JSON object"),
    ('{"inputs": ["in"]}', "lacks output"),
    ('{"inputs": ["in"], "output": "out", "sampels": 3}', r"unknown fields \(sampels\)"),
])  # fmt: skip
def test_a_text_that_is_no_request_is_refused_in_words(text, words):
    with pytest.raises(InputError, match=words):
        Request.from_json(text)
