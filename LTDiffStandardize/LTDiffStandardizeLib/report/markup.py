"""HTML from values. All text passes `escape` here, as DICOM headers and file names may hold anything."""
from __future__ import annotations

import html
import math
from typing import Iterable, Sequence


def escape(text: object) -> str:
    return html.escape(str(text), quote=True)


def paragraphs(texts: Iterable[str]) -> str:
    return "\n".join(f"<p>{escape(text)}</p>" for text in texts)


def items(texts: Iterable[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{escape(text)}</li>" for text in texts) + "\n</ul>"


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    return "<dl>\n" + "\n".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in pairs) + "\n</dl>"


def details(summary: str, body: str) -> str:
    """Finished HTML that opens when its summary, a text, is chosen."""
    return f"<details>\n<summary>{escape(summary)}</summary>\n{body}\n</details>"


def chart(description: str, svg: str) -> str:
    """A finished <svg> that scrolls within the page; nothing for nothing."""
    return f'<div class="wide" tabindex="0" role="region" aria-label="{escape(description)}">{svg}</div>' if svg else ""


def table(caption: str, header: Sequence[str], bodies: Iterable[Iterable[str]]) -> str:
    """A table that scrolls within the page; `header` and `caption` are text, `bodies` are groups of finished <tr> rows."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    groups = "".join("<tbody>\n" + "\n".join(rows) + "\n</tbody>\n" for rows in bodies)
    # The caption stands outside what scrolls, so that it can be read on a narrow screen.
    return (f'<p class="caption">{escape(caption)}</p>\n<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}">'
            f"<table>\n<thead><tr>{head}</tr></thead>\n{groups}</table></div>")  # fmt: skip


def row(name: str, cells: Iterable[str], before: str = "") -> str:
    """A table row headed by the text `name`; `cells` and `before` are finished cells."""
    return f'<tr>{before}<th scope="row">{escape(name)}</th>{"".join(cells)}</tr>'


def cell(text: str, note: str = "", best: bool = False) -> str:
    """A table cell: text, below it a smaller note; the best of a row is bold with a star, so that it needs no colour."""
    shown = f"<strong>{escape(text)}&nbsp;★</strong>" if best else escape(text)
    return f'<td{" class=best" if best else ""}>{shown}{f"<small>{escape(note)}</small>" if note else ""}</td>'


def interval(low: float, high: float, pattern: str = ".2f") -> str:
    """Both ends as `number` has them, one dash where they are undefined."""
    known = math.isfinite(low) and math.isfinite(high)
    return f"{number(low, pattern)} to {number(high, pattern)}" if known else number(math.nan)


def number(value: float, pattern: str = ".2f") -> str:
    """The formatted number with a true minus sign, a dash where it is undefined."""
    return format(value, pattern).replace("-", "−") if math.isfinite(value) else "–"
