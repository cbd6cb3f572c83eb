"""The charts of the report: they show what the numbers say, stand alone in the page, and no text of a caller becomes markup."""
import math
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed, without which the report has no charts")

from LTDiffStandardizeLib.radiomics.agreement import lin_ccc  # noqa: E402
from LTDiffStandardizeLib.report.charts import available, bland_altman, ccc_bars, heat_map, scatter  # noqa: E402
from LTDiffStandardizeLib.report.charts.style import fitted, ink_on, styles  # noqa: E402

NAN = float("nan")
SVG = "{http://www.w3.org/2000/svg}"
LABELS = {"none": "B40f as it is", "power": "power spectrum", "ltdiff": "LTDiff++"}
CLASSES, RANGES = ("GOH", "GLCM", "NID"), ("[-800,-300]", "[-100,250]")
HOSTILE = "<script>alert(\"1\")</script> & ' $\\frac{1}{2}$ $x $title"
REFERENCE = np.random.default_rng(5).normal(40, 12, 30)
VALUES = {method: REFERENCE * slope + np.random.default_rng(seed).normal(0, 4, 30)
          for seed, (method, slope) in enumerate(zip(LABELS, (0.5, 0.8, 1.0)))}  # fmt: skip
GROUPS = ["A"] * 10 + ["B"] * 12 + ["C"] * 8


def agreement(labels=LABELS, **special):
    """Rows of the agreement table with means that rise with the method; special: {"method_class": mean}."""
    rows = []
    for index, method in enumerate(labels):
        for hu_range in RANGES:
            for place, name in enumerate(CLASSES):
                mean = special.get(f"{method}_{name}", 0.4 + 0.5 * index / len(labels) + 0.02 * place)
                rows.append({"method": method, "regions": hu_range, "feature_class": name, "ccc_mean": mean, "ccc_low": mean - 0.1,
                             "ccc_high": mean + 0.05, "n_regions": 36})  # fmt: skip
    return rows


def all_charts(labels=LABELS, name="Contrast", unit="HU", groups=GROUPS, rows=None):
    rows, methods = agreement(labels) if rows is None else rows, list(labels)
    values = dict(zip(labels, [VALUES["none"]] * len(labels)))
    return [ccc_bars(rows, methods, labels, RANGES[0]), heat_map(rows, methods, labels, RANGES),
            scatter(REFERENCE, values, labels, name, unit, groups),
            bland_altman(REFERENCE, values, labels, name, unit, groups)]  # fmt: skip


class Chart:
    """What a chart holds: its marks by name, its lines of text."""

    def __init__(self, svg):
        self.root = ElementTree.fromstring(svg)
        self.marks = {group.get("data-mark"): group for group in self.root.iter(f"{SVG}g")}
        self.lines = [text.text for text in self.root.iter(f"{SVG}text")]
        self.width, self.height = (float(part) for part in self.root.get("viewBox").split()[2:])

    def named(self, start):
        return {name: mark for name, mark in self.marks.items() if name.startswith(start + " ")}

    def shapes(self, name):
        """The paths of a mark, each as an array of points (x, y)."""
        return [_points(path) for path in self.marks[name].iter(f"{SVG}path")]

    def hint(self, name):
        return self.marks[name].find(f"{SVG}title").text

    def colour(self, name):
        return re.search(r"fill:(#\w+)", ElementTree.tostring(self.marks[name], encoding="unicode"))[1]


def _points(path):
    moved = [float(part) for part in re.findall(r"-?[\d.]+", path.get("transform", "translate(0 0)"))]
    return np.array([float(part) for part in re.findall(r"-?[\d.]+", path.get("d"))]).reshape(-1, 2) + moved


def centre(points):
    return (points.min(axis=0) + points.max(axis=0)) / 2


def height_of(chart, ccc):
    """Where a CCC lies in a bar chart, from its reference lines; y runs down."""
    at_085, at_090 = (chart.shapes(f"level {level}")[0][0, 1] for level in ("0.85", "0.90"))
    return at_085 + (ccc - 0.85) / 0.05 * (at_090 - at_085)


def test_a_chart_is_shapes_and_text_and_needs_nothing_else():
    for svg in all_charts():
        elements = list(ElementTree.fromstring(svg).iter())
        assert {element.tag.replace(SVG, "") for element in elements} == {"svg", "g", "path", "text", "title"}
        attributes = {name for element in elements for name in element.attrib}
        assert attributes <= {"class", "viewBox", "role", "aria-label", "style", "data-mark", "d", "transform", "x", "y"}
        assert svg.startswith("<svg ") and "url(" not in svg and "font-family" not in svg


def test_a_chart_fits_its_column_and_says_in_words_what_it_shows():
    for svg, word in zip(all_charts(), ("Bar chart", "Heat map", "Scatter plots", "Bland–Altman plots")):
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img" and root.get("aria-label").startswith(word)
        assert all(label in root.get("aria-label") for label in LABELS.values())
        assert "width:100%" in root.get("style") and "max-width" in root.get("style")


def test_text_from_headers_cannot_become_markup_nor_a_formula():
    for svg in all_charts(dict.fromkeys(LABELS, HOSTILE), HOSTILE, HOSTILE, [HOSTILE, "B", "C"] * 10):
        chart = Chart(svg)
        assert "<script" not in svg and not list(chart.root.iter("script"))
        assert HOSTILE in chart.root.get("aria-label")
        whole = [*chart.lines, *(title.text for title in chart.root.iter(f"{SVG}title"))]
        assert any(HOSTILE in text for text in whole)


def test_characters_that_xml_forbids_are_replaced():
    bad = "kernel\x00\x1b[31m\ud800\u202e B40f\nsecond line"
    for svg in all_charts(dict.fromkeys(LABELS, bad), bad, bad, [bad] * 30):
        label = Chart(svg.encode("utf-8")).root.get("aria-label")
        assert "B40f second line" in label and not re.search("[\x00\x1b\u202e]", label)


def test_the_same_numbers_give_the_same_bytes_whatever_the_settings_of_the_user():
    before = all_charts()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "text.usetex": True, "svg.fonttype": "path"}):
        own = dict(matplotlib.rcParams)
        assert all_charts() == before
        assert dict(matplotlib.rcParams) == own


def test_matplotlib_is_imported_only_to_draw_and_without_its_windows():
    code = ("import sys; sys.path[:0] = {path!r}; from LTDiffStandardizeLib.report import charts; assert 'matplotlib' not in sys.modules; "
            "assert charts.scatter([1.0], dict(a=[2.0]), dict(a='A'), 'Mean'); assert 'matplotlib.pyplot' not in sys.modules")  # fmt: skip
    subprocess.run([sys.executable, "-c", code.format(path=sys.path)], check=True, timeout=120)


def test_without_matplotlib_a_sentence_says_what_is_missing(monkeypatch):
    assert available() == (True, "")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    there, sentence = available()
    assert not there and "matplotlib" in sentence and sentence.endswith(".")


def test_what_has_no_rows_or_regions_has_no_chart():
    assert all_charts(rows=[])[:2] == ["", ""]
    assert ccc_bars(agreement(), list(LABELS), LABELS, "[300,800]") == heat_map(agreement(), list(LABELS), LABELS, []) == ""
    for draw in (scatter, bland_altman):
        assert draw([], {"none": []}, LABELS, "Mean") == draw([1.0], {}, LABELS, "Mean") == ""


def test_eight_methods_are_told_apart_by_colour_and_by_shape():
    for of_groups in (False, True):
        looks = styles(map(str, range(64)), of_groups)
        assert len({look.colour for look in list(looks.values())[:8]}) == len({look.marker for look in list(looks.values())[:8]}) == 8
        assert len(set(looks.values())) == 64
    labels = {str(number): f"method {number}" for number in range(8)}
    bars = Chart(ccc_bars(agreement(labels), list(labels), labels, RANGES[0]))
    assert len({bars.colour(f"bar {index} 0") for index in range(8)}) == 8
    assert len({path.get("d") for index in range(8) for path in bars.marks[f"mean {index} 0"].iter(f"{SVG}path")}) == 8


def test_a_method_keeps_its_colour_where_others_are_left_out():
    few = Chart(ccc_bars(agreement(), ["ltdiff"], LABELS, RANGES[0]))
    assert few.colour("bar 0 0") == Chart(all_charts()[0]).colour("bar 2 0")


def test_there_is_a_bar_a_marker_and_a_whisker_for_every_class_and_method():
    chart = Chart(all_charts()[0])
    assert len(chart.named("bar")) == len(chart.named("mean")) == len(chart.named("whisker")) == len(CLASSES) * len(LABELS)
    assert set(CLASSES) | set(LABELS.values()) <= set(chart.lines)
    assert chart.hint("bar 2 1") == "LTDiff++, GLCM: 0.75 (0.65 to 0.80)"


def test_bars_and_whiskers_end_where_the_numbers_say():
    chart = Chart(ccc_bars(agreement(none_GOH=-0.25), list(LABELS), LABELS, RANGES[0]))
    for name, mean in (("2 1", 0.4 + 1 / 3 + 0.02), ("0 0", -0.25)):
        bar, whisker = chart.shapes(f"bar {name}")[0], chart.shapes(f"whisker {name}")[0]
        expected = [height_of(chart, value) for value in (mean, 0, mean - 0.1, mean + 0.05)]
        assert sorted(set(bar[:, 1])) == pytest.approx(sorted(expected[:2]), abs=0.3)
        assert whisker[:, 1] == pytest.approx(expected[2:], abs=0.3)
        assert whisker[:, 0] == pytest.approx(centre(bar)[0], abs=0.1)
        assert centre(chart.shapes(f"mean {name}")[0]) == pytest.approx([whisker[0, 0], expected[0]], abs=0.3)
    assert "−0.4" in chart.lines and "−0.6" not in chart.lines


def test_the_axis_of_the_bars_starts_at_zero_unless_something_is_below():
    assert not any(line.startswith("−") for line in Chart(all_charts()[0]).lines)


def test_an_undefined_mean_has_a_dash_and_no_bar_and_an_undefined_interval_no_whisker():
    rows = agreement(none_GLCM=NAN)
    rows[0]["ccc_low"] = NAN
    chart = Chart(ccc_bars(rows, list(LABELS), LABELS, RANGES[0]))
    assert list(chart.named("undefined")) == ["undefined 0 1"] and "bar 0 1" not in chart.marks
    assert "bar 0 0" in chart.marks and "whisker 0 0" not in chart.marks
    assert any("–: undefined" in line for line in chart.lines)
    nothing = Chart(ccc_bars([{**row, "ccc_mean": NAN, "ccc_low": NAN, "ccc_high": NAN} for row in rows], list(LABELS), LABELS, RANGES[0]))
    assert len(nothing.named("undefined")) == len(CLASSES) * len(LABELS) and not nothing.named("bar")


def test_the_heat_map_prints_every_number_on_its_colour():
    rows = agreement(none_GOH=-0.3, power_GOH=0.0, ltdiff_GOH=1.0, none_NID=NAN)
    chart = Chart(heat_map(rows, list(LABELS), LABELS, RANGES, {RANGES[0]: "lung"}))
    assert len(chart.named("cell")) == len(RANGES) * len(CLASSES) * len(LABELS) - 2
    assert len(chart.named("undefined")) == chart.lines.count("–") == 2
    assert chart.lines.count("−0.30") == 2 and {"lung", RANGES[1], *CLASSES, "LTDiff++"} <= set(chart.lines)
    assert chart.colour("cell 0 0") == chart.colour("cell 0 1") == "#00224e" and chart.colour("cell 0 2") == "#fee838"
    assert chart.hint("cell 0 2") == "LTDiff++, GOH, lung: 1.00"


def test_text_on_a_colour_is_white_on_dark_and_dark_on_light():
    assert ink_on((0, 0.13, 0.3)) == "#ffffff" and ink_on((1, 0.9, 0.2)) == "#1b1f24"


def test_every_region_is_a_point_in_the_look_of_its_group():
    for draw in (scatter, bland_altman):
        plain, grouped = (Chart(draw(REFERENCE, VALUES, LABELS, "Contrast", "HU", groups)) for groups in (None, GROUPS))
        assert [len(plain.shapes(f"points {panel} 0")) for panel in range(3)] == [30, 30, 30]
        assert len({plain.colour(f"points {panel} 0") for panel in range(3)}) == 3
        assert [len(grouped.shapes(f"points 1 {group}")) for group in range(3)] == [10, 12, 8]
        assert {"A", "B", "C"} <= set(grouped.lines) and grouped.hint("points 1 2") == "C"


@pytest.mark.parametrize("groups", [["one"] * 30, [f"patient {number}" for number in range(30)]])
def test_one_group_or_too_many_are_not_told_apart(groups):
    chart = Chart(scatter(REFERENCE, VALUES, LABELS, "Contrast", "HU", groups))
    assert len(chart.shapes("points 0 0")) == 30 and groups[0] not in chart.lines


def test_the_points_of_the_scatter_plot_lie_by_the_line_of_equality():
    chart = Chart(scatter(REFERENCE, VALUES, LABELS, "Contrast"))
    (left, bottom), (right, top) = chart.shapes("equality 2")[0]
    assert right - left == pytest.approx(bottom - top, abs=0.1)
    points = np.array([centre(shape) for shape in chart.shapes("points 2 0")])
    unit = np.ptp(points[:, 0]) / np.ptp(REFERENCE)  # px
    above = ((bottom - points[:, 1]) - (points[:, 0] - left)) / unit
    assert above == pytest.approx(VALUES["ltdiff"] - REFERENCE, abs=0.1)
    assert f"CCC {lin_ccc(VALUES['ltdiff'], REFERENCE):.2f}, n = 30" in chart.lines


def test_bias_and_limits_of_agreement_lie_where_they_should():
    chart = Chart(bland_altman(REFERENCE, VALUES, LABELS, "Contrast", "HU"))
    differences = VALUES["power"] - REFERENCE
    bias, half = differences.mean(), 1.96 * differences.std(ddof=1)
    for name, value in (("lower", bias - half), ("bias", bias), ("upper", bias + half)):
        text = f"{value:.1f}".replace("-", "−")
        assert text in chart.lines and chart.hint(f"{name} 1").endswith(f": {text}")
    points = np.array([centre(shape) for shape in chart.shapes("points 1 0")])
    unit = np.ptp(points[:, 1]) / np.ptp(differences)
    low, middle, high = (chart.shapes(f"{name} 1")[0][0, 1] for name in ("lower", "bias", "upper"))
    assert points[:, 1].mean() == pytest.approx(middle, abs=0.1)
    assert [low - middle, middle - high] == pytest.approx([half * unit] * 2, abs=0.1)


def test_regions_without_a_value_are_left_out_and_counted():
    values = {"none": np.where(np.arange(30) < 4, NAN, VALUES["none"]), "power": np.full(30, math.inf)}
    chart = Chart(scatter(REFERENCE, values, LABELS, "Contrast"))
    assert len(chart.shapes("points 0 0")) == 26 and "points 1 0" not in chart.marks
    assert {"CCC undefined, n = 26 of 30", "CCC undefined, n = 0 of 30"} <= set(chart.lines)
    assert "bias 1" not in Chart(bland_altman(REFERENCE, values, LABELS, "Contrast")).marks


def test_one_region_has_a_bias_and_no_limits():
    chart = Chart(bland_altman([5.0], {"none": [4.0]}, LABELS, "Mean"))
    assert "bias 0" in chart.marks and "lower 0" not in chart.marks and "upper 0" not in chart.marks
    assert len(Chart(scatter([5.0], {"none": [4.0]}, LABELS, "Mean")).shapes("points 0 0")) == 1


@pytest.mark.parametrize("scale", [0.0, 1e-290, 1e-9, -7.0, 1e12, 1e300])
def test_values_of_any_size_are_drawn_within_the_chart(scale):
    for values in (np.full(6, scale), scale * np.arange(-3.0, 3.0)):
        for draw in (scatter, bland_altman):
            chart = Chart(draw(values, {"none": 0.5 * values}, LABELS, "Energy", "HU²"))
            points = np.array([centre(shape) for shape in chart.shapes("points 0 0")])
            assert len(points) == 6 and (points > 0).all() and (points < [chart.width, chart.height]).all()
            assert all(len(line) < 12 for line in chart.lines if re.fullmatch(r"[−\d.]+", line))


def test_a_power_of_ten_is_told_beside_the_unit():
    assert "Standard (× 10⁶ HU)" in Chart(scatter(1e6 * REFERENCE, {"none": 1e6 * REFERENCE}, LABELS, "Energy", "HU")).lines
    assert "Standard" in Chart(scatter(REFERENCE, {"none": REFERENCE}, LABELS, "Mean")).lines


def test_methods_with_values_of_other_regions_are_refused():
    with pytest.raises(ValueError, match="30 regions"):
        scatter(REFERENCE, {"none": [1.0]}, LABELS, "Mean")


def test_a_long_name_is_shortened_and_told_in_full_where_the_pointer_rests():
    long = "a denoiser trained on pairs of phantoms, averaged over five seeds, with a very long name " * 2
    for svg in all_charts({**LABELS, "long": long.strip()}, long, "HU", [long, "B", "C"] * 10):
        chart = Chart(svg)
        assert any(line.endswith("…") for line in chart.lines)
        assert any(title.text == long.strip() for title in chart.root.iter(f"{SVG}title"))
        assert all(0 <= float(text.get("x")) <= chart.width and 0 <= float(text.get("y")) <= chart.height
                   for text in chart.root.iter(f"{SVG}text"))  # fmt: skip


def test_all_text_can_be_read():
    for svg in all_charts():
        looks = [text.get("style") for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]
        assert min(float(re.search(r"font-size:([\d.]+)px", look)[1]) for look in looks) >= 11
        assert any("font-weight:700" in look for look in looks)


def test_text_is_cut_to_the_room_it_has():
    assert fitted("power spectrum", 200) == ["power spectrum"]
    assert fitted("power spectrum", 70, lines=2) == ["power", "spectrum"]
    assert fitted("x" * 50, 72) == ["x" * 9 + "…"]
    assert len(fitted("胸部標準関数胸部標準関数", 72)[0]) == 6
    assert fitted("", 72) == [""]
