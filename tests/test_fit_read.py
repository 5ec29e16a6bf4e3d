"""Reading leads and deals: what is recognised, what is counted out, what is refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from simulator.errors import DataError
from simulator.fit.logs.files import read_file
from simulator.fit.money import as_money
from simulator.fit.read import History, read_history, slug

LEADS = ["mql_id,first_contact_date,origin"] + [
    f"L{i},2024-0{1 + i // 28}-{1 + i % 28:02d} 00:00:00,{'Paid Search' if i % 2 else ''}"
    for i in range(56)
]
DEALS = ["mql_id,won_date,sdr_id,sr_id,amount"] + [
    f"L{i},2024-02-{20 + i % 5} 18:11:00,s{i % 2},r1,1000" for i in range(0, 24, 2)
]


def write(folder: Path, leads: list[str] = LEADS, deals: list[str] = DEALS) -> tuple[Path, Path]:
    a, b = folder / "leads.csv", folder / "deals.csv"
    a.write_text("\n".join(leads) + "\n", encoding="utf-8")
    b.write_text("\n".join(deals) + "\n", encoding="utf-8")
    return a, b


def read(
    folder: Path, leads: list[str] = LEADS, deals: list[str] = DEALS, **how: object
) -> History:
    return read_history(*write(folder, leads, deals), **how)  # type: ignore[arg-type]


def said(history: History) -> str:
    return "\n".join(map(str, history.findings))


def test_recognises_columns_and_counts_days(tmp_path: Path) -> None:
    h = read(tmp_path)
    assert (h.start, h.end, h.days) == (dt.date(2024, 1, 1), dt.date(2024, 2, 28), 59)
    assert len(h.arrived) == 56
    assert h.wins == 12
    assert h.channels == ("paid_search", "unknown")
    assert set(h.people) == {"sdr", "sales_rep"}
    assert "28 leads without channel: `unknown`" in said(h)
    assert "56 rows read: columns `mql_id`, `first_contact_date`, `origin`" in said(h)


def test_empty_and_unknown_channels_are_one(tmp_path: Path) -> None:
    leads = [LEADS[0], *(r.replace("Paid Search", "Unknown") for r in LEADS[1:20]), *LEADS[20:]]
    h = read(tmp_path, leads)
    assert h.channels.count("unknown") == 1
    assert "with 9 named so" in said(h)


def test_columns_by_name_whatever_the_case(tmp_path: Path) -> None:
    leads = ["Lead ID,Created,Where From", *LEADS[1:]]
    h = read(tmp_path, leads, lead_id="lead_id", lead_date="created", lead_channel="where from")
    assert len(h.arrived) == 56


def test_until_and_from(tmp_path: Path) -> None:
    h = read(tmp_path, until=dt.date(2024, 2, 23), from_=dt.date(2024, 1, 3))
    assert h.end == dt.date(2024, 2, 23)
    assert h.start == dt.date(2024, 1, 3)
    assert "rows from before 2024-01-03" in said(h)
    assert "rows from after 2024-02-23" in said(h)
    assert "rows won after 2024-02-23: taken as open" in said(h)
    # what is known on a day is the same, read so or cut so
    whole = read(tmp_path).before(54)
    cut = read(tmp_path, until=dt.date(2024, 2, 23))
    assert cut.days == whole.days == 54
    assert sorted(cut.won.tolist()) == sorted(whole.won.tolist())


def test_a_last_day_far_beyond_the_data_is_refused(tmp_path: Path) -> None:
    last = read(tmp_path).end
    with pytest.raises(DataError, match=r"leads.csv: --until 2025-03-01 is 3\d\d days after the l"):
        read(tmp_path, until=dt.date(2025, 3, 1))
    told = said(read(tmp_path, until=last + dt.timedelta(days=20)))
    assert f"20 days up to {last + dt.timedelta(days=20)} in which nothing happened" in told


def test_nothing_is_dropped_silently(tmp_path: Path) -> None:
    leads = [*LEADS, "L3,2024-02-27,x", ",2024-01-05,x", "L77,,x", "L78,2024-13-41,x"]
    deals = [
        *DEALS,
        "L0,2024-02-27,s,r,1",
        "ghost,2024-02-20,s,r,1",
        "L55,2024-01-15,s,r,1",
        "L9,,,,",
    ]
    h = read(tmp_path, leads, deals)
    text = said(h)
    assert "row that repeat a mql_id: the earliest kept (first: line 58)" in text
    assert "1 row without mql_id" in text
    assert "1 row without first_contact_date" in text
    assert "line 61, column 'first_contact_date', value '2024-13-41'" in text
    assert "1 row whose lead is not among the leads read" in text
    assert "won before their lead's first contact: left out, with their leads" in text
    assert "lead L55: first contact 2024-02-28, won 2024-01-15" in text
    assert "row without won_date: taken as not won" in text
    # 60 rows less repeat, no id, no date, bad date, and the lead won before it came
    assert len(h.arrived) == 60 - 5
    assert h.wins == 12


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    a, b = write(tmp_path)
    text = "\n".join([LEADS[0], *(r.replace("Paid Search", "Anúncios") for r in LEADS[1:])])
    a.write_bytes(text.encode(encoding))
    assert "anuncios" in read_history(a, b).channels


def test_semicolons_and_day_first(tmp_path: Path) -> None:
    leads = ["lead_id;date;source"] + [
        f"L{i};{1 + i % 28:02d}/{1 + i // 28:02d}/2024 10:00;web" for i in range(56)
    ]
    h = read(tmp_path, leads)
    assert (h.start, len(h.arrived)) == (dt.date(2024, 1, 1), 56)
    us = ["lead_id,date,source"] + [f"L{i},{1 + i // 28}/{1 + i % 28}/24,web" for i in range(56)]
    assert read(tmp_path, us).arrived.tolist() == h.arrived.tolist()


def test_dates_that_do_not_tell_are_asked_about(tmp_path: Path) -> None:
    leads = ["lead_id,date"] + [f"L{i},0{1 + i % 2}/0{1 + i % 9}/2024" for i in range(40)]
    with pytest.raises(DataError, match=r"leads.csv:2: .*may be day-first.*--day-first"):
        read(tmp_path, leads)
    assert read(tmp_path, leads, day_first=False).start.month == 1


def test_future_dates_are_counted_out(tmp_path: Path) -> None:
    far = ["L97,9999-12-31,x", "L98,31.12.9999,x", "L99,2199-01-01,x"]
    h = read(tmp_path, [*LEADS, *far], [*DEALS, "L1,9999-12-31,s,r,1"])
    assert h.end.year == 2024
    assert "3 rows dated in the future: left out" in said(h)
    assert "1 row won in the future: left out" in said(h)


def test_leads_that_stop_early(tmp_path: Path) -> None:
    h = read(tmp_path, LEADS[:40])
    assert h.lead_days == 42
    assert h.days > 50
    assert "days at the end without a lead" in said(h)


def test_deals_that_stop_early(tmp_path: Path) -> None:
    leads = [*LEADS, "L98,2024-05-30,x", "L99,2024-05-31,x"]
    assert "97 days at the end without a win (last on 2024-02-24)" in said(read(tmp_path, leads))
    assert "without a win" not in said(read(tmp_path))


def test_money(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text('v\n"$1,234.50"\n1.234\n"1.234,50"\n"€ 12,5"\n(40)\n""\n1e3\n"1,234"\n')
    values, found = as_money(read_file(path)[0], "v", "value")
    expected = [1234.5, 1.234, 1234.5, 12.5, -40, np.nan, 1000, 1234]
    np.testing.assert_allclose(values, expected)
    assert [f.what for f in found] == ["amounts in USD 1, EUR 1", "amounts below 0"]


MONEY = [
    (["USD 1,234", "EUR 12.50", "CHF 12'000.50", "1,000 GBP"], [1234, 12.5, 12000.5, 1000]),
    (["12K", "$1.2M", "3 Mio. €", "-$5 k"], [12e3, 1.2e6, 3e6, -5e3]),
    (["€ 1.234,56", "€ 12.345", "€ 7"], [1234.56, 12345, 7]),
    (["12.345", "1.250", "7.500", "900"], [12345, 1250, 7500, 900]),
    (["12.345", "0.125", "7.5"], [12.345, 0.125, 7.5]),
    (["1 234,5", "Fr. 12.-", "300-", ".75"], [1234.5, 12, -300, 0.75]),
]


@pytest.mark.parametrize(("texts", "amounts"), MONEY)
def test_money_as_people_write_it(tmp_path: Path, texts: list[str], amounts: list[float]) -> None:
    path = tmp_path / "m.csv"
    path.write_text("\n".join(["v", *(f'"{t}"' for t in texts)]) + "\n")
    values, found = as_money(read_file(path)[0], "v", "value")
    np.testing.assert_allclose(values, amounts)
    # what a point means is a guess only where nothing else tells
    guessed = [f.action for f in found if not f.what.startswith("amounts")]
    assert guessed == ["read as thousands: all have three digits after it"] * (
        texts[0] == "12.345" and texts[1] == "1.250"
    )


def test_values_not_stated(tmp_path: Path) -> None:
    deals = [DEALS[0], *(r.replace(",1000", ",0") for r in DEALS[1:4]), *DEALS[4:]]
    h = read(tmp_path, deals=deals, deal_value="amount")
    assert np.isfinite(h.value).sum() == 9
    assert "3 deals whose amount is empty or not above 0: value taken as not stated" in said(h)


def test_an_amount_is_found_by_its_name(tmp_path: Path) -> None:
    named = read(tmp_path, deals=DEALS, deal_value="amount")
    np.testing.assert_array_equal(read(tmp_path, deals=DEALS).value, named.value)


def test_slug() -> None:
    assert [slug(t) for t in ("Paid Search!", "3rd party", "")] == [
        "paid_search",
        "c_3rd_party",
        "",
    ]


BAD = [
    ({"lead_date": "first_contact"}, LEADS, DEALS, r"leads.csv:1: no .*Did you mean"),
    ({}, ["a,b", "1,2"], DEALS, r"leads.csv:1: no column recognised as the.*--lead-id.*'a', 'b'"),
    ({}, ["mql_id,mql_id", "1,2"], DEALS, r"leads.csv:1: column 'mql_id' is there twice"),
    ({}, [""], DEALS, r"leads.csv:1: no header line"),
    ({}, LEADS[:1], DEALS, r"leads.csv: it has a header and no rows"),
    ({"lead_date": "origin"}, LEADS, DEALS, r"leads.csv:3: column 'origin', value 'Paid.*28 of 28"),
    ({}, LEADS, [r.replace("L", "X") for r in DEALS], r"s.csv: none of its 12.*'X0' and"),
    ({}, LEADS, DEALS[:4], r"deals.csv: 3 wins can be matched to leads; at least 5"),
    ({"from_": dt.date(2025, 1, 1)}, LEADS, DEALS, r"leads.csv: no lead is left"),
    ({"deal_value": "sr_id"}, LEADS, DEALS, r"deals.csv:2: column 'sr_id', value 'r1'|deals.csv"),
    ({"deal_roles": ("sdr",)}, LEADS, DEALS, r"1: no column named 'sdr' for a role. Did"),
]  # fmt: skip


@pytest.mark.parametrize(("how", "leads", "deals", "message"), BAD)
def test_bad_input(
    tmp_path: Path, how: dict[str, object], leads: list[str], deals: list[str], message: str
) -> None:
    if "deal_value" in how:
        deals = [deals[0], *(r.replace(",r1,", ",none,") for r in deals[1:])]
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, leads, deals, **how)
    assert "\n" not in str(caught.value)


def test_broken_rows_are_counted_out(tmp_path: Path) -> None:
    h = read(tmp_path, [*LEADS[:3], '"open', *LEADS[3:]])
    assert len(h.arrived) == len(LEADS) - 1
    assert "1 row with a quote that is never closed: read without" in said(h)
    assert "1 row without the 3 columns of the header: left out" in said(h)


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    a, b = write(tmp_path)
    with pytest.raises(DataError, match="no such file"):
        read_history(tmp_path / "nothing.csv", b)
    with pytest.raises(DataError, match="cannot be read"):
        read_history(tmp_path, b)
    a.write_bytes(b"PK\x03\x04\x00\x00\x00")
    with pytest.raises(DataError, match="a broken zip or workbook"):
        read_history(a, b)


def test_mixed_day_orders_are_refused(tmp_path: Path) -> None:
    rows = [f"L{i},{d},x" for i, d in enumerate(["25/01/2024", "01/26/2024"] * 10)]
    with pytest.raises(
        DataError, match=r"leads.csv:\d+: .*day-first in 10 rows and month-first in 10"
    ):
        read(tmp_path, ["lead_id,date,source", *rows])
