"""What to standardize and how: the one type that the command line, the worker and the panel share."""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..model.bundle import DEFAULT
from ..model.standardizer import METHODS
from ..requests import are_texts, check, is_text, is_whole, object_of, request_of, shown, to_json
from ..volumes.compression import NONE, SYNTAXES

FORMATS = ("dicom", "nrrd", "nifti")
WITH_NOISE = ("ltdiff", "ls_noise")
HIGHEST_SEED, MOST_SAMPLES, MOST_STEPS = 2**32 - 1, 1000, 1000


@dataclass(frozen=True)
class Request:
    """Which series to standardize, how, and where to.

    inputs: folders of DICOM series at any depth, DICOM, NRRD or NIfTI files. output: the folder that gets the results.
    model: name or path of a bundle; for the method "ltdiff", and for its protocol where no other fits.
    target: as `choose_protocol` takes it; or reference: path of scans with the target kernel. At most one of the two.
    rois: label maps in the inputs' geometry, NRRD or NIfTI, in which features are measured. dicom_regions: write these regions and the
        features of the standardized volume as DICOM objects too (SEG, SR); for the format "dicom".
    samples: draws a slice, above one with an uncertainty volume. steps: evaluations of the denoiser, None for the model's own.
    compression: lossless, of a DICOM series. private_tags: keep the private elements of its source; or pseudonyms: path of a secret key,
    made where it does not exist, with which patients and studies are given new identifiers.
    resume: go on with an interrupted cohort; what is finished with the same settings stays.

    Raises InputError, naming the field, where a value is not allowed.
    """

    inputs: tuple[str, ...]
    output: str
    model: str = DEFAULT
    method: str = METHODS[0]
    target: str | None = None
    reference: str | None = None
    rois: tuple[str, ...] = ()
    dicom_regions: bool = False
    device: str = "auto"
    seed: int = 0
    samples: int = 1
    steps: int | None = None
    format: str = FORMATS[0]
    compression: str = NONE
    private_tags: bool = False
    pseudonyms: str | None = None
    resume: bool = False

    def __post_init__(self) -> None:
        check(self, self._problems())

    @property
    def has_noise(self) -> bool:
        """Whether the result depends on the seed."""
        return self.method in WITH_NOISE

    def to_json(self) -> str:
        return to_json(self)

    @staticmethod
    def from_json(text: str) -> Request:
        """Raises InputError where the text is no JSON object, or a field is unknown, missing or not allowed."""
        return request_of(object_of(text), Request)

    def _problems(self) -> Iterator[str]:
        """Each a piece of a sentence: what is wrong, and what is right instead."""
        if not (are_texts(self.inputs) and self.inputs):
            yield "inputs must name at least one folder or file"
        if not is_text(self.output):
            yield "output must name a folder"
        if not are_texts(self.rois):
            yield "rois must be paths of label maps"
        if not is_text(self.model):
            yield "model must be a name or a path"
        for name, choices in (("method", METHODS), ("format", FORMATS), ("compression", tuple(SYNTAXES))):
            if getattr(self, name) not in choices:
                yield f"{name} must be one of {', '.join(choices)}, not {shown(getattr(self, name))}"
        for name in ("target", "reference", "pseudonyms"):
            if not (getattr(self, name) is None or is_text(getattr(self, name))):
                yield f"{name} must be a text that is not empty, or be left out"
        if not (is_text(self.device) and re.fullmatch(r"auto|cpu|cuda(:\d+)?", self.device)):
            yield f"device must be auto, cpu, cuda or cuda:N, not {shown(self.device)}"
        if not is_whole(self.seed, 0, HIGHEST_SEED):
            yield f"seed must be a whole number from 0 to {HIGHEST_SEED}, not {shown(self.seed)}"
        if not is_whole(self.samples, 1, MOST_SAMPLES):
            yield f"samples must be a whole number from 1 to {MOST_SAMPLES}, not {shown(self.samples)}"
        if not (self.steps is None or is_whole(self.steps, 1, MOST_STEPS)):
            yield f"steps must be a whole number from 1 to {MOST_STEPS}, not {shown(self.steps)}"
        for name in ("dicom_regions", "resume", "private_tags"):
            if type(getattr(self, name)) is not bool:
                yield f"{name} must be true or false"
        yield from self._contradictions()

    def _contradictions(self) -> Iterator[str]:
        if self.target and self.reference:
            yield "target and reference both say where to go; give one of them"
        if self.method == "none" and (self.target or self.reference):
            yield "the method none changes nothing, so it takes neither target nor reference"
        if self.format != "dicom" and (self.compression != NONE or self.private_tags or self.pseudonyms):
            yield f"compression, private tags and pseudonyms are those of DICOM series; leave them out with the format {self.format}"
        if self.private_tags and self.pseudonyms:
            yield "private tags can hold anything, so they are not kept with pseudonyms; leave out one of the two"
        if self.samples != 1 and not self.has_noise:
            yield f"the method {self.method} has no noise to draw samples of; use {' or '.join(WITH_NOISE)}, or one sample"
        if self.steps is not None and self.method != "ltdiff":
            yield f"the method {self.method} has no steps; leave them out or use ltdiff"
        if self.dicom_regions and not self.rois:
            yield "dicom_regions has no regions to write; give label maps, with --roi, or leave it out"
        if self.dicom_regions and self.format != "dicom":
            yield f"dicom_regions belong to a DICOM series, not to the format {self.format}; use the format dicom or leave them out"

