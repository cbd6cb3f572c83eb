"""Inputs that are no files, and files that claim to be larger than any machine: passed over or refused at once, without a wait and without memory."""
import gzip
import json
import os
import socket
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from fuzz_seeds import made_seeds
from multi_frame import enhanced_ct
from mutations import _put, _rewritten
from small_cohort import VARIABLES, nrrd_volume
from small_series import ct_slice, save, small_hu, write_series

CHILD = Path(__file__).with_name("safety_child.py")
SECONDS = 30  # for a process that must not wait at all
MEGA = 1 << 20
special = pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes and devices among files")


def read(path):
    """What became of a path, in a process that is ended where it waits."""
    child = subprocess.run([sys.executable, str(CHILD), str(path)], capture_output=True, text=True, timeout=SECONDS, env=VARIABLES)
    assert child.returncode == 0, child.stderr
    return json.loads(child.stdout)


def refused(path):
    """The sentence of the only series, read with little memory."""
    found = read(path)
    assert found["read"] == 0 and found["grown"] < 300 * MEGA
    [sentence] = found["sentences"]
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


@special
@pytest.mark.parametrize("name", ["pipe.dcm", "pipe", "pipe.nrrd", "pipe.nii.gz"])
def test_a_pipe_is_passed_over(tmp_path, name):
    write_series(tmp_path / "in", small_hu(2))
    os.mkfifo(tmp_path / "in" / name)
    assert read(tmp_path / "in")["read"] == 1
    assert read(tmp_path / "in" / name)["read"] == 0


@special
def test_sockets_devices_loops_and_folders_called_like_files_are_passed_over(tmp_path, monkeypatch):
    write_series(tmp_path / "in", small_hu(2))
    monkeypatch.chdir(tmp_path / "in")  # names of sockets must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.dcm")
        (tmp_path / "in" / "zero.dcm").symlink_to("/dev/zero")
        (tmp_path / "in" / "zero.nrrd").symlink_to("/dev/zero")
        (tmp_path / "in" / "loop.dcm").symlink_to("loop.dcm")
        (tmp_path / "in" / "loop").symlink_to("../in", target_is_directory=True)
        (tmp_path / "in" / "gone.dcm").symlink_to("nowhere")
        write_series(tmp_path / "in" / "folder.dcm", small_hu(2), SeriesInstanceUID="1.2.3.9")
        (tmp_path / "in" / "folder.nrrd").mkdir()
        found = read(tmp_path / "in")
    assert found["read"] == 2


@special
@pytest.mark.parametrize("name", ["pipe", "pipe.dcm", "pipe.nrrd", "pipe.json", "pipe.mrk.json"])
@pytest.mark.parametrize("option", ["--roi", "--reference", "--model", "--target"])
def test_a_pipe_where_a_file_is_asked_for_is_refused(tmp_path, option, name):
    os.mkfifo(tmp_path / name)
    volume = nrrd_volume(tmp_path / "ct.nrrd", 2)
    script = CHILD.parents[2] / "LTDiffStandardize" / "Scripts" / "standardize.py"
    child = subprocess.run([sys.executable, str(script), str(volume), "--method", "ls", option, str(tmp_path / name), "--output", str(tmp_path / "out")],
                           capture_output=True, text=True, timeout=SECONDS, env=VARIABLES)  # fmt: skip
    assert child.returncode in (2, 3) and "Traceback" not in child.stderr


@pytest.fixture(scope="module")
def seeds():
    return made_seeds()


def claiming(data, **counts):
    """The file with other Rows, Columns or NumberOfFrames; the pixels stay."""
    def change(dataset):
        for keyword, value in counts.items():
            _put(dataset, keyword, str(value).encode() if keyword == "NumberOfFrames" else struct.pack("<H", value))
    return _rewritten(data, change)


@pytest.mark.parametrize("seed", ["explicit", "rle", "jpeg-ls", "jpeg-2000", "jpeg-lossless", "enhanced", "enhanced-rle", "deflated"])
@pytest.mark.parametrize("counts", [{"Rows": 60000, "Columns": 60000, "NumberOfFrames": 10000}, {"Rows": 60000, "Columns": 60000}, {"Rows": 8192, "Columns": 8192}], ids=str)
def test_a_dicom_file_that_claims_more_than_it_holds_is_refused(tmp_path, seeds, seed, counts):
    (tmp_path / "one.dcm").write_bytes(claiming(seeds[seed][0], **counts))
    refused(tmp_path)


@pytest.mark.parametrize("seed", ["jpeg-ls", "jpeg-2000", "jpeg-lossless", "enhanced-jpeg-2000"])
@pytest.mark.parametrize("size", [8192, 30000, 60000])
def test_compressed_pixels_that_claim_another_size_than_the_header_are_not_decoded(tmp_path, seeds, seed, size):
    (tmp_path / "one.dcm").write_bytes(_claiming_in_the_stream(seeds[seed][0], size))
    refused(tmp_path)


def _claiming_in_the_stream(data, size):
    for marker, offset, width in ((b"\xff\x4f\xff\x51", 8, 4), (b"\xff\xf7\x00\x0b", 5, 2), (b"\xff\xc3\x00\x0b", 5, 2)):
        if (at := data.find(marker)) >= 0:
            return data[:at + offset] + size.to_bytes(width, "big") * 2 + data[at + offset + 2 * width:]
    raise AssertionError("no stream")


@pytest.mark.parametrize("bomb", ["after the pixels", "as the pixels"])
def test_a_deflated_file_that_inflates_to_gigabytes_is_refused(tmp_path, bomb):
    hu = small_hu(1, (64, 64))[0]
    path = save(ct_slice(0, hu), tmp_path / "one.dcm", pydicom.uid.DeflatedExplicitVRLittleEndian)
    data = path.read_bytes()
    start = 144 + int.from_bytes(data[140:144], "little")
    body, deflater = zlib.decompress(data[start:], -zlib.MAX_WBITS), zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    if bomb == "as the pixels":
        at = body.find(b"\xe0\x7f\x10\x00OW\0\0") + 8
        body = body[:at] + (3 * 2**30).to_bytes(4, "little")
    with open(path, "wb") as file:
        file.write(data[:start] + deflater.compress(body))
        for _ in range(80):  # 1.3 GB
            file.write(deflater.compress(bytes(16 * MEGA)))
        file.write(deflater.flush())
    refused(tmp_path)


NRRD = "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: {} {} {}\nspace directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\nendian: little\nencoding: {}\n\n"


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
@pytest.mark.parametrize("sizes", [(60000, 60000, 10000), (2**31 - 1, 2**31 - 1, 2**31 - 1), (2**40, 2**40, 1), (3000, 3000, 300)], ids=str)
def test_a_nrrd_file_that_claims_more_than_it_holds_is_refused(tmp_path, encoding, sizes):
    content = bytes(1000) if encoding == "raw" else gzip.compress(bytes(1000))
    (tmp_path / "ct.nrrd").write_bytes(NRRD.format(*sizes, encoding).encode() + content)
    refused(tmp_path)


def nifti_header(shape):
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *shape, 1, 1, 1, 1)
    struct.pack_into("<hh", header, 70, 4, 16)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", header, 108, 352)
    header[344:348] = b"n+1\0"
    return bytes(header)


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
@pytest.mark.parametrize("shape", [(32767, 32767, 32767), (3000, 3000, 300)], ids=str)
def test_a_nifti_file_that_claims_more_than_it_holds_is_refused(tmp_path, name, shape):
    content = nifti_header(shape) + bytes(1000)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    refused(tmp_path)


def test_the_files_that_claim_too_much_are_read_where_they_claim_what_they_hold(tmp_path):
    hu = np.arange(-1000, 0, 1000 / 512)[:512].astype("<i2").tobytes()
    (tmp_path / "a.nrrd").write_bytes(NRRD.format(8, 8, 8, "raw").encode() + hu)
    (tmp_path / "b.nrrd").write_bytes(NRRD.format(8, 8, 8, "gzip").encode() + gzip.compress(hu))
    (tmp_path / "c.nii").write_bytes(nifti_header((8, 8, 8)) + hu)
    (tmp_path / "d.nii.gz").write_bytes(gzip.compress(nifti_header((8, 8, 8)) + hu))
    save(enhanced_ct(small_hu(3)), tmp_path / "e.dcm")
    assert read(tmp_path)["read"] == 5


@pytest.mark.parametrize("name", ["ct.nii.gz", "ct.nrrd"])
def test_compressed_voxels_that_inflate_to_gigabytes_need_no_memory(tmp_path, name):
    """Behind the voxels that the header tells of, gzip members of 16 MB of zeros each, 4 GB in all."""
    head = gzip.compress(nifti_header((8, 8, 8)) + bytes(1024)) if name.endswith("gz") else NRRD.format(8, 8, 8, "gzip").encode() + gzip.compress(bytes(1024))
    (tmp_path / name).write_bytes(head + gzip.compress(bytes(16 * MEGA)) * 256)
    assert read(tmp_path)["grown"] < 300 * MEGA
