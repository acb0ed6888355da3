"""Room on disks: what each folder's disk has, and nothing of one that does not answer."""

import asyncio
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from exporter import disks
from exporter.collector import Collector
from exporter.config import load
from exporter.disks import KNOWN_SECONDS, Disk, Disks, folders, look

NOW = 1_700_000_000.0


def test_the_disk_of_a_folder_has_a_size_and_no_more_room_than_that(tmp_path: Path) -> None:
    found = look(tmp_path, NOW)
    assert found is not None
    assert 0 < found.free <= found.size
    assert found.at == NOW


def test_a_folder_that_is_not_there_yet_will_be_on_the_disk_of_the_one_above(tmp_path: Path) -> None:
    above, below = look(tmp_path, NOW), look(tmp_path / "not" / "yet", NOW)
    assert above is not None
    assert below is not None
    assert above.size == below.size


@pytest.mark.parametrize(
    "answer", [OSError(5, "Input/output error"), PermissionError(13, "Permission denied"), 0]
)
def test_a_disk_that_does_not_say_is_not_known(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    def statvfs(_: object) -> SimpleNamespace:
        if isinstance(answer, OSError):
            raise answer
        return SimpleNamespace(f_blocks=answer, f_frsize=4096, f_bavail=0)

    monkeypatch.setattr(os, "statvfs", statvfs)
    assert look(Path("/"), NOW) is None


def test_a_bot_has_one_folder_or_one_for_each_store(tmp_path: Path) -> None:
    (tmp_path / "exporter.yml").write_text(
        """
reporting_db: here/reporting.db
bots:
  - {name: arb, kind: arb, port: 1, stores: {orders: arb/o.db, analytics: arb/a.db}}
  - {name: two, kind: arb, port: 2, stores: {orders: a/o.db, analytics: b/a.db}}
  - {name: none, kind: arb, port: 3}
"""
    )
    assert folders(load(tmp_path / "exporter.yml")) == {
        "reporting": tmp_path / "here",
        "stores of arb": tmp_path / "arb",
        "orders store of two": tmp_path / "a",
        "analytics store of two": tmp_path / "b",
    }


async def test_a_disk_that_hangs_costs_its_own_figures_alone_and_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, hung, asked = [NOW], threading.Event(), []

    def answers(folder: Path, at: float) -> Disk:
        asked.append(folder.name)
        if folder.name == "hangs":
            hung.wait()
        return Disk(1, 2, at)

    monkeypatch.setattr(disks, "look", answers)
    watch = Disks({"good": tmp_path / "good", "bad": tmp_path / "hangs"}, lambda: now[0])
    for _ in range(3):
        await asyncio.wait(watch.begin(), timeout=0.2)
    assert watch.known(NOW) == {"good": Disk(1, 2, NOW)}
    assert asked.count("hangs") == 1
    assert asked.count("good") == 3
    now[0] += 5
    hung.set()
    async with asyncio.timeout(10):
        while "bad" not in watch.known(now[0]):
            await asyncio.sleep(0.01)
    # It is as old as the question, not as the answer.
    assert watch.known(now[0])["bad"].at == NOW


async def test_what_was_seen_long_ago_is_told_no_more_and_a_scrape_asks_no_disk(tmp_path: Path) -> None:
    watch = Disks({"reporting": tmp_path}, lambda: NOW)
    await asyncio.gather(*watch.begin())

    def told(now: float) -> float | None:
        found = Collector([], lambda: now, disks=watch.known).families()
        (family,) = (f for f in found if f.name == "tradebot_exporter_disk_free_bytes")
        return dict(family.rows).get(("reporting",))  # type: ignore[return-value]

    assert told(NOW + KNOWN_SECONDS) == watch.known(NOW)["reporting"].free
    assert told(NOW + KNOWN_SECONDS + 1) is None
    assert told(NOW - 1) is None
