"""Charts of the report as inline SVG, drawn by matplotlib, which is imported only when a chart is drawn.

Within: svg, style <- sheet <- classes, regions. Imports `radiomics`. Every chart function returns one <svg> element as text, or "" where
there is nothing to draw. The element has no id, no link, no script and no picture, so any number of them can stand in one page; its text
takes the font of the page. Call no chart function where `available` says no.
"""
from .classes import ccc_bars, heat_map
from .regions import bland_altman, scatter

__all__ = ["available", "bland_altman", "ccc_bars", "heat_map", "scatter"]

_NEEDED = "The charts are left out because they need matplotlib 3.6 or newer; the tables hold the same numbers."


def available() -> tuple[bool, str]:
    """Whether charts can be drawn, and if not, the sentence that says so."""
    try:
        import matplotlib
        from matplotlib.backends import backend_svg  # noqa: F401
    except Exception:  # besides ImportError: a build for another numpy, or a matplotlibrc that cannot be read
        return False, _NEEDED
    return (True, "") if "text.parse_math" in matplotlib.rcParams else (False, _NEEDED)
