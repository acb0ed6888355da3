"""What people order from a shell, against a real exporter and the project's own bot, or bots that lie."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.kill_lab import ArbProcess
from tests.doubles.bots import Ignores, OwnBot, OwnIgnores
from tests.doubles.in_thread import served
from tests.exporter.incident.archive import read
from tests.stack.processes import ROOT, python, wait_until
from tests.stack.shell_stand import TOKENS, Said, Stand

pytestmark = pytest.mark.stack

SECONDS = 8.0
"""What a kill may take whose exporter hangs: its answer is waited for 3 s, the rest is the bot's and ours."""


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArbProcess]:
    """A bot of ours that trades; each test leaves it as it was."""
    with ArbProcess(tmp_path_factory.mktemp("bot") / "bot") as process:
        yield process


@pytest.fixture(scope="module")
def stand(bot: ArbProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """An exporter that watches it."""
    entry = {"port": bot.port, "kill_file": str(bot.kill_file)}
    with Stand(tmp_path_factory.mktemp("console"), {"arb": entry}) as made:
        made.start()
        made.fresh("arb")
        yield made


def resumed(stand: Stand) -> None:
    """Have it trade on, as the next test expects it."""
    said = stand.shell("resume", "arb", "--reason", "on with it")
    if said.code == 2:
        said = stand.shell("resume", "arb", "--reason", "on with it", "--code", stand.code("arb"))
    assert (said.code, said.out) == (0, said.out), said.err


def answered(said: Said, code: int) -> Said:
    assert said.code == code, f"{said.code}\n{said.out}\n{said.err}"
    return said


def test_status_says_in_two_lines_how_a_bot_is_and_in_json_all_of_it(stand: Stand) -> None:
    said = answered(stand.shell("status"), 0)
    first, second = said.out.splitlines()
    assert first.startswith("arb: ")
    assert "paper, simulated; data " in second
    assert "kill: READY, " in second
    (in_short,) = answered(stand.shell("status", "--json"), 0).json["bots"]
    assert (in_short["bot"], in_short["kill"]["state"]) == ("arb", "ready")
    in_full = answered(stand.shell("status", "arb", "--json"), 0).json
    assert in_full["can"]["pause"] == ""


def test_a_kill_ends_with_0_when_it_is_proven_and_a_re_arming_takes_the_code(
    stand: Stand, bot: ArbProcess
) -> None:
    said = answered(stand.shell("kill", "arb", "--reason", "it trades nonsense", "--json"), 0)
    (row,) = said.json["bots"]
    assert (row["state"], row["rung"]) == ("verified", "flag")
    assert row["seen"]["delivered"]["socket"].startswith("acked in ")
    assert row["seen"]["delivered"]["file"] == "written"
    assert bot.kill_file.exists()
    without = answered(stand.shell("rearm", "arb", "--reason", "found it", "--json"), 2)
    assert without.json["code_needed"]["for"] == "re-arm arb"
    assert "ask again with --code CODE" in without.err
    assert answered(stand.shell("rearm", "arb"), 2).err.splitlines()[-1] == "reason is missing or blank"
    code = stand.code("arb")
    answered(stand.shell("rearm", "arb", "--reason", "found it", "--code", code, "--as", "ann"), 0)
    assert not bot.kill_file.exists()
    assert stand.shell("status", "arb", "--json").json["status"] == "paused"
    resumed(stand)
    wait_until(lambda: stand.rows("SELECT * FROM kills WHERE rearmed_at IS NOT NULL"), "the audit rows")
    ((who, source, why, state),) = stand.rows("SELECT who, source, reason, state FROM kills")
    assert (who, source, why, state) == ("ann", "token", "it trades nonsense", "verified")


def test_at_a_terminal_the_code_is_shown_and_typed(stand: Stand) -> None:
    answered(stand.shell("kill", "arb"), 0)
    said = answered(stand.typing_the_code("rearm", "arb", "--reason", "over", "--as", "bob"), 0)
    assert "re-armed; the bot stays paused until it is resumed" in said.out
    resumed(stand)


def test_a_drill_proves_the_kill_and_leaves_the_bot_paused(stand: Stand) -> None:
    said = answered(stand.shell("drill", "arb", "--json"), 0)
    assert said.json["seen"]["last_drill"] is not None
    assert "arb: DRILL " in said.err
    assert stand.shell("status", "arb", "--json").json["status"] == "paused"
    resumed(stand)
    assert "kill: READY, drilled just now" in stand.shell("status").out


def test_pause_and_resume_are_seen_in_the_bots_states(stand: Stand) -> None:
    said = answered(stand.shell("pause", "arb", "--reason", "news", "--json"), 0)
    assert (said.json["command"], said.json["state"]) == ("pause", "verified")
    said = answered(stand.shell("resume", "arb", "--reason", "news is over"), 0)
    assert said.out.startswith("arb: VERIFIED: a later state shows ")


def test_maintenance_is_planned_and_ended(stand: Stand) -> None:
    said = answered(stand.shell("maintenance", "arb", "30", "--reason", "new disk"), 0)
    assert said.out.startswith("arb: planned quiet until ")
    assert answered(stand.shell("maintenance", "arb", "0"), 0).out == "arb: maintenance has ended\n"
    said = answered(stand.shell("maintenance", "arb", "500", "--reason", "a long one"), 2)
    assert said.err.splitlines()[-1] == "minutes: expected 0 (which ends it) to 240"


def test_a_setting_is_changed_seen_and_taken_back(stand: Stand) -> None:
    key = "ARB_DAILY_LOSS_CAP_USD"
    said = answered(stand.shell("set", "arb", key, "25", "--reason", "a smaller day", "--json"), 0)
    assert said.json["state"] == "verified"
    change = said.json["command_id"]
    refused = answered(stand.shell("revert", "arb", change, "--reason", "back"), 2)
    assert "this raises the risk: type the code" in refused.err
    answered(stand.shell("revert", "arb", change, "--reason", "back", "--code", stand.code("arb")), 0)
    said = answered(stand.shell("set", "arb", key, "nan"), 2)
    assert key in said.err
    said = answered(stand.shell("set", "arb", "KALSHI_API_KEY", "x"), 2)
    assert "no setting of this kind of bot" in said.err


def test_live_is_refused_where_it_is_not_allowed(stand: Stand) -> None:
    said = answered(stand.shell("mode", "arb", "live", "--reason", "why not"), 2)
    assert "allow_live" in said.err
    assert stand.shell("status", "arb", "--json").json["mode"] == "paper"


def test_who_cannot_be_known_is_told_what_to_do_and_changes_nothing(stand: Stand, tmp_path: Path) -> None:
    missing, empty, wrong = tmp_path / "missing", tmp_path / "empty", tmp_path / "wrong"
    empty.write_text("\n")
    wrong.write_text("a-token-that-nobody-has\n")
    for file, says in (
        (missing, "(No such file or directory); use a token that you may read: --token-file FILE"),
        (empty, "is empty; put a token there, or use another: --token-file FILE"),
        (wrong, "this token does not fit"),
        (stand.folder / "wall", "wall may look and not change anything"),
    ):
        said = answered(stand.shell("pause", "arb", "--token-file", str(file)), 2)
        assert says in said.err
        assert not any(token in said.out + said.err for token in TOKENS.values())
    said = answered(stand.shell("pause", "arb", "--as", "eve"), 2)
    assert said.err == "no operator 'eve' in exporter.yml; there is ann, bob\n"
    assert answered(stand.shell("status", "--token-file", str(stand.folder / "wall")), 0)
    assert stand.shell("status", "arb", "--json").json["status"] == "paper"


def test_somebody_who_may_only_look_kills_nothing(stand: Stand, bot: ArbProcess) -> None:
    said = answered(stand.shell("kill", "arb", "--token-file", str(stand.folder / "wall")), 2)
    assert "wall may look and not change anything" in said.err
    assert not bot.kill_file.exists()


def test_a_token_that_cannot_be_read_stands_before_no_kill(stand: Stand, bot: ArbProcess) -> None:
    said = answered(stand.shell("kill", "arb", "--token-file", "/nowhere", "--json"), 0)
    assert "Killing from here, without the exporter." in said.err
    (row,) = said.json["bots"]
    assert (row["state"], row["rung"]) == ("verified", "flag")
    wait_until(lambda: stand.shell("status", "arb", "--json").json["status"] == "killed", "its own word")
    stand.shell("rearm", "arb", "--reason", "over")
    answered(stand.shell("rearm", "arb", "--reason", "over", "--code", stand.code("arb")), 0)
    resumed(stand)


def test_an_exporter_that_hangs_stands_before_no_kill(stand: Stand, bot: ArbProcess) -> None:
    stand.send(signal.SIGSTOP)
    try:
        said = answered(stand.shell("kill", "arb", "--reason", "all hangs", "--json"), 0)
    finally:
        stand.send(signal.SIGCONT)
    assert "no exporter answers at " in said.err
    assert said.seconds <= SECONDS, said.err
    assert bot.kill_file.exists()
    (row,) = said.json["bots"]
    assert (row["state"], row["rung"]) == ("verified", "flag")
    print(f"an exporter that hangs: proven {said.seconds:.1f} s after the command was given")
    wait_until(lambda: stand.shell("status", "arb", "--json").json["status"] == "killed", "its own word")
    stand.shell("rearm", "arb", "--reason", "over")
    answered(stand.shell("rearm", "arb", "--reason", "over", "--code", stand.code("arb")), 0)
    resumed(stand)


def test_without_an_exporter_a_kill_is_proven_and_the_next_exporter_goes_on_with_it(tmp_path: Path) -> None:
    with ArbProcess(tmp_path / "bot") as bot:
        wait_until(lambda: any(bot.orders()), "an order")
        entry = {"port": bot.port, "kill_file": str(bot.kill_file)}
        with Stand(tmp_path, {"arb": entry}) as stand:
            assert "no exporter answers at " in answered(stand.shell("status"), 2).err
            said = answered(stand.shell("kill", "all", "--reason", "no console", "--as", "ann"), 0)
            assert "arb: HALTED, PROVEN (flag)" in said.out
            assert bot.kill_file.exists()
            assert (stand.database.parent / "kill-arb.json").exists()
            stand.start()
            stand.fresh("arb")
            (kill,) = stand.shell("status", "arb", "--json").json["kill"]["kills"]
            assert (kill["state"], kill["who"], kill["reason"]) == ("verified", "ann", "no console")
            wait_until(lambda: stand.rows("SELECT * FROM kills"), "the audit row")
            (row,) = stand.rows("SELECT bot, who, source, reason, state FROM kills")
            assert row == ("arb", "ann", "shell, no exporter", "no console", "verified")
            (told,) = stand.rows("SELECT what FROM events WHERE kind = 'kill'")
            assert told == ("kill goes on after a start of the console: verified",)
            stand.shell("rearm", "arb", "--reason", "over")
            answered(stand.shell("rearm", "arb", "--reason", "over", "--code", stand.code("arb")), 0)
            assert not (stand.database.parent / "kill-arb.json").exists()


@pytest.mark.parametrize("runs", [True, False], ids=["through an exporter", "without one"])
def test_a_bot_that_ignores_its_kill_ends_with_1(tmp_path: Path, runs: bool) -> None:
    with served(Ignores()) as bot, Stand(tmp_path, {"liar": {"port": bot.port}}) as stand:
        if runs:
            stand.start()
            stand.fresh("liar")
        said = answered(stand.shell("kill", "liar", "--wait", "30", "--json"), 1)
        (row,) = said.json["bots"]
        assert (row["state"], row["says"]) == ("not_verified", "NOT KILLED: dry_run intra_venue kalshi:KX-1")


def test_an_incident_is_gathered_while_the_exporter_runs(tmp_path: Path) -> None:
    out = tmp_path / "incident.zip"
    with served(OwnBot()) as bot, Stand(tmp_path, {"arb": {"port": bot.port}}) as stand:
        stand.start()
        stand.fresh("arb")
        answered(stand.shell("kill", "arb", "--reason", "for the record"), 0)
        wait_until(lambda: stand.rows("SELECT 1 FROM events WHERE kind = 'flight_recorded'"), "its recording")
        said = answered(stand.shell("incident", "--from", "-5m", "--out", str(out), "--json"), 0)
        assert said.json["events"]["whole"] is True
        found = read(out)
        (kill,) = found["kills.jsonl"]
        assert (kill["state"], kill["reason"]) == ("verified", "for the record")
        assert {row["message"]["type"] for row in found["messages.jsonl"]} >= {"state", "kill_switch"}
        assert "kill ordered: for the record" in found["timeline.md"]
        stand.stop()
        again = answered(stand.shell("incident", "--from", "-5m", "--out", str(tmp_path / "again.zip")), 0)
        assert "the whole chain, " in again.out


def test_an_incident_comes_out_of_a_container_through_a_pipe(stand: Stand, tmp_path: Path) -> None:
    out = tmp_path / "piped.zip"
    command = [*map(str, python("-m", "exporter", "--config", stand.settings)), "incident", "--from", "-5m"]
    piped = subprocess.run([*command, "--out", "-"], cwd=ROOT, capture_output=True, timeout=60, check=True)
    out.write_bytes(piped.stdout)
    assert read(out)["sessions.jsonl"]
    assert b"rows in " in piped.stderr


def test_a_kill_of_all_is_as_good_as_its_worst(tmp_path: Path) -> None:
    with (
        served(OwnBot()) as good,
        served(OwnIgnores()) as liar,
        Stand(tmp_path, {"good": {"port": good.port}, "liar": {"port": liar.port}}) as stand,
    ):
        stand.start()
        stand.fresh("good", "liar")
        said = answered(stand.shell("kill", "all"), 1)
        assert "good: HALTED, PROVEN (flag)" in said.out
        assert "liar: NOT KILLED: " in said.out
        assert answered(stand.shell("kill", "all", "--venue", "kalshi"), 2)


def test_a_bot_that_the_exporter_does_not_know_yet_is_killed_all_the_same(tmp_path: Path) -> None:
    with (
        served(OwnBot()) as old,
        served(OwnBot()) as new,
        Stand(tmp_path, {"old": {"port": old.port}}) as stand,
    ):
        stand.start()
        stand.fresh("old")
        stand.write({"old": {"port": old.port}, "new": {"port": new.port}})
        said = answered(stand.shell("kill", "all"), 0)
        assert "it does not know new. Killing from here" in said.err
        assert old.bot.killed
        assert new.bot.killed
        new.bot.killed = False
        answered(stand.shell("kill", "new"), 0)
        assert new.bot.killed


def test_a_bot_that_is_not_in_the_settings_is_named_with_those_that_are(stand: Stand) -> None:
    said = answered(stand.shell("kill", "eve"), 2)
    assert said.err == "no bot 'eve' in the settings; there is arb or all\n"


def test_an_account_without_a_name_may_kill(tmp_path: Path) -> None:
    with served(OwnBot()) as bot, Stand(tmp_path, {"arb": {"port": bot.port}}) as stand:
        nobody = {name: "" for name in ("LOGNAME", "USER", "LNAME", "USERNAME") if name in os.environ}
        answered(stand.shell("kill", "arb", environ=nobody), 0)
        assert bot.bot.killed


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("kill", ("--venue", "--wait", "works without a running exporter")),
        ("rearm", ("--code", "--reason")),
        ("set", ("KEY", "VALUE", "--force", "--code")),
        ("status", ("--json", "--token-file")),
        ("incident", ("--from", "--to", "--bot", "--out", "-2h", "UTC")),
    ],
)
def test_the_help_of_a_command_teaches_it(stand: Stand, command: str, words: tuple[str, ...]) -> None:
    said = answered(stand.shell(command, "--help"), 0)
    for word in words:
        assert word in said.out
