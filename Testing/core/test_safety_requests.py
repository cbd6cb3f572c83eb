"""Requests that no caller of this program would write: refused in one sentence and with status 3, never with a traceback."""
import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from small_cohort import Heard, VARIABLES

from LTDiffStandardizeLib.child import command
from LTDiffStandardizeLib.cohort import Result
from LTDiffStandardizeLib.cohort.run import BAD_REQUEST
from LTDiffStandardizeLib.tasks import TASKS, carry_out

DERIVATION = {"method": "ls", "target": "B70f", "software_version": "1"}
SOUND = {
    "standardize": {"inputs": ["in"], "output": "out", "method": "ls"},
    "compare": {"cases": [{"volumes": {"a": "a", "b": "b"}}], "output": "out"},
    "regions": {"volume": "a", "output": "out"},
    "export": {"volume": "a", "source_files": ["a"], "output": "out", "derivation": DERIVATION},
}  # fmt: skip
FIELDS = {
    "standardize": ("inputs", "output", "model", "method", "target", "reference", "rois", "device", "seed", "samples", "steps", "format", "resume"),
    "compare": ("cases", "output", "profile", "settings", "rois", "before", "charted", "patient", "processes", "overwrite"),
    "regions": ("volume", "output", "rois"), "export": ("volume", "source_files", "output", "derivation"),
}  # fmt: skip
VALUES = (7, -1, 1.5, float("nan"), float("inf"), 10**400, True, "", "a\0b", "\ud800", "x" * 300, "x/" * 5000, "\x1b[31m", ["\0"], [[]], [{}], {}, {"a": {}}, [None], [3])
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=8)


def refused(text):
    """The sentence of a request that is a bad one."""
    heard = Heard()
    result = carry_out(text, heard)
    assert result.exit_code == BAD_REQUEST
    assert heard.said == [result.sentence]
    return sentence(result.sentence)


def sentence(text, of=""):
    """The text, one sentence of letters that can be shown, but for what it quotes `of` the request."""
    assert text.endswith(".") and len(text) < 1000 and text.replace(str(of) or "\0", "").isprintable()
    return text


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """A folder in which nothing is that a request could name."""
    monkeypatch.chdir(tmp_path)
    yield
    assert list(tmp_path.glob("out*")) == []


@pytest.mark.parametrize(("text", "words"), [
    ("not JSON", "not valid JSON"), ("{", "not valid JSON"), ("[]", "no JSON object"), ("null", "no JSON object"), ("NaN", "no JSON object"),
    ("[" * 100_000, "within each other"), ('{"inputs":' * 50_000, "within each other"),
    ('{"output": "a", "output": "b", "inputs": ["c"]}', "output is named twice"),
    ('{"seed": ' + "9" * 10_000 + "}", "not valid JSON"), ('{"task": ["standardize"]}', "unknown task"), ('{"task": {}}', "unknown task"),
    (json.dumps({"x" * 10_000: 1}), "unknown fields"), ('{"task": "' + "x" * 10_000 + '"}', "unknown task"), ("\0", "not valid JSON"), ("\ufeff{}", "not valid JSON"),
])  # fmt: skip
def test_what_is_no_request_is_refused_in_one_sentence(text, words):
    assert words in refused(text)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: ascii(value)[:20])
@pytest.mark.parametrize(("task", "name"), [(task, name) for task, names in FIELDS.items() for name in names])
def test_a_field_of_the_wrong_kind_is_refused_in_one_sentence(task, name, value):
    """Nothing that the sound part names is there, so a value that is allowed ends in a refusal as well, but for a model of another name."""
    result = carry_out(json.dumps({"task": task, **SOUND[task], name: value}), Heard())
    assert result.exit_code in ((2, BAD_REQUEST) if name == "model" else (BAD_REQUEST,))
    sentence(result.sentence, value)


@pytest.mark.parametrize("change", [
    {"derivation": {**DERIVATION, "method": 5}}, {"derivation": {**DERIVATION, "target": None}}, {"derivation": {**DERIVATION, "seed": "x"}},
    {"derivation": {**DERIVATION, "model_name": []}}, {"derivation": {"method": "ls"}}, {"derivation": {**DERIVATION, "more": 1}},
], ids=str)  # fmt: skip
def test_a_derivation_of_the_wrong_kind_is_refused(change):
    assert "derivation" in refused(json.dumps({"task": "export", **SOUND["export"], **change}))


@pytest.mark.parametrize("case", [5, None, "x", [], {}, {"volumes": []}, {"volumes": {"a": 1}}, {"volumes": {"a": "\0"}}, {"volumes": {"a": "b"}, "rois": 5},
                                  {"volumes": {"a": "b"}, "rois": [5]}, {"volumes": {"a": "b"}, "reference": 5}, {"volumes": {"a": "b"}, "reference": "\0"}], ids=str)  # fmt: skip
def test_a_case_of_the_wrong_kind_is_refused(case):
    assert "cases" in refused(json.dumps({"task": "compare", "cases": [case], "output": "out"}))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(task=st.sampled_from(list(TASKS)), changes=st.dictionaries(st.sampled_from(sorted({name for names in FIELDS.values() for name in names} - {"output"})), JSON, max_size=3))
def test_any_json_in_any_field_ends_in_a_sentence(task, changes):
    result = carry_out(json.dumps({"task": task, **SOUND[task], **changes}), Heard())
    assert result.exit_code in (2, BAD_REQUEST) and result.sentence.endswith(".")


@pytest.mark.parametrize(("content", "words"), [
    (b"\xff\xfe\x00", "cannot be read"), (b"", "not valid JSON"), (b"[" * 1_000_000, "within each other"), (b" " * 50_000_000, "more than 10 MB"),
    (b'{"inputs": ["a\\u0000b"], "output": "out"}', "inputs must name"), (b'{"inputs": ["in"], "output": "out", "seed": NaN}', "seed must be"),
], ids=["binary", "empty", "nested", "50 MB", "NUL", "NaN"])  # fmt: skip
def test_a_worker_refuses_a_bad_request_file_without_a_traceback(tmp_path, content, words):
    request, result = tmp_path / "request.json", tmp_path / "result.json"
    request.write_bytes(content)
    child = subprocess.Popen(command(sys.executable, request, result), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=VARIABLES)
    with child:
        errors = child.stderr.read()
    assert child.returncode == BAD_REQUEST and errors == ""
    told = Result.from_json(result.read_text())
    assert told.exit_code == BAD_REQUEST and words in sentence(told.sentence)


def test_a_request_that_is_a_folder_is_refused(tmp_path):
    (tmp_path / "request").mkdir()
    child = subprocess.run(command(sys.executable, tmp_path / "request", tmp_path / "result.json"), stdin=subprocess.DEVNULL, capture_output=True, text=True, env=VARIABLES)
    assert child.returncode in (BAD_REQUEST, 130) and "Traceback" not in child.stderr
