"""Small CT series made with pydicom, as a scanner would write them, for the tests."""
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SHAPE = (6, 5)


def small_hu(slices=4, shape=SHAPE, seed=0):
    """(slices, rows, columns) int16 HU without anything that looks like padding."""
    return np.random.default_rng(seed).integers(-900, 1500, (slices, *shape), dtype=np.int16)


def ct_slice(index, hu, **changes):
    """One slice 2.5 mm from the next; `changes` set elements by keyword, None removes one."""
    ds = pydicom.Dataset()
    ds.SOPClassUID, ds.Modality, ds.ImageType = CTImageStorage, "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPInstanceUID = generate_uid(entropy_srcs=["slice", str(index)])
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Doe^Jane", "4711", "", ""
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "1.2.3", "1.2.3.4", "1.2.3.5"
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber, ds.ReferringPhysicianName = "20200102", "", "", "", ""
    ds.Manufacturer, ds.ManufacturerModelName, ds.ConvolutionKernel, ds.KVP = "SIEMENS", "Sensation 10", "B40f", 120
    ds.XRayTubeCurrent, ds.ExposureTime, ds.SliceThickness, ds.ReconstructionDiameter = 200, 500, 3, 331
    ds.SeriesNumber, ds.InstanceNumber, ds.PatientPosition = 3, index + 1, "HFS"
    ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [-10, -20, 100 + 2.5 * index]
    ds.PixelSpacing, ds.SamplesPerPixel, ds.PhotometricInterpretation = [0.7, 0.6], 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, -1024, "HU"
    ds.SmallestImagePixelValue, ds.LargestImagePixelValue = 0, 4095
    ds.add_new((0x0029, 0x0010), "LO", "SIEMENS CSA HEADER")
    ds.add_new((0x0029, 0x1010), "OB", b"private")
    ds.Rows, ds.Columns = hu.shape
    for keyword, value in changes.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    if "RescaleSlope" in ds and "RescaleIntercept" in ds:
        stored = (np.asarray(hu, np.float64) - float(ds.RescaleIntercept)) / float(ds.RescaleSlope or 1)
    else:
        stored = hu
    ds.PixelData = np.rint(stored).astype("<i2" if ds.PixelRepresentation else "<u2").tobytes()
    ds["PixelData"].VR = "OW"
    return ds


def save(ds, path, transfer_syntax=ExplicitVRLittleEndian):
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = transfer_syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.get("SOPClassUID") or CTImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID") or "1.2.3"
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    return path


def write_series(folder, hu=None, names=None, transfer_syntax=ExplicitVRLittleEndian, each=lambda index: {}, **changes):
    """A series of one file a slice; `each(index)` gives changes of single slices; returns the HU."""
    hu = small_hu() if hu is None else hu
    for index, values in enumerate(hu):
        name = names[index] if names else f"{index:03d}.dcm"
        save(ct_slice(index, values, **{**changes, **each(index)}), Path(folder) / name, transfer_syntax)
    return hu
