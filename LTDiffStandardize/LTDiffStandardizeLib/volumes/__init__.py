"""CT volumes: HU, geometry, scanner facts; DICOM series, NRRD and NIfTI in; derived DICOM series, NRRD and NIfTI out.

Within: volume, memory, atomic, names, derivation, compression, elements, codestreams <- functional_groups, pixels, padding <- headers <-
suitability, stack <- image_files, series, dicom_reader <- reading; conformity, pseudonyms <- inherited <- derived_headers <- dicom_writer;
orientation.
Imports nothing of the other packages but `errors`; pydicom, SimpleITK and scipy when first used.
"""
from .derivation import Derivation
from .dicom_writer import write_dicom_series
from .image_files import write_volume_file
from .reading import read_volume
from .series import SeriesEntry, find_series
from .volume import CTFacts, CTVolume, DicomSource

__all__ = [
    "CTFacts", "CTVolume", "Derivation", "DicomSource", "SeriesEntry",
    "find_series", "read_volume", "write_dicom_series", "write_volume_file",
]  # fmt: skip
