"""Where a slide's numbers come from, and what to keep in mind about them."""

from __future__ import annotations

from simulator import __version__
from simulator.report.saved import Saved
from simulator.report.story.say import Fact, Line, datum, joined, line, named


def source(saved: Saved) -> Line:
    """Study, run id, engine, seed, replications and date."""
    parts = [
        line("{}", named(saved.name, 34)),
        line("run {}", Fact("run_id", saved.run_id)),
        line("engine {}", named(str(saved.data.get("engine", "not told")))),
    ]
    if saved.data.get("seed") is not None:
        seed = datum(saved, "value", "seed")
        parts.append(line("seed {}", Fact("seed", f"{seed.value:.0f}", (seed,))))
    runs = replications(saved)
    parts.append(line("{}", runs) if runs.data else line("replications not told"))
    parts.append(line("{}", Fact("date", saved.date)))
    parts.append(line("growthsim {}", Fact("version", saved.version or __version__)))
    return joined(parts, " · ")


def replications(saved: Saved) -> Fact:
    """22 paired replications, or one run."""
    said = saved.data.get("replications")
    if isinstance(said, list):
        return Fact("replications", f"{len(said)} replications", ())
    if said is None:
        return Fact("replications", "")
    found = datum(saved, "value", "replications")
    if found.value < 2:
        return Fact("replications", "one run each, no intervals", (found,))
    return Fact("replications", f"{found.value:.0f} paired replications", (found,))


def confidence(saved: Saved) -> Fact:
    """95%."""
    found = datum(saved, "value", "confidence")
    return Fact("confidence", f"{100 * found.value:g}%", (found,))


def method(saved: Saved) -> tuple[Line, ...]:
    """How it was found out, for the speaker."""
    if saved.data.get("confidence") is None or not replications(saved).data:
        return ()
    found = [
        line(
            "Method: every scenario is simulated on the same random numbers ({}), so that what "
            "differs between two of them is what was changed, not luck. Intervals are Student t "
            "at {} on the paired differences.",
            replications(saved),
            confidence(saved),
        )
    ]
    if isinstance(saved.data.get("stopped"), str):
        found.append(line("Replicating ended because: {}.", named(saved.data["stopped"], 120)))
    notes = saved.data.get("notes")
    if isinstance(notes, list):
        found += [line("Note: {}", named(str(n), 240)) for n in notes]
    return tuple(found)


CAVEAT = line(
    "Caveat: a simulation says what follows from its assumptions. Those that nobody stated are in "
    "the appendix with their grades; the interval is of chance only, not of them."
)
