"""The section that standardizes: choose, press, watch, cancel."""
from __future__ import annotations

from functools import lru_cache

import slicer
from slicer.i18n import tr as _

from ..cohort.request import WITH_NOISE, Request
from ..cohort.run import DONE, Result
from ..model.protocols import library
from ..scene.results import add_result
from ..scene.samples import load_pair
from ..scene.volumes import PREFIX, facts_of, shown_volume, volume_of
from ..volumes.image_files import write_volume_file
from .choices import Choice
from .parameters import AUTOMATIC, REFERENCE
from .work import Job

METHODS = (("ltdiff", "LTDiff++ (draws texture, needs PyTorch)"), ("ls_noise", "Filter with noise (fast, needs no PyTorch)"),
           ("ls", "Least-squares filter"), ("power", "Power filter"), ("none", "None (a copy)"))  # fmt: skip


class StandardizeSection:
    """ui: the widgets of Standardize.ui by name."""

    def __init__(self, panel, ui) -> None:
        self.panel, self.ui = panel, ui
        self.target = Choice(ui.targetCombo, lambda value: panel.set("target", value))
        self.method = Choice(ui.methodCombo, lambda value: panel.set("method", value))
        self.device = Choice(ui.deviceCombo, lambda value: panel.set("device", value))
        ui.standardizeButton.clicked.connect(lambda *_: self.press())
        ui.sampleButton.clicked.connect(lambda *_: self.load_sample())

    def update(self) -> None:
        """Shows the parameters and what can be done with them."""
        parameters, source = self.panel.parameters, self.panel.parameters.inputVolume
        kernel = facts_of(source).kernel if source is not None else None
        self.target.fill(target_entries(kernel), parameters.target)
        self.method.fill([(value, _(text)) for value, text in METHODS], parameters.method)
        self.device.fill(self.panel.devices(), parameters.device)
        self.ui.factsLabel.setText(facts_text(source))
        takes_noise, is_model = parameters.method in WITH_NOISE, parameters.method == "ltdiff"
        self.ui.samplesSpin.setEnabled(takes_noise)
        self.ui.stepsSpin.setEnabled(is_model)
        self.ui.deviceCombo.setEnabled(is_model)
        self.ui.targetCombo.setEnabled(parameters.method != "none")
        if self._job() is not None:
            self.panel.set_button(self.ui.standardizeButton, _("Cancel"), "" if not self.panel.work.is_cancelling else _("Being cancelled."))
        else:
            self.panel.set_button(self.ui.standardizeButton, _("Standardize"), self.why_not(), _("Make a new volume; the source stays as it is."))

    def choose_default(self) -> None:
        """The CT that is shown, where nothing has been chosen yet."""
        if self.panel.parameters.inputVolume is None:
            node = shown_volume()
            if node is not None and not node.GetAttribute(PREFIX + "kind"):
                self.panel.set("inputVolume", node)

    def why_not(self) -> str:
        """Why nothing can be standardized, or ""."""
        parameters = self.panel.parameters
        source, reference = parameters.inputVolume, parameters.referenceVolume
        if source is None:
            return _("Choose a CT volume, or load the sample.")
        if source.GetAttribute(PREFIX + "kind"):
            return _("This volume is a difference or an uncertainty, no CT; choose the CT itself.")
        if source.GetAttribute(PREFIX + "method"):
            return _("This volume is a result of LTDiff already; choose its source.")
        if parameters.outputVolume in (source, reference) and parameters.outputVolume is not None:
            return _("The result would replace the source or the reference; choose another volume or a new one.")
        if reference is source:
            return _("Source and reference are one volume; choose another reference, or none.")
        if parameters.target == REFERENCE and reference is None and parameters.method != "none":
            return _("The target is the reference volume, but none is chosen; choose one or another target.")
        return ""

    def press(self) -> None:
        """Standardize, or Cancel while that goes on for the chosen volume; another volume may be put into the queue meanwhile."""
        job = self._job()
        if job is not None:
            self.panel.work.cancel(job)
            return
        reason = self.why_not()
        if reason:
            self.panel.tell(reason)
            return
        if self.panel.has_packages(self.panel.parameters.method):
            source = self.panel.parameters.inputVolume
            self.panel.submit(Job(_("Standardize {name}").format(name=source.GetName()), self._done, source.GetID()), self._request)

    def load_sample(self) -> None:
        pair = self.panel.attempt(_("The sample could not be loaded"), load_pair) if self.panel.has_packages(only_reading=True) else None
        if pair is None:
            return
        soft, sharp = pair
        self.panel.set("inputVolume", soft)
        self.panel.set("referenceVolume", sharp)
        self.panel.tell(_("The sample is loaded: {soft} is the source, {sharp} the reference.").format(soft=soft.GetName(), sharp=sharp.GetName()))

    def _request(self, job: Job) -> Request:
        """Writes the input, and notes where the result belongs: the user may choose something else meanwhile."""
        parameters = self.panel.parameters
        method, by_reference = parameters.method, parameters.target == REFERENCE and parameters.method != "none"
        source = write_volume_file(volume_of(parameters.inputVolume), job.folder / "scan" / "volume.nrrd", compress=False)
        reference = write_volume_file(volume_of(parameters.referenceVolume), job.folder / "reference.nrrd", compress=False) if by_reference else None
        job.output = parameters.outputVolume.GetID() if parameters.outputVolume is not None else ""
        job.difference = parameters.makeDifference
        target = parameters.target if parameters.target not in (AUTOMATIC, REFERENCE) and method != "none" else None
        return Request(
            inputs=(str(source),), output=str(job.folder / "out"), method=method, target=target, reference=str(reference) if reference else None,
            device=parameters.device, seed=parameters.seed, samples=parameters.samples if method in WITH_NOISE else 1,
            steps=(parameters.steps or None) if method == "ltdiff" else None, format="nrrd",
        )  # fmt: skip

    def _job(self) -> Job | None:
        """The one under way or waiting for the chosen volume."""
        source, work = self.panel.parameters.inputVolume, self.panel.work
        mine = [job for job in (work.current, *work.waiting) if job is not None and job.done == self._done]
        return next((job for job in mine if source is not None and job.source == source.GetID()), None)

    def _done(self, job: Job, result: Result) -> None:
        outcome = result.outcomes[0] if result.outcomes else None
        if result.exit_code != DONE or outcome is None or outcome.output is None:
            self.panel.tell(self.panel.explained(outcome.sentence if outcome else result.sentence))
            return
        source, output = slicer.mrmlScene.GetNodeByID(job.source), slicer.mrmlScene.GetNodeByID(job.output)
        made = add_result(job.folder / "out", source, output, job.difference)
        lost = "" if source is not None else " " + _("Its source is no longer in the scene.")
        self.panel.tell(_("{name} is done: {sentence}").format(name=made[0].GetName(), sentence=outcome.sentence) + lost)
        self.panel.show_result(source, made[0])


def target_entries(kernel: str | None) -> list[tuple[str, str]]:
    """(value, text): automatic, the reference, then the protocols, those that start from the kernel first."""
    names = protocol_names()
    ours = [name for name in names if kernel and name.casefold().startswith(kernel.casefold() + " to ")]
    return [(AUTOMATIC, _("Automatic: the sharpest for this kernel")), (REFERENCE, _("As the reference volume"))] + [
        (name, name) for name in [*ours, *(name for name in names if name not in ours)]]  # fmt: skip


@lru_cache
def protocol_names() -> tuple[str, ...]:
    """Of the library, which is read once."""
    return tuple(protocol.name for protocol in library())


def facts_text(node) -> str:
    """What is known of a volume, in a line."""
    if node is None:
        return ""
    facts, image = facts_of(node), node.GetImageData()
    parts = [_("kernel {kernel}").format(kernel=facts.kernel) if facts.kernel else _("kernel unknown")]
    if image is not None:
        x, y, z = image.GetDimensions()
        dx, dy, dz = node.GetSpacing()
        parts.append(_("{z} slices of {x} x {y}, {dx:.3g} x {dy:.3g} x {dz:.3g} mm").format(x=x, y=y, z=z, dx=dx, dy=dy, dz=dz))
    parts += [f"{value:.3g} {unit}" for value, unit in ((facts.kvp, "kVp"), (facts.mas, "mAs")) if value]
    parts += [text for text in (facts.manufacturer, facts.model) if text]
    return ", ".join(parts)
