"""Boxes and spheres in the space of the patient, on volumes of any orientation."""
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.radiomics.regions import region_from_ball, region_from_box, whole_slices, without_padding
from LTDiffStandardizeLib.radiomics.regions.markups import regions_from_markups
from LTDiffStandardizeLib.radiomics.regions.shapes import voxel_coordinates
from LTDiffStandardizeLib.volumes import CTVolume

SHAPE, SPACING = (12, 20, 24), (0.7, 0.9, 2.0)


def turned(seed):
    """A random right-handed set of axes as columns."""
    axes, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return axes * [1, 1, np.linalg.det(axes)]


def volume(direction=np.eye(3), origin=(-8.0, -9.0, 100.0)):
    return CTVolume(np.zeros(SHAPE, np.int16), SPACING, origin, direction, name="case")


def positions(where):
    """(z, y, x, 3) LPS mm of every voxel centre, index by index."""
    places = np.empty((*where.hu.shape, 3))
    for z, y, x in np.ndindex(where.hu.shape):
        places[z, y, x] = where.origin + where.direction @ (np.array([x, y, z]) * where.spacing)
    return places


def whole(region, where):
    mask = np.zeros(where.hu.shape, bool)
    mask[region.slices] = region.mask
    return mask


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.tuples(*[st.floats(2.0, 25.0)] * 3))
def test_a_turned_box_on_a_turned_volume_holds_the_voxels_inside_its_six_faces(seed, size):
    where, axes = volume(turned(seed)), turned(seed + 1)
    places = positions(where)
    centre = places[6, 10, 12] + 0.1
    local = (places - centre) @ axes
    expected = (np.abs(local) <= np.array(size) / 2).all(axis=-1)
    region = region_from_box(where, centre, size, axes, "r", group="p")
    assert np.array_equal(whole(region, where), expected) and expected[6, 10, 12]
    assert (region.kind, region.name, region.group) == ("box", "r", "p")


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.tuples(*[st.booleans()] * 3))
def test_a_flipped_volume_has_the_same_voxels_in_the_box(seed, flips):
    where = volume(turned(seed))
    steps = np.array([-1 if flip else 1 for flip in flips])  # of x, y, z
    ends = np.where(steps < 0, np.array(SHAPE[::-1]) - 1, 0)
    other = volume(where.direction * steps, where.origin + where.direction @ (ends * where.spacing))
    centre, axes = positions(where)[5, 9, 11], turned(seed + 1)
    masks = (whole(region_from_box(one, centre, (9.3, 8.1, 7.7), axes), one) for one in (where, other))
    first, second = masks
    assert np.array_equal(first, second[:: steps[2], :: steps[1], :: steps[0]])


def test_a_box_is_cut_at_the_border_and_refused_outside():
    where = volume()
    corner = region_from_box(where, where.origin, (2.0, 2.0, 4.2))
    assert corner.slices == (slice(0, 2), slice(0, 2), slice(0, 2)) and corner.mask.all()
    with pytest.raises(InputError, match="nodule 3.*case"):
        region_from_box(where, (500, 0, 0), (2, 2, 2), name="nodule 3")
    with pytest.raises(InputError, match="holds no voxel"):
        region_from_box(where, where.origin + np.array([0.35, 0.45, 1.0]), (0.1, 0.1, 0.1))  # between the voxel centres


def test_a_box_larger_than_the_volume_is_the_volume_and_one_far_away_is_refused():
    where = volume(turned(7))
    assert region_from_box(where, (0, 0, 0), (1e6, 1e30, 1e6), turned(8)).number_of_voxels == np.prod(SHAPE)
    for refused in (lambda: region_from_box(where, (1e30, 0, 0), (2, 2, 2)), lambda: region_from_ball(where, (1e30, 0, 0), 2)):
        with pytest.raises(InputError, match="holds no voxel"):
            refused()


def test_the_faces_of_a_box_belong_to_it():
    where = volume()
    region = region_from_box(where, positions(where)[4, 5, 6], (2 * 0.7, 2 * 0.9, 2 * 2.0))
    assert region.number_of_voxels == 27


def test_a_sphere_in_the_patient_is_one_in_the_volume():
    where = volume(turned(3))
    places = positions(where)
    centre = places[6, 10, 12] + [0.2, -0.1, 0.3]
    region = region_from_ball(where, centre, 5.0)
    assert np.array_equal(whole(region, where), np.linalg.norm(places - centre, axis=-1) <= 5.0)


def test_coordinates_of_voxels_are_their_indices():
    where = volume(turned(4))
    assert voxel_coordinates(where, [positions(where)[3, 7, 11]])[0] == pytest.approx([3, 7, 11])


def test_whole_slices_leave_out_padding_and_slices_of_nothing_else():
    where = volume()
    padding = np.zeros(SHAPE, bool)
    padding[:, :, :4], padding[2] = True, True
    regions = without_padding(whole_slices(where, "p"), padding)
    assert len(regions) == 11 and "slice 003" not in {region.name for region in regions}
    assert all(region.number_of_voxels == 20 * 20 and not region.mask[:, :, :4].any() for region in regions)
    assert len(without_padding(whole_slices(where), None)) == 12


def markups(folder, coordinates, centre, axes, kind="ROI", **more):
    markup = {"type": kind, "coordinateSystem": coordinates, "center": list(centre), "size": [9.0, 7.0, 12.0], **more}
    if axes is not None:
        markup["orientation"] = np.ravel(axes).tolist()
    path = folder / f"{coordinates}.mrk.json"
    path.write_text(json.dumps({"markups": [markup]}), encoding="utf-8")
    return path


def test_a_slicer_roi_is_the_same_box_in_ras_and_in_lps(tmp_path):
    where, axes, mirror = volume(turned(5)), turned(6), np.diag([-1.0, -1.0, 1.0])
    centre = positions(where)[6, 10, 12]
    (lps,) = regions_from_markups(markups(tmp_path, "LPS", centre, axes), where)
    (ras,) = regions_from_markups(markups(tmp_path, "RAS", mirror @ centre, mirror @ axes), where)
    expected = region_from_box(where, centre, (9.0, 7.0, 12.0), axes)
    for region in (lps, ras):
        assert np.array_equal(whole(region, where), whole(expected, where))


def test_a_slicer_roi_without_an_orientation_is_not_turned(tmp_path):
    where = volume()
    centre = positions(where)[6, 10, 12]
    (region,) = regions_from_markups(markups(tmp_path, "LPS", centre, None), where)
    assert np.array_equal(region.mask, region_from_box(where, centre, (9.0, 7.0, 12.0)).mask)


def test_markups_without_a_box_and_damaged_ones_are_refused(tmp_path):
    with pytest.raises(InputError, match="holds no ROI"):
        regions_from_markups(markups(tmp_path, "LPS", (0, 0, 0), None, kind="Fiducial"), volume())
    skewed = np.array([[1, 0.2, 0], [0, 1, 0], [0, 0, 1]])
    for axes, more, word in ((skewed, {}, "right angles"), (None, {"center": [float("nan"), 0, 0]}, "not finite"),
                             (None, {"size": [3.0, 3.0]}, "cannot be read"), (None, {"insideOut": True}, "outside it")):  # fmt: skip
        with pytest.raises(InputError, match=word):
            regions_from_markups(markups(tmp_path, "LPS", (0, 0, 0), axes, **more), volume())
    (tmp_path / "bad.mrk.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="bad.mrk.json"):
        regions_from_markups(tmp_path / "bad.mrk.json", volume())
