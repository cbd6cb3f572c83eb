"""A figure of matplotlib as one <svg> element that can stand in an HTML page beside others.

Matplotlib writes a whole document: with a prolog and metadata, a style sheet that would hold for all of the page, ids that would meet
those of the next chart, links from each marker to its shape, and a font of its own. What is kept here is shapes and text.
"""
from __future__ import annotations

import io
import re
from typing import Iterator, Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

_LINK = "{http://www.w3.org/1999/xlink}href"
_ROOT_STYLE = "--width:{0}px;display:block;width:100%;max-width:{0}px;height:auto;stroke-linejoin:round;stroke-linecap:butt"
_KEPT_STYLE = re.compile(r"(fill|stroke|opacity|font-(size|weight|style)|text-anchor)")

_SHORT_FONT = re.compile(r"(?:(\d+) )?([\d.]+px)")


def as_svg(figure, says: str, hints: Mapping[str, str]) -> str:
    """The figure as text. says: what it shows, for those who cannot see it.

    hints: {gid: hover text or ""}, for every gid that was set; those become the attribute data-mark.
    """
    document = ElementTree.fromstring(_written(figure))
    shapes = {element.get("id"): element for element in document.iter() if _tag(element) == "path" and element.get("id")}
    box = _rounded(document.get("viewBox"))
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "class": "chart", "viewBox": box, "role": "img", "aria-label": says,
                           "style": _ROOT_STYLE.format(box.split()[2])})  # fmt: skip
    for child in document:
        root.extend(_kept(child, shapes, hints))
    return ElementTree.tostring(root, encoding="unicode")


def _written(figure) -> bytes:
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.BytesIO()
    FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    return buffer.getvalue()


def _kept(element: Element, shapes: Mapping[str, Element], hints: Mapping[str, str]) -> Iterator[Element]:
    """What stays of an element: groups give way to what they hold unless they have a name of ours."""
    tag = _tag(element)
    if tag == "g":
        inner = [kept for child in element for kept in _kept(child, shapes, hints)]
        yield from [_group(element.get("id"), inner, hints)] if element.get("id") in hints and inner else inner
    elif tag == "path":
        yield Element("path", {"d": _rounded(element.get("d")), "style": _style(element)})
    elif tag == "use":
        shape = shapes[element.get(_LINK)[1:]]
        place = _rounded(f"translate({element.get('x')} {element.get('y')})")
        yield Element("path", {"d": _rounded(shape.get("d")), "transform": place, "style": _style(element, shape)})
    elif tag == "text":
        yield _text(element)


def _group(name: str, inner: list[Element], hints: Mapping[str, str]) -> Element:
    group = Element("g", {"data-mark": name})
    if hints[name]:
        title = Element("title")
        title.text = hints[name]
        group.append(title)
    looks = {child.get("style") for child in inner}
    if len(inner) > 1 and len(looks) == 1:  # once for all points of a series
        group.set("style", looks.pop())
        for child in inner:
            del child.attrib["style"]
    group.extend(inner)
    return group


def _text(element: Element) -> Element:
    kept = {"x": _rounded(element.get("x")), "y": _rounded(element.get("y")), "style": _style(element)}
    turn = element.get("transform", "")
    if turn and not re.match(r"rotate\(-?0 ", turn):
        kept["transform"] = _rounded(turn)
    text = Element("text", kept)
    text.text = element.text
    return text


def _style(*elements: Element) -> str:
    """The styles of the elements, the later first, without the font family: the page has its own."""
    found = {}
    for element in elements:
        for part in element.get("style", "").split(";"):
            name, _, value = part.partition(":")
            name, value = name.strip(), value.strip()
            if name == "font":  # how matplotlib before 3.10 writes "weight size family"
                found.update(zip(("font-weight", "font-size"), _SHORT_FONT.match(value).groups("400")))
            elif _KEPT_STYLE.match(name):
                found[name] = value
    return ";".join(f"{name}:{value}" for name, value in found.items())


def _rounded(text: str) -> str:
    """The numbers of a path or a place to a hundredth of a px."""
    return " ".join(re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), text).split())


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]
