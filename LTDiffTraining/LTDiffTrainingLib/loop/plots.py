"""How a training went, as one drawing: the losses of every phase, and the CCC of every feature class beside the best filter's."""
from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from LTDiffStandardizeLib.report.charts import available
from LTDiffStandardizeLib.report.charts.sheet import Sheet, key_height, mark, title_height
from LTDiffStandardizeLib.report.charts.style import LINE, NORMAL, SOFT, Style, drawing, styles
from LTDiffStandardizeLib.report.markup import number
from LTDiffStandardizeLib.volumes.atomic import file_aside

from .logs import LOG, VALIDATION

FIGURE = "training.svg"
WIDTH, LEFT, BETWEEN, HEAD, FOOT = 900, 46, 56, 34, 46  # px: sheet; numbers of the y axes; between, above and below panels
LOSSES, CCC = (3, 150), (2, 210)  # panels in a row, and their height in px
POINTS = 200  # of a curve: what is told more often is averaged
BELOW = ("Each phase has its losses; steps count anew in it. CCC: mean over the features of a class, on one held-out phantom, "
         "with the averaged weights; dashed: the best filter.")  # fmt: skip

Curve = list[tuple[int, float]]
"""(step, value), by step."""
Losses = dict[str, dict[str, Curve]]
"""{phase: {name: curve}}, phases in the order of their training."""
Agreement = dict[str, dict[str, dict[str, Curve]]]
"""{regions: {feature class: {phase: curve of the CCC}}}."""
Filters = dict[tuple[str, str], float]
"""{(regions, feature class): the best filter's CCC}."""


def write_training_figure(folder: Path, report: Callable[[str], None] = print) -> Path | None:
    """Draw `folder`/training.svg from the log.csv and validation.csv there.

    Returns its path; None, with a sentence to `report`, where matplotlib is missing or nothing was logged.
    """
    losses, (there, why_not) = read_losses(folder / LOG), available()
    if not there or not losses:
        report(why_not or f"{folder / LOG} holds no losses yet, so there is nothing to draw; train first.")
        return None
    figure = training_figure(losses, *read_agreement(folder / VALIDATION))
    with file_aside(folder / FIGURE, overwrite=True) as aside:
        aside.write_text(figure + "\n", encoding="utf-8", newline="\n")
    return folder / FIGURE


def read_losses(path: Path) -> Losses:
    """Of log.csv; empty where there is no such file."""
    losses: Losses = {}
    for row in _rows(path):
        losses.setdefault(row["phase"], {}).setdefault(row["name"], []).append((int(row["step"]), float(row["value"])))
    return losses


def read_agreement(path: Path) -> tuple[Agreement, Filters]:
    """Of validation.csv, in which filters have no phase; empty where there is no such file."""
    agreement: Agreement = {}
    filters: Filters = {}
    for row in _rows(path):
        regions, name, value = row["regions"], row["feature_class"], float(row["ccc"])
        if row["phase"]:
            agreement.setdefault(regions, {}).setdefault(name, {}).setdefault(row["phase"], []).append((int(row["step"]), value))
        elif math.isfinite(value):
            filters[regions, name] = max(value, filters.get((regions, name), -1.0))
    return agreement, filters


def training_figure(losses: Losses, agreement: Agreement, filters: Filters) -> str:
    """An <svg>: a panel of losses per phase, and a panel of CCC per kind of region. Needs matplotlib."""
    of_losses = styles(dict.fromkeys(name for curves in losses.values() for name in curves))
    of_classes = styles(dict.fromkeys(name for classes in agreement.values() for name in classes))
    with drawing():
        losses_top = title_height(BELOW, WIDTH) + 4 + key_height(list(of_losses.items()), WIDTH)
        ccc_key = losses_top + _height(len(losses), LOSSES)
        ccc_top = ccc_key + key_height(list(of_classes.items()), WIDTH)
        sheet = Sheet(WIDTH, ccc_top + _height(len(agreement), CCC))
        sheet.title("How the training went", BELOW)
        sheet.key(0, title_height(BELOW, WIDTH) + 4, list(of_losses.items()))
        for place, (phase, curves) in enumerate(losses.items()):
            _draw_losses(sheet, _box(place, losses_top, LOSSES), phase, curves, of_losses)
        sheet.key(0, ccc_key, list(of_classes.items()))
        starts = _starts(agreement)
        for place, (regions, classes) in enumerate(agreement.items()):
            best = {name: filters[regions, name] for name in classes if (regions, name) in filters}
            _draw_agreement(sheet, _box(place, ccc_top, CCC), regions, classes, best, starts, of_classes)
        return sheet.svg(_in_words(losses, agreement))


Box = tuple[float, float, float, float]
"""Left, top, width and height of the axes of a panel, px."""


def _height(panels: int, kind: tuple[int, int]) -> float:
    columns, height = kind
    return -(-panels // columns) * (HEAD + height + FOOT)


def _box(place: int, top: float, kind: tuple[int, int]) -> Box:
    columns, height = kind
    width = (WIDTH - LEFT - 12 - (columns - 1) * BETWEEN) / columns
    return LEFT + place % columns * (width + BETWEEN), top + place // columns * (HEAD + height + FOOT) + HEAD, width, height


def _panel(sheet: Sheet, box: Box, title: str, across: str):
    from matplotlib.ticker import MaxNLocator

    left, top, width, height = box
    axes = sheet.axes(*box)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}".replace(",", "\u202f"))
    axes.grid(axis="y", color=LINE, linewidth=0.6)
    sheet.text(left, top - 14, title, width, size=NORMAL, bold=True)
    sheet.text(left + width / 2, top + height + 34, across, width, anchor="center")
    return axes


def _draw_losses(sheet: Sheet, box: Box, phase: str, curves: Mapping[str, Curve], looks: Mapping[str, Style]) -> None:
    axes = _panel(sheet, box, phase, "Step")
    known = {name: _thinned(curve) for name, curve in curves.items()}
    values = [value for curve in known.values() for _, value in curve]
    if values and min(values) > 0:
        _logarithmic(axes)
    for name, curve in known.items():
        _draw(sheet, axes, curve, looks[name], f"{phase} {name}", f"{phase}, {name}")


def _logarithmic(axes) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _draw_agreement(sheet: Sheet, box: Box, regions: str, classes: Mapping[str, Mapping[str, Curve]], best: Mapping[str, float],
                    starts: Mapping[str, int], looks: Mapping[str, Style]) -> None:
    axes = _panel(sheet, box, f"CCC in {regions}", f"Step of {', then '.join(starts)}")
    curves = {name: _thinned([(starts[phase] + step, value) for phase, curve in phases.items() for step, value in curve])
              for name, phases in classes.items()}  # fmt: skip
    values = [value for curve in curves.values() for _, value in curve] + list(best.values())
    axes.set_ylim(math.floor(10 * min(values, default=0.0)) / 10, 1)
    for start in list(starts.values())[1:]:
        axes.axvline(start, color=SOFT, linewidth=0.8)
    for name, curve in curves.items():
        _draw(sheet, axes, curve, looks[name], f"{regions} {name}", f"{name} in {regions}")
        if name in best:
            line = axes.axhline(best[name], color=looks[name].colour, linewidth=1, dashes=(4, 3))
            sheet.name(line, f"filter {regions} {name}", f"best filter, {name} in {regions}: {number(best[name])}")


def _draw(sheet: Sheet, axes, curve: Curve, look: Style, name: str, hint: str) -> None:
    if curve:
        axes.plot(*zip(*curve), color=look.colour, linewidth=1.5)
        last, value = curve[-1]
        sheet.name(axes.plot(last, value, zorder=3, **mark(look, 7))[0], name, f"{hint}: {value:.4g} at step {last}")


def _starts(agreement: Agreement) -> dict[str, int]:
    """{phase: steps of those before it}; the last figures of a phase are of its end."""
    ends: dict[str, int] = {}
    for classes in agreement.values():
        for phases in classes.values():
            for phase, curve in phases.items():
                ends[phase] = max(ends.get(phase, 0), curve[-1][0])
    return dict(zip(ends, accumulate(ends.values(), initial=0)))


def _thinned(curve: Sequence[tuple[int, float]]) -> Curve:
    """The finite values, averaged in groups where there are more than POINTS."""
    known = [(step, value) for step, value in curve if math.isfinite(value)]
    size = -(-len(known) // POINTS) or 1
    groups = (known[first:first + size] for first in range(0, len(known), size))
    return [(group[-1][0], sum(value for _, value in group) / len(group)) for group in groups]


def _in_words(losses: Losses, agreement: Agreement) -> str:
    last = [f"{phase}, {name}: {curve[-1][1]:.4g} at step {curve[-1][0]}" for phase, curves in losses.items() for name, curve in curves.items()]
    ccc = [f"{name} in {regions} {number(list(phases.values())[-1][-1][1])}"
           for regions, classes in agreement.items() for name, phases in classes.items()]  # fmt: skip
    return f"Curves over the steps of the training. Last losses: {'; '.join(last)}." + (f" Last CCC: {'; '.join(ccc)}." if ccc else "")


def _rows(path: Path) -> Iterable[dict]:
    """Whole rows of a table that may be being written; none where there is no such file."""
    if not path.exists():
        return
    with path.open(newline="", encoding="utf-8") as stream:
        yield from (row for row in csv.DictReader(stream) if None not in row.values())
