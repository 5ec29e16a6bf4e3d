"""What a fit found, in words, tables and plain values."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.fit.backtest import BackTest
from simulator.fit.estimate import Estimates, Number
from simulator.fit.forecast import Forecast
from simulator.fit.read import History

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class FitResult:
    """Numbers fitted to a history, the forecast from its end, and the files written."""

    history: History
    estimates: Estimates
    forecast: Forecast
    backtest: BackTest | None
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sentences(self) -> list[str]:
        """What was found, the main numbers first."""
        h, e, d = self.history, self.estimates, self.estimates.delay
        total, low, high = self.forecast.total()
        out = [
            (
                f"{len(h.arrived):,} leads from {h.start} to {h.end}, {h.wins:,} of them won so "
                f"far ({h.wins / len(h.arrived):.1%}); {_share(e.overall)} will be won in the end."
            ),
            (
                f"Half of the wins come within {d.median.value:.1f} ± {d.median.se:.1f} days, nine "
                f"in ten within {d.p90.value:.0f} ± {d.p90.se:.0f} ({d.law} law; the mean of the "
                f"closed, {d.closed_mean:.1f} days, leaves out those still open)."
            ),
            (
                f"{e.arrivals.total:.0f} ± {e.arrivals.total_se:.0f} leads a week over the last "
                f"{e.arrivals.weeks} weeks; {_dispersion(e.arrivals.dispersion)}{self._trend()}."
            ),
            *self._drift(),
            *(
                f"{r.name}: {r.people} people with a win in the last four weeks, "
                f"{r.load:.2f} ± {r.load_se:.2f} wins a person a week."
                for r in e.roles
            ),
            (
                f"Next {self.forecast.edges[-1]} days: {total:.0f} wins, 90% interval {low:.0f} to "
                f"{high:.0f}; {self.forecast.from_open.sum():.0f} of them from leads already here."
            ),
        ]
        if self.backtest is not None:
            out += [f"Back-test. {s}" for s in self.backtest.sentences]
        if h.wins < 30:
            out.append(f"Only {h.wins} wins: the intervals lean on the book's weak priors.")
        return out + list(self.notes)

    def _trend(self) -> str:
        a = self.estimates.arrivals
        if not a.trend_evident:
            return "; no trend is evident"
        return (
            f"; they grew by {a.trend:+.1%} ± {a.trend_se:.1%} a week, and are held at that level"
        )

    def _drift(self) -> list[str]:
        e = self.estimates
        by = {"none": 0.0, "pace": 0.0, "odds": 0.0}
        for _, drift, weight in e.delay.weights:
            by[drift] += weight
        if by["none"] > 0.5:
            return ["Conversion and pace do not evidently drift."]
        if by["pace"] >= by["odds"]:
            what, n, weight = "leads are closed faster", e.drift_pace, by["pace"]
        else:
            what, n, weight = "leads convert better (in odds)", e.drift_odds, by["odds"]
        # the average over models that do not have this drift is 0; say it given that they do
        size = n.value / max(weight, 1e-9)
        word = what if size > 0 else what.replace("faster", "slower").replace("better", "worse")
        return [
            (
                f"Over the period {word}, by {abs(size):.0%} every four weeks (weight of that "
                f"model {weight:.0%}); the scenario holds today's level, the forecast lets it go "
                "on or stop."
            )
        ]

    @property
    def tables(self) -> dict[str, list[Row]]:
        """Channels, roles, laws, forecast, what was read; and the back-test."""
        out: dict[str, list[Row]] = {
            "Channels": [
                {
                    "channel": c.name,
                    "leads": c.leads,
                    "wins_so_far": c.wins,
                    "leads_per_week": c.per_week,
                    "se": c.per_week_se,
                    "won_so_far": c.closed_share,
                    "won_in_the_end": c.conversion.value,
                    "conversion_se": c.conversion.se,
                    "low": c.conversion.low,
                    "high": c.conversion.high,
                }
                for c in self.estimates.channels
            ],
            "People": [
                {
                    "role": r.name,
                    "people": r.people,
                    "ever": r.ever,
                    "active_in_a_week": r.per_week,
                    "wins_per_person_week": r.load,
                    "se": r.load_se,
                    "wins_without_a_name": r.unnamed,
                }
                for r in self.estimates.roles
            ],
            "Models": [
                {"law": law, "drift": drift, "weight": weight}
                for law, drift, weight in self.estimates.delay.weights
            ],
            "Forecast": self._forecast_rows(),
            "Read": [
                {
                    "file": f.file,
                    "rows": f.count,
                    "what": f.what,
                    "then": f.action,
                    "first": f.example,
                }
                for f in self.history.findings
            ],
        }
        if self.backtest is not None:
            out |= self.backtest.tables
        return {title: rows for title, rows in out.items() if rows}

    def _forecast_rows(self) -> list[Row]:
        f = self.forecast
        low, high = f.interval()
        return [
            {
                "days": f"{f.edges[k] + 1}-{f.edges[k + 1]}",
                "wins": float(f.mean[k]),
                "low": float(low[k]),
                "high": float(high[k]),
                "from_open": float(f.from_open[k]),
                "from_new": float(f.from_new[k]),
            }
            for k in range(len(f.edges) - 1)
        ]

    def to_json(self) -> dict[str, object]:
        """Plain values, ready to print as JSON."""
        h, e = self.history, self.estimates
        total, low, high = self.forecast.total()
        return {
            "kind": "fit",
            "from": h.start.isoformat(),
            "until": h.end.isoformat(),
            "leads": len(h.arrived),
            "wins": h.wins,
            "conversion": e.overall.to_json(),
            "channels": self.tables["Channels"],
            "leads_per_week": {
                "value": e.arrivals.total,
                "se": e.arrivals.total_se,
                "dispersion": e.arrivals.dispersion,
                "trend_per_week": e.arrivals.trend,
                "trend_se": e.arrivals.trend_se,
                "trend_evident": e.arrivals.trend_evident,
                "weekday": e.arrivals.weekday.tolist(),
            },
            "days_to_won": {
                "law": e.delay.law,
                "median": e.delay.median.to_json(),
                "p90": e.delay.p90.to_json(),
                "mean_of_closed": e.delay.closed_mean,
                "weekday_pace": e.counts.pace.tolist(),
                "models": self.tables["Models"],
            },
            "drift_per_four_weeks": {
                "pace": e.drift_pace.to_json(),
                "odds": e.drift_odds.to_json(),
            },
            "people": self.tables.get("People", []),
            "value": None if e.value is None else {**e.value.to_json(), "n": e.value_n},
            "forecast": {
                "days": self.forecast.edges[-1],
                "total": {"value": total, "low": low, "high": high},
                "weeks": self._forecast_rows(),
            },
            "backtest": None if self.backtest is None else self.backtest.to_json(),
            "read": self.tables["Read"],
            "files": list(self.files),
            "sentences": self.sentences,
        }


def _share(n: Number) -> str:
    return f"{n.value:.1%} ± {n.se:.1%}"


def _dispersion(d: float) -> str:
    if d < 1.5:
        return "weeks vary as chance would have it"
    return f"weeks vary {d:.1f} times as much as chance (in variance)"
