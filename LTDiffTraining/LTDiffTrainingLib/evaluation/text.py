"""Agreement as aligned text."""
from __future__ import annotations

from collections.abc import Sequence


def as_text(rows: Sequence[dict], sd_rows: Sequence[dict]) -> str:
    """Aligned tables, one per range: methods down, classes across, mean CCC with its 90 % interval."""
    lines = []
    for label in dict.fromkeys(r["regions"] for r in rows):
        part = [r for r in rows if r["regions"] == label]
        classes = list(dict.fromkeys(r["feature_class"] for r in part))
        lines.append(f"\n{label} (n = {part[0]['n_regions']})".ljust(26) + "".join(c.center(18) for c in classes) + "SD ratio (spread)")
        for method in dict.fromkeys(r["method"] for r in part):
            cells = {r["feature_class"]: r for r in part if r["method"] == method}
            sd = next(s for s in sd_rows if s["method"] == method and s["regions"] == label)
            figures = "".join(f"{cells[c]['ccc_mean']:.2f} [{cells[c]['ccc_low']:.2f},{cells[c]['ccc_high']:.2f}]".center(18) for c in classes)
            lines.append(f"  {method}".ljust(25) + figures + f"{sd['sd_ratio']:.2f} ({sd['sd_ratio_spread']:.3f})")
    return "\n".join(lines)
