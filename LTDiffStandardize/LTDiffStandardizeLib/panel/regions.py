"""The section for regions: draw them, list them, go to them."""
from __future__ import annotations

import csv

import qt
import slicer
from slicer.i18n import tr as _

from ..cohort.run import DONE, Result
from ..comparison.request import RegionsRequest
from ..errors import LTDiffError
from ..radiomics.regions.facts import RegionFacts, region_facts
from ..scene.regions import add_random_labels, drawn_regions, go_to, start_placing
from ..scene.volumes import volume_of
from ..volumes.image_files import write_volume_file
from .work import Job

COLUMNS = ("Region", "Range", "ml", "Mean HU", "SD HU", "Voxels")
MOST_ROWS = 2000


class RegionSection:
    """ui: the widgets of Regions.ui by name. facts: of the regions in the table, line by line."""

    def __init__(self, panel, ui) -> None:
        self.panel, self.ui, self._job = panel, ui, None
        self.facts: list[RegionFacts] = []
        self._random: list[RegionFacts] = []
        self._random_of = ""
        ui.regionTable.setColumnCount(len(COLUMNS))
        ui.regionTable.setHorizontalHeaderLabels([_(title) for title in COLUMNS])
        ui.regionTable.cellClicked.connect(lambda row, *_: self.go_to(row))
        ui.boxButton.clicked.connect(lambda *_: self.place_box())
        ui.segmentEditorButton.clicked.connect(lambda *_: slicer.util.selectModule("SegmentEditor"))
        ui.randomButton.clicked.connect(lambda *_: self.press())

    def update(self) -> None:
        has_input = self.panel.parameters.inputVolume is not None
        no_input = "" if has_input else _("Choose a CT volume first.")
        self.panel.set_button(self.ui.boxButton, _("Place a box"), no_input, _("Click two corners around the tumour in a slice view."))
        if self.panel.work.has(self._job):
            self.panel.set_button(self.ui.randomButton, _("Cancel"), "")
        else:
            reason = no_input or ("" if self.panel.parameters.randomRegions else _("Choose how many regions to draw in each HU range."))
            self.panel.set_button(self.ui.randomButton, _("Draw random regions"), reason, _("On the smoothed reference, or else on the source."))

    def place_box(self) -> None:
        """With the mouse in the application; without a window there is nobody to click."""
        start_placing(self.panel.parameters.inputVolume)

    def refresh(self) -> None:
        """Measures what is drawn and lists it; called when a box or a segment has changed."""
        node, drawn, problems = self.panel.parameters.inputVolume, [], []
        if self._random_of != (node.GetID() if node is not None else ""):
            self.forget()
        if node is not None:
            try:
                volume = volume_of(node)
                regions, problems = drawn_regions(volume, node, self.panel.parameters.segmentation)
                drawn = [region_facts(region, volume) for region in regions]
            except LTDiffError as error:
                problems = [str(error)]
        self.facts = [*drawn, *self._random]
        self._list()
        self.ui.regionsLabel.setText(" ".join(problems) or self._summary(len(drawn)))

    def go_to(self, row: int) -> None:
        facts = self.facts[row]
        go_to((facts.centre_x, facts.centre_y, facts.centre_z))

    def rois(self) -> list[str]:
        """What the worker is asked for beside the drawn regions."""
        parameters = self.panel.parameters
        return [f"random:{parameters.randomRegions},seed={parameters.seed}"] if parameters.randomRegions else []

    def forget(self) -> None:
        """The random regions of another volume."""
        self._random, self._random_of = [], ""

    def press(self) -> None:
        """Draw, or Cancel while that goes on."""
        if self.panel.work.has(self._job):
            self.panel.work.cancel(self._job)
            return
        if self.panel.has_packages():
            self._job = Job(_("Draw random regions"), self._done, self.panel.parameters.inputVolume.GetID())
            self.panel.submit(self._job, self._request)

    def _request(self, job: Job) -> RegionsRequest:
        parameters = self.panel.parameters
        drawn_on = parameters.referenceVolume if parameters.referenceVolume is not None else parameters.inputVolume
        path = write_volume_file(volume_of(drawn_on), job.folder / "volume.nrrd", compress=False)
        return RegionsRequest(str(path), str(job.folder / "out"), tuple(self.rois()))

    def _done(self, job: Job, result: Result) -> None:
        if result.exit_code != DONE:
            self.panel.tell(self.panel.explained(result.sentence))
            return
        folder = job.folder / "out"
        with open(folder / "regions.csv", newline="", encoding="utf-8") as file:
            self._random, self._random_of = [facts_from(row) for row in csv.DictReader(file)], job.source
        add_random_labels(folder / "regions.nrrd")
        self.refresh()
        self.panel.tell(_("{n} random regions were drawn.").format(n=len(self._random)))

    def _list(self) -> None:
        table = self.ui.regionTable
        shown = self.facts[:MOST_ROWS]
        table.setRowCount(len(shown))
        for row, one in enumerate(shown):
            for column, text in enumerate((one.region, one.range, f"{one.ml:.3g}", f"{one.mean:.1f}", f"{one.sd:.1f}", f"{one.voxels:,}")):
                table.setItem(row, column, qt.QTableWidgetItem(text))

    def _summary(self, drawn: int) -> str:
        if not self.facts:
            return _("No region yet: place a box, draw a segment, or choose random regions.")
        return _("{drawn} drawn, {random} random regions.").format(drawn=drawn, random=len(self._random))


def facts_from(row: dict[str, str]) -> RegionFacts:
    """From a line of regions.csv."""
    texts = ("region", "range", "kind")
    return RegionFacts(**{name: value if name in texts else int(value) if name == "voxels" else float(value) for name, value in row.items()})
