"""The shipped pair: small, readable by everybody, and byte by byte what its publisher gave out."""
import zlib
from pathlib import Path

import numpy as np
import pytest

from LTDiffStandardizeLib.comparison import slice_by_slice
from LTDiffStandardizeLib.radiomics.regions.annotations import regions_from_voc
from LTDiffStandardizeLib.volumes import find_series, read_volume

SAMPLE = Path(__file__).resolve().parents[2] / "LTDiffStandardize" / "Resources" / "SampleData" / "lungdx-a0002"
KERNELS = ("B40f", "B70f")
META_GROUP_LENGTH = slice(140, 144)  # the value of (0002,0000), after preamble, prefix and its own head


def dataset_of(path):
    """(file meta information, dataset) as bytes."""
    content = path.read_bytes()
    end = 144 + int.from_bytes(content[META_GROUP_LENGTH], "little")
    return content[144:end], content[end:]


@pytest.fixture(scope="module")
def pair():
    return [read_volume(SAMPLE / kernel) for kernel in KERNELS]


def test_the_sample_weighs_at_most_six_megabytes():
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) <= 6_000_000


def test_the_sample_names_its_licence_its_source_and_every_change():
    text = (SAMPLE / "README.md").read_text(encoding="utf-8")
    for needed in ("Creative Commons Attribution", "https://creativecommons.org/licenses/by/4.0/", "10.7937/TCIA.2020.NNC2-0461", "Li, P.",
                   "Clark, K.", "## Changes", "9 of 30 slices", "Deflated Explicit VR Little Endian"):  # fmt: skip
        assert needed in text
    assert "Creative Commons Attribution 4.0" in (SAMPLE / "LICENSE").read_text(encoding="utf-8")


def test_the_sample_is_found_as_two_series():
    assert [(entry.kernel, entry.number_of_slices, entry.refusal) for entry in find_series(SAMPLE)] == [(k, 9, None) for k in KERNELS]


def test_both_kernels_lie_on_one_grid(pair):
    soft, sharp = pair
    assert (soft.facts.kernel, sharp.facts.kernel) == KERNELS
    assert soft.hu.shape == sharp.hu.shape == (9, 512, 512) and soft.hu.dtype == np.int16
    assert soft.spacing == sharp.spacing == (0.646484375, 0.646484375, 8.0) and soft.origin == sharp.origin
    assert 0.95 < np.corrcoef(soft.hu.ravel(), sharp.hu.ravel())[0, 1] < 1


def test_simpleitk_reads_the_same_hu(pair):
    import SimpleITK as sitk

    for volume in pair:
        for index in (0, 8):
            assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(volume.source.paths[index])))[0], volume.hu[index])


def test_the_tumour_is_marked_on_every_slice(pair):
    regions = [part for lesion in regions_from_voc(SAMPLE / "tumour", pair[0]) for part in slice_by_slice(lesion)]
    assert [region.slices[0].start for region in regions] == list(range(9))
    assert min(region.number_of_voxels for region in regions) > 1000


def test_every_box_belongs_to_a_slice(pair):
    uids = {uid for volume in pair for uid in volume.source.sop_instance_uids}
    boxes = [path.stem for path in (SAMPLE / "tumour").iterdir()]
    assert len(boxes) == 17 and set(boxes) <= uids


def test_headers_and_pixels_are_the_publishers_byte_by_byte(shared_data):
    originals = shared_data / "pairs" / "lungdx-a0002"
    for path in sorted(SAMPLE.glob("B*/*.dcm")):
        meta, deflated = dataset_of(path)
        original_meta, original = dataset_of(originals / path.relative_to(SAMPLE))
        assert zlib.decompressobj(-zlib.MAX_WBITS).decompress(deflated) == original
        assert meta.replace(b"\x16\x001.2.840.10008.1.2.1.99", b"\x14\x001.2.840.10008.1.2.1\0") == original_meta
    for path in (SAMPLE / "tumour").iterdir():
        assert path.read_bytes() == (originals / "annotations" / path.name).read_bytes()
