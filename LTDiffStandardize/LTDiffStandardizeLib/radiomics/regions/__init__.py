"""Where features are measured.

Within: region, reference <- shapes, random_boxes, annotations. Array axes are (z, y, x), spacings (x, y, z) in mm.
"""
from .random_boxes import DEFAULT_SIZE_MM, HU_RANGES, MINIMUM_FILL, SEPARATION, draw_regions, random_regions
from .region import Region, range_label
from .shapes import region_from_sphere, regions_from_label_map

__all__ = ["DEFAULT_SIZE_MM", "HU_RANGES", "MINIMUM_FILL", "SEPARATION", "Region", "draw_regions", "random_regions", "range_label",
           "region_from_sphere", "regions_from_label_map"]  # fmt: skip
