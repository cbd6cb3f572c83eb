"""Coded names and units of the PyRadiomics profile's features.

A feature whose definition is IBSI's has IBSI's code: PS3.16 CID 218 lists it, but for those of the intensities (ID), which are in the IBSI
reference manual, section 3.3, alone. On IBSI's digital phantom all of them have the reference values. The others have codes of our own.
"""
from __future__ import annotations

from ...volumes.derivation import SOFTWARE
from ..features import Name

PRIVATE = "99LTDIFF"
IBSI = {
    "ID": {
        "10Percentile": ("QG58", "10th intensity percentile"),
        "90Percentile": ("8DWT", "90th intensity percentile"),
        "Energy": ("N8CA", "Intensity-based energy"),
        "InterquartileRange": ("SALO", "Intensity interquartile range"),
        "Maximum": ("84IY", "Maximum intensity"),
        "MeanAbsoluteDeviation": ("4FUA", "Intensity-based mean absolute deviation"),
        "Mean": ("Q4LE", "Mean intensity"),
        "Median": ("Y12H", "Median intensity"),
        "Minimum": ("1GSF", "Minimum intensity"),
        "Range": ("2OJQ", "Intensity range"),
        "RobustMeanAbsoluteDeviation": ("1128", "Intensity-based robust mean absolute deviation"),
        "RootMeanSquared": ("5ZWQ", "Root mean square intensity"),
        "Skewness": ("KE2A", "Intensity skewness"),
        "Variance": ("ECT3", "Intensity variance"),
    },
    "IH": {
        "Entropy": ("TLU2", "Intensity Histogram Entropy"),
        "Uniformity": ("BJ5W", "Intensity Histogram Uniformity"),
        "Variance": ("CH89", "Intensity Histogram Variance"),
        "Skewness": ("88K1", "Intensity Histogram Skewness"),
        "MeanAbsoluteDeviation": ("D2ZX", "Intensity Histogram Mean Absolute Deviation"),
        "MedianAbsoluteDeviation": ("4RNL", "Intensity Histogram Median Absolute Deviation"),
    },
    "GLCM": {
        "Autocorrelation": ("QWB0", "Autocorrelation of GLCM"),
        "ClusterProminence": ("AE86", "Cluster Prominence of GLCM"),
        "ClusterShade": ("7NFM", "Cluster Shade of GLCM"),
        "ClusterTendency": ("DG8W", "Cluster Tendency of GLCM"),
        "Contrast": ("ACUI", "Contrast of GLCM"),
        "Correlation": ("NI2N", "Correlation of GLCM"),
        "DifferenceAverage": ("TF7R", "Difference Average of GLCM"),
        "DifferenceEntropy": ("NTRS", "Difference Entropy of GLCM"),
        "DifferenceVariance": ("D3YU", "Difference Variance of GLCM"),
        "Id": ("IB1Z", "Inverse Difference of GLCM"),
        "Idm": ("WF0Z", "Inverse Difference Moment of GLCM"),
        "Idmn": ("1QCO", "Normalized Inverse Difference Moment of GLCM"),
        "Idn": ("NDRX", "Normalized Inverse Difference of GLCM"),
        "Imc1": ("R8DG", "First Measure of Information Correlation of GLCM"),
        "Imc2": ("JN9H", "Second Measure of Information Correlation of GLCM"),
        "InverseVariance": ("E8JP", "Inverse Variance of GLCM"),
        "JointAverage": ("60VM", "Joint Average of GLCM"),
        "JointEnergy": ("8ZQL", "Angular Second Moment of GLCM"),
        "JointEntropy": ("TU9B", "Joint Entropy of GLCM"),
        "MaximumProbability": ("GYBY", "Joint Maximum of GLCM"),
        "SumAverage": ("ZGXS", "Sum Average of GLCM"),
        "SumEntropy": ("P6QZ", "Sum Entropy of GLCM"),
        "SumSquares": ("UR99", "Joint Variance of GLCM"),
    },
    "GLRLM": {
        "GrayLevelNonUniformity": ("R5YN", "Gray Level Nonuniformity in Runs"),
        "GrayLevelNonUniformityNormalized": ("OVBL", "Normalized Gray Level Nonuniformity in Runs"),
        "GrayLevelVariance": ("8CE5", "Gray Level Variance in Runs"),
        "HighGrayLevelRunEmphasis": ("G3QZ", "High Gray Level Run Emphasis"),
        "LongRunEmphasis": ("W4KF", "Long Runs Emphasis"),
        "LongRunHighGrayLevelEmphasis": ("3KUM", "Long Run High Gray Level Emphasis"),
        "LongRunLowGrayLevelEmphasis": ("IVPO", "Long Run Low Gray Level Emphasis"),
        "LowGrayLevelRunEmphasis": ("V3SW", "Low Gray Level Run Emphasis"),
        "RunEntropy": ("HJ9O", "Run Entropy"),
        "RunLengthNonUniformity": ("W92Y", "Run Length Nonuniformity"),
        "RunLengthNonUniformityNormalized": ("IC23", "Normalized Run Length Nonuniformity"),
        "RunPercentage": ("9ZK5", "Run Percentage"),
        "RunVariance": ("SXLW", "Run Length Variance"),
        "ShortRunEmphasis": ("22OV", "Short Runs Emphasis"),
        "ShortRunHighGrayLevelEmphasis": ("GD3A", "Short Run High Gray Level Emphasis"),
        "ShortRunLowGrayLevelEmphasis": ("HTZT", "Short Run Low Gray Level Emphasis"),
    },
    "NID": {
        "Busyness": ("NQ30", "Busyness of NGTDM"),
        "Coarseness": ("QCDE", "Coarseness of NGTDM"),
        "Complexity": ("HDEZ", "Complexity of NGTDM"),
        "Contrast": ("65HE", "Contrast of NGTDM"),
        "Strength": ("1X9X", "Strength of NGTDM"),
    },
}
"""{class: {feature: (code, meaning)}}; Kurtosis (3 for a Gaussian, IBSI's is 0) and the histogram's gradients (a share of the voxels) are
defined otherwise."""

NO_UNITS, DEGREE, HU = ("1", "no units"), ("deg", "degree"), ("[hnsf'U]", "Hounsfield unit")
OTHER_UNITS = {
    "ID": {"Skewness": NO_UNITS, "Kurtosis": NO_UNITS, "Variance": ("[hnsf'U]2", "square Hounsfield unit"),
           "Energy": ("[hnsf'U]2", "square Hounsfield unit"), "TotalEnergy": ("[hnsf'U]2.mm3", "square Hounsfield unit times cubic millimeter")},
    "GOH": {"Skewness": NO_UNITS, "Kurtosis": NO_UNITS},
}  # fmt: skip


def concept_of(name: Name):
    """The coded name of a feature, (class, feature): of IBSI's scheme, or of `PRIVATE` with the code CLASS.FEATURE."""
    from highdicom.sr import CodedConcept

    feature_class, feature = name
    code, meaning = IBSI.get(feature_class, {}).get(feature, (None, None))
    if code:
        return CodedConcept(code, "IBSI", meaning)
    return CodedConcept(f"{feature_class}.{feature}", PRIVATE, f"{feature} ({feature_class})")


def unit_of(name: Name):
    """The UCUM unit of a feature, (class, feature); what counts grey levels, runs or voxels has none."""
    from highdicom.sr import CodedConcept

    feature_class, feature = name
    common = {"ID": HU, "GOH": DEGREE}.get(feature_class, NO_UNITS)
    code, meaning = OTHER_UNITS.get(feature_class, {}).get(feature, common)
    return CodedConcept(code, "UCUM", meaning)


def private_scheme():
    """What a DICOM object says of `PRIVATE` (PS3.3, 12.1: CodingSchemeIdentificationSequence)."""
    from highdicom.coding_schemes import CodingSchemeIdentificationItem

    return CodingSchemeIdentificationItem(PRIVATE, name=f"Features that {SOFTWARE} names itself", responsible_organization=SOFTWARE)
