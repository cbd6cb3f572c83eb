"""Small multiples: one panel a method, on one sheet with a title, a key and titles of the axes."""
from __future__ import annotations

from typing import Mapping, Sequence

import numpy as np

from .pairs import Pairs
from .sheet import Sheet, key_height, mark, title_height
from .style import LEADING, NORMAL, clean, fitted, styles

_LEFT, _FOOT, _WIDEST = 76, 26, 900  # px: title and numbers of the y axis; numbers of the x axis; the sheet


class Panels:
    """Where the panels lie, and how the points of each look.

    right: px beside each panel.
    """

    def __init__(self, pairs: Sequence[Pairs], labels: Mapping[str, str], groups: Sequence[object] | None, unit: str, factor: str,
                 right: float) -> None:
        self._pairs, self._labels, self._right = pairs, labels, right
        measure = " ".join(part for part in (factor, clean(unit)) if part)
        self._measure = f" ({measure})" if measure else ""
        self._columns = len(pairs) if len(pairs) <= 4 else -(-len(pairs) // 2)
        self._rows = -(-len(pairs) // self._columns)
        self._side = min(260.0, (_WIDEST - _LEFT) / self._columns - right)
        self._head = 27 + LEADING * max(len(fitted(labels[pair.method], self._side, 2, NORMAL)) for pair in pairs)
        self._pitch = self._head + self._side + _FOOT  # from one row of panels to the next
        self._groups = None if groups is None else [clean(group) for group in groups]
        kinds = list(dict.fromkeys(self._groups or ()))
        self._kinds = styles(kinds, of_groups=True) if 2 <= len(kinds) <= 8 else {}
        self._looks = styles(labels)

    def sheet(self, title: str, below: str) -> Sheet:
        """A new sheet with title and key."""
        width = max(_LEFT + self._columns * (self._side + self._right), 480)
        entries, key_top = list(self._kinds.items()), title_height(below, width) + 4
        self._top = key_top + key_height(entries, width)
        sheet = Sheet(width, self._top + self._rows * self._pitch + 22)
        sheet.title(title, below)
        sheet.key(0, key_top, entries)
        return sheet

    def axes(self, sheet: Sheet, index: int, across: tuple[float, float], upwards: tuple[float, float], note: str):
        """The axes of one panel with the method's name and a note above them."""
        from matplotlib.ticker import MaxNLocator, ScalarFormatter

        pair, column = self._pairs[index], index % self._columns
        left = _LEFT + column * (self._side + self._right)
        top = self._top + index // self._columns * self._pitch + self._head
        axes = sheet.axes(left, top, self._side, self._side)
        axes.set(xlim=across, ylim=upwards)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(4, steps=(1, 2, 2.5, 5, 10)))
            formatter = ScalarFormatter(useOffset=False)
            formatter.set_scientific(False)
            axis.set_major_formatter(formatter)
        axes.tick_params(labelleft=column == 0)
        label = self._labels[pair.method]
        lines = len(fitted(label, self._side, 2, NORMAL))
        sheet.text(left, top - 9 - LEADING * lines, label, self._side, lines=2, size=NORMAL, bold=True)
        sheet.text(left, top - 8, note, self._side + self._right - 4)
        return axes

    def points(self, sheet: Sheet, axes, index: int, x: np.ndarray, y: np.ndarray) -> None:
        """The points of one panel, in the look of their group, or of their method where there are no groups to tell apart."""
        pair = self._pairs[index]
        kinds = self._kinds or {"": self._looks[pair.method]}
        of = np.array([self._groups[place] if self._kinds else "" for place in pair.where], dtype=object)
        for number, (kind, style) in enumerate(kinds.items()):
            mine = of == kind
            if mine.any():
                points = axes.plot(x[mine], y[mine], zorder=2, alpha=0.85, **mark(style, 5.5))[0]
                sheet.name(points, f"points {index} {number}", kind)

    def axis_titles(self, sheet: Sheet, across: str, upwards: str) -> None:
        width = self._columns * (self._side + self._right) - self._right
        height = self._rows * self._pitch
        sheet.text(_LEFT + width / 2, sheet.height - 8, across + self._measure, sheet.width - _LEFT, anchor="center", size=NORMAL)
        sheet.text(14, self._top + height / 2, upwards + self._measure, height, anchor="center", size=NORMAL, upwards=True)
