"""Quantities: what is read, what is refused and how, and that writing reads back exactly."""

from __future__ import annotations

import math
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from simulator.spec import measures
from simulator.spec.units import Money, MoneyOrRate, Quantity, Share, Weeks

YEAR = 365.25 / 7

READ = [
    ("weeks", "3 weeks", 3.0),
    ("weeks", "2 days", 2 / 7),
    ("weeks", "13 wk", 13.0),
    ("weeks", "4 h", 4 / 168),
    ("weeks", "90 min", 1.5 / 168),
    ("weeks", "1 month", YEAR / 12),
    ("weeks", "1 quarter", YEAR / 4),
    ("weeks", "1e2 d", 100 / 7),
    ("weeks", "2 Weeks", 2.0),
    ("weeks", 0, 0.0),
    ("weeks", "0", 0.0),
    ("hours", "3 h", 3.0),
    ("hours", "20 min", 1 / 3),
    ("hours", "2 person-hours", 2.0),
    ("hours_per_week", "28/week", 28.0),
    ("hours_per_week", "28 h/week", 28.0),
    ("hours_per_week", "5.6 h/day", 28.0),
    ("hours_per_week", "28 h per week", 28.0),
    ("hours_per_week", "1680 min/week", 28.0),
    ("rate", "35/week", 35.0),
    ("rate", "35 leads/week", 35.0),
    ("rate", "5/day", 35.0),
    ("rate", "12%/year", 0.12 / YEAR),
    ("rate", "0.08/quarter", 0.32 / YEAR),
    ("rate", "-3%/year", -0.03 / YEAR),
    ("rate", "2 week^-1", 2.0),
    ("money", "40 kUSD", 40e3),
    ("money", "$32k", 32e3),
    ("money", "32 k", 32e3),
    ("money", "22 MUSD", 22e6),
    ("money", "1.2 M", 1.2e6),
    ("money", "32,000 USD", 32e3),
    ("money", "USD 32,000", 32e3),
    ("money", "-$5k", -5e3),
    ("money", 32000, 32e3),
    ("money_rate", "27.3 kUSD/month", 27.3e3 * 12 / YEAR),
    ("money_rate", "210 k/year", 210e3 / YEAR),
    ("money_rate", "$5/day", 35.0),
    ("money_rate", 0, 0.0),
    ("share", "30%", 0.3),
    ("share", "30 %", 0.3),
    ("share", 0.3, 0.3),
    ("share", 1, 1.0),
    ("number", "1e3", 1000.0),
    ("number", "30%", 0.3),
    ("number", -2, -2.0),
    ("count", "4 people", 4.0),
    ("count", "2.5 fte", 2.5),
    ("count", "12,000", 12000.0),
    ("count", "12k accounts", 12000.0),
]


@pytest.mark.parametrize(("kind", "given_", "expected"), READ)
def test_reads(kind, given_, expected):
    assert Quantity(kind).parse(given_) == pytest.approx(expected, rel=1e-12)


REFUSED = [
    ("weeks", 3, "3: a duration needs a unit, e.g. '3 weeks'"),
    ("weeks", "3", "needs a unit"),
    ("weeks", "3 wekes", "unknown unit 'wekes', did you mean 'weeks'"),
    ("weeks", "3 kUSD", "money is not a duration"),
    ("weeks", "5/week", "a rate is not a duration"),
    ("weeks", "30%", "a share is not a duration"),
    ("weeks", "3 weeks^2", "time to the power 2 is not a duration"),
    ("weeks", "3 person-hours", "hours of work is not a duration"),
    ("weeks", "3 leads weeks", "stray 'weeks'"),
    ("weeks", "3 h h", "stray 'h'"),
    ("weeks", "3 weeks/", "ends in the middle of a unit"),
    ("weeks", "3 weeks/day/day", "more than one '/'"),
    ("weeks", "3 */ weeks", "stray '*'"),
    ("weeks", "nan", "not a finite number"),
    ("weeks", "-inf weeks", "not a finite number"),
    ("weeks", "1e999 weeks", "too large"),
    ("weeks", "1,5 weeks", "decimals after a point"),
    ("weeks", "+-3 weeks", "cannot be read"),
    ("weeks", "__import__('os')", "cannot be read"),
    ("weeks", "3 (weeks)", "cannot read '(weeks)'"),
    ("weeks", "", "empty"),
    ("weeks", "9" * 65 + " weeks", "longer than 64 characters"),
    ("weeks", True, "true is not a duration"),
    ("weeks", None, "nothing given, where a duration is wanted"),
    ("weeks", [3], "a list, where a duration is wanted"),
    ("weeks", {}, "a mapping, where a duration is wanted"),
    ("hours", "2 days", "work is counted in hours"),
    ("hours_per_week", "40", "needs a unit"),
    ("hours_per_week", "40 h", "a duration is not hours a week"),
    ("hours_per_week", "24 h/day", "a working day (5 a week) that long"),
    ("hours_per_week", "3 week/hour", "is not hours a week"),
    ("rate", "35", "a rate needs a unit"),
    ("rate", "35/person-hour", "is not a rate"),
    ("money", "32 EUR", "in EUR, but the scenario's currency is USD"),
    ("money", "€5", "in EUR"),
    ("money", "$5 USD", "two currencies"),
    ("money", "32 k/year", "money per time is not an amount of money"),
    ("money", "3 days", "a duration is not an amount of money"),
    ("money", 10**400, "too large"),
    ("money", float("nan"), "not a finite number"),
    ("money", float("inf"), "not a finite number"),
    ("money_rate", "150 k", "money without a time is not money per time"),
    ("money_rate", 150, "needs a unit and a time"),
    ("money_rate", "50 USD/h", "an hour of work or of the clock?"),
    ("share", 65, "Did you mean '65%'?"),
    ("share", "65", "Did you mean '65%'?"),
    ("share", "130%", "lies between 0 and 1"),
    ("share", -0.1, "it is negative"),
    ("share", "3 days", "a duration is not a share"),
    ("number", "5 h", "a duration is not a number"),
    ("number", "5 leads", "does not belong to a number"),
    ("count", "4 apples", "unknown unit 'apples'"),
    ("count", "30%", "a share is not a count"),
]


@pytest.mark.parametrize(("kind", "given_", "message"), REFUSED)
def test_refuses(kind, given_, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        Quantity(kind).parse(given_)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_other_currency():
    assert Quantity("money").parse("€5k", "EUR") == 5000
    assert Quantity("money").parse("5 k", "EUR") == 5000
    assert TypeAdapter(Money).validate_python("5 kEUR", context={"currency": "EUR"}) == 5000
    with pytest.raises(ValidationError, match="currency is EUR"):
        TypeAdapter(Money).validate_python("$5", context={"currency": "EUR"})


def test_money_or_rate():
    assert MoneyOrRate.parse("40 kUSD") == MoneyOrRate(40e3, False)
    assert MoneyOrRate.parse("60 kUSD/year") == MoneyOrRate(pytest.approx(60e3 / YEAR), True)
    for given_ in ("3 weeks", "x", True, None, [1]):
        with pytest.raises(ValueError, match="money"):
            MoneyOrRate.parse(given_)
    for cost in (MoneyOrRate(1234.5, False), MoneyOrRate(0.1, True)):
        assert MoneyOrRate.parse(cost.format()) == cost
        assert TypeAdapter(MoneyOrRate).validate_python(cost) == cost


KINDS = sorted(measures.WANTED)


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    value=st.floats(0, 1e12, allow_nan=False) | st.floats(0, 1),
    currency=st.sampled_from(["USD", "EUR", "CHF"]),
)
def test_format_reads_back_exactly(kind, value, currency):
    if kind == "share":
        value = min(value, 1.0)
    quantity = Quantity(kind)
    assert quantity.parse(quantity.format(value, currency), currency) == value


@settings(max_examples=500, deadline=None)
@given(kind=st.sampled_from(KINDS), text=st.text(max_size=80))
def test_any_text_is_read_or_refused(kind, text):
    try:
        value = Quantity(kind).parse(text)
    except ValueError as error:
        value, message = 0.0, str(error)
    else:
        message = ""
    assert math.isfinite(value)
    assert "\n" not in message.replace(text, "")


@settings(max_examples=300, deadline=None)
@given(
    number=st.decimals(0, 10**6, places=3),
    unit=st.sampled_from(["min", "h", "days", "wk", "months", "quarter", "years"]),
    space=st.sampled_from(["", " ", "  "]),
)
def test_units_agree_with_pint(number, unit, space):
    name = measures._UNITS[unit]
    expected = measures.registry().Quantity(float(number), name).to("week").magnitude
    assert Quantity("weeks").parse(f"{number}{space}{unit}") == pytest.approx(expected, rel=1e-12)


def test_pydantic_and_json_schema():
    assert TypeAdapter(Weeks).validate_python("2 weeks") == 2.0
    with pytest.raises(ValidationError, match="needs a unit"):
        TypeAdapter(Weeks).validate_python(2)
    for alias in (Weeks, Share, Money, MoneyOrRate):
        forms = TypeAdapter(alias).json_schema()["anyOf"]
        assert any(form.get("type") == "string" for form in forms)


def test_import_is_light():
    code = (
        "import sys, simulator.spec.schema; "
        "print([m for m in ('scipy', 'pandas', 'numba', 'matplotlib', 'pint') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("code", ["BRL", "MXN", "KRW", "KES", "BND", "MYR", "USD", "EUR"])
@pytest.mark.parametrize(("text", "amount"), [("6000 {}", 6e3), ("6 k{}", 6e3), ("2 M{}", 2e6)])
def test_currencies_that_begin_like_a_magnitude(code: str, text: str, amount: float) -> None:
    assert Quantity("money").parse(text.format(code), code) == amount
    weekly = Quantity("money_rate").parse(text.format(code) + "/week", code)
    assert weekly == pytest.approx(amount)
