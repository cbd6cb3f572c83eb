import numpy as np
import pytest

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.radiomics.regions.reference import body_mask, region_reference, smooth
from LTDiffStandardizeLib.radiomics.regions import (HU_RANGES, random_regions, range_label, region_from_sphere,
                                                    regions_from_label_map)

MUSCLE = (10, 250)
SPACING = (0.7, 0.7, 1.0)


def chest(shape=(30, 160, 200), noise=0.0, couch=False):
    """A body of 50 HU with two lungs of -600 HU and a spine of 500 HU in free air."""
    rows, columns = shape[1:]
    y, x = np.mgrid[:rows, :columns]

    def ellipse(row, column, height, width):
        return ((y - row * rows) / (height * rows)) ** 2 + ((x - column * columns) / (width * columns)) ** 2 < 1

    plane = np.full((rows, columns), -1000.0)
    plane[ellipse(0.45, 0.5, 0.4, 0.45)] = 50
    plane[ellipse(0.45, 0.3, 0.25, 0.15) | ellipse(0.45, 0.7, 0.25, 0.15)] = -600
    plane[ellipse(0.75, 0.5, 0.06, 0.05)] = 500
    if couch:
        plane[int(0.9 * rows):int(0.98 * rows), 20:-20] = -600
        plane[int(0.9 * rows):int(0.9 * rows) + 3, 10:-10] = 100
    hu = np.repeat(plane[None], shape[0], axis=0)
    return (hu + noise * np.random.default_rng(0).normal(size=shape)).round().astype(np.int16)


def starts(regions):
    return np.array([[box.start for box in region.slices] for region in regions])


def test_the_ranges_are_those_of_the_paper():
    assert [range_label(hu_range) for hu_range in HU_RANGES] == ["[-800,-300]", "[-100,250]", "[10,250]", "[300,800]"]


def test_the_same_seed_gives_the_same_regions_and_another_seed_others():
    hu = chest(noise=30)
    first, again, other = (random_regions(hu, SPACING, MUSCLE, 10, seed, size_voxels=(4, 12, 12))[0]
                           for seed in (1, 1, 2))
    assert len(first) == 10
    assert [region.slices for region in first] == [region.slices for region in again]
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(first, again))
    assert [region.slices for region in first] != [region.slices for region in other]


@pytest.mark.parametrize("hu_range", HU_RANGES)
def test_a_mask_holds_the_voxels_of_the_range_and_fills_its_share(hu_range):
    hu = chest()
    regions, candidates = random_regions(hu, SPACING, hu_range, 5, 0, size_voxels=(4, 10, 10))
    assert len(regions) == 5 <= candidates
    for region in regions:
        assert region.hu_range == range_label(hu_range)
        assert region.mask.shape == region.crop(hu).shape == (4, 10, 10)
        assert region.number_of_voxels == region.mask.sum() >= (0.1 if hu_range == (300, 800) else 0.5) * 400
        inside = smooth(hu, SPACING)[region.slices][region.mask]
        assert hu_range[0] <= inside.min() and inside.max() <= hu_range[1]


def test_noise_hardly_moves_a_mask():
    quiet, loud = chest(), chest(noise=80)
    regions, _ = random_regions(loud, SPACING, MUSCLE, 10, 0, size_voxels=(4, 12, 12))
    clean = smooth(quiet, SPACING)
    expected = np.concatenate([(clean[r.slices] >= 10).ravel() & (clean[r.slices] <= 250).ravel() for r in regions])
    drawn = np.concatenate([region.mask.ravel() for region in regions])
    assert (drawn == expected).mean() > 0.95


def test_regions_keep_apart():
    size = np.array((4, 12, 12))
    regions, _ = random_regions(chest(), SPACING, (-100, 250), 30, 0, size_voxels=size)
    corner = starts(regions)
    distance = np.abs(corner[:, None] - corner[None]) >= 0.75 * size
    assert (distance.any(axis=2) | np.eye(len(regions), dtype=bool)).all()


def test_no_box_touches_padding():
    hu = chest(noise=20)
    y, x = np.mgrid[:160, :200]
    padding = np.broadcast_to((y - 80) ** 2 + (x - 100) ** 2 > 60 ** 2, hu.shape)
    hu[padding] = -2048
    regions, _ = random_regions(hu, SPACING, (-100, 250), 40, 0, size_voxels=(3, 8, 8), padding=padding)
    assert len(regions) > 10
    assert not any(padding[region.slices].any() for region in regions)


def test_padding_does_not_pull_its_neighbours_into_another_range():
    hu = np.full((1, 40, 40), 60, dtype=np.int16)
    padding = np.zeros(hu.shape, dtype=bool)
    padding[:, :, :15] = True
    hu[padding] = -2048
    smoothed = smooth(hu, SPACING, padding)
    assert np.isnan(smoothed[padding]).all()
    np.testing.assert_allclose(smoothed[~padding], 60, atol=1e-3)


def test_no_region_lies_on_the_couch():
    hu = chest(couch=True)
    couch = slice(int(0.9 * 160), 160)
    assert not body_mask(smooth(hu, SPACING))[:, couch].any()
    regions, _ = random_regions(hu, SPACING, (-800, -300), 30, 0, size_voxels=(3, 8, 8))
    assert len(regions) > 10
    assert not any(region.mask[:, max(0, couch.start - region.slices[1].start):].any() for region in regions)


def test_a_lung_cut_by_the_field_of_view_belongs_to_the_body():
    hu = chest()[:, 40:100, 45:105]  # lung up to the left edge
    assert (hu[:, :, 0] == -600).any()
    assert body_mask(smooth(hu, SPACING)).mean() > 0.95


def test_a_volume_of_four_thin_slices_and_one_of_thick_slices_yield_flat_boxes():
    thin, _ = random_regions(chest((4, 160, 200)), SPACING, MUSCLE, 10, 0)
    thick, _ = random_regions(chest((30, 160, 200)), (0.7, 0.7, 8.0), MUSCLE, 10, 0)
    assert {region.mask.shape for region in thin} == {(4, 24, 24)}
    assert {region.mask.shape for region in thick} == {(2, 24, 24)}


def test_too_few_places_give_fewer_regions():
    hu = np.full((4, 60, 60), -1000, dtype=np.int16)
    assert random_regions(hu, SPACING, MUSCLE, 10, 0) == ([], 0)
    hu[:, 20:44, 20:44] = 50
    regions, candidates = random_regions(hu, SPACING, MUSCLE, 10, 0, size_voxels=(4, 12, 12), minimum_fill=0.9)
    assert len(regions) == 1 <= candidates


def test_several_ranges_can_share_one_prepared_reference():
    hu = chest(noise=30)
    prepared, _ = random_regions(region_reference(hu, SPACING), SPACING, MUSCLE, 5, 3, reference_is_prepared=True)
    direct, _ = random_regions(hu, SPACING, MUSCLE, 5, 3)
    assert [region.slices for region in prepared] == [region.slices for region in direct]


def test_a_sphere_has_the_volume_of_a_sphere_in_anisotropic_voxels():
    region = region_from_sphere((20.0, 30.5, 40.0), 8.0, (0.7, 0.7, 1.5), (40, 64, 80))
    assert region.number_of_voxels * 0.7 * 0.7 * 1.5 == pytest.approx(4 / 3 * np.pi * 8 ** 3, rel=0.02)
    assert region.mask[[0, -1]].any() and region.mask[:, [0, -1]].any() and region.mask[:, :, [0, -1]].any()


def test_a_sphere_is_cut_at_the_border_and_refused_outside():
    half = region_from_sphere((0, 10, 10), 3.0, (1, 1, 1), (20, 20, 20))
    whole = region_from_sphere((10, 10, 10), 3.0, (1, 1, 1), (20, 20, 20))
    assert half.slices[0] == slice(0, 4) and half.number_of_voxels == (whole.number_of_voxels + 29) // 2
    with pytest.raises(InputError, match="nodule 7"):
        region_from_sphere((-10, 10, 10), 3.0, (1, 1, 1), (20, 20, 20), name="nodule 7")


def test_every_label_of_a_map_becomes_a_region():
    labels = np.zeros((5, 6, 7), dtype=np.uint8)
    labels[1:3, 2:4, 3:5] = 2
    labels[4, 5, 6] = 5
    first, second = regions_from_label_map(labels, names={2: "left nodule"}, group="patient 1")
    assert (first.name, first.number_of_voxels, first.slices) == (
        "left nodule", 8, (slice(1, 3), slice(2, 4), slice(3, 5)))
    assert (second.name, second.number_of_voxels, second.group) == ("label 005", 1, "patient 1")
