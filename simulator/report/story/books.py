"""Slides of a comparison's books: the ledger, and unit economics."""

from __future__ import annotations

from simulator.analysis.words import label
from simulator.report.saved import Saved
from simulator.report.story import say
from simulator.report.story.comparison import arms, currency, key_of, name_of, parts_of
from simulator.report.story.say import Fact, Line, datum, joined, line, named
from simulator.report.story.source import CAVEAT, confidence, method, source
from simulator.report.story.spec import Slide, Table

PARTS = {
    "extra_leads": "ARR of extra leads",
    "gained_wins": "Gained among leads there were",
    "same_wins": "The same wins, worth more or less",
    "displaced_wins": "Wins displaced",
    "missing_leads": "Leads that no longer come",
    "opening_customers": "Customers of week zero",
}
ECONOMICS = (
    "arr", "arr_per_head", "contribution_margin", "pipeline_coverage", "sales_velocity", "win_rate",
    "cac", "cac_payback_months", "ltv_cac", "magic_number", "nrr", "burn_multiple",
)  # fmt: skip


def ledger(saved: Saved) -> Slide | None:
    """The ledger of ARR and wins, for the appendix."""
    places = [i for i, _ in arms(saved) if i and _has_book(saved, i)][:4]
    if not places:
        return None
    unit = currency(saved)
    parts = dict.fromkeys(
        k for i in places for k in saved.keys(f"arms/{i}/ledger/arr/parts") if "/" not in k
    )
    rows: list[tuple[Fact | Line, ...]] = []
    seen = [
        k for k in parts
        if any(k in saved.keys(f"arms/{i}/ledger/arr/parts")
               and abs(saved.number(f"arms/{i}/ledger/arr/parts/{k}")) > 0 for i in places)
    ]  # fmt: skip
    for part in [*seen[:9], None]:
        name = "In all" if part is None else PARTS.get(part) or say.words(part).text
        cells: list[Fact | Line] = [named(name, 60)]
        for i in places:
            at = f"arms/{i}/ledger/arr"
            pointer = f"{at}/total" if part is None else f"{at}/parts/{part}"
            if part is not None and part not in saved.keys(f"{at}/parts"):
                cells.append(Line("–"))
                continue
            found = datum(saved, "value", pointer)
            cells.append(
                Fact(
                    f"{key_of(saved, i)}.ledger.{part or 'total'}",
                    say.amount(found.value, unit, signed=True),
                    (found,),
                )
            )
        rows.append(tuple(cells))
    head = ("ARR against today, from", *(name_of(saved, i).text for i in places))
    return Slide(
        key="ledger",
        title=joined([_booked(saved, i, unit) for i in places[:2]]),
        heading=line("Difference of ARR against today, lead by lead, as written"),
        show=Table(head, tuple(rows), strong=(len(rows) - 1,)),
        source=source(saved),
        notes=(
            line(
                "Leads carry their own random numbers: pushing only adds leads, so which are "
                "extra and which wins were displaced is known exactly. Parts add up to the total."
            ),
            *method(saved),
        ),
        alt=line("A table of what a variant's ARR is made of."),
        appendix=True,
    )


def _booked(saved: Saved, i: int, unit: str) -> Line:
    """What a variant's ARR comes from."""
    at, who, key = f"arms/{i}/ledger/arr", name_of(saved, i), key_of(saved, i)
    parts = {k: datum(saved, "value", f"{at}/parts/{k}") for k, _ in parts_of(saved, f"{at}/parts")}
    extra, taken = (parts.get(k) for k in ("extra_leads", "displaced_wins"))
    most = max((abs(d.value) for d in parts.values() if d.known), default=0.0)
    if extra and taken and extra.value >= 0.1 * most > 0 and -taken.value > 0.1 * extra.value:
        back = datum(saved, "size_ratio", taken.pointers[0], extra.pointers[0])
        share = Fact(f"{key}.displaced", say.percent(back.value, 0), (back,))
        return line("{}: displaced wins take back {} of what extra leads bring", who, share)
    total = datum(saved, "value", f"{at}/total")
    size = Fact(f"{key}.ledger.total", say.amount(total.value, unit, signed=True), (total,))
    gained = parts.get("gained_wins")
    if extra and gained and abs(extra.value) > abs(gained.value):
        return line("{}: {} of ARR, from extra leads", who, size)
    if gained and gained.value > 0:
        return line("{}: {}, from leads there were", who, size)
    return line("{}: {} of ARR", who, size)


def _has_book(saved: Saved, i: int) -> bool:
    book = saved.at(f"arms/{i}/ledger")
    return isinstance(book, dict) and "arr" in book


def economics(saved: Saved) -> Slide | None:
    """Unit economics of today and the main variants."""
    columns = [i for i, _ in arms(saved)][:4]
    rows: list[tuple[Fact | Line, ...]] = []
    outcome, unit = saved.text("outcome"), currency(saved)
    for metric in dict.fromkeys([outcome, *ECONOMICS]):
        if not all(metric in saved.keys(f"arms/{i}/metrics") for i in columns):
            continue
        cells = [level_of(saved, i, metric, unit) for i in columns]
        if not all(c.data and c.data[0].known for c in cells):
            continue
        name = label(metric)
        caps = {"cac": "CAC", "cac payback months": "CAC payback", "ltv cac": "LTV / CAC"}
        rows.append((named(caps.get(name, name[0].upper() + name[1:])), *cells))
    if not rows:
        return None
    week = datum(saved, "value", "week")
    told = [c for r in rows for c in r[1:] if isinstance(c, Fact)]
    title = _economics_title(saved, columns, unit)
    return Slide(
        key="economics",
        title=title,
        heading=line(
            "Unit economics at week {}, mean ± half of the {} interval of each",
            Fact("week", f"{week.value:g}", (week,)), confidence(saved),
        ),
        show=Table(
            ("", *(name_of(saved, i).text for i in columns)), tuple(rows[:12]), strong=(0,)
        ),
        source=source(saved),
        notes=(
            line(
                "Intervals here are of each scenario alone, over replications. Differences are "
                "surer than these suggest, as all scenarios share their random numbers."
            ),
            *method(saved),
            CAVEAT,
        ),
        alt=line("A table of {} numbers of unit economics.", Fact("", str(len(told)))),
    )  # fmt: skip


def level_of(saved: Saved, i: int, metric: str, unit: str) -> Fact:
    """A metric of an arm, with its interval."""
    return say.with_interval(
        saved, f"{key_of(saved, i)}.{metric}", f"arms/{i}/metrics/{metric}",
        lambda v: say.level(v, metric, unit),
    )  # fmt: skip


def _economics_title(saved: Saved, columns: list[int], unit: str) -> Line:
    metric = next(
        (m for m in ("cac", "arr_per_head", "arr", "wins")
         if all(m in saved.keys(f"arms/{i}/metrics") for i in columns)),
        None,
    )  # fmt: skip
    if metric is None:
        return line("Unit economics of today and the variants")
    said = []
    for i in columns[:3]:
        found = datum(saved, "value", f"arms/{i}/metrics/{metric}/mean")
        fact = Fact(
            f"{key_of(saved, i)}.{metric}.mean", say.level(found.value, metric, unit), (found,)
        )
        said.append(
            line("{} today", fact) if not i else line("{} under {}", fact, name_of(saved, i))
        )
    what = {"cac": "A new customer costs", "arr_per_head": "ARR per head is", "arr": "ARR is"}
    return line(f"{what.get(metric, 'Wins are')} {{}}", joined(said, ", "))
