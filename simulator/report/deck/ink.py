"""What can be read on a template's background: colours of its theme, as they come out on it."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from lxml import etree
from pptx.enum.dml import MSO_THEME_COLOR
from pptx.oxml.ns import qn

READABLE: Final = 4.5  # WCAG 2, of text
LARGE: Final = 3.0  # of large and of bold text
SEEN: Final = 2.0  # of bars
DARK: Final = 0.18  # the luminance of a background on which white reads better than black
FAINT: Final = 1.4  # bars below this are lost on the background
NEAR: Final = 0.12  # two colours, of the square root of three
_MEANT: Final = {1: "fix", 2: "push", 3: "other variants"}
_THEME: Final = {
    "tx1": MSO_THEME_COLOR.TEXT_1,
    "tx2": MSO_THEME_COLOR.TEXT_2,
    "bg1": MSO_THEME_COLOR.BACKGROUND_1,
    "bg2": MSO_THEME_COLOR.BACKGROUND_2,
}
_CELLS: Final = {"dk1": MSO_THEME_COLOR.DARK_1, "lt1": MSO_THEME_COLOR.LIGHT_1}
_PLAIN: Final = {"tx1": "dk1", "tx2": "dk2", "bg1": "lt1", "bg2": "lt2"}
RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Ink:
    """text: of a chart; None where the theme's own does. quiet: of headings; bars: of today's.

    dark: whether the background is. cells, heads: of tables; None where their style's own do.
    notes: what cannot be seen on the background, or told apart, as sentences.
    """

    text: Any
    quiet: Any
    bars: Any
    dark: bool
    cells: Any = None
    heads: Any = None
    notes: tuple[str, ...] = ()


PLAIN: Final = Ink(None, MSO_THEME_COLOR.TEXT_2, MSO_THEME_COLOR.TEXT_2, dark=False)


def ink_of(layout: Any, theme: bytes) -> Ink:
    """What to write with on a layout. theme: its master's, as XML."""
    colours = _Colours(layout, theme)
    ground = colours.ground()
    told = {name: _contrast(colours.named(name), ground) for name in _THEME}
    best = max(told, key=lambda name: told[name])

    def first(names: Iterable[str], least: float) -> Any:
        return _THEME[next((n for n in names if told[n] >= least), best)]

    return Ink(
        text=None if told["tx1"] >= READABLE else _THEME[best],
        quiet=first(("tx2", "tx1"), READABLE),
        bars=first(("tx2", "tx1"), SEEN),
        dark=_light(ground) < DARK,
        cells=_of_cells(colours, "dk1", [_tint(colours.named("accent1"), t) for t in (0.2, 0.4)]),
        heads=_of_cells(colours, "lt1", [colours.named("accent1")]),
        notes=tuple(_unseen(colours, ground)),
    )


def dark_ground(layout: Any, theme: bytes) -> str:
    """The background of a layout as '#rrggbb' where it is dark; empty where it is light."""
    ground = _Colours(layout, theme).ground()
    if _light(ground) >= DARK:
        return ""
    return "#" + "".join(f"{round(255 * c):02x}" for c in ground)


def _unseen(colours: _Colours, ground: RGB) -> Iterator[str]:
    """Of the colours that charts mean something by."""
    named = {f"accent {k} ({what})": colours.named(f"accent{k}") for k, what in _MEANT.items()}
    faint = [name for name, colour in named.items() if _contrast(colour, ground) < FAINT]
    if faint:
        yield f"on the template's background {' and '.join(faint)} can hardly be seen"
    for a, b in combinations((name for name in named if name not in faint), 2):
        if sum((x - y) ** 2 for x, y in zip(named[a], named[b], strict=True)) < NEAR**2:
            yield f"the template's {a} and {b} are about the same colour"


def _of_cells(colours: _Colours, own: str, grounds: list[RGB]) -> Any:
    """What is read on a table's cells, where its style's own colour is not."""

    def told(name: str) -> float:
        return min(_contrast(colours.named(name), ground) for ground in grounds)

    best = max(_CELLS, key=told)
    return None if told(own) >= LARGE or told(own) >= told(best) else _CELLS[best]


def _tint(colour: RGB, share: float) -> RGB:
    red, green, blue = (1.0 - share * (1.0 - c) for c in colour)
    return red, green, blue


class _Colours:
    """Names of colours as a layout sees them."""

    def __init__(self, layout: Any, theme: bytes) -> None:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        self.layout, self.master = layout._element, layout.slide_master._element
        scheme = etree.fromstring(theme, parser).find(f".//{qn('a:clrScheme')}")
        self.scheme = {} if scheme is None else {
            etree.QName(e).localname: e for e in scheme if isinstance(e.tag, str)
        }  # fmt: skip
        own = self.layout.find(f"{qn('p:clrMapOvr')}/{qn('a:overrideClrMapping')}")
        held = own if own is not None else self.master.find(qn("p:clrMap"))
        self.map = dict(_PLAIN) | ({} if held is None else dict(held.attrib))

    def named(self, name: str) -> RGB:
        """A colour of the theme by its name; black or white where it has none."""
        real = self.map.get(name, name)
        found = None if (e := self.scheme.get(real)) is None else self.of(e)
        return found or ((1.0, 1.0, 1.0) if real.startswith("lt") else (0.0, 0.0, 0.0))

    def of(self, holder: Any) -> RGB | None:
        """The first colour within an element; None where there is none that is known."""
        for e in holder.iter(qn("a:srgbClr"), qn("a:sysClr"), qn("a:schemeClr")):
            if e.tag == qn("a:schemeClr"):
                base = self.named(e.get("val", ""))
            else:
                said = e.get("lastClr") or e.get("val") or ""
                if len(said) != 6 or not all(c in "0123456789abcdefABCDEF" for c in said):
                    continue
                base = tuple(int(said[i : i + 2], 16) / 255 for i in (0, 2, 4))  # type: ignore[assignment]
            return _bent(base, e)
        return None

    def ground(self) -> RGB:
        """The background; where it is a picture, what titles are not."""
        for element in (self.layout, self.master):
            held = element.find(f"{qn('p:cSld')}/{qn('p:bg')}")
            if held is not None and held.find(f".//{qn('a:blipFill')}") is None:
                found = self.of(held)
                if found is not None:
                    return found
            if held is not None:
                break
        style = self.master.find(f"{qn('p:txStyles')}/{qn('p:titleStyle')}/{qn('a:lvl1pPr')}")
        title = None if style is None else self.of(style)
        if title is not None and _light(title) > 0.5:
            return (0.0, 0.0, 0.0)
        return self.named("bg1") if title is None else (1.0, 1.0, 1.0)


def _bent(colour: RGB, element: Any) -> RGB:
    """With the theme's changes of lightness."""
    hue, light, full = colorsys.rgb_to_hls(*colour)
    for tag, add in (("a:lumMod", False), ("a:lumOff", True)):
        found = element.find(qn(tag))
        share = 0.0 if found is None else int(found.get("val", "0")) / 100_000
        if found is not None:
            light = light + share if add else light * share
    return colorsys.hls_to_rgb(hue, min(max(light, 0.0), 1.0), full)


def _light(colour: RGB) -> float:
    """Relative luminance (WCAG 2)."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def _contrast(a: RGB, b: RGB) -> float:
    low, high = sorted((_light(a), _light(b)))
    return (high + 0.05) / (low + 0.05)
