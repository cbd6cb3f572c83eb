"""Charts of the mean CCC of feature classes."""
from __future__ import annotations

import math
from typing import Mapping, Sequence

from ..markup import interval, number
from .sheet import Sheet, key_height, mark, title_height
from .style import INK, LEADING, LINE, NORMAL, SOFT, Style, clean, drawing, fitted, ink_on, listed, styles, tint, width_of

LEVELS = {0.85: (6, 3), 0.90: (6, 2, 1.5, 2)}  # reference lines: CCC and the dashes that tell them apart
Rows = Sequence[Mapping]  # of `agreement_table`
_UNKNOWN = {"ccc_mean": math.nan, "ccc_low": math.nan, "ccc_high": math.nan, "n_regions": 0}
_MEAN = "Mean CCC with the standard"


def ccc_bars(rows: Rows, methods: Sequence[str], labels: Mapping[str, str], range_label: str, range_name: str = "") -> str:
    """Mean CCC per feature class (groups) and method (bars) in one HU range, with 90 % intervals; "" where it has no rows.

    labels: {method: name}; a method has the same colour in every chart that gets the same `labels`.
    range_name: what to call the range, else its label.
    """
    cells = {(row["feature_class"], row["method"]): row for row in rows if row["regions"] == range_label and row["method"] in methods}
    if not cells:
        return ""
    classes, looks = list(dict.fromkeys(name for name, _ in cells)), styles(labels)
    key = [(labels[method], looks[method]) for method in methods]
    below = f"{_MEAN}; whiskers: 90 % interval; {_counted(cells.values())}{_dash_told(cells.values())}"
    with drawing():
        width = min(900, max(560, _LEFT + _RIGHT + len(classes) * (24 + 22 * len(methods))))
        key_top = title_height(below, width) + 2
        top = key_top + key_height(key, width - _LEFT) + 8
        sheet = Sheet(width, top + _HEIGHT + 40)
        sheet.title(range_name or range_label, below)
        sheet.key(_LEFT, key_top, key)
        axes = _bar_axes(sheet, top, _lowest(cells.values()), len(classes))
        pitch = (width - _LEFT - _RIGHT) / len(classes)
        share = min(0.8 / len(methods), 40 / pitch)  # of a bar in the room of its class
        for place, feature_class in enumerate(classes):
            sheet.text(_LEFT + pitch * (place + 0.5), top + _HEIGHT + 18, feature_class, pitch - 8, lines=2, anchor="center")
            for index, method in enumerate(methods):
                row = cells.get((feature_class, method), _UNKNOWN)
                middle = place + share * (index - (len(methods) - 1) / 2)
                _bar(sheet, axes, f"{index} {place}", middle, share, row, looks[method], f"{labels[method]}, {feature_class}: {_told(row)}")
        return sheet.svg(f"Bar chart. {_MEAN} and its 90 % interval in {range_name or range_label} for the feature classes "
                         f"{listed(classes)} and the methods {listed(labels[method] for method in methods)}; lines mark 0.85 and 0.90. "
                         f"Highest: {'; '.join(_best(feature_class, cells, methods, labels) for feature_class in classes)}.")  # fmt: skip


def heat_map(rows: Rows, methods: Sequence[str], labels: Mapping[str, str], ranges: Sequence[str],
             range_names: Mapping[str, str] | None = None) -> str:
    """Mean CCC as coloured cells with their number: a row per HU range and feature class, a column per method; "" without rows.

    range_names: {HU range: what to call it}, for those that have a name besides their label.
    """
    cells = {(row["regions"], row["feature_class"], row["method"]): row["ccc_mean"] for row in rows
             if row["regions"] in ranges and row["method"] in methods}  # fmt: skip
    if not cells:
        return ""
    classes = {label: list(dict.fromkeys(name for hu_range, name, _ in cells if hu_range == label)) for label in ranges}
    classes = {label: names for label, names in classes.items() if names}
    named = {label: (range_names or {}).get(label, label) for label in classes}
    with drawing():
        first = 150 + min(140, max(width_of(name) for names in classes.values() for name in names) + 20)
        step = min(104, (900 - first) / len(methods))
        sheet = Sheet(max(480, first + step * len(methods)), _HEAD + sum(24 * len(names) + 10 for names in classes.values()) + 50)
        sheet.title(f"{_MEAN} at a glance", "Each cell: mean over the features of a class.")
        for index, method in enumerate(methods):
            _column_head(sheet, first + step * (index + 0.5), labels[method], step - 6)
        y, line = _HEAD, 0
        for label, names in classes.items():
            sheet.text(0, y + 16, named[label], 140, lines=min(len(names), 3), bold=True)
            for feature_class in names:
                sheet.text(150, y + 16, feature_class, first - 150 - 8)
                for index, method in enumerate(methods):
                    value = cells.get((label, feature_class, method), math.nan)
                    _cell(sheet, f"{line} {index}", first + step * index, y, step - 2, value,
                          f"{labels[method]}, {feature_class}, {named[label]}: {number(value)}")  # fmt: skip
                y, line = y + 24, line + 1
            y += 10
        _colour_bar(sheet, first, y + 6)
        return sheet.svg(_heat_says(cells, named.values(), [labels[method] for method in methods]))


_LEFT, _RIGHT, _HEIGHT = 52, 44, 300  # px: numbers of the axis; numbers of the reference lines; the bars
_HEAD = 100  # px above the cells


def _bar_axes(sheet: Sheet, top: float, lowest: float, groups: int):
    axes = sheet.axes(_LEFT, top, sheet.width - _LEFT - _RIGHT, _HEIGHT)
    axes.set(xlim=(-0.5, groups - 0.5), ylim=(lowest, 1), xticks=[])
    sheet.text(14, top + _HEIGHT / 2, "Mean CCC", _HEIGHT, anchor="center", size=NORMAL, upwards=True)
    axes.set_yticks([round(0.2 * step, 1) for step in range(round(5 * lowest), 6)])
    axes.yaxis.set_major_formatter(lambda value, _: number(value, ".1f"))
    axes.spines["bottom"].set_position(("data", 0))
    across = (-0.5, groups - 0.5)
    for level in axes.get_yticks():
        axes.plot(across, (level, level), color=LINE, linewidth=0.6, zorder=0.5, clip_on=False)
    below = top + _HEIGHT + 99.0
    for level, dashes in LEVELS.items():
        line = axes.plot(across, (level, level), color=INK, linewidth=1, dashes=dashes, zorder=2.5, clip_on=False)[0]
        sheet.name(line, f"level {level:.2f}", f"CCC of {level:.2f}")
        below = min(below - 13, top + _HEIGHT * (1 - level) / (1 - lowest) + 4)  # the numbers must not meet
        sheet.text(sheet.width - _RIGHT + 6, below, f"{level:.2f}", 40)
    return axes


def _bar(sheet: Sheet, axes, name: str, middle: float, width: float, row: Mapping, look: Style, hint: str) -> None:
    """One bar with its marker and whisker; a dash where the mean is undefined, no whisker where its interval is."""
    from matplotlib.patches import Rectangle

    mean, low, high = row["ccc_mean"], row["ccc_low"], row["ccc_high"]
    if not math.isfinite(mean):
        dash = axes.annotate("–", (middle, 0), (0, 4), textcoords="offset points", ha="center", color=SOFT, fontweight="bold")
        sheet.name(dash, f"undefined {name}", hint)
        return
    bar = Rectangle((middle - 0.46 * width, 0), 0.92 * width, mean, facecolor=tint(look.colour, 0.35), edgecolor=look.colour,
                    linewidth=1, clip_on=False)  # fmt: skip
    sheet.name(axes.add_patch(bar), f"bar {name}", hint)
    if math.isfinite(low) and math.isfinite(high):
        whisker = axes.plot((middle, middle), (low, high), color=INK, linewidth=1.3, marker="_", markersize=6, zorder=3, clip_on=False)[0]
        sheet.name(whisker, f"whisker {name}", hint)
    point = axes.plot(middle, mean, zorder=4, **mark(look, 7))[0]
    sheet.name(point, f"mean {name}", hint)


def _column_head(sheet: Sheet, middle: float, label: str, width: float) -> None:
    lines = len(fitted(label, width, 3))
    sheet.text(middle, _HEAD - 8 - LEADING * (lines - 1), label, width, lines=3, anchor="center")


def _cell(sheet: Sheet, name: str, left: float, top: float, width: float, value: float, hint: str) -> None:
    """A coloured cell with its number, or an outlined one with a dash where it is undefined."""
    if math.isfinite(value):
        colour = _heat(value)
        sheet.box(left, top, width, 22, f"cell {name}", hint, facecolor=colour)
        ink = ink_on(colour[:3])
    else:
        sheet.box(left, top, width, 22, f"undefined {name}", hint, facecolor="none", edgecolor=SOFT, linewidth=0.7, linestyle=(0, (3, 2)))
        ink = SOFT
    sheet.text(left + width / 2, top + 15.5, number(value), width, anchor="center", colour=ink)


def _heat(value: float):
    import matplotlib

    return matplotlib.colormaps["cividis"](min(max(value, 0.0), 1.0))


def _colour_bar(sheet: Sheet, left: float, top: float) -> None:
    steps, length = 50, 200
    sheet.text(left - 12, top + 10, "Mean CCC", 140, anchor="right")
    for step in range(steps):  # each reaches under the next, so that no seam shows
        wide = length / steps * (1 if step == steps - 1 else 1.5)
        sheet.box(left + length * step / steps, top, wide, 12, facecolor=_heat((step + 0.5) / steps))
    for value, text in ((0, "≤ 0"), (0.5, "0.5"), (1, "1")):
        sheet.text(left + length * value, top + 26, text, 60, anchor="center")
    sheet.text(left + length + 24, top + 10, "–  undefined", 120)


def _lowest(rows) -> float:
    """The lower end of the axis: 0, or below all that is drawn."""
    known = [row for row in rows if math.isfinite(row["ccc_mean"])]
    drawn = [row[key] for row in known for key in ("ccc_mean", "ccc_low") if math.isfinite(row[key])]
    return min(0.0, math.floor(5 * min(drawn, default=0.0)) / 5)


def _counted(rows) -> str:
    numbers = sorted({row["n_regions"] for row in rows})
    return f"{numbers[0]} regions" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]} regions"


def _dash_told(rows) -> str:
    return "" if all(math.isfinite(row["ccc_mean"]) for row in rows) else "; –: undefined"


def _told(row: Mapping) -> str:
    if not math.isfinite(row["ccc_mean"]):
        return "undefined"
    return f"{number(row['ccc_mean'])} ({interval(row['ccc_low'], row['ccc_high'])})"


def _best(feature_class: str, cells: Mapping, methods: Sequence[str], labels: Mapping[str, str]) -> str:
    values = {method: cells.get((feature_class, method), _UNKNOWN)["ccc_mean"] for method in methods}
    known = {method: value for method, value in values.items() if math.isfinite(value)}
    if not known:
        return f"{clean(feature_class)} undefined"
    best = max(known, key=known.get)
    return f"{clean(feature_class)} {clean(labels[best])} {number(known[best])}"


def _heat_says(cells: Mapping, ranges, methods: Sequence[str]) -> str:
    values = [value for value in cells.values() if math.isfinite(value)]
    spread = f"from {number(min(values))} to {number(max(values))}" if values else "all undefined"
    return (f"Heat map. {_MEAN}, {spread}, for the HU ranges {listed(ranges)} by feature class (rows) and the methods {listed(methods)} "
            f"(columns); every cell holds its number, {len(cells) - len(values)} are undefined.")  # fmt: skip
