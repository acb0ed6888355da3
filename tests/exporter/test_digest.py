"""The daily digest: true, short, once a day also across restarts and changes of the clock."""

import sqlite3
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from exporter.alerting import digest, digest_desk, digest_rows
from exporter.alerting.digest import LATE, SETTLES, BotDay, Day
from exporter.alerting.digest_desk import DigestDesk
from exporter.errors import Invalid
from exporter.reporting import schema
from exporter.reporting.claim import DatabaseUnwritable
from exporter.reporting.days import OperatorDay, Span
from tests.doubles.bots import OwnBot
from tests.exporter.api.office import Office

UTC_DAY = OperatorDay()
DAY = Span("2026-11-20", 1_795_132_800.0, 1_795_219_200.0)
NOON = DAY.starts_at + 43_200
QUIET = Day(DAY, "UTC", (), watched_from=DAY.starts_at - 1, count=7, hash="ab12")


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_each_figure_has_its_source_and_what_is_not_known_is_said_to_be_so() -> None:
    bots = (
        BotDay("arb", True, DAY.ends_at + 5, pnl=-3.2, trades=14, wins=9, restarts=2),
        BotDay("real", False, DAY.ends_at + 5, pnl=0.0, trades=0),
        BotDay("slow", False, NOON),
        BotDay("old", None, None),
    )
    day = replace(
        QUIET,
        bots=bots,
        alerts={"TradebotLossCapNear": 2, "TradebotDisconnected": 1},
        critical=1,
        kills=2,
        unproven=1,
        drills=1,
        settings=3,
        console_starts=1,
        noted={"trade": 14, "cap_unset": 1},
    )
    assert digest.text(day).splitlines() == [
        "arb (simulated): PnL −$3.20, 14 trades, 9 won (ledger)",
        "real: PnL $0.00, 0 trades (ledger)",
        "slow: PnL not known, its ledger was read until 12:00:00 UTC only",
        "old (not known whether simulated): PnL not known, no ledger was read",
        "Alerts fired: 3 (1 critical): LossCapNear 2, Disconnected 1",
        "Kills: 2 (1 not proven) · drills: 1 · settings changed: 3",
        "Sessions begun: arb 2, console 1",
        "Noted: cap not set 1, trades told by the bots 14",
        "Audit trail: 7 events, head ab12",
    ]


def test_a_quiet_day_is_four_lines_and_one_that_was_not_watched_whole_says_so() -> None:
    assert digest.text(QUIET).splitlines() == [
        "Alerts fired: 0",
        "Kills: 0 · drills: 0 · settings changed: 0",
        "Sessions begun: none",
        "Audit trail: 7 events, head ab12",
    ]
    assert "Watched only from 12:00:00 UTC on" in digest.text(replace(QUIET, watched_from=NOON))


def test_however_many_kinds_of_alerts_fired_the_digest_stays_short() -> None:
    many = {f"TradebotKind{n:02}": 40 - n for n in range(40)}
    line = next(line for line in digest.text(replace(QUIET, alerts=many)).splitlines() if "fired" in line)
    assert line.endswith("Kind00 40, Kind01 39, Kind02 38, Kind03 37, Kind04 36 and 35 more kinds")


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (DAY.ends_at + SETTLES, True),
        (DAY.ends_at + SETTLES - 1, False),  # the last rows are still being written
        (DAY.ends_at + LATE, True),
        (DAY.ends_at + LATE + 1, False),
    ],
)
def test_a_digest_may_be_sent_from_a_while_after_its_day_until_it_is_no_news(now: float, due: bool) -> None:
    assert digest.due(UTC_DAY, now) == (DAY if due else None)


def test_each_day_of_a_year_has_one_digest_also_where_clocks_change() -> None:
    day = OperatorDay("America/New_York", 17 * 60)
    dates: list[str] = []
    now = at("2026-01-01T00:00:00+00:00")
    while now < at("2027-01-01T00:00:00+00:00"):
        if (span := digest.due(day, now)) is not None and span.date not in dates[-1:]:
            dates.append(span.date)
            assert span.ends_at - span.starts_at in {23 * 3600, 24 * 3600, 25 * 3600}
        now += 3600
    assert len(dates) == len(set(dates)) == 366  # that of the last day of the year before, too


def database(folder: Path) -> Path:
    path = folder / "reporting.db"
    with closing(sqlite3.connect(path)) as db:
        schema.create(db)
    return path


def put(path: Path, table: str, **row: Any) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", [*row.values()]
        )


def happened(path: Path, seq: int, at: float, kind: str, what: str, **more: Any) -> None:
    put(path, "events", seq=seq, at=at, kind=kind, what=what, severity="info", hash=f"h{seq}", **more)


def test_the_figures_are_those_of_the_rows_of_that_day_alone(tmp_path: Path) -> None:
    path = database(tmp_path)
    for seq, (when, kind, what) in enumerate(
        [
            (NOON - 90_000, "alert", "TradebotDisconnected firing"),
            (NOON, "alert", "TradebotDisconnected firing"),
            (NOON, "exporter", "started, version 1"),
            (NOON, "exporter", "stopped"),
            (NOON, "alert", "TradebotDisconnected firing"),
            (NOON + 1, "alert", "TradebotDisconnected resolved"),
            (NOON + 2, "trade", "a fill"),
            (NOON + 3, "cap_unset", "no cap"),
            (DAY.ends_at, "alert", "TradebotUnhedged firing"),
        ],
        1,
    ):
        happened(path, seq, when, kind, what, data='{"count": 3}' if kind == "trade" else None)
    for n, (when, drill, state) in enumerate(
        [(NOON, 0, "verified"), (NOON, 0, "unproven"), (NOON, 1, "verified"), (DAY.ends_at, 0, "verified")]
    ):
        put(path, "kills", id=str(n), bot="arb", sent_at=when, drill=drill, state=state)
    put(path, "setting_changes", bot="arb", key="K", at=NOON)
    put(path, "sessions", bot="arb", session="a", first_at=NOON, began=NOON)
    put(path, "sessions", bot="arb", session="b", first_at=NOON, began=DAY.starts_at - 5)
    put(path, "bots", bot="arb", simulated=1)
    put(path, "sources", bot="arb", store="analytics", generation=1, last_read_at=DAY.ends_at, current=1)
    put(
        path,
        "operator_daily_pnl",
        bot="arb",
        date=DAY.date,
        starts_at=DAY.starts_at,
        ends_at=DAY.ends_at,
        pnl=1.5,
        trades=3,
        wins=2,
    )
    put(
        path,
        "operator_daily_pnl",
        bot="arb",
        date="2026-11-21",
        starts_at=DAY.ends_at,
        ends_at=DAY.ends_at + 9,
        pnl=9,
        trades=9,
        wins=9,
    )
    with closing(sqlite3.connect(path)) as db:
        found = digest_rows.read(db, UTC_DAY, DAY, ["arb", "old"])
    assert found == Day(
        DAY,
        "UTC",
        (BotDay("arb", True, DAY.ends_at, 1.5, 3, 2, restarts=1), BotDay("old", None, None)),
        alerts={"TradebotDisconnected": 1},
        kills=2,
        unproven=1,
        drills=1,
        settings=1,
        console_starts=1,
        noted={"trade": 3, "cap_unset": 1},
        watched_from=NOON - 90_000,
        count=9,
        hash="h9",
    )


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path, {"arb": OwnBot()}, now=DAY.ends_at + SETTLES)
    async with made.client:
        yield made


def desk_of(office: Office, path: Path) -> DigestDesk:
    return DigestDesk(path, UTC_DAY, ["arb"], office.alerts)


async def test_it_is_sent_once_and_not_again_by_a_program_that_began_anew(
    office: Office, tmp_path: Path
) -> None:
    path = database(tmp_path)
    happened(path, 1, NOON, "exporter", "started, version 1")
    desk = desk_of(office, path)
    for _ in range(3):
        await desk.look()
        office.now += 30
    (alert,) = office.alertmanager.posted
    assert alert["labels"]["date"] == "2026-11-20"
    assert alert["annotations"]["summary"] == "Digest of 2026-11-20 (UTC)"
    assert "Audit trail: 1 events, head h1" in alert["annotations"]["description"]
    assert at(alert["endsAt"]) - at(alert["startsAt"]) == digest.LASTS
    (event,) = office.told("digest")
    assert event["answer"] == alert["annotations"]["description"]
    happened(path, 2, office.now, "digest", event["what"], data='{"date": "2026-11-20"}')
    await desk_of(office, path).look()
    assert len(office.alertmanager.posted) == 1
    office.now += 86_400
    await desk_of(office, path).look()
    assert [each["labels"]["date"] for each in office.alertmanager.posted] == ["2026-11-20", "2026-11-21"]


async def test_a_clock_that_was_set_back_neither_repeats_a_digest_nor_loses_those_to_come(
    office: Office, tmp_path: Path
) -> None:
    path = database(tmp_path)
    happened(path, 1, NOON, "exporter", "started, version 1")
    happened(path, 2, office.now, "digest", "sent", data='{"date": "2026-11-20"}')
    ahead = office.now + 10 * 86_400
    happened(path, 3, ahead, "digest", "sent by a clock that was ahead", data='{"date": "2026-11-30"}')
    desk = desk_of(office, path)
    await desk.look()
    assert office.alertmanager.posted == []
    office.now += 86_400
    await desk.look()
    assert [each["labels"]["date"] for each in office.alertmanager.posted] == ["2026-11-21"]


async def test_a_day_that_nobody_watched_has_no_digest(office: Office, tmp_path: Path) -> None:
    path = database(tmp_path)
    await desk_of(office, path).look()
    happened(path, 1, DAY.ends_at + 1, "exporter", "started, version 1")
    await desk_of(office, path).look()
    assert office.alertmanager.posted == []


async def test_it_waits_for_an_alertmanager_or_a_database_that_is_away(
    office: Office, tmp_path: Path
) -> None:
    path = tmp_path / "reporting.db"
    desk = desk_of(office, path)
    await desk.look()  # the database is not there yet
    assert office.alertmanager.posted == []
    happened(database(tmp_path), 1, NOON, "exporter", "started, version 1")
    answer, office.alertmanager.answer = office.alertmanager.answer, None
    await desk.look()
    assert office.told("digest") == []
    office.alertmanager.answer = answer
    await desk.look()
    assert len(office.told("digest")) == 1


def test_any_day_is_printed_by_its_date(
    office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = Namespace(date="2026-11-20", json=False)
    with pytest.raises(DatabaseUnwritable):
        digest_desk.command(office.config, options)
    database(tmp_path)
    assert digest_desk.command(office.config, options) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Digest of 2026-11-20 (UTC)\narb (not known whether simulated): PnL not known")
    with pytest.raises(Invalid, match="expected a date"):
        digest_desk.command(office.config, Namespace(date="yesterday", json=False))
