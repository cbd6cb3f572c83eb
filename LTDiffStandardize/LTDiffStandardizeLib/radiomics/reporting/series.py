"""The derived series that the objects refer to, and what they take over from it."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from re import fullmatch
from typing import Any

from ...errors import InputError, LTDiffError, OutputError
from ...volumes.atomic import write_bytes
from ...volumes.conformity import UTF_8
from ...volumes.derivation import LONG_STRING, SOFTWARE, stable_uid
from ...volumes.elements import quiet, read_dataset

NO_DATE, NO_TIME = "19000101", "000000"  # for a study without; the time of writing would make a repeated run another object
OLDEST = (0, 24)  # of highdicom; the first for pydicom 3


@dataclass(frozen=True)
class DerivedSeries:
    """A series that `write_dicom_series` wrote: `images` are pydicom datasets without pixels, in slice order."""

    images: tuple

    @staticmethod
    def read(folder: Path) -> DerivedSeries:
        with quiet():
            return DerivedSeries(tuple(_header(path) for path in sorted(folder.iterdir())))

    @property
    def uid(self) -> str:
        return str(self.images[0].SeriesInstanceUID)

    @property
    def version(self) -> str:
        """Of the software that made it."""
        return str(self.images[0].ContributingEquipmentSequence[-1].SoftwareVersions)

    @property
    def derivation(self) -> str:
        """How it was made, a sentence and the research notice."""
        return str(self.images[0].DerivationDescription)

    def attributes_of(self, what: str, number: int, digest: str) -> dict[str, Any]:
        """Arguments for highdicom: of an object on the series, in a series of its own, `number` further on in the study.

        what: such as "regions". digest: of the content; together with the series, and so with its source and derivation, it
        determines the UIDs.
        """
        description = f"Research use only: {what} of {str(self.images[0].SeriesDescription).removeprefix('Research use only: ')}"
        return {
            "series_instance_uid": stable_uid(self.uid, what, "series", digest),
            "sop_instance_uid": stable_uid(self.uid, what, digest),
            "series_number": int(self.images[0].SeriesNumber) + number,
            "instance_number": 1,
            "manufacturer": SOFTWARE,
            "manufacturer_model_name": SOFTWARE,
            "software_versions": self.version,
            "device_serial_number": f"{SOFTWARE} {self.version}",
            "series_description": description[:LONG_STRING],
            "content_qualification": "RESEARCH",
        }


def refuse_without_highdicom() -> None:
    """Raises InputError where highdicom cannot be used, or is too old."""
    try:
        import highdicom.seg
        import highdicom.sr

        if tuple(map(int, highdicom.__version__.split(".")[:2])) < OLDEST:
            raise ImportError(f"version {highdicom.__version__} is older than {'.'.join(map(str, OLDEST))}")
    except Exception as error:  # a version that does not fit pydicom raises almost anything
        raise InputError(f"Regions and features as DICOM objects need the Python package highdicom, which cannot be used here "
                         f"({type(error).__name__}: {error}); install it with pip install -U highdicom (3D Slicer 5.12 has it), "
                         "or leave --dicom-regions out.") from error  # fmt: skip


@contextmanager
def making(path: Path) -> Iterator[None]:
    """A block that makes an object from the headers of a scanner, which may hold anything.

    Raises OutputError where highdicom or pydicom does not take them.
    """
    try:
        with quiet():
            yield
    except (LTDiffError, OSError, MemoryError):
        raise
    except Exception as error:
        raise OutputError(f"{path} cannot be made from the headers of the series ({type(error).__name__}); standardize it without "
                          "--dicom-regions.") from error  # fmt: skip


def save(made, series: DerivedSeries, path: Path) -> None:
    """Writes an object as a file, whole or not at all, the same bytes each time: it is dated as the study."""
    first = series.images[0]
    date, time = (str(first[keyword].value or "") for keyword in ("StudyDate", "StudyTime"))
    made.SpecificCharacterSet = UTF_8
    made.ContentDate = date if fullmatch(r"\d{8}", date) else NO_DATE
    made.ContentTime = time if fullmatch(r"\d{6}(\.\d{1,6})?", time) else NO_TIME
    for keyword in ("InstanceCreationDate", "InstanceCreationTime"):
        made.pop(keyword, None)
    for equipment in made.get("ContributingEquipmentSequence", []):
        if equipment.get("ManufacturerModelName") == "highdicom":
            equipment.pop("ContributionDateTime", None)
    file = BytesIO()
    made.save_as(file)
    write_bytes(path, file.getvalue())


def _header(path: Path):
    """In UTF-8, as what refers to it will be."""
    header = read_dataset(path, stop_before_pixels=True)
    header.decode()
    header.SpecificCharacterSet = UTF_8
    return header
