"""A drawing measured in px from its top left corner."""
from __future__ import annotations

from typing import Sequence

from .style import INK, LEADING, NORMAL, SMALL, Style, clean, fitted, width_of
from .svg import as_svg

Entries = Sequence[tuple[str, Style]]  # of a key: text and the mark before it
_ROW, _MARK, _GAP = 20, 20, 20  # px in a key: height of a row; from the left of a mark to its text; from there to the next mark


class Sheet:
    """A figure of matplotlib of width x height px, with names and hover texts for what is drawn."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        self._hints: dict[str, str] = {}
        self._figure = Figure(figsize=(width / 72, height / 72), dpi=72)  # a point of matplotlib becomes a px of the SVG
        self._figure.patch.set_visible(False)
        self.page = self.axes(0, 0, width, height)
        self.page.set(xlim=(0, width), ylim=(height, 0))
        self.page.set_axis_off()

    def axes(self, left: float, top: float, width: float, height: float):
        """Axes with that rectangle as the frame of the data."""
        return self._figure.add_axes((left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height))

    def name(self, artist, name: str, hint: str = "") -> None:
        """Makes `name` the data-mark attribute of what the artist draws; `hint` appears where the pointer rests on it."""
        artist.set_gid(name)
        self._hints[name] = clean(hint)

    def text(self, x: float, y: float, text: object, width: float, lines: int = 1, anchor: str = "left", size: float = SMALL,
             colour: str = INK, bold: bool = False, upwards: bool = False) -> None:
        """Text with its first baseline at y, cut to the width; where it was cut, all of it is the hint."""
        found = fitted(text, width, lines, size)
        for index, line in enumerate(found):
            # One artist a line: matplotlib aligns only those of one line in a way that holds for every font.
            artist = self.page.text(x, y + index * LEADING, line, ha=anchor, va="baseline", fontsize=size, color=colour,
                                    fontweight="bold" if bold else "normal", rotation=90 if upwards else 0, rotation_mode="anchor")
            if found[-1].endswith("…"):
                self.name(artist, f"text {len(self._hints)}", str(text))

    def title(self, text: object, below: object) -> None:
        """The first lines of the sheet; they take `title_height`."""
        self.text(0, 15, text, self.width, size=NORMAL + 1, bold=True)
        self.text(0, 33, below, self.width, lines=3)

    def box(self, left: float, top: float, width: float, height: float, name: str = "", hint: str = "", **look) -> None:
        from matplotlib.patches import Rectangle

        patch = self.page.add_patch(Rectangle((left, top), width, height, clip_on=False, **{"linewidth": 0, **look}))
        if name:
            self.name(patch, name, hint)

    def key(self, left: float, top: float, entries: Entries) -> None:
        """The marks of the entries, each before its text, in as many rows as they need."""
        for (text, style), (x, row, width) in zip(entries, _flow(entries, self.width - left)):
            self.page.plot(left + x + 7, top + row * _ROW + 8, **mark(style, 9))
            self.text(left + x + _MARK, top + row * _ROW + 12, text, width)

    def svg(self, says: str) -> str:
        """The drawing as an <svg> element; `says` tells in words what it shows."""
        return as_svg(self._figure, clean(says), self._hints)


def mark(style: Style, size: float) -> dict:
    """What makes `plot` draw the marks of a style."""
    return {"linestyle": "none", "clip_on": False, "marker": style.marker, "markersize": size, "markerfacecolor": style.colour,
            "markeredgecolor": INK, "markeredgewidth": 0.7}  # fmt: skip


def title_height(below: object, width: float) -> float:
    return 25 + LEADING * len(fitted(below, width, 3))


def key_height(entries: Entries, width: float) -> float:
    return (1 + max(row for _, row, _ in _flow(entries, width))) * _ROW + 8 if entries else 0


def _flow(entries: Entries, width: float) -> list[tuple[float, int, float]]:
    """Left end, row and width of the text of every entry, px."""
    places, x, row = [], 0.0, 0
    for text, _ in entries:
        room = min(width_of(text) + 4, width - _MARK)
        if x and x + _MARK + room > width:
            x, row = 0.0, row + 1
        places.append((x, row, room))
        x += _MARK + room + _GAP
    return places
