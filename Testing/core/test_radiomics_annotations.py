from pathlib import Path

import numpy as np
import pytest

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.radiomics.regions.annotations import regions_from_voc
from LTDiffStandardizeLib.volumes.volume import CTVolume, DicomSource

PAIR = Path(__file__).resolve().parents[3] / "shared" / "data" / "pairs" / "lungdx-a0002"


@pytest.fixture
def volume():
    hu = np.full((6, 40, 50), -850, dtype=np.int16)
    hu[:, 10:20, 10:20] = 40
    uids = tuple(f"1.2.3.{index}" for index in range(6))
    return CTVolume(hu, (0.7, 0.7, 3.0), source=DicomSource(tuple(Path(uid) for uid in uids), uids), name="case")


def annotate(folder, uid, *boxes):
    items = "".join(f"<object><name>{name}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax>"
                    f"<ymax>{y1}</ymax></bndbox></object>" for name, x0, y0, x1, y1 in boxes)
    (folder / f"{uid}.xml").write_text(f"<annotation>{items}</annotation>", encoding="utf-8")


def test_boxes_of_consecutive_slices_become_one_region(tmp_path, volume):
    annotate(tmp_path, "1.2.3.1", ("A", 8, 9, 22, 21))
    annotate(tmp_path, "1.2.3.2", ("A", 10, 8, 24, 20))
    annotate(tmp_path, "9.9.9", ("A", 0, 0, 5, 5))
    region, = regions_from_voc(tmp_path, volume, minimum_hu=None, group="patient")
    assert region.slices == (slice(1, 3), slice(8, 21), slice(8, 24))
    assert region.number_of_voxels == 12 * 14 + 12 * 14 and region.hu_range == "tumour" and region.group == "patient"
    assert not region.mask[0, 0].any() and not region.mask[1, -1].any()


def test_the_air_in_the_boxes_is_left_out(tmp_path, volume):
    annotate(tmp_path, "1.2.3.1", ("A", 5, 5, 25, 25))
    region, = regions_from_voc(tmp_path, volume)
    inside = region.crop(volume.hu)[region.mask]
    assert (inside == 40).mean() > 0.9 and 80 <= region.number_of_voxels <= 120


def test_gaps_other_labels_and_distant_boxes_are_lesions_of_their_own(tmp_path, volume):
    annotate(tmp_path, "1.2.3.0", ("A", 8, 8, 15, 15), ("A", 30, 30, 40, 38))
    annotate(tmp_path, "1.2.3.1", ("A", 9, 9, 15, 15), ("B", 9, 9, 15, 15))
    annotate(tmp_path, "1.2.3.3", ("A", 9, 9, 15, 15))
    regions = regions_from_voc(tmp_path, volume, minimum_hu=None)
    assert len(regions) == 4 and len({region.name for region in regions}) == 4
    assert sorted(region.mask.shape[0] for region in regions) == [1, 1, 1, 2]


def test_annotations_of_another_series_give_no_region(tmp_path, volume):
    annotate(tmp_path, "9.9.9", ("A", 0, 0, 5, 5))
    assert regions_from_voc(tmp_path, volume) == []


@pytest.mark.parametrize("text", ["<annotation", "<annotation><object><name>A</name></object></annotation>"])
def test_a_damaged_annotation_is_named(tmp_path, volume, text):
    (tmp_path / "1.2.3.4.xml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="1.2.3.4.xml"):
        regions_from_voc(tmp_path, volume)


def test_a_box_outside_the_image_is_refused(tmp_path, volume):
    annotate(tmp_path, "1.2.3.4", ("A", 5, 5, 60, 20))
    with pytest.raises(InputError, match="outside 50 x 40 pixels"):
        regions_from_voc(tmp_path, volume)


def test_a_volume_without_dicom_files_is_refused(tmp_path):
    with pytest.raises(InputError, match="load the DICOM series"):
        regions_from_voc(tmp_path, CTVolume(np.zeros((1, 2, 2), dtype=np.int16)))


@pytest.mark.skipif(not PAIR.is_dir(), reason="the real pair in ../shared/data is not there")
@pytest.mark.parametrize("kernel, slices", [("B40f", 10), ("B70f", 8)])
def test_the_tumour_of_a_real_pair_is_one_lesion(kernel, slices):
    from LTDiffStandardizeLib.volumes.reading import read_volume

    volume = read_volume(PAIR / kernel)
    region, = regions_from_voc(PAIR / "annotations", volume)
    assert region.mask.shape[0] == slices
    assert -200 < region.crop(volume.hu)[region.mask].mean() < 200
    assert region.number_of_voxels > 20_000
