"""Charts of one feature in every region: small multiples, one panel a method."""
from __future__ import annotations

import math
from typing import Mapping, Sequence

from ...radiomics.agreement import lin_ccc
from ..markup import number
from .pairs import Pairs, decimals, limits_of_agreement, paired, reach
from .panels import Panels
from .sheet import Sheet
from .style import INK, SMALL, SOFT, clean, drawing, listed

Values = Sequence[float]  # of one feature, one a region; NaN where undefined


def scatter(reference_values: Values, method_values: Mapping[str, Values], labels: Mapping[str, str], feature_name: str, unit: str = "",
            groups: Sequence[object] | None = None) -> str:
    """Each method against the standard, region by region, with the line of equality; the same equal axes in all panels.

    labels: {method: name}; a method has the same colour in every chart that gets the same `labels`. groups: of each region, such as
    its patient; two to eight of them are told apart by colour and marker. "" without regions or methods.
    """
    pairs, factor = paired(reference_values, method_values)
    if not pairs:
        return ""
    with drawing():
        panels = Panels(pairs, labels, groups, unit, factor, right=14)
        sheet = panels.sheet(feature_name, f"Each method against the standard in {_regions(pairs)}; line: equality.")
        ends = reach([values for pair in pairs for values in (pair.standard, pair.values)])
        for index, pair in enumerate(pairs):
            axes = panels.axes(sheet, index, ends, ends, f"CCC {_ccc(pair)}, {pair.counted()}")
            sheet.name(axes.plot(ends, ends, color=SOFT, linewidth=1, zorder=1)[0], f"equality {index}", "equality")
            panels.points(sheet, axes, index, pair.standard, pair.values)
        panels.axis_titles(sheet, "Standard", "Method")
        told = (f"{labels[pair.method]} {_ccc(pair)}" for pair in pairs)
        return sheet.svg(f"Scatter plots of {clean(feature_name)}. Each method against the standard in {_regions(pairs)}, one panel a "
                         f"method, with the line of equality. Concordance correlation coefficient: {listed(told)}.")  # fmt: skip


def bland_altman(reference_values: Values, method_values: Mapping[str, Values], labels: Mapping[str, str], feature_name: str,
                 unit: str = "", groups: Sequence[object] | None = None) -> str:
    """Method minus standard against the mean of both, region by region, with bias and 95 % limits of agreement.

    The limits are bias ± 1.96 SD (ddof 1) over the regions as if they were independent; without them where there are fewer than two.
    Arguments as of `scatter`.
    """
    pairs, factor = paired(reference_values, method_values)
    if not pairs:
        return ""
    limits = [limits_of_agreement(pair.differences()) for pair in pairs]
    with drawing():
        panels = Panels(pairs, labels, groups, unit, factor, right=50)
        sheet = panels.sheet(feature_name, f"Method minus standard against their mean in {_regions(pairs)}. Solid: bias; "
                                           "dashed: 95 % limits of agreement, bias ± 1.96 SD; dotted: no difference.")  # fmt: skip
        across = reach([pair.means() for pair in pairs])
        upwards = reach([*(pair.differences() for pair in pairs), *limits, (0.0,)])
        digits = decimals(upwards[1] - upwards[0])
        for index, (pair, lines) in enumerate(zip(pairs, limits)):
            axes = panels.axes(sheet, index, across, upwards, pair.counted())
            axes.plot(across, (0, 0), color=SOFT, linewidth=0.8, dashes=(1, 2), zorder=1)
            panels.points(sheet, axes, index, pair.means(), pair.differences())
            _limit_lines(sheet, axes, index, across, lines, digits)
        panels.axis_titles(sheet, "Mean of method and standard", "Method − standard")
        scale = f" ({factor})" if factor else ""
        told = (_limits_told(labels[pair.method], lines, digits) for pair, lines in zip(pairs, limits))
        return sheet.svg(f"Bland–Altman plots of {clean(feature_name)}. Method minus standard against the mean of both in "
                         f"{_regions(pairs)}, one panel a method. "
                         f"Bias and 95 % limits of agreement{scale}: {'; '.join(told)}.")  # fmt: skip


_LIMIT_NAMES = ("lower 95 % limit of agreement", "bias", "upper 95 % limit of agreement")


def _limit_lines(sheet: Sheet, axes, index: int, across: tuple[float, float], lines: Sequence[float], digits: int) -> None:
    """Bias and limits with their numbers on the right, moved apart where they would meet."""
    bottom, top = axes.get_ylim()
    height = axes.get_window_extent().height
    heights = [(value - bottom) / (top - bottom) * height for value in lines]
    heights[0], heights[2] = min(heights[0], heights[1] - 14), max(heights[2], heights[1] + 14)
    for value, at, name in zip(lines, heights, _LIMIT_NAMES):
        if not math.isfinite(value):
            continue
        dashes = {} if name == "bias" else {"dashes": (6, 3)}
        line = axes.plot(across, (value, value), color=INK, linewidth=1.3, zorder=3, clip_on=False, **dashes)[0]
        text = number(value, f".{digits}f")
        sheet.name(line, f"{name.split()[0]} {index}", f"{name}: {text}")
        axes.annotate(text, (1, 0), (4, at), xycoords="axes fraction", textcoords="offset points", va="center", fontsize=SMALL,
                      fontweight="bold" if name == "bias" else "normal", annotation_clip=False)  # fmt: skip


def _limits_told(label: str, lines: Sequence[float], digits: int) -> str:
    low, bias, high = (number(value, f".{digits}f") for value in lines)
    return f"{clean(label)} {bias} ({low} to {high})"


def _ccc(pair: Pairs) -> str:
    """As in the tables: undefined where a region has no value."""
    ccc = lin_ccc(pair.values, pair.standard) if len(pair.where) == pair.n_regions else math.nan
    return number(ccc) if math.isfinite(ccc) else "undefined"


def _regions(pairs: Sequence[Pairs]) -> str:
    return "1 region" if pairs[0].n_regions == 1 else f"{pairs[0].n_regions} regions"
