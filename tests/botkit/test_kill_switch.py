"""Every reason to halt: its words, how long it holds, and what survives a restart."""

import errno
import itertools
import json
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botkit import kill_file
from botkit.kill_file import KillFileError
from botkit.kill_switch import KillSwitch, Outcome, Verdict

NOON = 1_795_176_000.0
DAY = 86_400.0


class Bench:
    """A kill switch with a clock and an environment that a test moves by hand."""

    def __init__(self, folder: Path, **limits: float) -> None:
        self.now = NOON
        self.environ: dict[str, str] = {}
        self.file = folder / ".kill_switch"
        self.limits = limits
        self.restart()

    def restart(self, **given: float) -> None:
        self.switch = KillSwitch(
            self.file,
            environ=self.environ,
            clock=lambda: self.now,
            **{**self.limits, **given},  # type: ignore[arg-type]
        )

    def check(self, *venues: str) -> Verdict:
        return self.switch.check(venues)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, daily_loss_cap=10.0, max_consecutive_failures=3)


def test_without_a_trigger_the_reason_is_ok(bench: Bench) -> None:
    assert bench.check("kalshi") == Verdict()
    assert bench.check().as_state() == {"active": False, "reason": "ok", "since": None, "cause": None}


def test_all_triggers_together_are_joined_in_their_order(bench: Bench) -> None:
    bench.environ |= {"ARB_KILL_SWITCH": "Yes", "ARB_KILL_KALSHI": " 1 ", "ARB_KILL_POLYMARKET": "off"}
    bench.switch.record_pnl(-12.345)
    for _ in range(3):
        bench.switch.record_failure()
    bench.switch.enter_safe_mode("1 unhedged position(s)")
    bench.file.touch()
    verdict = bench.check("kalshi", "polymarket")
    assert verdict.reason == (
        f"kill switch file exists ({bench.file}); "
        "kill switch env var ARB_KILL_SWITCH is set; "
        "venue kill switch active (kalshi, ARB_KILL_KALSHI); "
        f"daily loss cap breached (realized={-12.345:.2f}, cap=10.00); "
        "consecutive failures breached (3 >= 3); "
        "safe mode active (1 unhedged position(s))"
    )
    assert verdict.halted
    assert verdict.global_file_kill
    assert verdict.global_env_kill
    assert verdict.venue_kills == {"kalshi": "ARB_KILL_KALSHI"}
    assert verdict.daily_loss_breached
    assert verdict.consecutive_failures_breached
    assert verdict.safe_mode_active


@pytest.mark.parametrize("truthy", ["1", "true", "YES", "On"])
def test_the_environment_kills_by_what_means_yes(bench: Bench, truthy: str) -> None:
    bench.environ["ARB_KILL_SWITCH"] = truthy
    assert bench.check().cause == "environment"


@pytest.mark.parametrize("falsy", ["", "0", "false", "no", "off", "maybe"])
def test_the_environment_does_not_kill_by_anything_else(bench: Bench, falsy: str) -> None:
    bench.environ["ARB_KILL_SWITCH"] = falsy
    assert not bench.check().halted


def test_a_venue_variable_halts_only_orders_to_that_venue(bench: Bench) -> None:
    bench.environ["ARB_KILL_KALSHI"] = "1"
    assert bench.check("kalshi", "polymarket").halted
    assert not bench.check("polymarket").halted
    assert not bench.check().halted


def test_a_venue_named_like_the_global_variable_is_told_once(bench: Bench) -> None:
    bench.environ["ARB_KILL_SWITCH"] = "1"
    assert bench.check("switch").reason == "kill switch env var ARB_KILL_SWITCH is set"


def test_activating_kills_and_says_in_the_file_who_when_and_why(bench: Bench) -> None:
    assert bench.switch.activate("ann", "drill") == Outcome(active=True)
    assert json.loads(bench.file.read_text()) == {"by": "ann", "ts": NOON, "reason": "drill"}
    assert bench.check().as_state() == {
        "active": True,
        "reason": f"kill switch file exists ({bench.file})",
        "since": NOON,
        "cause": "operator",
    }
    assert [path.name for path in bench.file.parent.iterdir()] == [".kill_switch"]


def test_a_second_kill_leaves_the_first_ones_record(bench: Bench) -> None:
    bench.switch.activate("ann", "first")
    bench.now += 60
    assert bench.switch.activate("bob", "second").active
    assert json.loads(bench.file.read_text())["by"] == "ann"
    assert bench.check().since == NOON


def test_the_file_survives_a_restart_with_its_time(bench: Bench) -> None:
    bench.switch.activate("ann")
    os.utime(bench.file, (NOON, NOON))
    bench.now += 3600
    bench.restart()
    assert bench.check().since == NOON
    assert bench.check().halted


def make_empty(path: Path) -> None:
    path.touch()


def make_folder(path: Path) -> None:
    path.mkdir()


def make_dangling_link(path: Path) -> None:
    path.symlink_to("/nonexistent/anywhere")


def make_garbage(path: Path) -> None:
    path.write_bytes(b"\xff\x00")


@pytest.mark.parametrize("make", [make_empty, make_folder, make_dangling_link, make_garbage])
def test_whatever_stands_at_the_path_kills(bench: Bench, make: object) -> None:
    make(bench.file)  # type: ignore[operator]
    assert bench.check().global_file_kill


def test_a_link_at_the_path_is_never_followed(bench: Bench, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    bench.file.symlink_to(elsewhere)
    assert bench.switch.activate("ann").active
    assert bench.switch.deactivate() == Outcome(active=False)
    assert elsewhere.read_text() == "precious"
    assert not bench.file.is_symlink()


def test_a_file_that_vanishes_re_arms_nothing(bench: Bench) -> None:
    bench.file.touch()
    assert bench.check().halted
    bench.file.unlink()
    assert bench.check().reason == f"kill switch latched, its file is missing ({bench.file})"
    assert bench.switch.deactivate() == Outcome(active=False)
    assert not bench.check().halted


def test_re_arming_removes_the_operators_trigger_alone(bench: Bench) -> None:
    bench.switch.activate("ann")
    bench.environ["ARB_KILL_SWITCH"] = "1"
    bench.switch.enter_safe_mode("2 open intent(s) from prior session")
    outcome = bench.switch.deactivate()
    assert outcome == Outcome(
        active=True,
        error="still killed by kill switch env var ARB_KILL_SWITCH is set; "
        "safe mode active (2 open intent(s) from prior session)",
    )
    assert not bench.file.exists()
    assert bench.check().global_file_kill is False


def test_a_file_that_cannot_be_removed_stays_a_kill(bench: Bench) -> None:
    bench.file.mkdir()
    outcome = bench.switch.deactivate()
    assert outcome.active
    assert outcome.error.startswith("still killed: cannot remove the kill file")
    assert bench.check().halted


def test_a_path_that_cannot_be_read_halts_while_that_lasts(bench: Bench, tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    bench.file = loop / ".kill_switch"
    loop.mkdir()
    bench.restart()
    loop.rmdir()
    loop.symlink_to(loop)
    first = bench.check()
    bench.now += 5
    assert first.reason == f"cannot read kill file ({bench.file}: {os.strerror(errno.ELOOP)})"
    assert first.cause == "automatic"
    assert bench.check().since == NOON
    loop.unlink()
    loop.mkdir()
    assert not bench.check().halted


def test_a_missing_folder_is_told_at_start_because_nobody_could_kill(tmp_path: Path) -> None:
    with pytest.raises(KillFileError, match=r"the folder of the kill file .* does not exist"):
        Bench(tmp_path / "absent")


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A disk that is full while the list says so."""
    full = [True]
    write = os.write

    def refuse(handle: int, data: bytes) -> int:
        if full[0] and stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, data)

    monkeypatch.setattr(os, "write", refuse)
    return full


def test_a_full_disk_still_kills_in_memory_and_says_so(bench: Bench, full_disk: list[bool]) -> None:
    outcome = bench.switch.activate("ann", "now")
    assert outcome.active
    assert outcome.error == (
        "killed in memory only, a restart would trade again: [Errno 28] No space left on device"
    )
    assert bench.check().halted
    assert list(bench.file.parent.iterdir()) == []


def test_a_kill_that_could_not_be_written_is_written_as_soon_as_the_disk_takes_it(
    bench: Bench, full_disk: list[bool]
) -> None:
    bench.switch.activate("ann", "now")
    bench.now += 5
    bench.check()
    full_disk[0] = False
    bench.now += 4.9
    bench.check()
    assert not bench.file.exists()
    bench.now += 0.1
    bench.check()
    assert json.loads(bench.file.read_text()) == {"by": "ann", "ts": NOON, "reason": "now"}


def test_a_check_does_not_wait_for_a_kill_that_is_being_written(bench: Bench, full_disk: list[bool]) -> None:
    bench.switch.activate("ann")
    bench.now += 60
    full_disk[0] = False
    with bench.switch._disk:
        assert bench.check().halted
    assert not bench.file.exists()
    assert bench.check().halted
    assert bench.file.exists()


def test_re_arming_forgets_a_kill_that_could_not_be_written(bench: Bench, full_disk: list[bool]) -> None:
    bench.switch.activate("ann")
    full_disk[0] = False
    assert bench.switch.deactivate() == Outcome(active=False)
    bench.now += 60
    assert not bench.check().halted
    assert not bench.file.exists()


def test_a_tripped_loss_cap_holds_until_the_utc_day_ends_whatever_comes(bench: Bench) -> None:
    bench.switch.record_pnl(-10.0)
    bench.switch.record_pnl(+50.0)
    bench.switch.set_limits(daily_loss_cap=1000.0, max_consecutive_failures=3)
    bench.switch.set_limits(daily_loss_cap=0.0, max_consecutive_failures=3)
    bench.switch.deactivate()
    assert bench.check().reason == "daily loss cap breached (realized=-10.00, cap=10.00)"
    assert bench.check().cause == "automatic"
    bench.now = NOON + DAY / 2 - 0.001
    assert bench.check().halted
    bench.now = NOON + DAY / 2
    assert not bench.check().halted
    assert bench.switch.realized_today == 0.0


def test_a_clock_set_back_does_not_re_arm(bench: Bench) -> None:
    bench.switch.record_pnl(-10.0)
    bench.now -= 2 * DAY
    assert bench.check().daily_loss_breached
    bench.now += DAY
    assert bench.check().daily_loss_breached


def test_a_cap_lowered_below_the_days_loss_trips_at_once(bench: Bench) -> None:
    bench.switch.record_pnl(-6.0)
    assert not bench.check().halted
    bench.switch.set_limits(daily_loss_cap=5.0, max_consecutive_failures=3)
    assert bench.check().daily_loss_breached
    assert bench.switch.daily_loss_remaining == -1.0


def test_the_day_before_a_restart_counts(bench: Bench) -> None:
    bench.restart(realized_today=-9.0)
    assert bench.switch.daily_loss_remaining == 1.0
    bench.switch.record_pnl(-1.0)
    assert bench.check().daily_loss_breached
    bench.restart(realized_today=-2.0, lowest_today=-10.0)
    assert bench.check().daily_loss_breached


def test_binary_fractions_meet_the_cap(bench: Bench) -> None:
    for _ in range(100):
        bench.switch.record_pnl(-0.1)
    assert bench.switch.realized_today != -10.0
    assert bench.check().daily_loss_breached


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), float("-inf")])
def test_money_that_is_not_finite_is_refused_and_changes_nothing(bench: Bench, amount: float) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        bench.switch.record_pnl(amount)
    with pytest.raises(ValueError, match="must be finite"):
        bench.switch.set_limits(daily_loss_cap=amount, max_consecutive_failures=3)
    assert bench.switch.realized_today == 0.0
    bench.switch.record_pnl(-10.0)
    assert bench.check().daily_loss_breached


def test_without_a_cap_there_is_no_headroom_and_no_breach(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.switch.record_pnl(-1e9)
    assert bench.switch.daily_loss_remaining is None
    assert not bench.check().halted


def test_profits_do_not_widen_the_headroom(bench: Bench) -> None:
    bench.switch.record_pnl(25.0)
    assert bench.switch.daily_loss_remaining == 10.0


def test_a_success_in_time_resets_the_failures_and_one_after_the_breach_does_not(bench: Bench) -> None:
    bench.switch.record_failure()
    bench.switch.record_failure()
    bench.switch.record_success()
    assert bench.switch.consecutive_failures == 0
    for _ in range(3):
        bench.switch.record_failure()
    bench.switch.record_success()
    assert bench.check().reason == "consecutive failures breached (3 >= 3)"
    bench.switch.clear_failures()
    assert not bench.check().halted


def test_a_limit_that_the_failures_do_not_reach_lets_go(bench: Bench) -> None:
    for _ in range(3):
        bench.switch.record_failure()
    bench.switch.set_limits(daily_loss_cap=10.0, max_consecutive_failures=4)
    assert not bench.check().halted
    bench.switch.set_limits(daily_loss_cap=10.0, max_consecutive_failures=2)
    assert bench.check().reason == "consecutive failures breached (3 >= 2)"
    bench.switch.set_limits(daily_loss_cap=10.0, max_consecutive_failures=0)
    assert not bench.check().halted


def test_safe_mode_keeps_its_first_reason_until_it_is_left(bench: Bench) -> None:
    bench.switch.enter_safe_mode("first")
    bench.switch.enter_safe_mode("second")
    assert bench.check().reason == "safe mode active (first)"
    bench.switch.leave_safe_mode()
    assert not bench.check().halted


def test_the_cause_that_needs_a_person_most_is_named_and_the_earliest_time(bench: Bench) -> None:
    bench.switch.activate("ann")
    assert bench.check().cause == "operator"
    bench.now += 10
    bench.switch.enter_safe_mode("x")
    assert bench.check().cause == "automatic"
    assert bench.check().since == NOON


def test_a_check_that_looked_before_a_re_arming_does_not_latch_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.switch.activate("ann")
    look = kill_file.look

    def look_then_rearm(path: Path) -> kill_file.Seen:
        seen = look(path)
        monkeypatch.setattr(kill_file, "look", look)
        bench.switch.deactivate()
        return seen

    monkeypatch.setattr(kill_file, "look", look_then_rearm)
    assert not bench.check().halted
    assert not bench.check().halted


def test_no_check_between_threads_ever_sees_a_killed_bot_free(bench: Bench) -> None:
    bench.switch.activate("ann")
    seen: list[bool] = []
    threads = [
        threading.Thread(target=lambda: seen.extend(bench.check().halted for _ in range(200))),
        threading.Thread(target=lambda: [bench.switch.activate("bob") for _ in range(50)]),
        threading.Thread(target=lambda: [bench.switch.record_success() for _ in range(200)]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(seen)
    assert len(seen) == 200


ACTIONS = st.one_of(
    st.sampled_from(
        ["activate", "deactivate", "failure", "success", "clear", "safe", "unsafe", "touch", "restart"]
    ),
    st.tuples(st.just("pnl"), st.integers(-600, 600)),
    st.tuples(st.just("wait"), st.sampled_from([1, 3600, 86_400])),
)
counter = itertools.count()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.lists(ACTIONS, max_size=25))
def test_a_model_of_the_latches_agrees_after_any_history(  # noqa: PLR0912 - one branch an action
    tmp_path: Path, history: list[object]
) -> None:
    folder = tmp_path / str(next(counter))
    folder.mkdir()
    bench = Bench(folder, daily_loss_cap=10.0, max_consecutive_failures=3)
    operator = lost = failed = safe = False
    cents = failures = 0
    for action in history:
        match action:
            case "activate":
                operator = bench.switch.activate("x").active
            case "touch":
                bench.file.touch()
                operator = True
            case "deactivate":
                bench.switch.deactivate()
                operator = False
            case "failure":
                bench.switch.record_failure()
                failures += 1
                failed = failed or failures >= 3
            case "success":
                bench.switch.record_success()
                failures = failures if failed else 0
            case "clear":
                bench.switch.clear_failures()
                failures, failed = 0, False
            case "safe":
                bench.switch.enter_safe_mode("x")
                safe = True
            case "unsafe":
                bench.switch.leave_safe_mode()
                safe = False
            case "restart":
                bench.restart(realized_today=cents / 100, lowest_today=-10.0 if lost else cents / 100)
                failures, failed, safe = 0, False, False
            case ("pnl", int(amount)):
                bench.switch.record_pnl(amount / 100)
                cents += amount
                lost = lost or cents <= -1000
            case ("wait", int(seconds)):
                before, bench.now = bench.now // DAY, bench.now + seconds
                if bench.now // DAY > before:
                    cents, lost = 0, False
        verdict = bench.check()
        seen = (verdict.global_file_kill, verdict.daily_loss_breached, verdict.consecutive_failures_breached)
        assert (*seen, verdict.safe_mode_active) == (operator, lost, failed, safe)
        assert verdict.halted == any((operator, lost, failed, safe))
        assert verdict.reason == "ok" or verdict.halted
        assert round(bench.switch.realized_today * 100) == cents
