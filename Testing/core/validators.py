"""Two validators of DICOM objects that are not ours: dciodvfy (dicom3tools), and the module tables of the standard in highdicom."""
import re
import shutil
import subprocess

import pydicom

DCIODVFY = shutil.which("dciodvfy")


def errors_by_dciodvfy(path):
    """Lines of dciodvfy that begin with "Error"."""
    made = subprocess.run([DCIODVFY, "-new", str(path)], capture_output=True, text=True, errors="replace")
    lines = (made.stdout + made.stderr).splitlines()
    assert any(re.fullmatch(r"\w*(CTImage|Segmentation|ComprehensiveSR|Comprehensive3DSR)\w*", line.strip()) for line in lines), lines[:5]
    return [line for line in lines if line.startswith("Error")]


def errors_by_tables(path):
    """A sentence for each mandatory module of the object's IOD that lacks an attribute of type 1 or 2."""
    from highdicom._standard_utils import check_required_attributes, get_iod_module_map, get_sop_class_iod_map

    dataset, errors = pydicom.dcmread(path), []
    for module in get_iod_module_map()[get_sop_class_iod_map()[dataset.SOPClassUID]]:
        if module["usage"] == "M":
            try:
                check_required_attributes(dataset, module["key"])
            except AttributeError as error:
                errors.append(f"{module['key']}: {error}")
    return errors
