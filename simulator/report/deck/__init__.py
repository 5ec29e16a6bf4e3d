"""Results as a board deck with native charts, made new or refreshed in place.

The only package that knows PowerPoint's files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.errors import DataError
from simulator.report.saved import Saved, read

if TYPE_CHECKING:
    from simulator.report.story import Story

NEEDS = "decks need python-pptx: pip install 'growthsim[deck]'"


@dataclass(frozen=True)
class Made:
    """A deck that was made or refreshed, and what there is to say about it."""

    path: Path
    story: Story
    changed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    backup: Path | None = None
    new: bool = True

    @property
    def sentences(self) -> list[str]:
        """What was done, and what could not be."""
        said = [f"{self.path}: {len(self.story.slides)} slides."]
        if not self.new:
            n = len(self.changed)
            what = "1 thing" if n == 1 else f"{n} things"
            said = [f"{self.path}: {what} brought up to date; the old deck is {self.backup}."]
            if not self.changed:
                said = [f"{self.path}: is up to date; nothing was changed."]
        said += [f"{what}." for what in self.changed]
        said += [f"Note: {what}." for what in self.notes]
        said += [f"Not done: {what}." for what in self.problems]
        if self.story.not_asked:
            said.append(f"Not asked, and the deck says so: {' '.join(self.story.not_asked)}")
        return said

    @property
    def tables(self) -> dict[str, list[dict[str, object]]]:
        """The slides of a new deck."""
        if not self.new:
            return {}
        return {"slides": [{"slide": s.key, "title": s.title.text} for s in self.story.slides]}

    def to_json(self) -> dict[str, object]:
        """Everything, in types that JSON has."""
        return {
            "kind": "deck",
            "deck": str(self.path),
            "backup": None if self.backup is None else str(self.backup),
            "slides": [{"slide": s.key, "title": s.title.text} for s in self.story.slides],
            "changed": list(self.changed),
            "not_done": list(self.problems),
            "notes": list(self.notes),
            "not_asked": list(self.story.not_asked),
        }


def make(
    results: Sequence[str | Path], out: str | Path, template: str | Path | None = None
) -> Made:
    """Make a deck of results, in a template's look if one is given. Raises DataError.

    Slides that the template holds stay in front, their `{{names}}` filled.
    """
    return deck_of(read(results), out, template)


def deck_of(answers: Sequence[Saved], out: str | Path, template: str | Path | None = None) -> Made:
    """As make, of answers that were read."""
    there()
    from simulator.report.deck import build, files, package, record, renew, theme
    from simulator.report.story import tell

    path = files.free(out)
    story = tell(answers)
    deck = theme.ours() if template is None else theme.opened(template)
    page = theme.page(deck, "" if template is None else str(template))
    kept, changes = renew.renew(deck, story, record.read(deck), missing=False)
    build.add(deck, story, page, kept)
    record.write(deck, kept)
    package.saved(deck, path, None if template is None else Path(template))
    notes = (*changes.notes, *page.ink.notes)
    return Made(path, story, tuple(changes.changed), tuple(changes.problems), notes)


def refresh(results: Sequence[str | Path], path: str | Path) -> Made:
    """Bring the numbers of a deck up to date in place, after a backup. Raises DataError."""
    there()
    from simulator.report.deck import build, files, package, record, renew, theme
    from simulator.report.story import tell

    file = Path(path)
    story = tell(read(results))
    deck: Any = theme.opened(file)
    files.writable(file)
    kept, changes = renew.renew(deck, story, record.read(deck))
    if not changes.touched:
        raise DataError(
            f"{file}: holds nothing to refresh: no chart or text of growthsim and no "
            "{{name}} of a number. --out makes a new deck; --names lists the names"
        )
    if file.suffix.lower() != ".pptx":
        raise DataError(f"{file}: only a .pptx can be refreshed; save it as one")
    problems, notes = tuple(changes.problems), tuple(changes.notes)
    if not changes.changed:
        return Made(file, story, (), problems, notes, new=False)
    backup = files.backed_up(file)
    record.write(deck, kept)
    build.restamp(deck, story)
    package.saved(deck, file, file)
    return Made(file, story, tuple(changes.changed), problems, notes, backup, new=False)


def board(folder: Path) -> Made:
    """The deck board.pptx of a folder's result, in that folder; one that is there is kept aside."""
    from simulator.report.deck import files

    path = folder / "board.pptx"
    if path.exists():
        files.backed_up(path)
        path.unlink()
    return make([folder], path)


def names(results: Sequence[str | Path]) -> dict[str, str]:
    """Every name that `{{name}}` may ask for, and what it says."""
    from simulator.report.story import tell

    return {name: fact.text for name, fact in tell(read(results)).facts.items()}


def there() -> None:
    """Raise DataError where the library for decks is not installed."""
    try:
        import pptx  # noqa: F401
    except ImportError:
        raise DataError(NEEDS) from None


__all__ = ["Made", "board", "deck_of", "make", "names", "refresh", "there"]
