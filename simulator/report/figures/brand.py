"""A company's colours and fonts on figures, checked: can they be told apart, by everybody?

Colour-vision deficiency is simulated as by Machado, Oliveira and Fernandes (2009), at full
severity; differences are CIE 1976; contrast is that of WCAG 2.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.spines import Spine
from matplotlib.text import Text
from numpy.typing import NDArray

from simulator.errors import DataError
from simulator.report.figures import style

Floats = NDArray[np.float64]
# What a style file may colour, and what of ours it stands for.
COLOURS: Final = {
    "today": style.GREY,
    "push": style.VERMILLION,
    "fix": style.BLUE,
    "other": style.GREEN,
    "buyer": style.PURPLE,
    "up": style.SKY,
    "down": style.ORANGE,
    "ink": style.INK,
}
TOLD_APART: Final = ("today", "push", "fix", "other")
LEAST_CONTRAST: Final = 3.0  # of what is drawn, against white (WCAG 1.4.11)
LETTERS: Final = 4.5  # of letters (WCAG 1.4.3)
EASY: Final = 7.0  # of letters on a dark ground (WCAG 1.4.6)
LEAST_DIFFERENCE: Final = 10.0
# Settings of matplotlib that change a look and nothing else.
_RC: Final = re.compile(r"(axes|xtick|ytick|grid|lines|patch|hatch)\.[\w.]+")
_SIGHT: Final = {
    "usual colour vision": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Brand:
    """Colours by what they mean, fonts, and settings of matplotlib."""

    colours: dict[str, str] = field(default_factory=dict)
    fonts: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)

    def colour(self, name: str) -> str:
        """The brand's colour, or ours."""
        return self.colours.get(name, COLOURS[name])

    @property
    def warnings(self) -> list[str]:
        """What somebody would not see, and fonts that are not here."""
        there = {font.name for font in fontManager.ttflist}
        found = [f"font '{f}' is not installed here" for f in self.fonts if f not in there]
        if not self.colours:
            return found
        for name in COLOURS:
            ratio, least = contrast(self.colour(name)), LETTERS if name == "ink" else LEAST_CONTRAST
            if name in self.colours and ratio < least:
                found.append(
                    f"colour {name} ({self.colour(name)}): its contrast with white is {ratio:.1f}, "
                    f"below {least:g}"
                )
        for a, b in combinations(TOLD_APART, 2):
            sight, apart = min(
                ((s, difference(self.colour(a), self.colour(b), s)) for s in _SIGHT),
                key=lambda item: item[1],
            )
            if apart < LEAST_DIFFERENCE:
                found.append(
                    f"colours {a} ({self.colour(a)}) and {b} ({self.colour(b)}) are hard to tell "
                    f"apart with {sight} (difference {apart:.0f}, below {LEAST_DIFFERENCE:g})"
                )
        return found


def contrast(colour: str, ground: str = "#FFFFFF") -> float:
    """The contrast ratio of two colours (WCAG 2)."""
    a, b = sorted(float(_linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (colour, ground))
    return (b + 0.05) / (a + 0.05)


def difference(a: str, b: str, sight: str) -> float:
    """How far apart two colours look with a kind of colour vision (CIE 1976)."""
    seen = [_lab(np.clip(_SIGHT[sight] @ _linear(c), 0.0, 1.0)) for c in (a, b)]
    return float(np.linalg.norm(seen[0] - seen[1]))


def _linear(colour: str) -> Floats:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _lab(linear: Floats) -> Floats:
    xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ) @ linear / [0.95047, 1.0, 1.08883]  # fmt: skip
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def brand_of(path: str | Path) -> Brand:
    """The brand in a style file (YAML, .mplstyle) or in a PowerPoint file's theme.

    Raises DataError, or SpecError where a YAML file is wrong.
    """
    file = Path(path)
    try:
        if file.suffix.lower() in (".pptx", ".potx", ".pptm"):
            return _theme(file)
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(
            f"{file}: cannot be read ({(error.strerror or str(error)).lower()})"
        ) from None
    except UnicodeDecodeError:
        raise DataError(f"{file}: is not a style file (YAML, .mplstyle or .pptx)") from None
    if file.suffix.lower() == ".mplstyle":
        return Brand(settings=_settings(file, dict(_lines(file, text))))
    return _yaml(file, text)


def _lines(file: Path, text: str) -> list[tuple[str, tuple[int, str]]]:
    found = []
    for number, row in enumerate(text.splitlines(), 1):
        said = re.sub(r"(^|\s)#.*", "", row).strip()
        if not said:
            continue
        key, colon, value = said.partition(":")
        if not colon:
            raise DataError(f"{file}:{number}: '{said}' is no setting: write name: value")
        found.append((key.strip(), (number, value.strip().strip("\"'"))))
    return found


def _settings(file: Path, wanted: dict[str, tuple[int, Any]]) -> dict[str, Any]:
    """Settings that change the look, each as matplotlib takes it."""
    found: dict[str, Any] = {}
    for key, (number, value) in wanted.items():
        if not _RC.fullmatch(key):
            raise DataError(
                f"{file}:{number}: {key}: may not be set here; axes.*, xtick.*, ytick.*, grid.*, "
                "lines.* and patch.* may"
            )
        try:
            checked: Any = mpl.RcParams({key: value})
            found[key] = checked[key]
        except (KeyError, ValueError) as error:
            said = " ".join(str(error).split())[:120]
            raise DataError(f"{file}:{number}: {key}: {said}") from None
    return found


def _yaml(file: Path, text: str) -> Brand:
    from simulator.spec.yamltree import read_tree

    tree = read_tree(text, str(file))
    colours: dict[str, str] = {}
    fonts: tuple[str, ...] = ()
    settings: dict[str, Any] = {}
    for key, node in tree.value.items():
        if key == "colours" and node.is_mapping:
            for name, colour in node.value.items():
                colours[name] = _colour(file, colour.line, name, colour.value)
        elif key == "fonts" and not node.is_mapping:
            listed = [n.value for n in node.value] if node.is_list else [node.value]
            fonts = tuple(str(f) for f in listed)
        elif key == "matplotlib" and node.is_mapping:
            settings = _settings(file, {k: (n.line, n.value) for k, n in node.value.items()})
        else:
            raise DataError(
                f"{file}:{node.line}: {key}: is not part of a style; colours (name: '#rrggbb'), "
                "fonts (a list) and matplotlib (settings) are"
            )
    return Brand(colours, fonts, settings)


def _colour(file: Path, number: int, name: str, value: Any) -> str:
    if name not in COLOURS:
        raise DataError(
            f"{file}:{number}: colours.{name}: nothing has that colour; {', '.join(COLOURS)} have"
        )
    try:
        return str(to_hex(str(value)))
    except ValueError:
        raise DataError(
            f"{file}:{number}: colours.{name}: '{value}' is no colour; write '#1a2b3c', in quotes"
        ) from None


def _theme(file: Path) -> Brand:
    """Colours and font of a deck's theme."""
    try:
        with zipfile.ZipFile(file) as package:
            there = package.namelist()
            names = sorted(n for n in there if re.fullmatch(r"ppt/theme/theme\d+\.xml", n))
            return theme_brand(package.read(names[0]))
    except (zipfile.BadZipFile, IndexError, KeyError, ET.ParseError):
        raise DataError(f"{file}: has no theme that can be read") from None


def theme_brand(xml: bytes) -> Brand:
    """The brand in a theme's XML. Raises ParseError."""
    ns = {"a": "http://schemas.openxmlformats.org/drawingml/2006/main"}
    root = ET.fromstring(xml)
    slots = {"fix": "accent1", "push": "accent2", "other": "accent3", "buyer": "accent4",
             "up": "accent5", "down": "accent6", "today": "dk2"}  # fmt: skip
    colours = {}
    for name, slot in slots.items():
        element = root.find(f".//a:clrScheme/a:{slot}/*", ns)
        value = None if element is None else element.get("lastClr") or element.get("val")
        if value is not None and re.fullmatch(r"[0-9A-Fa-f]{6}", value):
            colours[name] = f"#{value.lower()}"
    font = root.find(".//a:fontScheme/a:minorFont/a:latin", ns)
    face = None if font is None else font.get("typeface")
    return Brand(colours, (face,) if face and not face.startswith("+") else ())


def recolour(figure: Figure, brand: Brand) -> None:
    """The brand's colours in place of ours, on everything that is drawn."""
    if not brand.colours:
        return
    swaps = {to_hex(COLOURS[n]): to_hex(c) for n, c in brand.colours.items()}
    letters = {to_hex(style.ink(COLOURS[n])): dark(c) for n, c in brand.colours.items()}

    def new(colour: Any, table: dict[str, str]) -> Any:
        return table.get(_hex(colour), colour)

    for artist in figure.findobj(lambda a: isinstance(a, Artist)):
        if isinstance(artist, Text):
            artist.set_color(new(artist.get_color(), letters | {
                k: dark(v) for k, v in swaps.items()}))  # fmt: skip
        elif isinstance(artist, Line2D):
            artist.set_color(new(artist.get_color(), swaps))
            artist.set_markerfacecolor(new(artist.get_markerfacecolor(), swaps))
            artist.set_markeredgecolor(new(artist.get_markeredgecolor(), swaps))
        elif isinstance(artist, Patch):
            opacity = artist.get_alpha()
            face, edge = artist.get_facecolor(), artist.get_edgecolor()
            if _hex(face) in swaps:
                artist.set_facecolor(swaps[_hex(face)])
            if _hex(edge) in swaps:
                artist.set_edgecolor(swaps[_hex(edge)])
            artist.set_alpha(opacity)
        elif isinstance(artist, Collection):
            faces = artist.get_facecolor()
            if len(faces) and _hex(faces[0]) in swaps:
                artist.set_facecolor(swaps[_hex(faces[0])])


def darken(figure: Figure, ground: str) -> None:
    """A dark background: what is written or drawn on it is made light enough to be seen."""
    figure.set_facecolor(ground)
    for axes in figure.axes:
        axes.set_facecolor(ground)
    for artist in figure.findobj(lambda a: isinstance(a, Text | Line2D | Spine)):
        if artist.get_label() == style.STAYS:
            continue
        if isinstance(artist, Text):
            artist.set_color(_light(artist.get_color(), ground, EASY))
        elif isinstance(artist, Line2D):
            artist.set_color(_light(artist.get_color(), ground, LEAST_CONTRAST))
        elif isinstance(artist, Spine):
            artist.set_edgecolor(_light(artist.get_edgecolor(), ground, LEAST_CONTRAST))


def _light(colour: Any, ground: str, least: float) -> str:
    """The shade of a colour that is seen on a dark one."""
    rgb = np.array(to_rgb(colour))
    while contrast(_hex(rgb), ground) < least and rgb.min() < 0.99:
        rgb = 1.0 - (1.0 - rgb) * 0.92
    return _hex(rgb)


def _hex(colour: Any) -> str:
    return str(to_hex(colour))


def dark(colour: str) -> str:
    """The shade of a colour that letters may have on white."""
    rgb = np.array(to_rgb(colour))
    while contrast(_hex(rgb)) < LETTERS:
        rgb = rgb * 0.94
    return _hex(rgb)
