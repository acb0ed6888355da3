"""How the hours of exchanges come into a schedule: what is known, what is not, and what a closing plans."""

import asyncio
import json
import logging
import re
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from exporter import calendars, doctor_calendars
from exporter.calendars import CalendarError, Calendars, parsed
from exporter.config import load
from exporter.exchanges import Closed, Sessions
from exporter.planned import Planned
from exporter.schedule import planned
from exporter.view import BotView
from tests.exporter.program import exporter, free_port, settings

NEW_YORK = ZoneInfo("America/New_York")


def at(text: str, zone: ZoneInfo = NEW_YORK) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def session(day: str, opens: str = "09:30", closes: str = "16:00") -> tuple[float, float]:
    return at(f"{day} {opens}"), at(f"{day} {closes}")


THANKSGIVING_WEEK = [
    session("2026-11-20"),
    session("2026-11-23"),
    session("2026-11-24"),
    session("2026-11-25"),
    session("2026-11-27", closes="13:00"),
    session("2026-11-30"),
]


def closed(days=THANKSGIVING_WEEK, hours="regular", reason="XNYS closed") -> Closed:
    opens, closes = zip(*days, strict=True)
    return Closed("XNYS", hours, reason, {"XNYS": Sessions(opens, closes)})


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("2026-11-20 15:59:59", None),
        ("2026-11-20 16:00:00", "Mon 09:30 ET"),
        ("2026-11-21 12:00:00", "Mon 09:30 ET"),
        ("2026-11-23 09:29:59", "Mon 09:30 ET"),
        ("2026-11-23 09:30:00", None),
        ("2026-11-23 16:00:00", "09:30 ET"),
        ("2026-11-26 12:00:00", "Fri 09:30 ET"),  # Thanksgiving
        ("2026-11-27 12:59:59", None),
        ("2026-11-27 13:00:00", "Mon 09:30 ET"),  # closes early
    ],
)
def test_a_closed_exchange_is_planned_quiet_until_it_opens(when, says):
    found = planned([closed()], at(when))
    assert (found and found.until_text) == says
    assert found is None or found.reason == "XNYS closed"


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("2026-11-20 19:59:59", None),
        ("2026-11-20 20:00:00", "Mon 04:00 ET"),
        ("2026-11-23 04:00:00", None),
        ("2026-11-27 16:59:59", None),
        ("2026-11-27 17:00:00", "Mon 04:00 ET"),
    ],
)
def test_extended_hours_begin_before_the_session_and_end_after_it(when, says):
    found = planned([closed(hours="extended")], at(when))
    assert (found and found.until_text) == says


def test_before_and_after_the_years_that_a_calendar_knows_nothing_is_planned():
    assert planned([closed()], at("2026-11-20 09:29")) is None
    assert planned([closed()], at("2026-11-30 16:00")) is None
    assert planned([closed()], at("2031-01-01 12:00")) is None


def test_an_exchange_of_which_nothing_is_known_plans_nothing():
    assert planned([Closed("XNYS", "regular", "closed", {})], at("2026-11-21 12:00")) is None


def test_a_break_at_noon_is_a_closing():
    halves = [session("2026-11-23", "09:30", "12:00"), session("2026-11-23", "13:00", "16:00")]
    found = planned([closed(halves)], at("2026-11-23 12:30"))
    assert found is not None
    assert (found.since, found.until) == (at("2026-11-23 12:00"), at("2026-11-23 13:00"))


def test_a_closing_of_more_than_a_week_ends_on_a_date():
    found = planned([closed([session("2027-02-05"), session("2027-02-15")])], at("2027-02-08 12:00"))
    assert found is not None
    assert found.until_text == "15 Feb 09:30 ET"


def test_a_window_and_a_closing_that_touch_are_one_quiet():
    class Opening:
        tz, days, opens, closes = "America/New_York", frozenset({0}), 9 * 60 + 30, 10 * 60
        reason = "the first half hour"

    found = planned([closed(), Opening()], at("2026-11-22 12:00"))
    assert found is not None
    assert found.until_text == "Mon 10:00 ET"


# Reading them


SCHEDULE = """\
bots:
  - name: arb
    kind: arb
    schedule:
      - {exchange: XNYS, reason: shares rest}
      - {exchange: XHKG, venue: hongkong}
      - {tz: UTC, days: thu, from: "03:00", to: "05:00", reason: maintenance, venue: kalshi}
      - {tz: UTC, days: sun, from: "03:00", to: "05:00", reason: backup}
"""


@pytest.fixture
def bots(tmp_path: Path):
    path = tmp_path / "exporter.yml"
    path.write_text(SCHEDULE)
    return load(path).bots


async def test_the_calendars_are_read_by_a_process_of_their_own(bots, caplog):
    caplog.set_level(logging.INFO)
    found = Calendars(bots)
    assert found.codes == ["XHKG", "XNYS"]
    assert await found.load()
    sessions = found.known["XNYS"]
    assert len(sessions.opens) == len(sessions.closes) > 250
    assert "the calendar of XNYS is known until" in caplog.text


def test_a_schedule_is_that_of_the_bot_and_those_of_its_venues(bots):
    found = Calendars(bots)
    (shares, backup), by_venue = found.of(bots[0]), found.by_venue(bots[0])
    assert isinstance(shares, Closed)
    assert (shares.exchange, shares.reason, backup.reason) == ("XNYS", "shares rest", "backup")
    assert {venue: [entry.reason for entry in entries] for venue, entries in by_venue.items()} == {
        "hongkong": ["XHKG closed"],
        "kalshi": ["maintenance"],
    }


async def test_a_bot_without_exchanges_starts_no_process(monkeypatch):
    monkeypatch.setattr(calendars, "PROGRAM", Path("/nowhere"))
    assert await Calendars([]).load()


async def test_what_cannot_be_read_is_logged_and_plans_nothing(bots, monkeypatch, tmp_path, caplog):
    broken = tmp_path / "broken.py"
    broken.write_text("import sys; sys.exit('the holidays are lost')")
    monkeypatch.setattr(calendars, "PROGRAM", broken)
    found = Calendars(bots)
    assert not await found.load()
    assert found.known == {}
    assert "not known: the holidays are lost; nothing is planned by them" in caplog.text


async def test_what_was_known_stays_when_a_later_reading_fails(bots, monkeypatch, tmp_path, caplog):
    program = tmp_path / "program.py"
    monkeypatch.setattr(calendars, "PROGRAM", program)
    one = {"opens": [1.0, 3.0], "closes": [2.0, 4.0]}
    program.write_text(f"print({json.dumps(json.dumps({'XHKG': one, 'XNYS': one}))})")
    found = Calendars(bots)
    assert await found.load()
    program.write_text("print('no calendar')")
    assert not await found.load()
    assert found.known["XNYS"] == Sessions((1.0, 3.0), (2.0, 4.0))
    assert "what was known before stays" in caplog.text


async def test_a_program_that_hangs_is_ended(bots, monkeypatch, tmp_path, caplog):
    program = tmp_path / "hangs.py"
    program.write_text("import time; time.sleep(600)")
    monkeypatch.setattr(calendars, "PROGRAM", program)
    monkeypatch.setattr(calendars, "PATIENCE_SECONDS", 0.2)
    assert not await asyncio.wait_for(Calendars(bots).load(), 30)
    assert "no answer within" in caplog.text


async def test_a_calendar_that_ends_soon_is_a_warning(bots, monkeypatch, tmp_path, caplog):
    program = tmp_path / "program.py"
    one = {"opens": [at("2026-12-30 09:30")], "closes": [at("2026-12-30 16:00")]}
    program.write_text(f"print({json.dumps(json.dumps({'XHKG': one, 'XNYS': one}))})")
    monkeypatch.setattr(calendars, "PROGRAM", program)
    await Calendars(bots, clock=lambda: at("2026-12-10 12:00")).load()
    assert "the calendar of XNYS is known until 2026-12-30; later closings are not planned" in caplog.text


async def test_the_doctor_says_whether_an_exchange_is_open_and_how_long_its_calendar_is_known(
    monkeypatch, tmp_path
):
    program = tmp_path / "program.py"
    monkeypatch.setattr(calendars, "PROGRAM", program)
    opens, closes = zip(*THANKSGIVING_WEEK, session("2027-02-01"), strict=True)
    program.write_text(f"print({json.dumps(json.dumps({'XNYS': {'opens': opens, 'closes': closes}}))})")
    (closed_now,) = await doctor_calendars.exchanges(["XNYS"], at("2026-11-21 12:00"))
    assert (closed_now.level, closed_now.says) == (
        "PASS",
        "closed now, until Mon 09:30 ET; known until 2027-02-01",
    )
    (open_now,) = await doctor_calendars.exchanges(["XNYS"], at("2026-11-23 12:00"))
    assert open_now.says.startswith("open now")
    (ends,) = await doctor_calendars.exchanges(["XNYS"], at("2027-01-10 12:00"))
    assert (ends.level, ends.fix) == ("WARN", "upgrade this program: later closings are not planned quiet")
    program.write_text("import sys; sys.exit('no module of that name')")
    (failed,) = await doctor_calendars.exchanges(["XNYS"], at("2026-11-21 12:00"))
    assert (failed.level, failed.says) == ("FAIL", "not known (XNYS): no module of that name")
    assert failed.fix


@pytest.mark.parametrize(
    "printed",
    [
        b"",
        b"[]",
        b'{"XNYS": {}}',
        b'{"XNYS": {"opens": [], "closes": []}}',
        b'{"XNYS": {"opens": [1], "closes": []}}',
        b'{"XNYS": {"opens": [1, 2], "closes": [3, 4]}}',
        b'{"XNYS": {"opens": [5], "closes": [4]}}',
        b'{"XNYS": {"opens": [1], "closes": [NaN]}}',
        b'{"XNYS": {"opens": ["x"], "closes": ["y"]}}',
    ],
)
def test_sessions_that_are_not_sound_are_refused(printed):
    with pytest.raises(CalendarError):
        parsed(printed, ["XNYS"])


async def test_a_real_exporter_finds_out_by_itself_which_exchange_is_closed(tmp_path):
    """New York and Tokyo are never open at once, so that one of them is closed whenever this runs."""
    schedule = ", schedule: [{exchange: XNYS, venue: new-york}, {exchange: XTKS, venue: tokyo}]"
    (bot,) = load(settings(tmp_path, free_port(), of_bot=schedule)).bots
    known = Calendars([bot])
    assert await known.load()

    def expected() -> dict[str, float]:
        now = time.time()
        return {name: planned(entries, now) is None for name, entries in known.by_venue(bot).items()}

    def shown(text: str) -> dict[str, float]:
        found = re.findall(r'tradebot_venue_expected{bot="arb",venue="([a-z-]+)"} (.+)', text)
        return {name: float(value) for name, value in found}

    async with exporter(tmp_path, bot.port, of_bot=schedule) as running, asyncio.timeout(30):
        while (seen := shown((await running.get("/metrics")).text)) != expected():
            await asyncio.sleep(0.05)
    assert not all(seen.values())


async def test_an_exporter_answers_while_its_calendars_hang(tmp_path):
    """Nobody who wants to kill a bot waits for holidays."""
    library = tmp_path / "library"
    library.mkdir()
    (library / "exchange_calendars.py").write_text("import time; time.sleep(600)")
    asked = time.monotonic()
    schedule = ", schedule: [{exchange: XNYS}]"
    async with exporter(tmp_path, free_port(), of_bot=schedule, PYTHONPATH=str(library)) as running:
        assert (await running.get("/metrics")).status_code == 200
    assert time.monotonic() - asked < calendars.PATIENCE_SECONDS


def test_what_was_planned_by_a_calendar_holds_until_that_is_read_again():
    known: dict[str, Sessions] = {}
    view = BotView(
        "arb", now=at("2026-11-21 12:00"), schedule=[Closed("XNYS", "regular", "shares rest", known)]
    )
    view.last_quiet = Planned(at("2026-11-20 16:00"), at("2026-11-23 09:30"), "shares rest", NEW_YORK)
    assert view.at(at("2026-11-21 12:00")).quiet == view.last_quiet
    assert view.at(at("2026-11-23 09:31")).expected
    known["XNYS"] = Sessions(
        (at("2026-11-20 09:30"), at("2026-11-30 09:30")), (at("2026-11-21 16:00"), at("2026-11-30 16:00"))
    )
    assert view.at(at("2026-11-21 12:00")).expected
