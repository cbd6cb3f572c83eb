"""What LTDiff++ must hold against doing nothing and against the filters, each gate with its figure."""
from __future__ import annotations

from collections.abc import Sequence

from .measuring import FILTERS

MARGIN = 0.02
SOFT_TISSUE_GOALS = {"GLCM": 0.96, "GLRLM": 0.92, "ID": 0.97, "IH": 0.96, "NID": 0.95}
"""Of LTDiff++ in [10,250] HU."""


def gates(rows: Sequence[dict], sd_rows: Sequence[dict]) -> list[dict]:
    """What LTDiff++ must hold, each with its figure: never MARGIN below the best of doing nothing and the filters per class
    and range (GOH is reported, not gated: its ceiling is low), the soft-tissue goals, the SD ratio within 1 +- 0.03."""
    figure = {(r["method"], r["regions"], r["feature_class"]): r["ccc_mean"] for r in rows}
    found = []
    for (method, label, name), value in figure.items():
        if method != "ltdiff" or name == "GOH":
            continue
        best = max(FILTERS, key=lambda f: figure.get((f, label, name), -1))
        limit = figure[best, label, name] - MARGIN
        found.append({"gate": f"{label} {name} >= {best} - {MARGIN}", "value": value, "limit": limit, "holds": value >= limit})
        if label == "[10,250]" and name in SOFT_TISSUE_GOALS:
            goal = SOFT_TISSUE_GOALS[name]
            found.append({"gate": f"{label} {name} goal", "value": value, "limit": goal, "holds": value >= goal})
    for row in sd_rows:
        if row["method"] == "ltdiff":
            found.append({"gate": f"{row['regions']} SD ratio within 1 +- 0.03", "value": row["sd_ratio"], "limit": 1.03 if row["sd_ratio"] > 1 else 0.97,
                          "holds": abs(row["sd_ratio"] - 1) <= 0.03})
    return found


def gates_text(tables: Sequence) -> str:
    """The gates of LTDiff++ on the simulated phantoms of table II, a line each; "" where that table was not filled."""
    table = next((t for t in tables if t.title == "II phantoms: simulated"), None)
    if table is None:
        return ""
    held = gates(table.rows, table.deviations)
    lines = [f"{'holds ' if g['holds'] else 'MISSED'} {g['gate']}: {g['value']:.3f} (limit {g['limit']:.3f})" for g in held]
    return "\n".join([*lines, f"{sum(g['holds'] for g in held)} of {len(held)} gates hold."])
