"""What a fit of a log found, in words, tables and plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.fit.logs.assumed import BUSY_RANGE, FLOW_WEEKS, Contention
from simulator.fit.logs.crew import RECENT_WEEKS
from simulator.fit.logs.fitted import LogFit
from simulator.fit.logs.patience import FEWEST
from simulator.fit.logs.script import full_time, overrun

Row = dict[str, object]
MOST_EFFECTS = 6  # that are said


MOMENT = 1 / 1440  # days: what is shorter takes no time


@dataclass(frozen=True)
class LogResult:
    """A log fitted, the files written, and notes on what could not be said."""

    fit: LogFit
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    kind = "logfit"

    @property
    def sentences(self) -> list[str]:
        """What was found, the main numbers first."""
        f = self.fit
        p, d = f.paths, f.model.demand
        ended = p.outcome >= 0
        total = int(ended.sum())
        per = [f"{name} {np.mean(p.outcome[ended] == o):.1%}" for o, name in enumerate(p.outcomes)]
        out = [
            (
                f"{len(p.created):,} cases from {p.start.date()} on, {p.end:.0f} days; "
                f"{total:,} ended ({', '.join(per)}), {int((~ended).sum()):,} are open."
            ),
            (
                f"{d.per_week:.0f} ± {d.level.se:.0f} cases a week now; trend "
                f"{d.trend:+.1%} ± {d.trend_se:.1%} a week, not carried on."
            ),
        ]
        out += _borrowed(f)
        if d.moved:
            n = int(d.counts[: d.moved].sum())
            out.append(
                f"{n:,} cases begin on the first day of the data, as after a move from another "
                "program: they count in odds and times, and not in how many come. If they are "
                "older, their times are too short."
            )
        if d.burst.any():
            ratio = float(d.burst_ratios.mean())
            n = int(d.burst.sum())
            out.append(
                f"{n} day{'s' * (n > 1)} of campaigns brought {ratio:.1f} times the usual; such "
                "days are a channel of their own."
            )
        for i, node in enumerate(f.network.nodes):
            out += [
                f"{node.name}: {b.seen:,} leave for {b.to} after the same {b.days:.1f} days: "
                "by a rule or an appointment, not by chance."
                for b in f.script.branches[i]
                if b.fixed
            ]
        heads, hours = full_time(f.crew)
        out += _moved_by(f)
        if f.paths.a_week is not None:
            return out + _unseen(f) + list(self.notes)
        over = overrun(f.crew)
        for k, team in enumerate(f.script.teams):
            total = heads[k] * hours[k]
            more = f"; their work takes more, so {total:.0f} h in all" if over[k] else ""
            there = "" if over[k] else f" ({total:.0f} h in all)"
            out.append(
                f"{team}: {f.crew.heads[k]:.1f} people active a week, seen there "
                f"{f.crew.presence[k]:.1f} h each{there}{more}, "
                f"at work on cases {f.utilisation(k) * f.share(k):.0%} of that. {_told(f, k)}"
            )
        return out + list(self.notes)

    @property
    def tables(self) -> dict[str, list[Row]]:
        """Stages with where they lead, teams, numbers with standard errors, what was read."""
        f = self.fit
        stages: list[Row] = []
        told = f.paths.a_week is None
        for i, node in enumerate(f.network.nodes):
            if not f.script.branches[i]:
                continue
            for e in node.exits:
                to = f.network.nodes[e.node].name if e.node >= 0 else f.paths.outcomes[e.outcome]
                mean = sum(x.share * x.mean for x in e.parts)
                known = e.node >= 0 or (f.paths.stages[node.stage], to) not in f.log.borrowed
                stages.append(
                    {
                        "stage": node.name,
                        "stays": node.entered,
                        "still_there": node.censored,
                        "leads_to": to,
                        "share": e.share,
                        "days": None if not known else mean if mean > MOMENT else 0.0,
                        "days_until_begun": node.wait if node.wait_seen and told else None,
                        "work_hours": node.hours * node.worked,
                    }
                )
        _heads, hours = full_time(f.crew)
        teams: list[Row] = [
            {
                "team": team,
                "people_active_a_week": float(f.crew.heads[k]),
                "hours_there_each": float(f.crew.presence[k]),
                "full_time_heads": f.heads(k),
                "share_for_cases": f.share(k) if told else None,
                "hours_a_head": float(hours[k]),
                "at_work": f.utilisation(k),
                "at_work_in_scenario": None if told else f.load(k),
            }
            for k, team in enumerate(f.script.teams)
        ]
        se = f.se
        return {
            "Stages": stages,
            "Teams": teams,
            "Waits": [
                {
                    "stage": f.paths.stages[w.stage],
                    "waits": w.seen,
                    "mean_working_hours": w.mean_hours,
                    "grows_with_queue": w.relation,
                    "z": w.z,
                    "a_queue": w.evident,
                    "went_cold": w.cold,
                    "patience_days": w.patience_days if w.cold else None,
                    "patience_se": w.patience_se if w.cold else None,
                    "in_scenario": w.stage in f.patience,
                }
                for w in f.waits
            ],
            "Odds": [
                {
                    "stage": e.stage,
                    "covariate": e.covariate,
                    "with": e.per,
                    "factor": e.factor,
                    "low": e.low,
                    "high": e.high,
                    "p": e.p,
                    "evident": e.evident,
                    "stays": e.stays,
                }
                for e in f.effects
            ],
            "Numbers": [
                {"path": path, "value": value, "se": se[path]} for path, value in f.point.items()
            ],
            "Read": [
                {
                    "file": x.file,
                    "rows": x.count,
                    "what": x.what,
                    "then": x.action,
                    "first": x.example,
                }
                for x in f.log.findings
            ],
        }

    @property
    def shown(self) -> dict[str, list[Row]]:
        """The tables that people read in a terminal."""
        return {k: v for k, v in self.tables.items() if k != "Numbers" and v}

    def to_json(self) -> dict[str, object]:
        """Plain values, ready to print as JSON."""
        return {"kind": self.kind, **facts(self.fit), **_plain(self.tables), **_tail(self)}


def _borrowed(fit: LogFit) -> list[str]:
    """Ends of which no day is known, a sentence for each outcome."""
    out = []
    for outcome in sorted({o for _, o in fit.log.borrowed}):
        places = sorted(stage for stage, o in fit.log.borrowed if o == outcome)
        named = ", ".join(places[:6]) + (f" and {len(places) - 6} more" if len(places) > 6 else "")
        out.append(
            f"How long cases take until they are {outcome} (from {named}) is not in the data: no "
            "day of such an end was kept. The scenario takes them to be as long as other stays "
            "there, which is an assumption (grade D), and so is when such cases end in a forecast."
        )
    return out


def _moved_by(fit: LogFit) -> list[str]:
    """What goes with the odds of moving on, where that is evident; the surest first."""
    sure = sorted((e for e in fit.effects if e.evident), key=lambda e: e.p)
    out = [
        f"{e.stage}: odds of moving on are {e.factor:.2f} times as high ({e.low:.2f} to "
        f"{e.high:.2f}) with {e.covariate} {e.per}."
        for e in sure
        if not e.low <= 1 <= e.high
    ][:MOST_EFFECTS]
    if out and fit.segments is not None:
        by = " and ".join(dict.fromkeys(e.covariate for e in fit.segments.by))
        out.append(
            f"The scenario has segments by {by}, each with stages and odds of its own: "
            f"{', '.join(fit.segments.names)}."
        )
        rest = {e.covariate for e in sure} - {e.covariate for e in fit.segments.by}
        rest -= {"wait"} if fit.speed else set()
        if rest:
            out.append(f"Told, and not in the scenario: {', '.join(sorted(rest))}.")
    elif out:
        out.append(
            "What goes with odds need not bring them; the scenario has the odds of all cases "
            "together, but for channels that differ."
        )
    out += fit.not_written
    for stage, law in fit.speed.items():
        down = f"to {law.floor:.0%} of that" if law.floor else "to nothing"
        out.append(
            f"{fit.paths.stages[stage]}: odds of moving on fall from {law.at_once:.0%} of those "
            f"met at once {down}, by a factor of e in {7 * law.scale:.2g} ± {7 * law.se[1]:.1g} "
            "days of waiting: in the scenario, as `speed`."
        )
    for w in fit.waits:
        name, p = fit.paths.stages[w.stage], fit.patience.get(w.stage)
        if p is not None:
            out.append(
                f"{name}: {p.cold:,} went cold before anybody began, and who waits gives up after "
                f"{7 * p.weeks:.2g} ± {7 * p.se:.1g} days on average: patience in the scenario."
            )
        elif w.cold >= FEWEST:
            out.append(
                f"{name}: {w.cold:,} ended before anybody began. Their waits are not the queue's "
                "in the scenario, so no patience is, and its odds count them."
            )
    if fit.after_the_end:
        names = ", ".join(f"`{n}`" for n in fit.after_the_end)
        out.append(f"Told only after the end, so of no use before it: {names}.")
    return out


def _unseen(fit: LogFit) -> list[str]:
    """Of teams whose people are known and their work is not."""
    weeks = min(FLOW_WEEKS, fit.paths.end / 7)
    busy, c = fit.paths.busy or BUSY_RANGE[1], fit.contention
    less = ""
    if c is not None and busy < BUSY_RANGE[1]:
        less = (
            f" (not {BUSY_RANGE[1]:.0%}, for in weeks with {c.heavy:.2f} times their usual cases "
            "they still kept up)"
        )
    out = [
        f"{team}: {fit.crew.heads[k]:.1f} people moved cases on of late. Nothing says how long "
        f"they worked on them: {fit.crew.presence[k]:g} hours a week each, "
        f"{busy:.0%} of them on these cases over the last {weeks:.0f} weeks{less}, are the "
        f"book's; by that {fit.utilisation(k):.0%} in the last {RECENT_WEEKS}, and "
        f"{fit.load(k):.0%} in the scenario, with the cases that come now."
        for k, team in enumerate(fit.script.teams)
    ]
    if not fit.script.teams:
        return out
    if c is not None:
        out.append(_grow(c))
    most = max(range(len(fit.script.teams)), key=fit.load)
    load, team = fit.load(most), fit.script.teams[most]
    if load > 0:
        shown = "how near it is they do not say" if c is not None and c.limits else "they show none"
        if load >= 1:
            met = f"It is met already: more cases come than {team} has hours for."
        else:
            met = f"Cases wait long for {team} from about {1 / load:.2g} times as many on as now."
        out.append(
            f"The limit of people's time in the scenario is the book's, not the data's: {shown}. "
            f"{met}"
        )
    return out


def _grow(c: Contention) -> str:
    """Whether people with more cases move them on more slowly."""
    grow = f"With twice the cases a person moves {2**c.elasticity:.2f} times as many on in a week"
    sure = f"({2 ** (c.elasticity - 1.645 * c.se):.2f} to {2 ** (c.elasticity + 1.645 * c.se):.2f})"
    if c.limits:
        end = "so people are a limit: the more they have, the longer each case waits."
    elif c.limits is None:
        end = "so the data do not say whether people's time is a limit."
    else:
        end = (
            f"so up to {c.heavy:.2f} times a person's usual cases, as many as they had, no limit "
            "of people's time is seen in these data: cases wait for the buyer."
        )
    return f"{grow} {sure}: {end}"


def _told(fit: LogFit, team: int) -> str:
    """What the waits say of a team's hours."""
    c = next((c for c in fit.calibrated if c.team == team), None)
    if c is None:
        return "What of it they have for these cases is not said."
    if not c.identified:
        return f"Their hours are kept as seen: {c.why}."
    return (
        f"Cases wait as if {c.share:.0%} ± {c.se:.0%} of it were theirs (the wait grows with the "
        "queue)."
    )


def _tail(result: LogResult) -> dict[str, object]:
    return {"files": list(result.files), "sentences": result.sentences}


def _plain(tables: dict[str, list[Row]]) -> dict[str, object]:
    return {title.lower(): rows for title, rows in tables.items()}


def facts(fit: LogFit) -> dict[str, Any]:
    """What the fit knows of the log, as plain values."""
    p, d = fit.paths, fit.model.demand
    return {
        "from": str(p.start.date()),
        "days": p.end,
        "cases": len(p.created),
        "open": int((p.outcome < 0).sum()),
        "outcomes": {name: int((p.outcome == o).sum()) for o, name in enumerate(p.outcomes)},
        "arrivals": {
            "per_week": d.per_week,
            "se": d.level.se,
            "trend_per_week": d.trend,
            "trend_se": d.trend_se,
            "weekday": d.weekday.tolist(),
            "day_noise": d.noise,
            "year_end": d.quiet,
            "campaign_days": int(d.burst.sum()),
        },
        "people": {
            "weekly": fit.crew.weekly.tolist(),
            "by_weekday": fit.crew.weekdays.tolist(),
            "by_hour": fit.crew.hours.tolist(),
        },
        "not_in_the_data": [
            *UNKNOWN,
            *([] if fit.value[3] else ["value.mean"]),
            *(
                f"stages.{b.name}.buyer_time"
                for branches in fit.script.branches
                for b in branches
                if b.name and not b.known
            ),
        ],
    }


UNKNOWN = (
    "channels.*.cost_per_lead",
    "teams.*.cost",
    "teams.*.ramp",
    "customers.churn",
)
"""Numbers that no log of cases says: the scenario has the book's."""
