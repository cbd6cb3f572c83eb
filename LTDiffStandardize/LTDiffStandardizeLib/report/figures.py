"""The pictures of the report: one row per window, one column per volume, and below them the differences."""
from __future__ import annotations

from typing import Mapping, Sequence

import numpy as np

from ..comparison import STANDARD, Comparison
from ..radiomics.regions import Region
from .markup import escape, number
from .pictures import DIFFERENCE, LUNG, SOFT_TISSUE, View, Window, close_up, data_uri, draw, whole_slice

Columns = Sequence[tuple[str, np.ndarray]]  # caption and the view of the volume, HU; the standard comes last

_KEY = ("Middle grey: equal to the standard; white: {0:g} HU or more above it; black: {0:g} HU or more below. Noise that a method draws "
        "anew does not cancel here, though its strength and texture may be right.")  # fmt: skip


def figures(comparison: Comparison, shown: Sequence[str], captions: Mapping[str, str], focus: Region) -> str:
    """The slice with the most voxels of `focus`, whole and as a close-up with the outline of `focus`.

    shown: the methods to show, in this order; the standard is the last column. captions: {method or STANDARD: what is under it}.
    """
    reference = comparison.reference
    near = close_up(reference, focus)
    whole = whole_slice(reference, near.slice_index)
    where = f"slice {near.slice_index + 1} of {len(reference.hu)}, at {number(reference.slice_positions()[near.slice_index], 'g')} mm"
    volumes = [(captions[method], comparison.volumes[method]) for method in shown] + [(captions[STANDARD], reference)]
    outline = near.outline(focus, reference.hu.shape[1:])
    parts = []
    for view, title, line in ((whole, "Whole slice", None), (near, focus.hu_range.capitalize(), outline)):
        columns = [(name, view.of(volume.hu[view.slice_index])) for name, volume in volumes]
        parts.append(f"<h3>{escape(title)}, {escape(where)}</h3>")
        parts += [_window_row(view, columns, window, line) for window in (LUNG, SOFT_TISSUE)]
        parts.append(_difference_row(view, columns, line))
    return "\n".join(parts)


def _window_row(view: View, columns: Columns, window: Window, line: np.ndarray | None) -> str:
    cells = [_figure(view, hu, window, line, name) for name, hu in columns]
    return _grid(f"{window.name.capitalize()}: level {number(window.level, 'g')} HU, width {window.width:g} HU", cells)


def _difference_row(view: View, columns: Columns, line: np.ndarray | None) -> str:
    _, standard = columns[-1]
    cells = [_figure(view, hu - standard, DIFFERENCE, line, f"{name} − standard") for name, hu in columns[:-1]]
    half = DIFFERENCE.width / 2
    return _grid(f"Difference from the standard: window ±{half:g} HU", [*cells, f'<p class="key">{escape(_KEY.format(half))}</p>'])


def _grid(title: str, cells: Sequence[str]) -> str:
    return f'<h4>{escape(title)}</h4>\n<div class="grid" style="--columns:{len(cells)}">\n' + "\n".join(cells) + "\n</div>"


def _figure(view: View, hu: np.ndarray, window: Window, line: np.ndarray | None, name: str) -> str:
    picture = draw(view, hu, window, line)
    rows, columns = picture.shape
    sides = '<span class="right">R</span><span class="left">L</span>' if view.is_axial else ""
    return (f'<figure><div class="screen"><img src="{data_uri(picture)}" width="{columns}" height="{rows}" '
            f'alt="{escape(name)}, {escape(window.name)}">{sides}<span class="bar">{view.bar_mm()} mm</span></div>'
            f"<figcaption>{escape(name)}</figcaption></figure>")  # fmt: skip
