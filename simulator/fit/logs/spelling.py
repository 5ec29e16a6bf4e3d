"""Names that people typed in several ways, taken as one."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from simulator.fit.logs.files import taken
from simulator.fit.tables import Finding


def one_spelling(
    counts: Mapping[str, int], what: str, file: str, found: list[Finding]
) -> dict[str, str]:
    """Each name that differs from a more frequent one by letters' size or spaces only -> that one.

    counts: by name, how often it is there.
    """
    alike: dict[str, list[str]] = {}
    for name in sorted(counts, key=lambda n: (-counts[n], n.isupper(), n)):
        alike.setdefault(re.sub(r"\s+", " ", name.casefold()).strip(), []).append(name)
    out = {other: names[0] for names in alike.values() for other in names[1:]}
    for names in alike.values():
        if len(names) > 1:
            n = sum(counts[name] for name in names[1:])
            spelled = ", ".join(repr(name) for name in names[1:4])
            whose = f"rows whose {what} {names[0]!r} is spelled {spelled}"
            found.append(Finding(file, n, whose, "taken as one"))
    return out


def respelled(text: pd.Series, one: Mapping[str, str]) -> pd.Series:
    """Names, each by its one spelling."""
    if not one:
        return text
    codes, names = pd.factorize(text)
    return taken([one.get(name, name) for name in map(str, names)], codes).set_axis(text.index)
