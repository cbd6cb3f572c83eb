"""Small volumes, nodes and matrices for the tests of the scene; skips what imports it where slicer-core is missing."""
import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is missing or cannot be loaded", exc_type=ImportError)

from LTDiffStandardizeLib.volumes.volume import CTFacts, CTVolume  # noqa: E402

FACTS = CTFacts(kernel="Br64d\\3", manufacturer="SIEMENS", model="Sensation 10", kvp=120.0, mas=87.5, slice_thickness_mm=3.0,
                slice_distance_mm=2.5, fov_mm=331.0)  # fmt: skip


def hu_of(shape=(9, 12, 14), seed=0):
    """int16 HU without anything that looks like padding."""
    return np.random.default_rng(seed).integers(-900, 1500, shape, dtype=np.int16)


def centred(shape=(9, 12, 14), spacing=(1.1, 0.9, 2.3), direction=np.eye(3), seed=0, **fields):
    """A volume whose middle is the origin of the patient's coordinates."""
    middle = (np.array(shape[::-1]) - 1) / 2 * spacing
    return CTVolume(hu_of(shape, seed), spacing, tuple(-direction @ middle), direction, **fields)


def rotation(degrees, axis=(1.0, 2.0, 3.0)):
    """(3, 3): a turn about an axis, by Rodrigues' formula."""
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    cross, angle = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]), np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def affine(linear=np.eye(3), shift=(0.0, 0.0, 0.0)):
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear, shift
    return matrix


def add_transform(matrix):
    """A node that moves what lies in it by a (4, 4) matrix, RAS."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.asarray(matrix, float)))
    return node


def voxels_ras(node):
    """(slices, rows, columns, 3): where the voxels of a volume node lie, from its IJKToRAS matrix."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    to_ras = slicer.util.arrayFromVTKMatrix(matrix)
    k, j, i = np.indices(slicer.util.arrayFromVolume(node).shape)
    return np.stack([i, j, k], axis=-1) @ to_ras[:3, :3].T + to_ras[:3, 3]


def add_segmentation(volume_node, masks, name="Segmentation"):
    """A segmentation with these {name: mask} on the voxels of a volume node."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    for segment, mask in masks.items():
        segment_id = node.GetSegmentation().AddEmptySegment("", segment)
        slicer.util.updateSegmentBinaryLabelmapFromArray(np.asarray(mask, np.uint8), node, segment_id, volume_node)
    return node


def whole_mask(region, shape):
    """The mask of a region on all voxels."""
    mask = np.zeros(shape, bool)
    mask[region.slices] = region.mask
    return mask


def one_sentence(caught, *parts):
    """Whether an error is one sentence with a remedy, in which the parts occur."""
    text = str(caught.value)
    is_one = text[0].isupper() and text.endswith(".") and ". " not in text and "\n" not in text and (";" in text or ":" in text)
    return is_one and all(part in text for part in parts)


def nodes_by_class():
    """{class of node: how many the scene has}; not of display nodes, which Slicer's own functions leave behind."""
    names = [node.GetClassName() for node in slicer.util.getNodesByClass("vtkMRMLNode")]
    return {name: names.count(name) for name in names if not name.endswith("DisplayNode")}
