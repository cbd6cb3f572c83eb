"""The paper's own tables, as published (arXiv 2410.04000v2, Tables I and II): other data, another reading of the CCC.

They are quoted, never compared: the baselines of ID, IH and NID are the same to the digit in both tables.
"""
from __future__ import annotations

CLASSES = ("GOH", "GLCM", "GLRLM", "ID", "IH", "NID")
PATIENTS = {
    "Baseline": ((0.90, 0.05), (0.20, 0.13), (0.59, 0.13), (0.33, 0.16), (0.35, 0.12), (0.28, 0.15)),
    "UNet++": ((1.00, 0.00), (0.85, 0.19), (0.81, 0.15), (0.62, 0.11), (0.79, 0.25), (0.63, 0.09)),
    "DiffusionCT": ((1.00, 0.00), (0.83, 0.25), (0.82, 0.27), (0.89, 0.18), (0.49, 0.15), (0.87, 0.02)),
    "LTDiff++": ((1.00, 0.00), (0.86, 0.11), (0.84, 0.04), (0.84, 0.05), (0.72, 0.04), (0.88, 0.03)),
}
PHANTOMS = {
    "Baseline": ((0.89, 0.15), (0.30, 0.11), (0.51, 0.18), (0.33, 0.16), (0.35, 0.12), (0.28, 0.15)),
    "DiffusionCT": ((1.00, 0.00), (0.85, 0.14), (0.79, 0.20), (0.89, 0.25), (0.41, 0.06), (0.86, 0.19)),
    "LTDiff++": ((1.00, 0.00), (0.86, 0.35), (0.72, 0.06), (0.84, 0.05), (0.57, 0.08), (0.84, 0.02)),
}


def published_rows() -> list[dict]:
    """Rows as of `agreement_table`, with a "table"; what was not published is None."""
    unknown = ("ccc_low", "ccc_high", "share_085", "share_090", "n_features", "n_left_out", "n_regions")
    return [{"table": table, "method": f"{method} (published)", "regions": "tumour", "feature_class": name,
             "ccc_mean": mean, "ccc_sd": sd, **dict.fromkeys(unknown)}
            for table, rows in (("I published", PATIENTS), ("II published", PHANTOMS))
            for method, figures in rows.items() for name, (mean, sd) in zip(CLASSES, figures)]
