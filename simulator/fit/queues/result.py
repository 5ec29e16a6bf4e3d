"""What the fit of a queue found, and its back-test, in words, tables and plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.fit.estimate import Number
from simulator.fit.queues.backtest import MEASURES, METHODS, POINTS, SHARE, Scored
from simulator.fit.queues.calls import Calls
from simulator.fit.queues.estimate import QueueEstimates
from simulator.fit.queues.forecast import QueueForecast, centre, interval
from simulator.spec.patterns import DAYS

Row = dict[str, object]
MISFIT: Final = (
    "It has no people who come back from a break when the queue is long, no skills and no "
    "priorities."
)
_ABSENT = "How much people are away beyond that"
_SOON = "Whether callers give up sooner than that in the queue"
AWAY: Final = (
    ("Beyond that, nobody is to be had for a share of the time on duty,", _ABSENT),
    ("More is done than the people seen on duty explain, by", _ABSENT),
)
HASTE: Final = (
    ("In the queue, callers give up sooner than that law says, by", _SOON),
    ("In the queue, callers give up later than that law says, by", _SOON),
)
SAID: Final = {
    "nothing": "nothing but the log before it",
    "shifts": "the log before it, and who is on duty when",
    "shifts and calls": "the log before it, who is on duty and how many call",
}
NAMES: Final = {
    "model": "the model",
    "replay": "the week before once more",
    "run_rate": "the run rate",
    "erlang_a": "Erlang-A by the hour",
}


@dataclass(frozen=True)
class QueueBackTest:
    """Forecasts from past origins, scored, with baselines."""

    scored: tuple[Scored, ...]

    def of(self, known: str) -> tuple[Scored, ...]:
        """Those with one state of knowledge."""
        return tuple(s for s in self.scored if s.known == known)

    @property
    def sentences(self) -> list[str]:
        """How the model did, and where a baseline beats it."""
        out = []
        for s in self.scored:
            share, wait = s.total("actual")
            near = s.within()
            out.append(
                f"From {s.origin}, knowing {SAID[s.known]}: {s.share[0]:.1%} give up (90% interval "
                f"{s.share[1]:.1%} to {s.share[2]:.1%}), {share:.1%} came, "
                f"{'within' if near[0] else 'not within'} {100 * POINTS:g} points; mean wait "
                f"{s.wait[0]:.0f} s ({s.wait[1]:.0f} to {s.wait[2]:.0f}), {wait:.0f} s came, "
                f"{s.wait_off():+.0%}, {'within' if near[1] else 'not within'} {SHARE:.0%}."
            )
        lost = self.losses
        if lost:
            out += [_nearer(r) for r in lost]
        else:
            out.append("No baseline is nearer in any measure.")
        return out

    @property
    def losses(self) -> list[Row]:
        """Where a baseline is nearer than the model: origin, known, measure, method, both errors.

        Measures: calls, gave_up and waited by day (WAPE), and the two totals.
        """
        found: list[Row] = []
        for s in self.scored:
            for method in METHODS[1:]:
                pairs = [(m, s.wape(m), s.wape(m, method)) for m in MEASURES]
                if s.known == "shifts and calls" or method == "erlang_a":
                    pairs = pairs[1:]  # the calls are given, or those of the model itself
                pairs += [
                    ("abandonment", abs(s.points_off()), abs(s.points_off(method))),
                    ("mean wait", abs(s.wait_off()), abs(s.wait_off(method))),
                ]
                found += [
                    {
                        "origin": s.origin.isoformat(),
                        "known": s.known,
                        "measure": measure,
                        "method": method,
                        "model": ours,
                        "theirs": theirs,
                    }
                    for measure, ours, theirs in pairs
                    if theirs < ours - 1e-12
                ]
        return found

    @property
    def tables(self) -> dict[str, list[Row]]:
        """Scores by origin, knowledge and method; days; and where a baseline is nearer."""
        scores: list[Row] = []
        days: list[Row] = []
        for s in self.scored:
            share, wait = s.total("actual")
            for method in METHODS:
                ours = method == "model"
                scores.append(
                    {
                        "origin": s.origin.isoformat(),
                        "fitted_days": s.fitted_days,
                        "days": s.days,
                        "known": s.known,
                        "method": method,
                        "abandonment": s.total(method)[0],
                        "abandonment_came": share,
                        "points_off": 100 * s.points_off(method),
                        "mean_wait": s.total(method)[1],
                        "mean_wait_came": wait,
                        "wait_off": s.wait_off(method),
                        **{f"wape_{m}": s.wape(m, method) for m in MEASURES},
                        **{f"inside_{m}": s.inside(m) if ours else None for m in MEASURES},
                        "abandonment_inside": s.totals_inside[0] if ours else None,
                        "wait_inside": s.totals_inside[1] if ours else None,
                    }
                )
            days += _days(s)
        out = {"Back-test": scores, "Back-test by day": days, "A baseline is nearer": self.losses}
        return {title: rows for title, rows in out.items() if rows}

    def to_json(self) -> dict[str, object]:
        """Plain values, ready to print as JSON."""
        return {
            "kind": "backtest",
            "level": 0.9,
            "scores": self.tables.get("Back-test", []),
            "days": self.tables.get("Back-test by day", []),
            "baseline_nearer": self.losses,
            "sentences": self.sentences,
        }


def _nearer(row: Row) -> str:
    known, method = SAID[str(row["known"])], NAMES[str(row["method"])]
    theirs, ours = row["theirs"], row["model"]
    return (
        f"From {row['origin']}, knowing {known}: {method} is nearer in {row['measure']} "
        f"(off by {theirs:.3g} against {ours:.3g})."
    )


def _days(s: Scored) -> list[Row]:
    return [
        {
            "origin": s.origin.isoformat(),
            "known": s.known,
            "day": d + 1,
            **{
                key: float(values[k, d])
                for k, measure in enumerate(MEASURES)
                for key, values in (
                    (measure, s.actual),
                    (f"{measure}_model", s.day["model"]),
                    (f"{measure}_low", s.low),
                    (f"{measure}_high", s.high),
                )
            },
        }
        for d in range(s.days)
    ]


@dataclass(frozen=True)
class QueueFit:
    """Numbers fitted to the calls of a queue, the week after, and the files written."""

    calls: Calls
    estimates: QueueEstimates
    forecast: QueueForecast
    backtest: QueueBackTest | None = None
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sentences(self) -> list[str]:
        """What was found, the main numbers first."""
        c, e = self.calls, self.estimates
        n = len(c)
        last = c.origin + np.timedelta64(c.days - 1, "D")
        out = [
            (
                f"{n:,} calls that asked for a person, {c.origin.date()} to {last.date()}: "
                f"{c.left.mean():.1%} gave up while waiting, and the mean wait was "
                f"{c.wait.mean():.0f} s ({(c.wait > 0).mean():.0%} waited at all)."
            )
        ]
        if len(c.before):
            out.append(
                f"{len(c.before):,} more gave up before they joined the queue, and are not in it."
            )
        r = e.rates
        out.append(
            f"An hour's calls vary {r.dispersion:.1f} times as much as chance, days of the same "
            f"kind by {r.day_cv:.0%}. "
            + (
                f"{r.weekday:.0%} of how a weekday differs came back in other weeks."
                if r.told
                else "One week cannot tell which differences come back: half are taken to."
            )
        )
        out += [
            f"{k.name}: {k.share:.0%} of calls, {k.talk.value:.0f} ± {k.talk.se:.0f} s of talk, "
            f"coefficient of variation {k.cv:.2f}; {k.short:.0%} under 10 s."
            for k in e.kinds
        ]
        p = e.patience
        if p is not None:
            out.append(
                f"Half of the callers would give up within {p.median.value:.0f} ± {p.median.se:.0f}"
                f" s ({p.law} law, those served counted as censored); the {p.naive:.0f} s of those "
                "who gave up leaves out the patient."
            )
        a, u = e.agents, e.unseen
        alike = abs(u.fitted[2] - u.observed[2]) < 0.05
        out += [
            (
                f"{a.people} people were on duty for {a.hours:.0f} hours in all, {a.overall:.0%} "
                f"of them on calls; while callers waited, {a.occupancy:.0%}. After a call "
                f"{a.wrap.value:.0f} ± {a.wrap.se:.0f} s pass until they take the next."
            ),
            _told(*AWAY[u.away.value < 0], u.away, u.away_told),
            *([] if p is None else [_told(*HASTE[u.haste.value < 0], u.haste, u.haste_told)]),
            (
                f"With these the simulated queue has {u.fitted[0]:.1%} who give up and a mean wait "
                f"of {u.fitted[1]:.0f} s, as the log has ({u.observed[0]:.1%}, {u.observed[1]:.0f} "
                f"s); {u.fitted[2]:.0%} of its callers wait, in the log {u.observed[2]:.0%}"
                + ("." if alike else ": this the model does not match. " + MISFIT)
            ),
        ]
        f = self.forecast
        (sl, sh), (wl, wh) = interval(f.shares()), interval(f.waits())
        calls = f.calls.sum(axis=1)
        cl, ch = interval(calls)
        out.append(
            f"Next {f.days} days: {centre(calls):,.0f} calls ({cl:,.0f} to {ch:,.0f}); "
            f"{f.share:.1%} give up ({sl:.1%} to {sh:.1%}); mean "
            f"wait {centre(f.waits()):.0f} s ({wl:.0f} to {wh:.0f})."
        )
        if self.backtest is not None:
            out += [f"Back-test. {s}" for s in self.backtest.sentences]
        return [*out, *e.notes, *self.notes]

    @property
    def tables(self) -> dict[str, list[Row]]:
        """Arrivals, people, kinds, patience, priorities, what is not seen, what was read."""
        e = self.estimates
        heads = e.shifts.reshape(7, 24, -1).mean(axis=2)
        out: dict[str, list[Row]] = {
            "Kinds": [
                {
                    "kind": k.name, "calls": k.calls, "share": k.share, "talk": k.talk.value,
                    "se": k.talk.se, "cv": k.cv, "under_10_s": k.short, "law": k.law,
                    "distance": k.distance,
                }
                for k in e.kinds
            ],
            "Not seen": [
                {"what": name, **number.to_json(), "told": told}
                for name, number, told in (
                    ("away", e.unseen.away, e.unseen.away_told),
                    ("haste", e.unseen.haste, e.unseen.haste_told),
                )
            ],
            "Priorities": [
                {
                    "priority": p.level, "queued": p.queued, "never_queued": p.at_once,
                    "mean_wait": p.wait, "gave_up": p.gave_up, "overtook": p.overtook,
                }
                for p in e.priorities
            ],
            "Patience": self._patience(),
            "Hours of the week": [
                {
                    "weekday": DAYS[d], "hour": h, "calls": float(e.rates.mean[d, h]),
                    "se": float(e.rates.se[d, h]), "people": float(heads[d, h]),
                }
                for d in range(7)
                for h in range(24)
            ],
            "Read": [
                {"file": f.file, "rows": f.count, "what": f.what, "then": f.action,
                 "first": f.example}
                for f in self.calls.findings
            ],
        }  # fmt: skip
        if self.backtest is not None:
            out |= self.backtest.tables
        return {title: rows for title, rows in out.items() if rows}

    def _patience(self) -> list[Row]:
        p = self.estimates.patience
        if p is None:
            return []
        at = [t for t in (5, 10, 20, 30, 60, 120, 180, 300, 600) if t <= p.times[-1]]
        rows = np.searchsorted(p.times, at, side="right") - 1
        return [
            {
                "seconds": t,
                "still_wait": float(p.survival[k]) if k >= 0 else 1.0,
                "low": float(p.low[k]) if k >= 0 else 1.0,
                "high": float(p.high[k]) if k >= 0 else 1.0,
            }
            for t, k in zip(at, rows.tolist(), strict=True)
        ]

    def to_json(self) -> dict[str, object]:
        """Plain values, ready to print as JSON."""
        c, e, f = self.calls, self.estimates, self.forecast
        p, u = e.patience, e.unseen
        bounds = {
            name: dict(zip(("low", "high"), map(float, interval(draws)), strict=True))
            for name, draws in (
                ("calls", f.calls.sum(axis=1)), ("abandonment", f.shares()), ("wait", f.waits())
            )
        }  # fmt: skip
        return {
            "kind": "queuefit",
            "from": c.origin.date().isoformat(),
            "days": c.days,
            "calls": len(c),
            "abandonment": float(c.left.mean()),
            "mean_wait_seconds": float(c.wait.mean()),
            "waited": float((c.wait > 0).mean()),
            "gave_up_before_the_queue": len(c.before),
            "arrivals": {
                "dispersion": e.rates.dispersion,
                "day_cv": e.rates.day_cv,
                "hour_cv": e.rates.hour_cv,
                "weekday_comes_back": e.rates.weekday if e.rates.told else None,
                "trend_per_week": None if e.rates.trend is None else e.rates.trend.to_json(),
                "hours": self.tables["Hours of the week"],
            },
            "kinds": self.tables["Kinds"],
            "patience_seconds": None
            if p is None
            else {
                "median": p.median.to_json(),
                "law": p.law,
                "mean": p.mean,
                "cv": p.cv,
                "naive_mean": p.naive,
                "weights": dict(p.weights),
                "curve": self._patience(),
            },
            "people": {
                "ever": e.agents.people,
                "hours_on_duty": e.agents.hours,
                "occupancy": e.agents.overall,
                "occupancy_while_callers_wait": _finite(e.agents.occupancy),
                "wrap_up_seconds": e.agents.wrap.to_json(),
            },
            "not_seen": {
                "away": {**u.away.to_json(), "told": u.away_told},
                "haste": {**u.haste.to_json(), "told": u.haste_told},
                "by_day": u.day_away,
                "observed": list(u.observed),
                "neutral": list(u.neutral),
                "fitted": list(u.fitted),
            },
            "priorities": self.tables.get("Priorities", []),
            "forecast": {
                "from": f.start.isoformat(),
                "days": f.days,
                "calls": {"value": centre(f.calls.sum(axis=1)), **bounds["calls"]},
                "abandonment": {"value": f.share, **bounds["abandonment"]},
                "mean_wait_seconds": {"value": centre(f.waits()), **bounds["wait"]},
            },
            "backtest": None if self.backtest is None else self.backtest.to_json(),
            "read": self.tables.get("Read", []),
            "files": list(self.files),
            "sentences": self.sentences,
        }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _told(found: str, unknown: str, number: Number, told: bool) -> str:
    if not told:
        return f"{unknown} the log cannot tell: 0 is kept (± {number.se:.0%})."
    return f"{found} {abs(number.value):.0%} ± {number.se:.0%}."
