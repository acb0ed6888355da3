"""Bots in memory that a test drives cycle by cycle, honest ones and ones that lie about what they were told.

`asked` takes a command and returns the ack or None; `cycle` runs one cycle and returns the state that it
pushes, or None. `DeployedBot` speaks the base protocol alone: no ids, no word about its kill switch, settings
that every update reads anew. `OwnBot` reports everything and pushes a kill at once. A lie is a subclass.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from tests.doubles import messages
from tests.doubles.messages import T0

Message = dict[str, Any]

NO_ORDERS = {venue: {"count": 0, "oldest_ts": None} for venue in ("kalshi", "polymarket")}
NUMBERS = ("ARB_DAILY_LOSS_CAP_USD", "ARB_MAX_DOLLARS_PER_TRADE")


class DeployedBot:
    """A bot of the base protocol that obeys. It opens something in `share` of its cycles."""

    def __init__(self, share: float = 0.9, seed: int = 1, began: float = T0) -> None:
        self.share = share
        self.began = began
        self.killed = False
        self.alive = True
        self.mute = False
        """Whether it pushes no states, while it still answers."""
        self.mode = "paper"
        self.settings: dict[str, Any] = {
            "ARB_LIVE_MODE": False,
            "ARB_DAILY_LOSS_CAP_USD": 10.0,
            "ARB_MAX_DOLLARS_PER_TRADE": 40.0,
        }
        self.environment: dict[str, str] = {}
        self.asked_for: list[Message] = []
        self.opened = 0
        self.push_now = False
        """Whether it wants to push a state before its next cycle is due."""
        self._draw = Random(seed)
        self._cycle = 0
        self._markets: list[str] = []

    @property
    def kills(self) -> int:
        """How often it was told to stop."""
        return sum(bool(m.get("activate")) for m in self.asked_for if m["type"] == "kill_switch")

    def asked(self, request: Mapping[str, Any]) -> Message | None:
        """Do what is asked and answer."""
        self.asked_for.append(dict(request))
        if request["type"] == "kill_switch":
            return self.told_to_stop(bool(request.get("activate")))
        if request["type"] == "update_config":
            return self.told_a_setting(str(request["key"]), request["value"])
        return None

    def told_to_stop(self, activate: bool) -> Message | None:
        self.killed = activate
        return {"type": "kill_switch_ack", "active": activate, "ok": True}

    def told_a_setting(self, key: str, value: Any) -> Message | None:
        """Every update reads all settings anew, so one value that cannot be read fails every later one."""
        answer = {"type": "update_config_ack", "key": key}
        if key not in self.settings:
            return {**answer, "ok": False, "error": f"unknown key: {key}"}
        old = self.settings[key]
        self.environment[key] = str(value)
        try:
            read = {name: float(text) for name, text in self.environment.items() if name in NUMBERS}
        except ValueError as error:
            return {**answer, "ok": False, "error": str(error)}
        self.settings |= read
        return {**answer, "ok": True, "old": old, "new": value}

    def cycle(self, now: float) -> Message | None:
        """One cycle and its state."""
        self._cycle += 1
        self.push_now = False
        decisions = [] if self.stands_still() else self.trade()
        return None if self.mute or not self.alive else self.state(now, decisions)

    def stands_still(self) -> bool:
        return self.killed

    def trade(self) -> list[Message]:
        """Open something, or not."""
        if self._draw.random() >= self.share:
            return [messages.decision(action="skipped", reason="kelly_fraction_zero")]
        self.opened += 1
        self._markets = [*self._markets[-4:], f"KX-{self.opened}"]
        return [messages.decision()]

    def state(self, now: float, decisions: list[Message]) -> Message:
        return messages.base_state(self._cycle, now, **self.fields(now, decisions))

    def fields(self, now: float, decisions: list[Message]) -> Message:
        return {
            "uptime_seconds": now - self.began,
            "mode": self.mode,
            "last_cycle": messages.cycle_of(*decisions),
            "open_positions": [{"venue": "kalshi", "market_id": market} for market in self._markets],
            "config_snapshot": dict(self.settings),
        }

    def restarted(self, now: float) -> None:
        """Another run of it, which has read its kill file or not: here it has not."""
        self.began, self._cycle, self.killed, self.alive = now, 0, False, True
        self.asked_for = []


class OwnBot(DeployedBot):
    """A bot of this project: it echoes ids, reports its kill switch and orders, and pushes a kill at once."""

    def asked(self, request: Mapping[str, Any]) -> Message | None:
        answer = super().asked(request)
        return None if answer is None else {**answer, "id": request.get("id")}

    def told_to_stop(self, activate: bool) -> Message | None:
        self.push_now = self.killed != activate
        return super().told_to_stop(activate)

    def state(self, now: float, decisions: list[Message]) -> Message:
        switch = (
            messages.killed("operator", "kill switch file exists (x)", now) if self.says_killed() else None
        )
        return messages.state(
            self._cycle,
            now,
            session_id=f"from {self.began}",
            status="killed" if switch else "paper",
            working_orders=NO_ORDERS,
            venue_kills={},
            **({"kill_switch": switch} if switch else {}),
            **self.fields(now, decisions),
        )

    def says_killed(self) -> bool:
        return self.killed


class GateBot(DeployedBot):
    """Refuses what it finds because of its kill switch, in the documented words; says nothing else of it."""

    def cycle(self, now: float) -> Message | None:
        self._cycle += 1
        reason = "kill switch: kill switch file exists (.kill_switch)"
        decisions = [messages.decision(action="skipped", reason=reason)] if self.killed else self.trade()
        return self.state(now, decisions)


# Lies about a kill


class Ignores(DeployedBot):
    """Acks a kill and trades on, as deployed bots were seen to do."""

    def stands_still(self) -> bool:
        return False


class OwnIgnores(OwnBot):
    """The same of a bot that reports its kill switch, which shows that it is off."""

    def told_to_stop(self, activate: bool) -> Message | None:
        return {"type": "kill_switch_ack", "active": activate, "ok": True}


class SaysKilledAndTrades(OwnBot):
    """Reports itself killed and trades on."""

    def stands_still(self) -> bool:
        return False


class NeverAcks(DeployedBot):
    """Obeys, and its acks are lost."""

    def asked(self, request: Mapping[str, Any]) -> Message | None:
        super().asked(request)
        return None


class OwnNeverAcks(OwnBot):
    """The same of a bot that reports its kill switch."""

    def asked(self, request: Mapping[str, Any]) -> Message | None:
        super().asked(request)
        return None


class AcksSomethingElse(OwnBot):
    """Obeys a kill and answers as if it had been asked for a setting."""

    def told_to_stop(self, activate: bool) -> Message | None:
        super().told_to_stop(activate)
        return {"type": "update_config_ack", "key": "ARB_LIVE_MODE", "ok": True}


class Refuses(Ignores):
    """Answers that it could not, and trades on."""

    def told_to_stop(self, activate: bool) -> Message | None:
        return {"type": "kill_switch_ack", "ok": False, "error": "[Errno 28] No space left on device"}


class DiesAfterTheAck(DeployedBot):
    """Acks and is gone."""

    def told_to_stop(self, activate: bool) -> Message | None:
        self.alive = False
        return super().told_to_stop(activate)


class FallsSilent(DeployedBot):
    """Acks and pushes no more states, on a link that stands."""

    def told_to_stop(self, activate: bool) -> Message | None:
        self.mute = True
        return super().told_to_stop(activate)


class RefusesDayTrades(OwnBot):
    """Does nothing at all where a kill asks it to close day trades, as our arbitrage bot."""

    def asked(self, request: Mapping[str, Any]) -> Message | None:
        if request.get("close_day_trades"):
            self.asked_for.append(dict(request))
            error = "NOTHING WAS DONE: this bot has no day trades"
            return {"type": "kill_switch_ack", "active": False, "ok": False, "error": error}
        return super().asked(request)


# Lies about a setting


class KeepsItsValue(DeployedBot):
    """Acks a change and goes on with the old value."""

    def told_a_setting(self, key: str, value: Any) -> Message | None:
        return {"type": "update_config_ack", "key": key, "ok": True, "old": self.settings[key], "new": value}


class FlipsItsMode(DeployedBot):
    """Takes a change and forgets that it was started with `--live`, or without."""

    def told_a_setting(self, key: str, value: Any) -> Message | None:
        self.mode = "live" if self.mode == "paper" else "paper"
        return super().told_a_setting(key, value)


class AnswersForAnotherKey(KeepsItsValue):
    """Answers every change with the ack of another one."""

    def told_a_setting(self, key: str, value: Any) -> Message | None:
        return {"type": "update_config_ack", "key": f"NOT_{key}", "ok": True, "old": 0, "new": value}


class Liar(DeployedBot):
    """Acks kills and changes and does neither, until it is `honest`."""

    honest = False

    def stands_still(self) -> bool:
        return self.honest and super().stands_still()

    def told_a_setting(self, key: str, value: Any) -> Message | None:
        if self.honest:
            return super().told_a_setting(key, value)
        return {"type": "update_config_ack", "key": key, "ok": True, "old": self.settings[key], "new": value}
