"""Bundles of strangers: what is changed, missing, pickled, linked elsewhere or endless is refused in one sentence, and nothing of it is run."""
import hashlib
import json
import os
import pickle
import shutil

import pytest
from small_cohort import Heard, nrrd_volume

from LTDiffStandardizeLib.cohort import Request, run_request
from LTDiffStandardizeLib.cohort.run import NO_MODEL
from LTDiffStandardizeLib.errors import InputError, ModelError
from LTDiffStandardizeLib.model.bundle import CONFIGURATION, MODELS, WEIGHTS, load_bundle
from LTDiffStandardizeLib.model.protocols import load_protocol


class Evil:
    def __reduce__(self):
        return os.mkdir, ("was-run",)


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield shutil.copytree(MODELS / "ltdiff-chest", tmp_path / "bundle")
    assert not (tmp_path / "was-run").exists()


def put_weights(bundle, content):
    """The weights with a hash that fits, as whoever makes a bundle would write it."""
    (bundle / WEIGHTS).write_bytes(content)
    configure(bundle, sha256=hashlib.sha256(content).hexdigest())


def configure(bundle, **changes):
    configuration = json.loads((bundle / CONFIGURATION).read_text())
    (bundle / CONFIGURATION).write_text(json.dumps({name: value for name, value in {**configuration, **changes}.items() if value is not None}))


def refused(bundle, tmp_path):
    """The sentence of a run with the bundle, which ends before any series is touched."""
    volume = tmp_path / "ct.nrrd"
    if not volume.exists():
        nrrd_volume(volume, 2)
    result = run_request(Request((str(volume),), str(tmp_path / "out"), model=str(bundle)), Heard())
    assert result.exit_code == NO_MODEL and result.outcomes == () and not (tmp_path / "out").exists()
    assert result.sentence.endswith(".") and result.sentence.isprintable() and len(result.sentence) < 1000
    return result.sentence


@pytest.mark.parametrize("content", [pickle.dumps(Evil()), b"", b"\xff" * 8 + b"{}", b"\x08" + bytes(7) + b"[[[[[[[[", (2**40).to_bytes(8, "little"),
                                     b"\x02" + bytes(7) + b"{}"], ids=["pickle", "empty", "endless header", "no JSON", "terabytes", "no tensors"])  # fmt: skip
def test_weights_that_are_no_safetensors_are_refused_though_their_hash_fits(bundle, tmp_path, content):
    put_weights(bundle, content)
    assert "does not fit its configuration" in refused(bundle, tmp_path)


def test_a_file_that_torch_would_unpickle_is_refused(bundle, tmp_path):
    import torch

    torch.save(Evil(), tmp_path / "evil.pt")
    put_weights(bundle, (tmp_path / "evil.pt").read_bytes())
    refused(bundle, tmp_path)
    assert "no model" in refused(tmp_path / "evil.pt", tmp_path)


def test_weights_that_were_changed_are_refused(bundle, tmp_path):
    content = bytearray((bundle / WEIGHTS).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / WEIGHTS).write_bytes(content)
    assert "was changed or damaged" in refused(bundle, tmp_path)


@pytest.mark.parametrize("name", [WEIGHTS, CONFIGURATION])
@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_files_that_are_links_out_of_the_bundle_are_refused(bundle, tmp_path, name):
    shutil.move(bundle / name, tmp_path / "elsewhere")
    (bundle / name).symlink_to("../elsewhere")
    assert "link out of its bundle" in refused(bundle, tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_bundle_may_be_a_link_itself(bundle, tmp_path):
    (tmp_path / "link").symlink_to(bundle, target_is_directory=True)
    assert load_bundle(tmp_path / "link").sha256 == load_bundle(bundle).sha256


@pytest.mark.parametrize("name", [WEIGHTS, CONFIGURATION])
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes among files")
def test_files_that_are_pipes_are_refused(bundle, tmp_path, name):
    (bundle / name).unlink()
    os.mkfifo(bundle / name)
    assert "no complete model bundle" in refused(bundle, tmp_path)


def test_paths_in_the_configuration_lead_nowhere(bundle, tmp_path):
    shutil.copytree(bundle, tmp_path / "other")
    put_weights(tmp_path / "other", b"other")
    configure(bundle, weights="../other/weights.safetensors", name="../../x", folder="../other", file="/etc/passwd")
    found = load_bundle(bundle)
    assert (found.name, found.folder, found.sha256) == ("bundle", bundle, hashlib.sha256((bundle / WEIGHTS).read_bytes()).hexdigest())


@pytest.mark.parametrize("changes", [
    {"sha256": None}, {"sha256": 5}, {"sha256": "0" * 64}, {"sha256": "../x"}, {"format": 99}, {"format": None}, {"format": "\x1b[31m" * 2000}, {"protocol": None},
    {"protocol": []}, {"protocol": "x"}, {"protocol": {"source": 5}}, {"shape": None}, {"shape": {}}, {"shape": {"codec": [10**9] * 3}}, {"shape": {"codec": [24] * 10**5}},
    {"shape": {"unknown": [1]}}, {"shape": 5}, {"steps": None}, {"steps": 0}, {"steps": 10**9}, {"steps": "x"}, {"temperature": "x"}, {"temperature": float("nan")},
    {"unpaired": {"coherence": 5}}, {"unpaired": "x"},
], ids=lambda changes: str(changes)[:40])  # fmt: skip
def test_a_configuration_of_strange_values_is_refused(bundle, tmp_path, changes):
    configure(bundle, **changes)
    refused(bundle, tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000, "\0", '"x"', "{}"], ids=["empty", "list", "null", "open", "nested", "NUL", "text", "object"])
def test_a_configuration_that_is_none_is_refused(bundle, tmp_path, text):
    (bundle / CONFIGURATION).write_text(text)
    assert "no complete model bundle" in refused(bundle, tmp_path)


@pytest.mark.parametrize("name", ["../ltdiff-chest", "x" * 300, "a\0b", "/dev/zero", "\ud800", "x/" * 3000])
def test_a_name_that_is_no_bundle_is_refused(name):
    with pytest.raises(ModelError, match="There is no model"):
        load_bundle(name)


@pytest.mark.parametrize("text", ["[]", '{"source": "x"}', "[" * 100_000, '{"source": {"label": 1}, "target": []}', "5"], ids=["list", "text", "nested", "kinds", "number"])
def test_a_protocol_file_of_strange_values_is_refused(tmp_path, text):
    (tmp_path / "protocol.json").write_text(text)
    with pytest.raises(InputError, match="is no protocol file"):
        load_protocol(tmp_path / "protocol.json")
