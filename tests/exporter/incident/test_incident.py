"""The zip for a post-mortem, from the files that an exporter left behind."""

import gzip
import hashlib
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from exporter.__main__ import main
from exporter.incident import tables
from tests.doubles import messages
from tests.doubles.messages import T0
from tests.exporter.incident.archive import SPAN, TOKEN, Left, fill, read

EVERYTHING = {
    *(f"{table.name}.jsonl" for table in tables.TABLES),
    *("messages.jsonl", "events.jsonl", "alerts.jsonl", "timeline.md", "manifest.json"),
}


@pytest.fixture
def left(tmp_path: Path) -> Left:
    return Left(tmp_path)


def made(left: Left, *words: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and what is in the zip."""
    out = left.folder / "made.zip"
    out.unlink(missing_ok=True)
    code = main(["incident", "--config", str(left.settings), *SPAN, "--out", str(out), *words])
    return code, read(out)


async def a_bad_hour(left: Left) -> None:
    """Something of everything, within the hour, before it and after it."""
    left.with_database()
    left.happened(T0 - 60, "exporter", what="started, version 0")
    left.happened(T0 + 100, "kill", bot="arb", who="ann (token)", source="token", what="kill ordered",
                  why="it trades nonsense", data='{"kill_id": "k1"}')  # fmt: skip
    left.happened(T0 + 120, "alert", bot="arb", severity="critical", what="TradebotKillNotVerified fires")
    left.happened(T0 + 4000, what="too late")
    for number, at in enumerate((-10, 30, 40, 3700)):
        left.put("fills", **fill(number, T0 + at))
        left.put("decisions", bot="arb", generation=1, id=number, timestamp=T0 + at, kind="cross")
    left.put("fills", **fill(9, T0 + 50, bot="other"))
    for name, created, updated in (("old", -500, -400), ("open", -50, 20), ("new", 60, 61)):
        times = {"created_at": T0 + created, "updated_at": T0 + updated}
        left.put("order_intents", bot="arb", generation=1, intent_id=name, **times)
        raw = json.dumps({"api_key": "k-secret", "price": 0.5})
        leg = {"leg_id": f"{name}-1", "intent_id": name, "raw_json": raw}
        left.put("leg_executions", bot="arb", generation=1, **leg, **times)
    for name, opened, closed in (("gone", -900, -800), ("held", -900, None), ("later", 3700, None)):
        times = {"opened_at": T0 + opened, "closed_at": None if closed is None else T0 + closed}
        left.put("positions", bot="arb", generation=1, position_id=name, **times)
    asked = {"bot": "arb", "who": "ann", "source": "token", "reason": "it trades nonsense"}
    left.put("kills", id="k0", **asked, sent_at=T0 - 900, rearmed_at=T0 - 800, state="verified")
    left.put("kills", id="k1", **asked, sent_at=T0 + 100, state="not_verified")
    left.put(
        "commands", id="c1", **asked, command="pause", sent_at=T0 + 90, state="unknown", seen="not answered"
    )
    left.put("setting_changes", bot="arb", key="ARB_KELLY_FRACTION", at=T0 + 80, before="0.1", after="0.2")
    left.put("sessions", bot="arb", session="s1", first_at=T0 - 5000, last_at=T0 + 5000, version="0.1.0")
    left.put("states", bot="arb", at=T0 + 95, link="connected", mode="paper", kill="sent")
    left.put("feed", bot="arb", first_at=T0 - 20, last_at=T0 + 10, action="skipped", count=7)
    state = messages.state(1, config_snapshot={"ARB_KELLY_FRACTION": 0.1, "KALSHI_API_KEY": "k-secret"})
    await left.recorded(T0 + 105, (T0 - 1, state | {"cycle": 1}), (T0 + 99, state | {"cycle": 2}))
    await left.recorded(
        T0 + 160, (T0 + 99, state | {"cycle": 2}), (T0 + 150, state | {"cycle": 3}), (T0 + 155, {"type": "x"})
    )


async def test_it_holds_what_belongs_to_the_hour_and_nothing_else(left: Left) -> None:
    await a_bad_hour(left)
    code, found = made(left)
    assert code == 0
    assert set(found) == EVERYTHING
    keys = {
        "fills": ("id", [1, 2, 9]),
        "decisions": ("id", [1, 2]),
        "order_intents": ("intent_id", ["open", "new"]),
        "leg_executions": ("leg_id", ["open-1", "new-1"]),
        "positions": ("position_id", ["held"]),
        "kills": ("id", ["k1"]),
        "commands": ("id", ["c1"]),
        "setting_changes": ("key", ["ARB_KELLY_FRACTION"]),
        "sessions": ("session", ["s1"]),
        "states": ("kill", ["sent"]),
        "feed": ("count", [7]),
        "events": ("seq", [2, 3]),
        "alerts": ("what", ["TradebotKillNotVerified fires"]),
    }
    for table, (key, expected) in keys.items():
        assert [row[key] for row in found[f"{table}.jsonl"]] == expected, table
    cycles = [row["message"].get("cycle") for row in found["messages.jsonl"]]
    assert cycles == [2, 3, None], "each message once, although two recordings hold it"


async def test_the_manifest_names_every_member_with_its_hash(left: Left) -> None:
    await a_bad_hour(left)
    _, found = made(left)
    manifest = found["manifest.json"]
    assert manifest["files"].keys() == EVERYTHING - {"manifest.json"}
    with zipfile.ZipFile(left.folder / "made.zip") as archive:
        for name, member in manifest["files"].items():
            data = archive.read(name)
            assert (len(data), hashlib.sha256(data).hexdigest()) == (member["size"], member["sha256"])
    assert (manifest["from_utc"], manifest["to_utc"]) == (
        "2026-11-20 17:53:20 UTC",
        "2026-11-20 18:53:20 UTC",
    )
    assert [bot["version"] for bot in manifest["versions"]["bots"]] == ["0.1.0"]
    assert [each["why"] for each in manifest["recordings"]] == ["a test", "a test"]
    assert manifest["events"]["whole"] is True
    assert manifest["missing"] == []


async def test_the_timeline_tells_it_in_order_with_proof(left: Left) -> None:
    await a_bad_hour(left)
    _, found = made(left)
    text = found["timeline.md"]
    assert "# Incident: all bots, 2026-11-20 17:53:20 UTC to 2026-11-20 18:53:20 UTC" in text
    rows = [line for line in text.splitlines() if line.startswith("| 2026")]
    assert [row.split(" | ")[3] for row in rows] == [
        "2 fills within 10 s: 20 contracts, +$1.00",
        "1 fill: 10 contracts, +$0.50",
        "pause: it trades nonsense; it is unknown: not answered",
        "kill ordered: it trades nonsense",
        "**TradebotKillNotVerified fires**",
    ]
    assert rows[3] == (
        "| 2026-11-20 17:55:00 | arb | ann (token) | kill ordered: it trades nonsense | event 2 |"
    )


async def test_of_one_bot_there_is_that_bot_and_the_whole_audit_trail(left: Left) -> None:
    await a_bad_hour(left)
    code, found = made(left, "--bot", "other")
    assert code == 0
    assert found["manifest.json"]["missing"] == [
        "no flight recording overlaps this time: there are no raw states"
    ]
    assert [row["id"] for row in found["fills.jsonl"]] == [9]
    assert found["kills.jsonl"] == []
    assert [row["seq"] for row in found["events.jsonl"]] == [2, 3]
    assert found["alerts.jsonl"] == []
    assert "kill ordered" not in found["timeline.md"]


async def test_nothing_of_a_credential_or_a_token_gets_in(left: Left) -> None:
    await a_bad_hour(left)
    left.happened(T0 + 130, what=f"somebody pasted {TOKEN} here")
    made(left)
    with zipfile.ZipFile(left.folder / "made.zip") as archive:
        for name in archive.namelist():
            data = archive.read(name)
            assert b"k-secret" not in data, name
            assert TOKEN.encode() not in data, name
        assert b'\\"price\\": 0.5' in archive.read("leg_executions.jsonl")


async def test_a_chain_that_was_broken_is_said(left: Left, capsys: pytest.CaptureFixture[str]) -> None:
    await a_bad_hour(left)
    with closing(sqlite3.connect(left.database)) as db, db:
        db.execute("UPDATE events SET why = 'it was the bot' WHERE seq = 2")
    code, found = made(left)
    assert code == 1
    assert found["manifest.json"]["events"]["whole"] is False
    assert "the 2 events that are here: row 2 is not as it was written" in capsys.readouterr().out
    assert "row 2 is not as it was written" in found["timeline.md"]


async def test_the_part_of_the_chain_that_is_here_can_be_checked_by_itself(left: Left) -> None:
    await a_bad_hour(left)
    _, found = made(left)
    assert found["manifest.json"]["events"]["says"] == [
        "the whole chain, 4 events: none changed, removed, put in or moved",
        "the 2 events that are here: none changed, removed, put in or moved",
    ]


async def test_a_recording_that_is_damaged_gives_what_can_be_read(left: Left) -> None:
    left.with_database()
    lines = [(T0 + n, messages.state(n)) for n in range(1, 400)]
    path = await left.recorded(T0 + 500, *lines)
    path.write_bytes(path.read_bytes()[:-100])
    (left.folder / "flight-arb-x.jsonl.gz").write_bytes(b"nothing of the kind")
    (left.folder / "flight-arb-y.jsonl.gz").write_bytes(gzip.compress(b"[]\n"))
    code, found = made(left)
    assert code == 1
    assert len(found["messages.jsonl"]) > 100
    notes = " ".join(found["manifest.json"]["missing"])
    assert f"{path.name} is damaged, what it holds before that is here" in notes
    assert "flight-arb-x.jsonl.gz cannot be read" in notes
    assert "flight-arb-y.jsonl.gz cannot be read" in notes


async def test_without_a_database_there_are_the_recordings_and_a_note(left: Left) -> None:
    await left.recorded(T0 + 50, (T0 + 10, messages.state(1)))
    code, found = made(left)
    assert code == 1
    assert len(found["messages.jsonl"]) == 1
    assert "reporting.db cannot be read" in " ".join(found["manifest.json"]["missing"])


async def test_a_database_that_is_damaged_costs_what_stood_in_it(left: Left) -> None:
    await a_bad_hour(left)
    left.database.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    code, found = made(left)
    assert code == 1
    assert len(found["messages.jsonl"]) == 3
    assert "reporting.db cannot be read" in " ".join(found["manifest.json"]["missing"])


def test_many_rows_of_one_time_are_read_page_by_page(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "PAGE", 7)
    left.with_database()
    for number in range(50):
        left.put("fills", **fill(number, T0 + number // 20))
    _, found = made(left)
    assert [row["id"] for row in found["fills.jsonl"]] == list(range(50))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", "soon"), "expected a time such as 2026-11-20T17:00Z"),
        (("--from", "now", "--to", "-2h"), "is not before --to"),
        (("--bot", "eve"), "no bot 'eve' in the settings or the history; there is arb, other."),
        (("--out", "/proc/no/such.zip"), "choose another place with --out FILE."),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(
    left: Left, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    left.with_database()
    assert main(["incident", "--config", str(left.settings), *SPAN, *words]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert len(error.splitlines()) == 1


def test_a_zip_that_is_there_is_not_written_over(left: Left, capsys: pytest.CaptureFixture[str]) -> None:
    left.with_database()
    made(left)
    before = (left.folder / "made.zip").read_bytes()
    words = ["incident", "--config", str(left.settings), *SPAN, "--out", str(left.folder / "made.zip")]
    assert main(words) == 2
    assert "is there already; remove it, or choose another with --out FILE." in capsys.readouterr().err
    assert (left.folder / "made.zip").read_bytes() == before
    assert not list(left.folder.glob("*.part"))


def test_where_nothing_was_recorded_it_says_where_it_looked(
    left: Left, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["incident", "--config", str(left.settings), *SPAN]) == 2
    assert f"neither {left.database} nor a flight recording is there" in capsys.readouterr().err


async def test_it_says_how_far_it_is_when_it_takes_long(
    left: Left, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.reporting.archive.SAID_EVERY", 0.0)
    await a_bad_hour(left)
    made(left)
    assert "…     gathered: " in capsys.readouterr().err


async def test_as_json_it_answers_with_the_manifest(left: Left, capsys: pytest.CaptureFixture[str]) -> None:
    await a_bad_hour(left)
    _, found = made(left, "--json")
    assert json.loads(capsys.readouterr().out) == found["manifest.json"]
