"""The report as a file: complete, self-contained, well-formed, and safe whatever the headers hold."""
import sys
from html.parser import HTMLParser

import pytest
from report_parts import LABELS, box_regions, small_comparison, texts

from LTDiffStandardizeLib.comparison import STANDARD
from LTDiffStandardizeLib.errors import OutputError
from LTDiffStandardizeLib.report import ReportChoices, write_report
from LTDiffStandardizeLib.report.page import report_html
from LTDiffStandardizeLib.report.tables import Time

VOID = {"meta", "img", "br"}
TIMES = {"none": Time(0.0, 0.0), "power": Time(0.02, 0.01), "ltdiff": Time(1.5, 0.8)}
HOSTILE = '<script>alert("1")</script> & \' $title'


class Page(HTMLParser):
    """The elements of a page, checked for nesting as they come."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.cells, self.text = [], [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag == "td":
            self.cells.append([dict(attributes), ""])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data
        if "td" in self.open:
            self.cells[-1][1] += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def comparison():
    return small_comparison()


def report(comparison, focus=None, **changes):
    return report_html(comparison, texts(**changes), choices(focus=focus))


def choices(shown=("none", "power", "ltdiff"), focus=None):
    return ReportChoices("ltdiff", "none", shown, focus or box_regions()[8], times=TIMES)


@pytest.fixture(scope="module")
def page(comparison):
    return Page(report(comparison))


def test_the_report_needs_nothing_else(page):
    assert page.all("script") == page.all("link") == page.all("iframe") == []
    assert all(picture["src"].startswith("data:image/png;base64,") for picture in page.all("img"))
    assert not any("href" in attributes for _, attributes in page.elements)


def test_the_report_shows_every_volume_in_both_windows_whole_and_near_and_the_differences(page):
    names = [picture["alt"] for picture in page.all("img")]
    columns = ["none", "power", "LTDiff++", "B70f (standard)"]
    each = [f"{name}, {window}" for window in ("lung window", "soft-tissue window") for name in columns]
    each += [f"{name} − standard, difference" for name in columns[:3]]
    assert names == 2 * each
    assert "level −600 HU, width 1500 HU" in page.text and "level 40 HU, width 400 HU" in page.text and "±150 HU" in page.text


def test_the_report_says_what_it_is_and_what_it_is_not(page):
    for needed in ("Research use only", "Two kernels", "kernel B40f", "One phantom.", "Made for a test.", "90 % interval", "Processor time"):
        assert needed in page.text


def test_the_best_of_a_row_is_marked_by_more_than_colour(page):
    best = [text for attributes, text in page.cells if attributes.get("class") == "best"]
    assert best and all("★" in text for text in best)
    assert len(best) == sum("★" in text for _, text in page.cells)


def test_the_table_has_a_row_for_every_class_and_a_column_for_every_method(page, comparison):
    heads = [attributes.get("scope") for attributes in page.all("th")]
    assert heads.count("rowgroup") == len(comparison.ranges())
    assert all(page.text.count(label) > 3 for label in LABELS.values())


def test_text_from_headers_cannot_become_markup(comparison):
    hostile = texts(title=HOSTILE, labels=dict.fromkeys(LABELS, HOSTILE), captions={STANDARD: HOSTILE}, methods=[(HOSTILE, HOSTILE)],
                    facts=[(HOSTILE, HOSTILE)], limits=[HOSTILE], attribution=[HOSTILE], range_notes={"[-100,250]": HOSTILE})  # fmt: skip
    page = Page(report_html(comparison, hostile, choices(["none", "ltdiff"])))
    assert page.all("script") == []
    assert page.text.count(HOSTILE) > 15


def test_what_is_missing_without_pyradiomics_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "radiomics", None)
    page = Page(report(small_comparison()))
    assert "PyRadiomics cannot be used" in page.text and "The tables show what needs no PyRadiomics" in page.text


def test_the_report_replaces_another_only_when_told(comparison, tmp_path):
    arguments = (comparison, texts(), choices(["none"]))
    path = write_report(tmp_path / "new" / "report.html", *arguments)
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    with pytest.raises(OutputError, match="exists already"):
        write_report(path, *arguments)
    write_report(path, *arguments, overwrite=True)
