"""Every reason why nothing may be ordered, in one place, consulted before every order.

Six triggers: the kill file, an environment variable, one such variable a venue, the daily loss cap,
consecutive failures, and safe mode. Their reasons are joined with `"; "`; none means `"ok"`. A trigger,
once seen, is a latch:

* file: until `deactivate`; a file that vanishes re-arms nothing. It survives restarts. A path that cannot
  be read halts for as long as that lasts. Any content counts, also none; ours says who, when and why.
* daily loss cap: until the UTC day ends, even when the PnL recovers or the cap is raised or switched off.
* consecutive failures: until `clear_failures`, or a limit that the count does not reach; a leg in flight
  that succeeds after the breach re-arms nothing.
* safe mode: until `leave_safe_mode`.

Times are epoch seconds, money is USD. What the day has brought before a restart is what the bot says at
start.

Errors: `kill_file.KillFileError` at construction; nothing else raises but ValueError for numbers that are
not finite.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from botkit import kill_file
from botkit.kill_triggers import AUTOMATIC, ENVIRONMENT, OPERATOR, DailyLoss, FailureRun, Trigger, finite

_BY_CONCERN: Final = (AUTOMATIC, ENVIRONMENT, OPERATOR)
"""Where several triggers hold, the verdict names the cause that needs a person most."""

_TRUTHY: Final = frozenset({"1", "true", "yes", "on"})
_REWRITE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an order may be sent, and if not, why, since when and by whose doing."""

    halted: bool = False
    reason: str = "ok"
    since: float | None = None
    cause: str | None = None
    global_file_kill: bool = False
    global_env_kill: bool = False
    venue_kills: Mapping[str, str] = field(default_factory=dict)
    daily_loss_breached: bool = False
    consecutive_failures_breached: bool = False
    safe_mode_active: bool = False

    def as_state(self) -> dict[str, object]:
        """Return the `kill_switch` field of a state."""
        return {"active": self.halted, "reason": self.reason, "since": self.since, "cause": self.cause}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What activating or re-arming came to: `active` is what holds now, `error` what is not as asked."""

    active: bool
    error: str = ""


class KillSwitch:
    """All triggers of one bot, for use from any thread.

    `environ` is read at every check. `daily_loss_cap` and `max_consecutive_failures` ≤ 0 disable.
    `realized_today` and `lowest_today` are the realised PnL of this UTC day and the lowest it has been, as
    the bot's store has them.
    """

    def __init__(
        self,
        file: Path,
        *,
        environ: Mapping[str, str],
        env_var: str = "ARB_KILL_SWITCH",
        venue_env_prefix: str = "ARB_KILL_",
        daily_loss_cap: float = 0.0,
        max_consecutive_failures: int = 0,
        realized_today: float = 0.0,
        lowest_today: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        kill_file.require_folder(file)
        self._file = file
        self._environ = environ
        self._env_var = env_var
        self._venue_env_prefix = venue_env_prefix
        self._clock = clock
        self._started = clock()
        self._lock = threading.RLock()
        self._disk = threading.Lock()
        self._operator_since: float | None = None
        self._unreadable_since: float | None = None
        self._rearmed = 0
        self._unwritten: kill_file.Order | None = None
        self._next_rewrite = 0.0
        self._loss = DailyLoss(realized_today, self._started)
        self._failures = FailureRun()
        self._safe_mode: Trigger | None = None
        self.set_limits(daily_loss_cap=daily_loss_cap, max_consecutive_failures=max_consecutive_failures)
        if lowest_today is not None:
            self._loss.judge(finite(lowest_today), self._started)

    @property
    def realized_today(self) -> float:
        """Realised PnL of this UTC day."""
        with self._lock:
            self._loss.roll(self._clock())
            return self._loss.realized

    @property
    def daily_loss_remaining(self) -> float | None:
        """Headroom, cap − max(0, −PnL of the UTC day), negative past the cap; None without a cap."""
        with self._lock:
            self._loss.roll(self._clock())
            return self._loss.remaining

    @property
    def consecutive_failures(self) -> int:
        """Failed executions since the last success."""
        return self._failures.count

    def check(self, venues: Iterable[str] = ()) -> Verdict:
        """Say whether an order to these venues may be sent; without venues, whether the bot may trade.

        Costs one `lstat`. While a kill could not be written to disk, it tries that again every 5 s.
        """
        now = self._clock()
        rearmed = self._rearmed
        seen = kill_file.look(self._file)
        with self._lock:
            if rearmed != self._rearmed:  # that look is older than a re-arming and must not latch again
                seen = kill_file.look(self._file)
            self._loss.roll(now)
            file = self._file_trigger(seen, now)
            env = self._env_trigger()
            venue_kills = self._venue_kills(venues)
            triggers = [trigger for trigger in (file, env) if trigger]
            triggers += [
                Trigger(f"venue kill switch active ({venue}, {variable})", self._started, ENVIRONMENT)
                for venue, variable in venue_kills.items()
            ]
            automatic = (self._loss.breach, self._failures.breach, self._safe_mode)
            triggers += [trigger for trigger in automatic if trigger]
        if self._unwritten and now >= self._next_rewrite:
            self._write_again(now)
        if not triggers:
            return _ALL_CLEAR
        causes = {trigger.cause for trigger in triggers}
        return Verdict(
            halted=True,
            reason="; ".join(trigger.reason for trigger in triggers),
            since=min(trigger.since for trigger in triggers),
            cause=next(cause for cause in _BY_CONCERN if cause in causes),
            global_file_kill=file is not None,
            global_env_kill=env is not None,
            venue_kills=venue_kills,
            daily_loss_breached=automatic[0] is not None,
            consecutive_failures_breached=automatic[1] is not None,
            safe_mode_active=automatic[2] is not None,
        )

    def activate(self, by: str, reason: str = "") -> Outcome:
        """Kill: in memory at once, then on disk; `error` says so where the disk refused."""
        now = self._clock()
        with self._lock:
            if self._operator_since is None:
                self._operator_since = now
        order = kill_file.Order(by, now, reason)
        with self._disk:
            try:
                kill_file.write(self._file, order)
            except OSError as exc:
                self._unwritten, self._next_rewrite = order, now + _REWRITE_SECONDS
                return Outcome(True, f"killed in memory only, a restart would trade again: {exc}")
            self._unwritten = None
        return Outcome(active=True)

    def deactivate(self) -> Outcome:
        """Re-arm the operator's own trigger, file and memory; the others hold, and `error` names them."""
        with self._disk:
            try:
                kill_file.remove(self._file)
            except OSError as exc:
                return Outcome(active=True, error=f"still killed: cannot remove the kill file: {exc}")
            with self._lock:
                self._rearmed += 1
                self._operator_since = self._unwritten = None
        verdict = self.check()
        return Outcome(verdict.halted, f"still killed by {verdict.reason}" if verdict.halted else "")

    def set_limits(self, *, daily_loss_cap: float, max_consecutive_failures: int) -> None:
        """Take the limits that hold from now on; a cap below the day's loss trips at once."""
        now = self._clock()
        with self._lock:
            self._loss.roll(now)
            self._loss.cap = finite(daily_loss_cap)
            self._loss.judge(self._loss.realized, now)
            self._failures.limit = max_consecutive_failures
            self._failures.judge(now)

    def record_pnl(self, amount: float, now: float | None = None) -> None:
        """Book a realised profit or loss, in USD, into the UTC day of `now`."""
        when = self._clock() if now is None else now
        with self._lock:
            self._loss.roll(when)
            self._loss.book(amount, when)

    def record_failure(self) -> None:
        """Count one failed execution."""
        with self._lock:
            self._failures.failed(self._clock())

    def record_success(self) -> None:
        """Begin the count of failures anew, unless it has tripped."""
        with self._lock:
            self._failures.succeeded()

    def clear_failures(self) -> None:
        """Re-arm after consecutive failures: a person has looked."""
        with self._lock:
            self._failures.clear()

    def enter_safe_mode(self, reason: str) -> None:
        """Halt until `leave_safe_mode`; the first reason stands, for it came before what followed from it."""
        with self._lock:
            if self._safe_mode is None:
                self._safe_mode = Trigger(f"safe mode active ({reason})", self._clock(), AUTOMATIC)

    def leave_safe_mode(self) -> None:
        """Re-arm after safe mode."""
        with self._lock:
            self._safe_mode = None

    def _file_trigger(self, seen: kill_file.Seen, now: float) -> Trigger | None:
        if seen.exists and self._operator_since is None:
            self._operator_since = min(now, seen.since)
        if self._operator_since is not None:
            reason = f"kill switch file exists ({self._file})"
            if not seen.exists:
                reason = f"kill switch latched, its file is missing ({self._file})"
            return Trigger(reason, self._operator_since, OPERATOR)
        if not seen.fault:
            self._unreadable_since = None
            return None
        if self._unreadable_since is None:
            self._unreadable_since = now
        return Trigger(
            f"cannot read kill file ({self._file}: {seen.fault})", self._unreadable_since, AUTOMATIC
        )

    def _env_trigger(self) -> Trigger | None:
        if not self._truthy(self._env_var):
            return None
        return Trigger(f"kill switch env var {self._env_var} is set", self._started, ENVIRONMENT)

    def _venue_kills(self, venues: Iterable[str]) -> dict[str, str]:
        """Map each killed venue to its variable; one named like the global variable is not a venue's."""
        variables = {venue: f"{self._venue_env_prefix}{_variable_part(venue)}" for venue in venues}
        return {v: name for v, name in variables.items() if name != self._env_var and self._truthy(name)}

    def _truthy(self, variable: str) -> bool:
        return self._environ.get(variable, "").strip().lower() in _TRUTHY

    def _write_again(self, now: float) -> None:
        if not self._disk.acquire(blocking=False):
            return
        try:
            if self._unwritten:
                kill_file.write(self._file, self._unwritten)
                self._unwritten = None
        except OSError:
            self._next_rewrite = now + _REWRITE_SECONDS
        finally:
            self._disk.release()


_ALL_CLEAR: Final = Verdict()


def _variable_part(venue: str) -> str:
    """Write a venue's name as part of an environment variable's: upper case, anything odd as `_`."""
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in venue).upper()
