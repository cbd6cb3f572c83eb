"""Regions and their features as DICOM objects beside a derived series, which archives and viewers file with it.

    segmentation         the regions: Segmentation (SEG)
    measurement_report   their features: Comprehensive SR by TID 1500
    codes                how a feature and its unit are called there

Within: codes, series <- segmentation, measurement_report. highdicom, which is optional, makes both and is imported when first used.
"""
