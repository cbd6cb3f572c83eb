"""What DICOM elements and labels carry stands in the report as text, whatever it looks like."""
from html.parser import HTMLParser

import numpy as np
import pytest
from small_cohort import chest_hu, dicom_series, start_script

from LTDiffStandardizeLib.volumes import read_volume, write_volume_file

SCRIPT, ATTRIBUTE, TEMPLATE = "<script>alert(1)</script>", "\" onload='alert(2)' zap=\"", "{{7*7}}${title}$title%s"
ROI = "random:3,range=10..250,size=4x8x8,fill=0.3"
ACTIVE = {"script", "iframe", "object", "embed", "form", "link", "base", "foreignobject", "animate", "set", "a", "use", "image"}


class Elements(HTMLParser):
    """All start tags with their attributes, and the text between them."""

    def __init__(self, text):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def dangers(self):
        for tag, attributes in self.found:
            if tag in ACTIVE or tag == "meta" and "http-equiv" in attributes:
                yield f"<{tag}>"
            for name, value in attributes.items():
                if name.startswith("on") or name in ("srcdoc", "formaction") or (value or "").strip().lower().startswith(("javascript:", "http:", "//")) and name != "xmlns":
                    yield f"<{tag} {name}={value}>"
                if name == "src" and not value.startswith("data:image/png;base64,"):
                    yield f"<{tag} {name}={value}>"


@pytest.mark.parametrize("text", [SCRIPT, "<img src=x onerror=alert(1)>", '<a href="javascript:x">', "<p onclick=x>", "<svg><set>"])
def test_the_check_finds_what_is_active(text):
    assert list(Elements(f"<main>{text}</main>").dangers())


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report on volumes whose elements, labels, regions and output folder are all hostile."""
    folder = tmp_path_factory.mktemp("report")
    hostile = {"Manufacturer": SCRIPT, "ManufacturerModelName": ATTRIBUTE + TEMPLATE, "ConvolutionKernel": "<q>{{7*7}}$title"}
    reference = read_volume(dicom_series(folder / "reference", 1, slices=6, **hostile))
    other = np.rint(reference.hu + 0.5 * (chest_hu(6, 5) - reference.hu.astype(float))).astype(np.int16)
    write_volume_file(reference.with_hu(other, "other"), folder / "other.nrrd")
    labels = (np.arange(6)[:, None, None] < 3) & (reference.hu > 0)
    write_volume_file(reference.with_hu(labels.astype(np.int16), "labels"), folder / "x'onload=y&lt;b&gt;{{7*7}}.nrrd")
    child = start_script(
        "--reference", folder / "reference", "--volume", f"{SCRIPT}={folder / 'other.nrrd'}", f"{ATTRIBUTE.replace('=', ' ')}{TEMPLATE}={folder / 'other.nrrd'}",
        "--roi", ROI, folder / "x'onload=y&lt;b&gt;{{7*7}}.nrrd", "--combat", "--patient", SCRIPT, "--output", folder / "out", script="compare.py",
    )  # fmt: skip
    printed = "".join(child.communicate(timeout=240))
    assert child.returncode == 0, printed
    return Elements((folder / "out" / "report.html").read_text(encoding="utf-8"))


def test_no_element_or_attribute_comes_in_by_a_text(report):
    assert list(report.dangers()) == []
    names = {name for _, attributes in report.found for name in attributes}
    assert not {"onload", "zap", "alert(2)"} & names and "q" not in {tag for tag, _ in report.found}


def test_hostile_texts_stand_there_as_they_are(report):
    for text in (SCRIPT, "<q>", "{{7*7}}", "$title", "alert(2)", "%s"):
        assert text in report.text
