"""How the charts look: colours, markers, sizes, and text cut to the room it has."""
from __future__ import annotations

import textwrap
import unicodedata
from contextlib import contextmanager
from typing import Iterable, Iterator, NamedTuple

INK, SOFT, LINE = "#1b1f24", "#4a5360", "#c9ced6"  # as in the page
SMALL, NORMAL, LEADING = 12, 13, 15  # px: of numbers and notes, of names; between two lines of text

# Okabe and Ito's colours, which the colour-blind can tell apart, with grey for black; every one goes with a shape of its own,
# so that a print in grey can be read too.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#999999")
_MARKERS = ("o", "s", "^", "D", "P", "v", "X", "p")
_OF_GROUPS = (5, 4, 7, 6, 3, 2, 1, 0)  # what groups take first, lest they be confused with methods beside them
_LETTER = 0.6  # mean width of a letter over the font size, of wide fonts; the page's own is not known here


class Style(NamedTuple):
    colour: str
    marker: str


@contextmanager
def drawing() -> Iterator[None]:
    """Within: matplotlib's defaults with ours, whatever the user's matplotlibrc says; afterwards everything is as before."""
    import warnings

    import matplotlib

    defaults = {key: value for key, value in matplotlib.rcParamsDefault.items() if key != "backend"}
    with warnings.catch_warnings(), matplotlib.rc_context():
        warnings.simplefilter("ignore")  # such as letters that matplotlib's font lacks: it only measures, the browser draws
        matplotlib.rcParams.update({**defaults, **_SETTINGS})
        yield


_SETTINGS = {
    "svg.fonttype": "none", "svg.hashsalt": "charts",
    "text.parse_math": False,  # "$" is a letter like any other
    "text.color": INK, "font.size": SMALL,
    "axes.edgecolor": SOFT, "axes.linewidth": 0.8, "axes.spines.top": False, "axes.spines.right": False,
    "axes.facecolor": "none", "axes.labelsize": NORMAL, "axes.labelcolor": INK,
    "xtick.color": SOFT, "ytick.color": SOFT, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "xtick.labelsize": SMALL, "ytick.labelsize": SMALL, "lines.solid_capstyle": "butt", "path.simplify": False,
}  # fmt: skip


def styles(names: Iterable[str], of_groups: bool = False) -> dict[str, Style]:
    """{name: its colour and marker}, by position; unique for up to 64 names, by colour alone for up to 8."""
    order = _OF_GROUPS if of_groups else range(8)
    colours, markers = [_COLOURS[place] for place in order], [_MARKERS[place] for place in order]
    return {name: Style(colours[index % 8], markers[(index + index // 8) % 8]) for index, name in enumerate(names)}


def tint(colour: str, share: float) -> str:
    """The colour mixed with white: share 0 is the colour, 1 is white."""
    return "#" + "".join(f"{round(int(colour[at:at + 2], 16) * (1 - share) + 255 * share):02x}" for at in (1, 3, 5))


def ink_on(rgb: Iterable[float]) -> str:
    """White or the ink, whichever has the higher contrast (WCAG 2) on a colour of three parts from 0 to 1."""
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb]
    luminance = 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    return "#ffffff" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.06 else INK


def clean(text: object) -> str:
    """The text in one line, without the control characters that XML forbids and those that turn the direction of writing."""
    line = " ".join(str(text).split())
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in line)


def width_of(text: object, size: float = SMALL) -> float:
    """About how wide the text is, px; rather too much than too little."""
    return size * sum(1.0 if unicodedata.east_asian_width(letter) in "WF" else _LETTER for letter in clean(text))


def fitted(text: object, width: float, lines: int = 1, size: float = SMALL) -> list[str]:
    """The text in at most so many lines of a width in px; an ellipsis ends what did not fit."""
    line = clean(text)
    letters = max(4, int(width * len(line) / width_of(line, size) + 1e-6)) if line else 4
    found = textwrap.wrap(line, letters) or [""]
    if len(found) > lines:
        found = found[:lines]
        found[-1] = found[-1][:letters - 1].rstrip() + "…"
    return found


def listed(names: Iterable[object]) -> str:
    return ", ".join(clean(name) for name in names)
