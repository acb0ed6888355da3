"""Reads the mapping file: a CSV of markets that ask the same question at several venues.

Columns: `group_id`, and for at least two venues one column that says how the venue calls the market. Where a
row fills several columns of a venue, the first in the order of `COLUMNS` counts. A group of three venues
makes three pairs.
"""

import csv
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

from arb_bot import InputFileUnusable
from arb_bot.relations import MappedPair, Market

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "kalshi": ("kalshi_market_id", "kalshi_ticker", "kalshi_event_ticker"),
    "polymarket": ("polymarket_market_id", "polymarket_condition_id", "polymarket_slug"),
    "forecastex": ("forecastex_market_id", "forecastex_symbol", "forecastex_contract_id"),
}
"""The columns that name a market, by venue, in the order in which pairs name the venues."""


def read_mapping(path: Path) -> tuple[MappedPair, ...]:
    """All pairs of the file. Raises InputFileUnusable."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return tuple(_pairs(path, csv.DictReader(file, strict=True)))
    except OSError as exc:
        raise InputFileUnusable(f"the mapping file {path} cannot be read: {exc.strerror or exc}") from exc
    except (csv.Error, UnicodeDecodeError) as exc:
        raise InputFileUnusable(f"{path}: expected CSV in UTF-8, {exc}") from exc


def _pairs(path: Path, rows: "csv.DictReader[str]") -> Iterator[MappedPair]:
    columns = set(rows.fieldnames or ())
    named = [venue for venue, names in COLUMNS.items() if columns & set(names)]
    if "group_id" not in columns or len(named) < 2:
        known = ", ".join(name for names in COLUMNS.values() for name in names)
        raise InputFileUnusable(
            f"{path}, line 1: expected the columns group_id and, for at least two venues, one of {known}"
        )
    lines: dict[str, int] = {}
    for row in rows:
        place = f"{path}, line {rows.line_num}"
        group = (row["group_id"] or "").strip()
        if not group:
            raise InputFileUnusable(f"{place}, column group_id: expected a name, got nothing")
        if group in lines:
            raise InputFileUnusable(
                f"{place}, column group_id: expected another name than {group}, taken on line {lines[group]}"
            )
        lines[group] = rows.line_num
        markets = list(_markets(row))
        if len(markets) < 2:
            raise InputFileUnusable(
                f"{place}: expected the markets of at least two venues, got {len(markets)}"
            )
        for left, right in combinations(markets, 2):
            yield MappedPair(group, left, right)


def _markets(row: Mapping[str, str | None]) -> Iterator[Market]:
    for venue, names in COLUMNS.items():
        filled = (value.strip() for name in names if (value := row.get(name)) and value.strip())
        market_id = next(filled, None)
        if market_id:
            yield venue, market_id
