"""The section for features: compute them in the worker, see agreement and changes as tables and charts, export."""
from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import qt
from slicer.i18n import tr as _

from ..cohort.run import DONE, Result
from ..comparison.cases import Case
from ..comparison.findings import Findings
from ..comparison.request import ComparisonRequest, ExportRequest
from ..errors import InputError
from ..scene import charts
from ..scene.regions import drawn_regions, write_drawn
from ..scene.results import derivation_of, results_of
from ..scene.volumes import dicom_files, volume_of
from ..volumes.image_files import write_volume_file
from .choices import Choice
from .work import Job

PROFILES = (("ibex", "IBEX-compatible (1,401)"), ("ibsi", "IBSI-named (302)"), ("pyradiomics", "PyRadiomics"))
CHARTS = ((charts.CCC, "CCC of each class"), (charts.SCATTER, "Scatter of a feature"), (charts.BLAND_ALTMAN, "Bland-Altman of a feature"))
SOURCE = "source"  # what the volume before is called in tables and charts
MOST_RESULTS = 3


class FeatureSection:
    """ui: the widgets of Features.ui by name."""

    def __init__(self, panel, ui) -> None:
        self.panel, self.ui, self._job, self._export = panel, ui, None, None
        self.findings: Findings | None = None
        self._kept: TemporaryDirectory | None = None
        self.profile = Choice(ui.profileCombo, lambda value: panel.set("profile", value))
        self.chart, self.range, self.feature_class, self.feature = (
            Choice(combo, lambda _value: self.draw()) for combo in (ui.chartCombo, ui.rangeCombo, ui.classCombo, ui.featureCombo))
        ui.computeButton.clicked.connect(lambda *_: self.press())
        ui.exportTablesButton.clicked.connect(lambda *_: self.ask_and(self.export_tables))
        ui.exportDicomButton.clicked.connect(lambda *_: self.ask_and(self.export_dicom))

    def update(self) -> None:
        self.profile.fill([(value, _(text)) for value, text in PROFILES], self.panel.parameters.profile)
        if self.panel.work.has(self._job):
            self.panel.set_button(self.ui.computeButton, _("Cancel"), "")
        else:
            self.panel.set_button(self.ui.computeButton, _("Compute"), self.why_not(), _("Features of all volumes in the same regions."))
        nothing_yet = "" if self.findings else _("Compute features first.")
        self.panel.set_button(self.ui.exportTablesButton, _("Export CSV and report"), nothing_yet, _("Every table, and the report as a page."))
        if self.panel.work.has(self._export):
            self.panel.set_button(self.ui.exportDicomButton, _("Cancel"), "")
        else:
            tip = _("The result as a derived DICOM series of its study.")
            self.panel.set_button(self.ui.exportDicomButton, _("Export DICOM"), self.why_no_dicom(), tip)

    def why_not(self) -> str:
        parameters = self.panel.parameters
        if parameters.inputVolume is None:
            return _("Choose a CT volume first.")
        if not results_of(parameters.inputVolume) and parameters.referenceVolume is None:
            return _("There is nothing to compare with yet; standardize the volume or choose a reference.")
        if not (self.panel.regions.facts or parameters.randomRegions):
            return _("There is no region; place a box, draw a segment, or choose random regions.")
        return ""

    def why_no_dicom(self) -> str:
        result = self.panel.result()
        if result is None:
            return _("There is no standardized volume yet.")
        if not dicom_files(self.panel.parameters.inputVolume):
            return _("The source was not loaded from DICOM, or its files are gone, so there are no patient, study and geometry to refer to.")
        return ""

    def press(self) -> None:
        """Compute, or Cancel while that goes on."""
        if self.panel.work.has(self._job):
            self.panel.work.cancel(self._job)
        elif self.why_not():
            self.panel.tell(self.why_not())
        elif self.panel.has_packages(features=True, profile=self.panel.parameters.profile):
            self._job = Job(_("Compute features"), self._done)
            self.panel.submit(self._job, self._request)

    def show(self, folder: Path) -> None:
        """The findings in a folder, which the section from now on keeps a copy of."""
        self._forget()
        self._kept = TemporaryDirectory(prefix="ltdiff-findings-", ignore_cleanup_errors=True)
        shutil.copytree(folder, self._kept.name, dirs_exist_ok=True)
        self.findings = Findings(Path(self._kept.name))
        self.ui.findingsLabel.setText(self._sentence())
        self.panel.view.show(with_charts=True)
        self.draw()
        self.panel.update()

    def draw(self) -> None:
        """Tables and chart for what is chosen."""
        findings = self.findings
        if findings is None:
            return
        kinds = [(kind, _(text)) for kind, text in CHARTS]
        self.chart.fill(kinds if findings.has_reference else [(charts.CCC, _("Relative change of each class")), *kinds[1:]])
        self.range.fill([(one, one) for one in findings.ranges()])
        self.feature_class.fill([("", _("All classes")), *((one, one) for one in findings.class_names())])
        self.feature.fill([(f"{name}\t{feature}", f"{name} {feature}") for name, feature in findings.names_of(self.feature_class.value)])
        hu_range, feature_class = self.range.value, self.feature_class.value
        self.ui.featureCombo.setEnabled(self.chart.value != charts.CCC)
        if self.chart.value == charts.CCC:
            chart, table = charts.class_chart(findings, hu_range), charts.class_table(findings, hu_range, feature_class)
        else:
            make = charts.scatter_chart if self.chart.value == charts.SCATTER else charts.bland_altman_chart
            chart, table = make(findings, hu_range, *self.feature.value.split("\t")), charts.feature_table(findings, hu_range, feature_class)
        charts.show(table, chart)
        self.ui.trustworthyText.setPlainText(trustworthy_text(findings, hu_range))

    def ask_and(self, export) -> None:
        """With a folder that the user chooses; or cancels the export that goes on."""
        if self.panel.work.has(self._export) and export == self.export_dicom:
            self.panel.work.cancel(self._export)
            return
        folder = qt.QFileDialog.getExistingDirectory(None, _("Folder for the results"))
        if folder:
            export(Path(folder))

    def export_tables(self, folder: Path) -> None:
        """Every file of the findings into a new sub-folder."""
        target = _new(folder / "LTDiff-features")
        self.panel.attempt(_("The tables could not be written"), lambda: shutil.copytree(self.findings.folder, target))
        if target.is_dir():
            self.panel.tell(_("Written: {folder}").format(folder=target))

    def export_dicom(self, folder: Path) -> None:
        """The newest result as a series in a new sub-folder."""
        def request(job: Job) -> ExportRequest:
            result, source = self.panel.result(), self.panel.parameters.inputVolume
            path = write_volume_file(volume_of(result), job.folder / "result.nrrd", compress=False)
            files = tuple(str(file) for file in dicom_files(source))
            return ExportRequest(str(path), files, str(_new(folder / "LTDiff-series")), derivation_of(result))

        self._export = Job(_("Export DICOM"), lambda job, result: self.panel.tell(self.panel.explained(result.sentence)))
        self.panel.submit(self._export, request)

    def forget(self) -> None:
        """What was found in a scene that is gone."""
        self._forget()
        self.ui.findingsLabel.setText("")
        self.ui.trustworthyText.setPlainText("")

    def _request(self, job: Job) -> ComparisonRequest:
        parameters = self.panel.parameters
        source, reference = parameters.inputVolume, parameters.referenceVolume
        volume = volume_of(source)
        names = {SOURCE: source, **{node.GetName(): node for node in results_of(source)[-MOST_RESULTS:]}}
        if reference is not None and reference in names.values():
            raise InputError(_("The reference is a result that it would be compared with; choose another reference, or none."))
        _regions, problems = drawn_regions(volume, source, parameters.segmentation)
        for problem in problems:
            self.panel.work.say(problem)
        rois = write_drawn(volume, source, parameters.segmentation, job.folder) + self.panel.regions.rois()
        paths = {name: str(write_volume_file(volume_of(node), job.folder / f"volume-{number}.nrrd", compress=False))
                 for number, (name, node) in enumerate(names.items())}  # fmt: skip
        standard = str(write_volume_file(volume_of(reference), job.folder / "standard.nrrd", compress=False)) if reference is not None else ""
        return ComparisonRequest((Case("", standard, paths, ()),), str(job.folder / "out"), parameters.profile, rois=tuple(rois), patient="scene",
                                 arrays=True)  # fmt: skip

    def _done(self, job: Job, result: Result) -> None:
        if result.exit_code != DONE:
            self.panel.tell(self.panel.explained(result.sentence))
            return
        self.show(job.folder / "out")
        self.panel.tell(self._sentence())

    def _sentence(self) -> str:
        findings, number = self.findings, len(self.findings.values.regions)
        if not findings.has_reference:
            return _("{n} regions, no reference: relative changes from {before} to {after}, no CCC.").format(
                n=number, before=findings.summary["before"], after=findings.summary["after"])  # fmt: skip
        few = _(" CCC needs several regions of a range: with one it is undefined, with few its interval is wide.") if number < 10 else ""
        return _("{n} regions, compared with the reference.").format(n=number) + few

    def _forget(self) -> None:
        self.findings, kept, self._kept = None, self._kept, None
        if kept is not None:
            kept.cleanup()


def trustworthy_text(findings: Findings, hu_range: str) -> str:
    """Which features became reproducible, a class a line; without a reference why that is unknown."""
    if not findings.has_reference:
        return findings.summary["note"]
    lists, summary = findings.trustworthy(hu_range), findings.summary["trustworthy"]
    titles = (("became", _("Became trustworthy (CCC >= {limit}) from {before} to {after}")), ("lost", _("No longer trustworthy")),
              ("stayed", _("Trustworthy before and after")), ("never", _("Never trustworthy")), ("undefined", _("Without a CCC: undefined in at least one region, or too few regions")))  # fmt: skip
    parts = []
    for kind, title in titles:
        features = lists.get(kind, [])
        heading = title.format(limit=summary["threshold"], before=summary["before"], after=summary["after"])
        parts.append(f"{heading}: {len(features)}")
        for feature_class in dict.fromkeys(name for name, _feature in features):
            parts.append(f"  {feature_class}: " + ", ".join(feature for name, feature in features if name == feature_class))
    return "\n".join(parts)


def _new(folder: Path) -> Path:
    """The folder, or with a number the first that does not exist."""
    tried = (folder if number == 1 else folder.with_name(f"{folder.name}-{number}") for number in range(1, 10000))
    return next(one for one in tried if not one.exists())
