"""Pictures of the report: windows, orientation, close-ups, scale bars, PNG."""
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_parts import noisy_volume

from LTDiffStandardizeLib.radiomics.regions import Region
from LTDiffStandardizeLib.report.pictures import DIFFERENCE, LUNG, MARK, MARK_RGB, SOFT_TISSUE, close_up, draw, png, whole_slice
from LTDiffStandardizeLib.volumes import CTVolume


def region(z=1, rows=(20, 30), columns=(24, 40)):
    mask = np.ones((1, rows[1] - rows[0], columns[1] - columns[0]), bool)
    return Region("tumour", "tumour", "annotation", (slice(z, z + 1), slice(*rows), slice(*columns)), mask)


def decoded(picture):
    image = pytest.importorskip("PIL.Image", reason="Pillow, which decodes the PNG here, is not installed")
    return np.asarray(image.open(io.BytesIO(png(picture))).convert("RGB"))


@pytest.mark.parametrize("window, black, white", [(LUNG, -1350, 150), (SOFT_TISSUE, -160, 240), (DIFFERENCE, -150, 150)])
def test_a_window_runs_from_black_to_white_and_never_reaches_the_mark(window, black, white):
    greys = window.grey(np.array([black - 500, black, (black + white) / 2, white, white + 3000]))
    assert greys.tolist() == [0, 0, 127, 254, 254] and MARK == 255


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_a_png_holds_the_picture(rows, columns, seed):
    picture = np.random.default_rng(seed).integers(0, 256, (rows, columns), dtype=np.uint8)
    pixels = decoded(picture)
    marked = picture == MARK
    assert pixels.shape == (rows, columns, 3)
    assert (pixels[marked] == MARK_RGB).all()
    greys = np.rint(picture[~marked] * 255.0 / 254)
    assert (pixels[~marked] == greys[:, None]).all()


@pytest.mark.parametrize("flip_x, flip_y", [(False, False), (True, False), (False, True), (True, True)])
def test_the_patients_right_is_on_the_left_and_the_front_above_however_the_volume_is_stored(flip_x, flip_y):
    hu = np.zeros((1, 20, 30), np.int16)
    hu[0, :5, :5] = 900  # right and front of the patient when stored as scanners do
    stored = hu[:, ::-1 if flip_y else 1, ::-1 if flip_x else 1].copy()
    direction = np.diag([-1.0 if flip_x else 1.0, -1.0 if flip_y else 1.0, 1.0])
    view = whole_slice(CTVolume(stored, direction=direction), 0)
    assert view.is_axial
    assert np.array_equal(view.of(stored[0]), hu[0])


def test_other_planes_are_shown_as_stored_and_without_sides():
    coronal = CTVolume(np.zeros((2, 8, 9), np.int16), direction=np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], float))
    assert not whole_slice(coronal, 0).is_axial


def test_a_close_up_shows_the_region_with_a_margin_enlarged():
    volume = noisy_volume()
    view = close_up(volume, region())
    assert view.slice_index == 1
    assert view.rows.start < 20 and view.rows.stop > 30 and view.columns.start < 24 and view.columns.stop > 40
    picture = view.of(volume.hu[1])
    assert picture.shape == (4 * (view.rows.stop - view.rows.start), 4 * (view.columns.stop - view.columns.start))


def test_a_close_up_at_the_border_stays_within_the_image():
    view = close_up(noisy_volume(), region(rows=(0, 5), columns=(60, 64)))
    assert view.rows.start == 0 and view.columns.stop == 64


def test_enlarging_keeps_means_and_places():
    hu = np.zeros((1, 16, 16), np.float32)
    hu[0, 6:10, 8:12] = 100
    volume = CTVolume(hu)
    picture = close_up(volume, region(z=0, rows=(6, 10), columns=(8, 12)), margin_mm=4).of(hu[0])
    rows, columns = np.nonzero(picture > 50)
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (16, 32, 16, 32)


def test_an_outline_hides_nothing_of_its_region():
    volume = noisy_volume()
    view = close_up(volume, region())
    outline = view.outline(region(), volume.hu.shape[1:])
    plane = np.zeros(volume.hu.shape[1:], np.uint8)
    plane[20:30, 24:40] = 1
    assert outline.any() and not (outline & (view.of(plane, order=0) > 0)).any()
    rows, columns = np.nonzero(outline)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (4 * 10 + 4, 4 * 16 + 4)


@pytest.mark.parametrize("spacing", [(0.7, 0.7, 5.0), (0.7, 1.4, 5.0)])
def test_the_scale_bar_has_the_length_that_is_written_at_it(spacing):
    volume = noisy_volume(shape=(1, 64, 64))
    volume.spacing = spacing
    view = whole_slice(volume, 0)
    picture = draw(view, view.of(np.zeros((64, 64), np.int16)), LUNG)
    columns = np.flatnonzero((picture == MARK).any(axis=0))
    assert len(columns) * 0.7 == pytest.approx(view.bar_mm(), abs=0.7)
    assert picture.shape == (64 * spacing[1] / 0.7, 64)
