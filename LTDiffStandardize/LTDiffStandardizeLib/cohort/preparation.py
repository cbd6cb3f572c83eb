"""What all series of a cohort share: checked and loaded before the first of them is touched."""
from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import InputError, ModelError
from ..model.bundle import Bundle, load_bundle
from ..model.protocols import Protocol, choose_protocol, probe_indices
from ..model.unpaired import protocol_from_references
from ..model.standardizer import Settings, Standardizer
from ..radiomics.profiles.pyradiomics import available
from ..radiomics.regions.label_maps import MarkedRegions, read_regions
from ..radiomics.reporting.series import refuse_without_highdicom
from ..volumes.compression import NONE, why_not_available
from ..volumes.derivation import Derivation
from ..volumes.inherited import Inheritance
from ..volumes.pseudonyms import Pseudonyms
from ..volumes.reading import read_volume
from ..volumes.series import SeriesEntry, find_series
from ..volumes.volume import CTVolume
from .provenance import VERSION, files_fingerprint, fingerprint, protocol_digest
from .ranks import Rank
from .request import Request

SLICES_AT_ONCE_ON_A_GPU = 8


@dataclass(frozen=True)
class References:
    """Scans made with the target kernel, cut down to the slices that are measured, and what tells them from others."""

    volumes: tuple[CTVolume, ...]
    fingerprint: str


@dataclass(frozen=True)
class Preparation:
    """The request with all that it names. `warnings` hold for every series. rank: which process of several this is."""

    request: Request
    bundle: Bundle | None
    device: str
    references: References | None
    marked: tuple[MarkedRegions, ...]
    marked_fingerprint: str | None
    warnings: tuple[str, ...]
    inheritance: Inheritance = Inheritance()
    rank: Rank | None = None

    @property
    def model(self) -> Bundle | None:
        """The bundle whose network is used."""
        return self.bundle if self.request.method == "ltdiff" else None

    @property
    def steps(self) -> int | None:
        return (self.request.steps or self.model.steps) if self.model else None

    def protocol_by_name(self, kernel: str) -> tuple[Protocol | None, str | None]:
        """The protocol for a kernel and a warning or None, without reading the series; no protocol where it is measured or none is used.

        Raises InputError where there is none for this kernel.
        """
        if self.request.method == "none" or self.references:
            return None, None
        return choose_protocol(self.request.target, kernel or None, self.bundle.protocol)

    def settings(self, protocol: Protocol | None) -> dict[str, Any]:
        """All that a result depends on besides its source, for its record. `protocol`: from `protocol_by_name`."""
        request = self.request
        return {
            "software_version": VERSION,
            "method": request.method,
            "format": request.format,
            "compression": None if request.compression == NONE else request.compression,
            "private_tags": request.private_tags or None,
            "pseudonyms_sha256": self.inheritance.pseudonyms.fingerprint if self.inheritance.pseudonyms else None,
            "model": self.model.name if self.model else None,
            "weights_sha256": self.model.sha256 if self.model else None,
            "protocol": protocol.name if protocol else None,
            "protocol_sha256": protocol_digest(protocol) if protocol else None,
            "reference_sha256": self.references.fingerprint if self.references else None,
            "regions_sha256": self.marked_fingerprint,
            "dicom_regions": request.dicom_regions or None,  # None, as in records that do not know of it
            "seed": request.seed if request.has_noise else None,
            "samples": request.samples,
            "steps": self.steps,
        }

    def measured_protocol(self, volume: CTVolume) -> Protocol:
        return protocol_from_references(volume, self.references.volumes, self.bundle.unpaired)

    def standardizer(self, protocol: Protocol | None) -> Standardizer:
        request = self.request
        batch = SLICES_AT_ONCE_ON_A_GPU if self.device.startswith("cuda") else 1
        settings = Settings(request.method, request.seed, request.samples, request.steps, device=self.device, batch=batch)
        return Standardizer(protocol, settings, self.model)

    def derivation(self, protocol: Protocol | None, kernel: str | None) -> Derivation:
        """What the result says of itself."""
        settings = self.settings(protocol)
        return Derivation(
            method=self.request.method,
            target=protocol.target.label if protocol else f"{kernel or 'kernel'} unchanged",
            software_version=VERSION,
            model_name=settings["model"],
            weights_sha256=settings["weights_sha256"],
            seed=settings["seed"],
            steps=settings["steps"],
            samples=settings["samples"] if self.request.has_noise else None,
        )


def prepare(request: Request, rank: Rank | None = None) -> Preparation:
    """Loads the model, the reference scans and the label maps.

    Raises ModelError where the model, PyTorch or the device cannot be used; InputError for references, label maps, a compression without
    encoder, a bad key, and where DICOM regions are asked for without what makes them; OutputError where a key cannot be made.
    """
    if request.dicom_regions:
        refuse_without_highdicom()
    if why_not := why_not_available(request.compression):
        raise InputError(why_not)
    bundle = None if request.method == "none" else load_bundle(request.model)
    device = _working_device(bundle, request.device, rank) if request.method == "ltdiff" else "cpu"
    marked = tuple(map(read_regions, request.rois))
    can_measure, why_not = available() if marked else (True, "")
    if request.dicom_regions and not can_measure:
        raise InputError(why_not)
    return Preparation(
        request=request,
        bundle=bundle,
        device=device,
        references=_read_references(request.reference) if request.reference else None,
        marked=marked if can_measure else (),
        marked_fingerprint=files_fingerprint(map(Path, request.rois)) if marked and can_measure else None,
        warnings=() if can_measure else (why_not,),
        inheritance=Inheritance(request.private_tags, Pseudonyms.of(request.pseudonyms) if request.pseudonyms else None),
        rank=rank,
    )


def _working_device(bundle: Bundle, wanted: str, rank: Rank | None) -> str:
    """The device, for each rank on a machine one of its GPUs; the model is loaded once to see that it can be."""
    try:
        import safetensors  # noqa: F401
        import torch
    except Exception as error:  # a half-installed PyTorch raises almost anything
        raise ModelError(
            f"The method ltdiff needs PyTorch and safetensors, which cannot be used here ({type(error).__name__}: {error}); install torch "
            "with the PyTorch extension in 3D Slicer and safetensors with pip, elsewhere both with pip, or choose --method ls_noise, "
            "which needs neither."
        ) from error
    from ..model.engine import choose_device

    device = choose_device(wanted)
    if device == "cuda" and rank:
        device = f"cuda:{rank.local % torch.cuda.device_count()}"
    bundle.network()
    return device


def _read_references(path: str) -> References:
    entries = [entry for entry in find_series(path) if not entry.refusal]
    kernels = sorted({entry.kernel or "unknown" for entry in entries})
    if not entries:
        raise InputError(f"The reference {path} holds no usable CT series; give scans made with the target kernel.")
    if len(kernels) > 1:
        raise InputError(f"The reference {path} holds scans of several kernels ({', '.join(kernels)}); give those of the target kernel alone.")
    return References(tuple(map(_probe, entries)), fingerprint(entries))


def _probe(entry: SeriesEntry) -> CTVolume:
    """The slices that a protocol is measured on; the rest of a reference is not kept."""
    volume = read_volume(entry)
    kept = probe_indices(len(volume.hu), 16)
    padding = None if volume.padding is None else volume.padding[kept]
    return replace(volume, hu=volume.hu[kept], padding=padding, source=None)
