"""The chart of the study: how far the risks lie apart, year by year."""
from __future__ import annotations

import math
from collections.abc import Sequence

from LTDiffStandardizeLib.report.charts.sheet import Sheet, key_height, mark, title_height
from LTDiffStandardizeLib.report.charts.style import INK, LINE, NORMAL, drawing, styles
from LTDiffStandardizeLib.report.markup import interval, number

from .differences import PAIRS
from .sybil import YEARS

WIDTH, LEFT, HEIGHT, FOOT = 620, 64, 260, 46  # px
BESIDE = 0.22  # years between the marks of a year


def difference_chart(rows: Sequence[dict], labels: Sequence[str]) -> str:
    """An <svg> of the mean |difference| of each of `PAIRS` by year, in percentage points, with 90 % intervals.

    rows: of `difference_rows`. labels: of the pairs. Needs matplotlib; see `report.charts.available`.
    """
    below = f"Risk of lung cancer within so many years; whiskers: 90 % interval; {rows[0]['n_patients']} patients"
    with drawing():
        key = list(zip(labels, styles(labels).values()))
        key_top = title_height(below, WIDTH) + 2
        top = key_top + key_height(key, WIDTH - LEFT) + 12
        sheet = Sheet(WIDTH, top + HEIGHT + FOOT)
        sheet.title("Mean |difference| of the predicted risk", below)
        sheet.key(LEFT, key_top, key)
        axes = sheet.axes(LEFT, top, WIDTH - LEFT - 8, HEIGHT)
        highest = max(value for row in rows for value in (row["mean_absolute_difference"], row["high"]) if math.isfinite(value))
        axes.set(xlim=(0.5, len(YEARS) + 0.5), ylim=(0, 105 * highest or 1), xticks=YEARS)
        axes.grid(axis="y", color=LINE, linewidth=0.6)
        sheet.text(14, top + HEIGHT / 2, "Percentage points", HEIGHT, anchor="center", size=NORMAL, upwards=True)
        sheet.text(LEFT + (WIDTH - LEFT) / 2, top + HEIGHT + 38, "Years", 100, anchor="center", size=NORMAL)
        for place, (pair, (label, look)) in enumerate(zip(PAIRS, key)):
            for year in YEARS:
                row = next(row for row in rows if row["years"] == str(year) and (row["first"], row["second"]) == pair)
                _point(sheet, axes, year + BESIDE * (place - 1), row, look, f"{label}, {year} years")
        return sheet.svg(f"Mean absolute difference of the predicted risk in percentage points by year for {'; '.join(labels)}.")


def _point(sheet: Sheet, axes, x: float, row: dict, look, name: str) -> None:
    mean, low, high = (100 * row[key] for key in ("mean_absolute_difference", "low", "high"))
    if math.isfinite(low):
        axes.plot((x, x), (low, high), color=INK, linewidth=1.2, marker="_", markersize=6, zorder=2, clip_on=False)
    sheet.name(axes.plot(x, mean, zorder=3, **mark(look, 8))[0], name, f"{name}: {number(mean)} ({interval(low, high)})")
