"""Which sheets of a workbook are exports: chosen as several files are, and the others said."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from simulator.errors import DataError
from simulator.fit.logs.kinds import LOOKUP, Source, recognise
from simulator.fit.logs.workbook import no_sheet
from simulator.fit.tables import Finding, Table, key_of

Read = tuple[Table, list[Finding]]


def asked_for(sheets: Sequence[str], read: Sequence[tuple[str | Path, Sequence[Read]]]) -> None:
    """Raise DataError where a sheet that was asked for is in no workbook.

    read: each file with its tables.
    """
    there = {table.sheet: path for path, tables in read for table, _ in tables if table.sheet}
    for name in sheets:
        if name in there:
            continue
        if not there:
            raise DataError(f"{read[0][0]}: no sheet named {name!r}, for no file is a workbook")
        where = next(iter(there.values()))
        raise DataError(f"{no_sheet(where, name, list(there))}, with a table in it")


def of_workbook(
    tables: Sequence[Read], columns: Mapping[str, str] | None, *, asked: bool
) -> list[Source]:
    """The sheets that are exports. asked: they were named, so that all have to be.

    A sheet that only explains names may be a summary of the others, and is left out unless named.
    Raises DataError where none, or one that was named, is an export.
    """
    out: list[Source] = []
    said: list[Finding] = []
    failed: list[tuple[int, DataError]] = []
    for table, found in tables:
        rows, sheet = len(table.frame), table.sheet
        try:
            source = recognise(table, columns, others=True)
        except DataError as err:
            if asked:
                raise
            failed.append((rows, err))
            action = "left out: not a kind of export that is known"
            said += [*found, Finding(table.file, rows, f"rows of sheet {sheet!r}", action)]
            continue
        if source.kind == LOOKUP and not asked:
            action = (
                "left out: no dates, so it may be a summary. If it explains names that others "
                "use, name the sheets with --sheet"
            )
            said += [*found, Finding(table.file, rows, f"rows of sheet {sheet!r}", action)]
            continue
        out.append(replace(source, findings=(*found, *source.findings)))
    if not out:
        if failed:
            raise max(failed, key=lambda one: one[0])[1]
        raise DataError(
            f"{tables[0][0].file}: no sheet has a column of dates, so none is an export"
        )
    out[0] = replace(out[0], findings=(*said, *out[0].findings))
    return out


def with_columns(
    path: str | Path, tables: Sequence[Read], wanted: Sequence[Collection[str]]
) -> Read:
    """The one sheet that has a column of each of the wanted groups, as of leads or of deals.

    Raises DataError where several do, or none.
    """
    if len(tables) == 1:
        return tables[0]
    fit = [
        one
        for one in tables
        if all(
            {key_of(name) for name in group} & {key_of(c) for c in map(str, one[0].frame.columns)}
            for group in wanted
        )
    ]
    if len(fit) != 1:
        names = ", ".join(repr(t.sheet) for t, _ in (fit or tables))
        which = f"{len(fit)} sheets could be meant" if fit else "no sheet has the columns"
        raise DataError(f"{path}: {which} ({names}). Save the one that is meant as a file")
    return fit[0]
