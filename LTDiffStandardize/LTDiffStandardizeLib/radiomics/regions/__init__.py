"""Where features are measured.

    random_boxes   drawn inside HU ranges of the smoothed reference
    shapes         boxes, spheres, whole slices, label arrays
    label_maps, annotations, dicom_objects, markups   from files
    roi            what a command line calls them

Within: region, reference <- shapes, random_boxes <- label_maps, annotations, dicom_objects, markups <- roi. Array axes are (z, y, x),
spacings (x, y, z) in mm, points LPS in mm.
"""
from .random_boxes import DEFAULT_SIZE_MM, HU_RANGES, MINIMUM_FILL, SEPARATION, draw_regions, random_regions
from .region import Region, range_label, told_apart
from .shapes import region_from_ball, region_from_box, region_from_sphere, regions_from_label_map, whole_slices, without_padding

__all__ = ["DEFAULT_SIZE_MM", "HU_RANGES", "MINIMUM_FILL", "SEPARATION", "Region", "draw_regions", "random_regions", "range_label",
           "region_from_ball", "region_from_box", "region_from_sphere", "regions_from_label_map", "told_apart", "whole_slices", "without_padding"]  # fmt: skip
