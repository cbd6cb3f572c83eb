"""Regions from DICOM SEG and RTSTRUCT objects, written here as other software writes them."""
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from small_series import save

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.radiomics.regions.dicom_objects import SEGMENTATION, STRUCTURE_SET, inside, outline, regions_from_dicom
from LTDiffStandardizeLib.volumes import CTVolume

SHAPE, SPACING = (5, 15, 17), (0.7, 0.9, 2.5)  # 255 pixels, so that the bits of a frame do not begin with a byte
TURN = np.array([[0.0, -1.0, 0.0], [0.8, 0.0, -0.6], [0.6, 0.0, 0.8]])  # an oblique volume


def volume(direction=TURN):
    return CTVolume(np.zeros(SHAPE, np.int16), SPACING, (-8.0, 5.0, 100.0), direction, name="case")


def place(where, z, y=0.0, x=0.0):
    return (np.array(where.origin) + where.direction @ (np.array([x, y, z]) * where.spacing)).tolist()


def item(**elements):
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def segmentation(path, where, masks, fractional=False, **changes):
    """A SEG object; masks: {label: bool (z, y, x)}; a frame for every slice that a segment marks, the last slice first."""
    frames, groups = [], []
    for number, mask in enumerate(masks.values(), 1):
        for z in reversed(np.flatnonzero(mask.any(axis=(1, 2)))):
            frames.append(mask[z])
            groups.append(item(SegmentIdentificationSequence=[item(ReferencedSegmentNumber=number)],
                               PlanePositionSequence=[item(ImagePositionPatient=place(where, z))]))  # fmt: skip
    made = item(SOPClassUID=SEGMENTATION, SOPInstanceUID="1.2.3.9", Modality="SEG", Rows=SHAPE[1], Columns=SHAPE[2], NumberOfFrames=len(frames),
                SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2", PixelRepresentation=0, SegmentationType="BINARY",
                BitsAllocated=1, BitsStored=1, HighBit=0, PerFrameFunctionalGroupsSequence=groups,
                SegmentSequence=[item(SegmentNumber=number, SegmentLabel=label) for number, label in enumerate(masks, 1)])  # fmt: skip
    made.SharedFunctionalGroupsSequence = [item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=where.direction[:, :2].T.ravel().tolist())],
        PixelMeasuresSequence=[item(PixelSpacing=[SPACING[1], SPACING[0]], SliceThickness=SPACING[2])])]  # fmt: skip
    stacked = np.array(frames)
    if fractional:
        made.SegmentationType, made.MaximumFractionalValue, made.BitsAllocated, made.BitsStored, made.HighBit = "FRACTIONAL", 200, 8, 8, 7
        made.PixelData = np.where(stacked, 100, 99).astype(np.uint8).tobytes()  # half of the maximum, and just below
    else:
        made.PixelData = np.packbits(stacked.ravel(), bitorder="little").tobytes()
        made.PixelData += b"\0" * (len(made.PixelData) % 2)
    made["PixelData"].VR = "OB"
    for keyword, value in changes.items():
        setattr(made, keyword, value)
    return save(made, path)


def flipped(where, *axes):
    """The same voxels in an array whose index axes (0 slice, 1 row, 2 column) run the other way."""
    ends = [size - 1 if axis in axes else 0 for axis, size in enumerate(SHAPE)]
    signs = [-1 if axis in axes else 1 for axis in (2, 1, 0)]
    return CTVolume(np.flip(where.hu, axes), SPACING, place(where, *ends), where.direction * signs, name="case")


def two_masks():
    first, second = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    first[1:4, 3:9, 4:11], first[2, 5, 6] = True, False
    second[4, 10:, 12:] = True
    return {"left tumour": first, "node": second}


def whole(region):
    mask = np.zeros(SHAPE, bool)
    mask[region.slices] = region.mask
    return mask


@pytest.mark.parametrize("fractional", [False, True])
def test_the_segments_of_a_segmentation_are_regions(tmp_path, fractional):
    masks = two_masks()
    regions = regions_from_dicom(segmentation(tmp_path / "seg.dcm", volume(), masks, fractional), volume(), group="P1")
    assert [region.name for region in regions] == ["left tumour 1", "node 2"]
    for region, mask in zip(regions, masks.values()):
        assert np.array_equal(whole(region), mask) and (region.kind, region.group, region.hu_range) == ("SEG", "P1", "tumour")


@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 1), (0, 1, 2)])
def test_a_segmentation_marks_the_same_voxels_in_an_array_that_runs_the_other_way(tmp_path, axes):
    masks = two_masks()
    regions = regions_from_dicom(segmentation(tmp_path / "seg.dcm", volume(), masks), flipped(volume(), *axes))
    for region, mask in zip(regions, masks.values(), strict=True):
        assert np.array_equal(whole(region), np.flip(mask, axes))


def test_segments_that_overlap_keep_their_common_voxels(tmp_path):
    first, second = two_masks()["left tumour"], np.zeros(SHAPE, bool)
    second[2:4, 5:14, 7:] = True
    one, other = regions_from_dicom(segmentation(tmp_path / "seg.dcm", volume(), {"a": first, "b": second}), volume())
    assert np.array_equal(whole(one), first) and np.array_equal(whole(other), second)


def test_a_segmentation_of_another_grid_is_refused_with_the_difference(tmp_path):
    path = segmentation(tmp_path / "seg.dcm", volume(), two_masks())
    moved = volume()
    moved.origin = (moved.origin[0], moved.origin[1] + 0.5, moved.origin[2])
    with pytest.raises(InputError, match="beside the slices"):
        regions_from_dicom(path, moved)
    with pytest.raises(InputError, match="other directions"):
        regions_from_dicom(path, volume(np.eye(3)))
    other = CTVolume(np.zeros((5, 15, 20), np.int16), SPACING, volume().origin, TURN, name="case")
    with pytest.raises(InputError, match="15 x 17 pixels"):
        regions_from_dicom(path, other)
    coarse = CTVolume(np.zeros(SHAPE, np.int16), (0.8, 0.9, 2.5), volume().origin, TURN, name="case")
    with pytest.raises(InputError, match="pixels measure"):
        regions_from_dicom(path, coarse)


def test_a_segmentation_that_claims_more_frames_than_fit_is_refused_before_its_pixels_are_read(tmp_path):
    path = segmentation(tmp_path / "seg.dcm", volume(), two_masks(), NumberOfFrames=100000)
    with pytest.raises(InputError, match="100000 frames"):
        regions_from_dicom(path, volume())


def test_a_segmentation_that_does_not_say_where_all_frames_lie_is_refused(tmp_path):
    path = segmentation(tmp_path / "seg.dcm", volume(), two_masks())
    data = pydicom.dcmread(path)
    del data.PerFrameFunctionalGroupsSequence[-1]
    data.save_as(path)
    with pytest.raises(InputError, match="of 3 of its 4 frames"):
        regions_from_dicom(path, volume())


def test_a_segmentation_without_all_of_its_pixels_is_refused(tmp_path):
    path = segmentation(tmp_path / "seg.dcm", volume(), two_masks(), PixelData=b"\1\2")
    with pytest.raises(InputError, match="seg.dcm cannot be read"):
        regions_from_dicom(path, volume())


def test_a_segmentation_drawn_on_thicker_slices_is_refused(tmp_path):
    stripes = np.zeros(SHAPE, bool)
    stripes[::2, 3:6, 3:6] = True
    with pytest.raises(InputError, match="nodule marks 3 slices of which no two are neighbours"):
        regions_from_dicom(segmentation(tmp_path / "seg.dcm", volume(), {"nodule": stripes}), volume())


def structures(path, where, contours, kind="CLOSED_PLANAR"):
    """An RTSTRUCT object; contours: {name: [(z, [(row, column), ...]), ...]}, with a third entry those of another kind."""
    made = item(SOPClassUID=STRUCTURE_SET, SOPInstanceUID="1.2.3.8", Modality="RTSTRUCT")
    made.StructureSetROISequence = [item(ROINumber=number, ROIName=name) for number, name in enumerate(contours, 1)]
    made.ROIContourSequence = []
    for number, drawn in enumerate(contours.values(), 1):
        sequence = []
        for z, points, *other_kind in drawn:
            data = [f"{value:.6g}" for row, column in points for value in place(where, z, row, column)]
            sequence.append(item(ContourGeometricType=(other_kind or [kind])[0], NumberOfContourPoints=len(points), ContourData=data))
        made.ROIContourSequence.append(item(ReferencedROINumber=number, ContourSequence=sequence))
    return save(made, path)


OUTER, INNER = [(2.5, 3.5), (2.5, 12.5), (11.5, 12.5), (11.5, 3.5)], [(5.5, 6.5), (5.5, 9.5), (8.5, 9.5), (8.5, 6.5)]


@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_an_inner_contour_is_a_hole_and_an_isocentre_no_region(tmp_path, kind):
    contours = {"GTV": [(1, OUTER), (1, INNER), (2, OUTER)], "empty": [], "isocentre": [(2.4, [(5.0, 5.0)], "POINT")]}
    path = structures(tmp_path / "rs.dcm", volume(), contours, kind)
    (region,) = regions_from_dicom(path, volume())
    expected = np.zeros(SHAPE, bool)
    expected[1:3, 3:12, 4:13] = True
    expected[1, 6:9, 7:10] = False
    assert np.array_equal(whole(region), expected) and (region.name, region.kind) == ("GTV 1", "RTSTRUCT")


@pytest.mark.parametrize("contours, kind, word", [
    ({"GTV": [(1.4, OUTER)]}, "CLOSED_PLANAR", "between the slices"),
    ({"GTV": [(7, OUTER)]}, "CLOSED_PLANAR", "outside the slices"),
    ({"GTV": [(0, OUTER), (2, OUTER), (4, OUTER)]}, "CLOSED_PLANAR", "no two are neighbours"),
    ({"GTV": [(1, [(40.0, 40.0), (40.0, 42.0), (42.0, 41.0)])]}, "CLOSED_PLANAR", "marks no voxel"),
    ({"GTV": [(1, OUTER)]}, "OPEN_PLANAR", "type OPEN_PLANAR"),
    ({"GTV": [(1, OUTER)]}, "POINT", "marks no voxel.*points"),
])  # fmt: skip
def test_contours_that_cannot_be_laid_on_the_slices_are_refused(tmp_path, contours, kind, word):
    with pytest.raises(InputError, match=word):
        regions_from_dicom(structures(tmp_path / "rs.dcm", volume(), contours, kind), volume())


def test_a_contour_that_slopes_across_slices_is_refused(tmp_path):
    path = structures(tmp_path / "rs.dcm", volume(), {"GTV": [(1, OUTER)]})
    data = pydicom.dcmread(path)
    data.ROIContourSequence[0].ContourSequence[0].ContourData[:3] = [f"{value:.6g}" for value in place(volume(), 2, 2.5, 3.5)]
    data.save_as(path)
    with pytest.raises(InputError, match="slopes across"):
        regions_from_dicom(path, volume())


def test_contours_are_found_in_an_array_that_runs_the_other_way(tmp_path):
    path = structures(tmp_path / "rs.dcm", volume(), {"GTV": [(1, OUTER), (2, INNER)]})
    (region,), (other,) = regions_from_dicom(path, volume()), regions_from_dicom(path, flipped(volume(), 0, 2))
    assert np.array_equal(whole(region), np.flip(whole(other), (0, 2))) and region.number_of_voxels == 9 * 9 + 3 * 3


@pytest.mark.parametrize("axes", [(), (1,), (2,), (0, 1, 2)])
def test_pixels_whose_centres_lie_on_a_contour_belong_to_it(tmp_path, axes):
    left, right = [(2, 3), (2, 7), (9, 7), (9, 3)], [(2, 7), (2, 12), (9, 12), (9, 7)]  # which share an edge
    hole, dot, slope = [(4, 9), (4, 11), (6, 11), (6, 9)], [(12, 2)], [(10, 13), (12, 15)]
    path = structures(tmp_path / "rs.dcm", volume(), {"GTV": [(1, points) for points in (left, right, hole, dot, slope)]})
    (region,) = regions_from_dicom(path, flipped(volume(), *axes))
    expected = np.zeros(SHAPE, bool)
    expected[1, 2:10, 3:13] = True
    expected[1, 5, 10] = False
    expected[1, 12, 2] = expected[1, 10, 13] = expected[1, 11, 14] = expected[1, 12, 15] = True
    assert np.array_equal(whole(region), np.flip(expected, axes))


def test_the_outline_of_a_polygon_holds_the_centres_at_no_distance_from_it():
    rng = np.random.default_rng(1)
    for _ in range(20):
        polygon = rng.integers(-2, 14, (6, 2)).astype(float)
        expected = np.zeros((12, 12), bool)
        for row, column in np.ndindex(12, 12):
            for a, b in zip(polygon, np.roll(polygon, -1, axis=0)):
                along = np.clip(np.dot((row, column) - a, b - a) / max(1, np.dot(b - a, b - a)), 0, 1)
                expected[row, column] |= np.hypot(*(a + along * (b - a) - (row, column))) < 1e-7
        assert np.array_equal(outline(polygon, (12, 12)), expected) and expected.any()


def test_a_polygon_holds_the_pixels_of_which_the_centre_is_inside():
    rng = np.random.default_rng(0)
    for _ in range(20):
        polygon = rng.uniform(0, 20, (7, 2))
        expected = np.zeros((20, 20), bool)
        for row, column in np.ndindex(20, 20):
            ends = zip(polygon, np.roll(polygon, -1, axis=0))
            crossings = sum((a[0] > row) != (b[0] > row) and column < a[1] + (row - a[0]) / (b[0] - a[0]) * (b[1] - a[1]) for a, b in ends)
            expected[row, column] = crossings % 2 == 1
        assert np.array_equal(inside(polygon, (20, 20)), expected)


def test_other_objects_and_damaged_files_are_refused_in_a_sentence(tmp_path):
    with pytest.raises(InputError, match="its kind is CT Image Storage, and only structure sets"):
        regions_from_dicom(save(item(SOPClassUID="1.2.840.10008.5.1.4.1.1.2", Modality="CT", SOPInstanceUID="1.2"), tmp_path / "ct.dcm"), volume())
    (tmp_path / "text.dcm").write_text("no DICOM")
    with pytest.raises(InputError, match="text.dcm cannot be read"):
        regions_from_dicom(tmp_path / "text.dcm", volume())
