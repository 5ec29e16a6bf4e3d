"""What a back-test of a log found, in words, tables and plain values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from simulator.fit.logs.rows import GIVEN, MODEL, Measured
from simulator.fit.logs.trial import BASELINES, SCENARIO, Trial

Row = dict[str, object]
NAMES = {
    "run_rate": "last run rate",
    "stage_weighted": "stage-weighted pipeline",
    "kaplan_meier": "Kaplan-Meier",
    "replay": "replaying the past",
}
MEASURES = {
    "outcome_share": "outcome shares",
    "cycle_days_median": "median cycle times",
    "cycle_days_p90": "90th percentiles of cycle times",
    "open_cases": "open cases at month ends",
    "people_active_a_week": "people active a week",
    "cases_created": "cases that come",
    "cases_ended": "cases that end in the window",
    "bookings": "bookings",
}


@dataclass(frozen=True)
class TrialResult:
    """A back-test, and of what."""

    trial: Trial
    study: str
    data: tuple[str, ...]
    notes: tuple[str, ...] = ()

    kind = "backtest"

    @property
    def source(self) -> str:
        """Where a figure's numbers come from."""
        names = ", ".join(PurePath(d).name for d in self.data[:2])
        return (
            f"{self.study} · {names} · {self.trial.draws} draws, {self.trial.level:.0%} intervals"
        )

    @property
    def beaten(self) -> list[tuple[str, str]]:
        """Measures, over all origins, at which a baseline errs less: (measure, baseline)."""
        out = [
            (f"weekly ends ({name})", b)
            for b in BASELINES
            for name, model, base in self._weekly(b)
            if base < model
        ]
        for measure, words in MEASURES.items():
            rows = [m for o in self.trial.origins for m in o.measures if m.measure == measure]
            for b in BASELINES:
                pairs = [
                    (abs(m.error(MODEL) or 0.0), abs(e))
                    for m in rows
                    if (e := m.error(b)) is not None and m.error(MODEL) is not None
                ]
                if pairs and sum(e for _, e in pairs) < sum(e for e, _ in pairs):
                    out.append((words, b))
        for key, words in (
            ("relative_event_hours", "relative event distribution"),
            ("cycle_time_hours", "cycle-time distribution"),
        ):
            both = [
                (o.distances.get("replay", {}).get(key), o.distances.get(MODEL, {}).get(key))
                for o in self.trial.origins
            ]
            known = [(a, b) for a, b in both if a is not None and b is not None]
            if known and sum(a for a, _ in known) < sum(b for _, b in known):
                out.append((words, "replay"))
        return out

    def _weekly(self, baseline: str) -> list[tuple[str, float, float]]:
        names = dict.fromkeys(w.outcome for o in self.trial.origins for w in o.weekly)
        out = []
        for name in names:
            rows = [w for o in self.trial.origins for w in o.weekly if w.outcome == name]
            size = [max(sum(w.actual), 1e-9) for w in rows]
            model, base = (
                sum(w.wape[m] * n for w, n in zip(rows, size, strict=True)) / sum(size)
                for m in (MODEL, baseline)
            )
            out.append((name, model, base))
        return out

    @property
    def sentences(self) -> list[str]:
        """What it says, in words: where it hit, where it missed, and who did better."""
        out = []
        for o in self.trial.origins:
            graded = [m for m in o.measures if m.met() is not None]
            hit = sum(bool(m.met()) for m in graded)
            given = sum(bool(m.met(GIVEN)) for m in graded)
            out.append(
                f"From {o.date}, {o.days:.0f} days on: {hit} of {len(graded)} numbers within their "
                f"target; given the cases that came, {given}."
            )
            out += [_miss(m) for m in graded if not m.met()]
        out += self._scenario()
        wape = self.trial.mean_wape
        out.append(
            f"Weekly WAPE of all ends {wape(MODEL):.1%} (given the cases that came "
            f"{wape(GIVEN):.1%}); "
            + ", ".join(f"{NAMES[b]} {wape(b):.1%}" for b in BASELINES)
            + f". {self.trial.coverage:.0%} of weeks inside their {self.trial.level:.0%} interval."
        )
        beaten = self.beaten
        if beaten:
            by: dict[str, list[str]] = {}
            for what, b in beaten:
                by.setdefault(NAMES[b], []).append(what)
            out += [f"Beaten by {b} at: {', '.join(w)}." for b, w in by.items()]
        else:
            out.append("No baseline does better at anything that was scored.")
        return out + list(self.notes)

    def _scenario(self) -> list[str]:
        """How the written scenario does, run from a pipeline in balance."""
        rows = [m for o in self.trial.origins for m in o.measures]
        met = [hit for m in rows if (hit := m.met(SCENARIO)) is not None]
        if not met:
            return []
        return [
            (
                f"The scenario as written, run from a pipeline in balance: {sum(met)} of "
                f"{len(met)} within their target."
            )
        ]

    @property
    def tables(self) -> dict[str, list[Row]]:
        """Numbers by origin, weekly scores, weeks, distances."""
        return {
            "Back-test": [_row(o.date, m) for o in self.trial.origins for m in o.measures],
            "Weekly scores": [
                {
                    "origin": o.date,
                    "outcome": w.outcome,
                    "weeks": len(w.actual),
                    "inside": w.inside,
                    **{f"wape_{m}": v for m, v in w.wape.items()},
                    **{f"crps_{m}": v for m, v in w.crps.items()},
                }
                for o in self.trial.origins
                for w in o.weekly
            ],
            "Weeks": [
                {
                    "origin": o.date,
                    "outcome": w.outcome,
                    "week": k + 1,
                    "actual": w.actual[k],
                    "low": w.low[k],
                    "high": w.high[k],
                    **{m: v[k] for m, v in w.forecast.items()},
                }
                for o in self.trial.origins
                for w in o.weekly
                for k in range(len(w.actual))
            ],
            "Distances": [
                {"origin": o.date, "method": m, **d}
                for o in self.trial.origins
                for m, d in o.distances.items()
            ],
        }

    @property
    def shown(self) -> dict[str, list[Row]]:
        """The tables that people read in a terminal."""
        return {k: v for k, v in self.tables.items() if k in ("Back-test", "Distances") and v}

    def to_json(self) -> dict[str, object]:
        """Plain values, ready to print as JSON."""
        t = self.trial
        return {
            "kind": self.kind,
            "study": self.study,
            "data": list(self.data),
            "level": t.level,
            "draws": t.draws,
            "source": self.source,
            "coverage": t.coverage,
            "wape": {m: t.mean_wape(m) for m in (MODEL, GIVEN, *BASELINES)},
            "beaten_by": [{"measure": w, "baseline": b} for w, b in self.beaten],
            "origins": [
                {
                    "date": o.date,
                    "days": o.days,
                    "cases_known": o.cases_known,
                    "measures": [_row(o.date, m) for m in o.measures],
                    "weekly": [
                        {
                            "outcome": w.outcome,
                            "actual": list(w.actual),
                            "forecast": {m: list(v) for m, v in w.forecast.items()},
                            "low": list(w.low),
                            "high": list(w.high),
                            "wape": w.wape,
                            "crps": w.crps,
                        }
                        for w in o.weekly
                    ],
                    "open_cases": {k: list(v) for k, v in o.open_.items()},
                    "distances": o.distances,
                }
                for o in t.origins
            ],
            "sentences": self.sentences,
        }


def _miss(m: Measured) -> str:
    size = f"{m.actual:.1%}" if not m.relative else f"{m.actual:.4g}"
    said = m.forecast[MODEL]
    told = "-" if said is None else f"{said:.1%}" if not m.relative else f"{said:.4g}"
    error = m.error() or 0.0
    off = f"{100 * error:+.1f} points" if not m.relative else f"{error:+.0%}"
    where = "inside" if m.inside else "outside"
    return (
        f"Missed: {m.measure.replace('_', ' ')} ({m.of}): came {size}, foretold {told}, {off}; "
        f"{where} its interval."
    )


def _row(date: str, m: Measured) -> Row:
    return {
        "origin": date,
        "measure": m.measure,
        "of": m.of,
        "actual": m.actual,
        **m.forecast,
        "low": m.low,
        "high": m.high,
        "inside": m.inside,
        "error": m.error(),
        "target": m.target,
        "met": m.met(),
        "met_given_arrivals": m.met(GIVEN),
    }
