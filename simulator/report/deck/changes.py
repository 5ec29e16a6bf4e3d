"""What a refresh did to a deck, and what it could not do."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Changes:
    """What a refresh did: changed, what it could not do and why, and what to look at."""

    changed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    same: int = 0

    @property
    def touched(self) -> bool:
        """Whether the deck held anything of ours."""
        return bool(self.changed or self.same)

    def add(self, where: str, what: str, changed: bool) -> None:
        """One thing looked at."""
        if changed:
            self.changed.append(f"{where}: {what}")
        else:
            self.same += 1
