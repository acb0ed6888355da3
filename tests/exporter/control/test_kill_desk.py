"""The desk that kills one bot: both paths, latched over restarts, re-armed by people, stopped by nothing."""

import asyncio
import json
import logging
import os
from pathlib import Path

import pytest

from exporter.control import kill_path
from exporter.control.kill import Stage
from exporter.control.kill_latch import KillLatch
from exporter.control.proof import Rung
from exporter.errors import Invalid, NotNow
from tests.doubles import bots, messages
from tests.exporter.control.kill_stand import Stand


@pytest.fixture
async def stand(tmp_path: Path) -> Stand:
    """A bot of ours that was watched for a minute."""
    stand = Stand(bots.OwnBot(), tmp_path)
    await stand.cycles(12)
    return stand


def latch(tmp_path: Path) -> Path:
    return tmp_path / "exporter" / "kill-arb.json"


def keeps(tmp_path: Path, word: str) -> bool:
    return latch(tmp_path).exists() and word in latch(tmp_path).read_text()


# Both paths


async def test_a_kill_goes_out_on_both_paths_at_once_and_answers_where_it_stands(stand):
    stands = await stand.press()
    assert stands.state is Stage.SENT
    assert stands.words == "KILLING 0 s"
    assert stand.bot.killed
    await stand.disk(lambda: stand.standing().delivered["file"] == "written")
    content = json.loads(stand.file.read_text())
    assert (content["by"], content["reason"]) == ("ann (page)", "it trades nonsense")
    await stand.for_seconds(1)
    stands = stand.standing()
    assert (stands.state, stands.rung) == (Stage.VERIFIED, Rung.FLAG)
    assert stands.words == "HALTED, PROVEN (flag) 17:54, 5 positions remain"
    assert stands.delivered == {"socket": "acked in 10 ms", "file": "written"}
    assert stands.kill is not None
    assert stands.kill.time_to_verified == 0.25


async def test_a_bot_that_is_not_connected_is_killed_by_file_and_told_as_soon_as_it_is_back(stand):
    stand.lose_the_link()
    await stand.press()
    await stand.disk(stand.file.exists)
    assert not stand.bot.killed
    await stand.for_seconds(3)
    assert stand.standing().delivered["socket"] == "not connected"
    await stand.link_again()
    assert stand.bot.killed
    await stand.for_seconds(1)
    assert stand.standing().state is Stage.VERIFIED


async def test_a_kill_file_that_somebody_takes_away_is_written_again_while_it_is_latched(stand, monkeypatch):
    monkeypatch.setattr("exporter.control.kill_desk.FILE_LOOK_SECONDS", 0.01)
    async with stand.running():
        await stand.press()
        await stand.disk(stand.file.exists)
        stand.file.unlink()
        await stand.disk(stand.file.exists)


async def test_a_kill_whose_latch_was_lost_is_found_in_its_file(stand, tmp_path):
    await stand.press()
    await stand.disk(lambda: stand.standing().delivered["file"] == "written")
    assert not latch(tmp_path).exists()
    stand.restart_the_exporter()
    assert stand.standing().kill is None
    async with stand.running():
        await stand.disk(lambda: keeps(tmp_path, "it trades nonsense"))
    kill = stand.standing().kill
    assert (kill.order.who, kill.order.source, stand.news[-1].what) == ("ann (page)", "kill file", "kept")


async def test_how_it_would_go_is_said_before_anybody_presses(tmp_path):
    stand = Stand(bots.OwnBot(), tmp_path)
    async with stand.running():
        await stand.disk(lambda: stand.standing().paths["file"])
        assert stand.standing().words == "READY, never drilled"
        stand.lose_the_link()
        assert stand.standing().words == "BY FILE ONLY"
        assert stand.standing().paths == {"socket": False, "file": True}
    without = Stand(bots.OwnBot(), tmp_path, file=False)
    without.lose_the_link()
    assert without.standing().words == "NO PATH"
    await without.press()
    await without.for_seconds(12)
    assert without.standing().words == "KILLING 12 s, NO PATH"


# Nothing stands before it


async def test_a_disk_that_hangs_delays_neither_the_socket_nor_the_answer(stand, monkeypatch):
    never = asyncio.Event()

    async def hangs(work: object) -> None:
        await never.wait()

    monkeypatch.setattr(kill_path, "errand", hangs)
    monkeypatch.setattr("exporter.control.latch_keeper.errand", hangs)
    async with stand.running():
        await stand.press()
        assert stand.bot.killed
        await stand.for_seconds(1)
        assert stand.standing().state is Stage.VERIFIED


async def test_a_kill_that_cannot_be_recorded_goes_out_all_the_same(tmp_path, caplog):
    stand = Stand(bots.OwnBot(), tmp_path)
    stand.desk._told = lambda news: 1 / 0  # a broken database behind the audit trail
    (tmp_path / "exporter").write_text("no folder can be made here")
    async with stand.running():
        with caplog.at_level(logging.ERROR):
            await stand.press()
            await stand.for_seconds(1)
            await stand.disk(lambda: stand.view.totals.latch_errors > 0)
    assert stand.standing().state is Stage.VERIFIED
    assert "was not recorded" in caplog.text
    assert "cannot be written" in caplog.text


async def test_a_folder_that_takes_no_file_is_said_and_the_socket_does_it(stand):
    stand.file.parent.rmdir()
    await stand.press()
    await stand.disk(lambda: bool(stand.standing().delivered["file"]))
    assert "cannot be written: No such file or directory" in stand.standing().delivered["file"]
    assert stand.bot.killed


# The latch


async def test_a_kill_outlives_a_restart_of_the_exporter_and_is_sent_again(stand, tmp_path):
    async with stand.running():
        await stand.press()
        await stand.for_seconds(1)
        await stand.disk(lambda: keeps(tmp_path, '"verified"'))
    stand.bot.killed = False
    stand.restart_the_exporter()
    stands = stand.standing()
    assert stands.state is Stage.VERIFIED
    assert stands.kill is not None
    assert (stands.kill.order.who, stands.kill.rung) == ("ann", Rung.FLAG)
    await stand.link_again()
    assert stand.bot.killed


async def test_a_kill_at_the_last_moment_is_kept_when_the_program_stops(stand, tmp_path):
    async with stand.running():
        await stand.disk(lambda: stand.standing().paths["file"])
        stand.desk.kill("ann", "page", "and then SIGTERM")
    assert keeps(tmp_path, '"sent"') or keeps(tmp_path, '"acked"')


async def test_a_bot_that_was_restarted_while_the_exporter_was_down_is_judged_anew(stand, tmp_path):
    async with stand.running():
        await stand.press()
        await stand.for_seconds(1)
        await stand.disk(lambda: keeps(tmp_path, '"verified"'))
    await stand.for_seconds(60)
    stand.bot.restarted(stand.now)
    stand.restart_the_exporter()
    await stand.link_again()
    stand.deliver(stand.bot.cycle(stand.now))
    assert stand.standing().state is Stage.SENT
    await stand.cycles(2)
    assert stand.standing().state is Stage.VERIFIED


async def test_a_press_before_the_bot_was_heard_asks_for_a_proof_of_its_own(stand, tmp_path):
    async with stand.running():
        await stand.press()
        await stand.for_seconds(1)
        await stand.disk(lambda: keeps(tmp_path, '"verified"'))
    stand.bot.killed = False  # somebody released it while nobody watched
    stand.restart_the_exporter()
    assert stand.standing().state is Stage.VERIFIED
    assert (await stand.press()).state is Stage.SENT
    await stand.link_again()
    stand.deliver(stand.bot.state(stand.now, [messages.decision()]))  # of the cycle under way
    await stand.for_seconds(1)
    assert stand.bot.killed
    stands = stand.standing()
    assert (stands.state, stands.rung) == (Stage.VERIFIED, Rung.FLAG)


async def test_what_was_disproved_stays_so_over_a_restart_of_the_exporter(tmp_path):
    stand = Stand(bots.SaysKilledAndTrades(), tmp_path)
    await stand.cycles(12)
    async with stand.running():
        await stand.press()
        await stand.cycles(4)
        await stand.disk(lambda: keeps(tmp_path, '"not_verified"'))
    stand.restart_the_exporter()
    await stand.link_again()
    await stand.cycles(10)
    assert stand.standing().state is Stage.NOT_VERIFIED


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"kills": [{}]}', '{"kills": 7}'])
async def test_a_latch_that_cannot_be_read_counts_as_a_kill(stand, tmp_path, caplog, damage):
    latch(tmp_path).parent.mkdir()
    latch(tmp_path).write_text(damage)
    with caplog.at_level(logging.ERROR):
        stand.restart_the_exporter()
    assert "counts as a kill" in caplog.text
    assert stand.standing().state is Stage.SENT
    await stand.link_again()
    assert stand.bot.killed
    async with stand.running():
        await stand.disk(lambda: damage != latch(tmp_path).read_text())


def test_a_latch_folder_that_nobody_may_look_into_is_said_and_kills_nobody(tmp_path, caplog, monkeypatch):
    def forbidden(path: Path) -> os.stat_result:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "lstat", forbidden)
    with caplog.at_level(logging.ERROR):
        assert KillLatch(tmp_path, "arb").restore(0.0).kills == ()
    assert "whether it is killed is not known" in caplog.text


# Re-arming


async def test_a_rearming_lifts_the_latch_removes_our_file_and_tells_the_bot(stand, tmp_path):
    async with stand.running():
        await stand.press()
        await stand.disk(lambda: stand.file.exists() and latch(tmp_path).exists())
        rearmed = await stand.desk.rearm("bob", "page", "it was a drill")
        assert rearmed.done
        assert not stand.file.exists()
        await stand.disk(lambda: not latch(tmp_path).exists())
    assert not stand.bot.killed
    assert stand.standing().state is Stage.READY
    assert (stand.news[-1].what, stand.news[-1].by) == ("rearmed", "bob (page)")
    await stand.cycles(3)
    assert stand.bot.kills == 1, "nothing sends it again"


async def test_a_bot_that_is_killed_by_something_else_says_so(tmp_path):
    class Breached(bots.OwnBot):
        def told_to_stop(self, activate):
            error = "still killed by daily loss cap breached (realized=-12, cap=10)"
            return super().told_to_stop(True) | ({} if activate else {"ok": False, "error": error})

    stand = Stand(Breached(), tmp_path)
    await stand.press()
    rearmed = await stand.desk.rearm("bob", "page", "carry on")
    assert not rearmed.done
    assert rearmed.answer.ack is not None
    assert "daily loss cap breached" in str(rearmed.answer.ack["error"])


async def test_a_kill_file_that_somebody_else_wrote_is_left_and_named(stand):
    stand.file.write_text("stop\n")
    await stand.press()
    await stand.disk(lambda: stand.standing().delivered["file"] == "written")
    rearmed = await stand.desk.rearm("bob", "page", "carry on")
    assert stand.file.read_text() == "stop\n"
    assert not rearmed.done
    assert "was not written by this console" in rearmed.sentences[0]


async def test_a_kill_that_comes_while_it_is_rearmed_wins(stand, monkeypatch):
    await stand.press()
    await stand.disk(lambda: stand.standing().delivered["file"] == "written")
    going, goes = asyncio.Event(), asyncio.Event()

    async def slow(work):
        going.set()
        await goes.wait()
        return work()

    monkeypatch.setattr(kill_path, "errand", slow)
    rearming = asyncio.create_task(stand.desk.rearm("bob", "page", "carry on"))
    await going.wait()
    await stand.press()
    goes.set()
    rearmed = await rearming
    assert rearmed.answer.outcome == "not_sent"
    assert stand.bot.killed
    await stand.disk(stand.file.exists)


# One venue, a drill, a second press, the ledger


async def test_one_venue_can_be_killed_and_the_headline_is_the_worst(tmp_path):
    class ByVenue(bots.OwnBot):
        def asked(self, request):
            if "venue" in request and request["type"] == "kill_switch":
                self.asked_for.append(dict(request))
                self.push_now = True
                return {"type": "kill_switch_ack", "active": True, "ok": True, "venue": request["venue"]}
            return super().asked(request)

        def state(self, now, decisions):
            killed = {m["venue"]: "ARB_KILL" for m in self.asked_for if "venue" in m}
            return super().state(now, decisions) | {"venue_kills": killed}

    stand = Stand(ByVenue(share=0.0), tmp_path)
    await stand.cycles(3)
    await stand.press(venue="kalshi")
    await stand.for_seconds(1)
    stands = stand.standing()
    assert (stands.state, stands.rung) == (Stage.VERIFIED, Rung.FLAG)
    assert stands.words.startswith("kalshi: HALTED, PROVEN (flag)")
    await stand.disk(lambda: True)
    assert not stand.file.exists(), "the file stops all venues"
    await stand.press()
    assert stand.standing().words.startswith("KILLING")
    assert len(stand.standing().kills) == 2


async def test_a_bot_that_can_only_be_stopped_as_a_whole_says_so(tmp_path):
    stand = Stand(bots.DeployedBot(), tmp_path)
    await stand.cycles(1)
    with pytest.raises(Invalid, match="kill all of it"):
        await stand.press(venue="kalshi")
    assert stand.bot.kills == 0


async def test_a_bot_that_would_take_one_venue_for_all_of_it_is_re_armed_as_a_whole_or_not_at_all(tmp_path):
    stand = Stand(bots.DeployedBot(), tmp_path)
    await stand.cycles(1)
    await stand.press()
    with pytest.raises(NotNow, match="re-arm all of it"):
        await stand.desk.rearm("ann", "page", "kalshi is well again", "kalshi")
    assert stand.bot.killed
    assert stand.standing().kill is not None


async def test_a_venue_that_the_bot_does_not_have_is_neither_killed_nor_re_armed(stand):
    for asked in (stand.press(venue="kalshii"), stand.desk.rearm("ann", "page", "typed it wrong", "kalshii")):
        with pytest.raises(Invalid, match="no venue 'kalshii'; there is kalshi, polymarket"):
            await asked
    assert stand.bot.asked_for == []


async def test_a_drill_that_proves_the_path_is_remembered(stand, tmp_path):
    async with stand.running():
        assert (await stand.press(drill=True)).words == "DRILL KILLING 0 s"
        await stand.for_seconds(1)
        assert stand.standing().words.startswith("DRILL HALTED, PROVEN (flag)")
        await stand.disk((tmp_path / "exporter" / "drill-arb.json").exists)
        await stand.desk.rearm("ann", "page", "end of the drill")
    await stand.for_seconds(3 * 86_400 // 24)
    stand.restart_the_exporter()
    await stand.link_again()
    stand.now += 3 * 86_400
    assert stand.standing().words == "READY, drilled 3 d ago"


async def test_a_press_beside_one_that_is_counting_is_sent_again_and_loses_no_count(tmp_path):
    stand = Stand(bots.DeployedBot(), tmp_path)
    await stand.cycles(60)
    await stand.press()
    await stand.cycles(4)
    counted = stand.standing().kill
    await stand.press()
    assert stand.standing().kill == counted
    assert stand.bot.kills == 2
    assert counted is not None
    assert counted.quiet > 0


async def test_a_real_press_during_a_drill_is_no_drill(stand):
    await stand.press(drill=True)
    await stand.press()
    kill = stand.standing().kill
    assert kill is not None
    assert not kill.order.drill


async def test_an_order_in_the_books_after_the_kill_shows_that_it_was_not_killed(stand):
    await stand.press()
    await stand.for_seconds(1)
    stand.desk.ledger_opened(stand.now - 600, "order intent 1")
    assert stand.standing().state is Stage.VERIFIED
    stand.now += 100
    stand.desk.ledger_opened(stand.now - 1, "order intent 2")
    assert stand.standing().words == "NOT KILLED: order intent 2"
