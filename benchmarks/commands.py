"""Commands over the link while states are pushed at 20 Hz: how many acks find their command, and how fast.

A thousand commands go to a bot on loopback in this process, of which every tenth is a kill that does not wait
for its turn; with ids echoed and without.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from benchmarks.figure import Figure, at_least, exit_code, table
from benchmarks.publish import state
from exporter.bridge import Bridge
from exporter.control.commander import Answer
from exporter.view import BotView

COMMANDS: Final = 1_000
PUSH_SECONDS: Final = 0.05
PATIENCE: Final = 60.0

Reply = Callable[[Mapping[str, Any]], dict[str, Any]]


def plain(request: Mapping[str, Any]) -> dict[str, Any]:
    """The ack of a bot that knows no ids."""
    if request["type"] == "kill_switch":
        return {"type": "kill_switch_ack", "active": request["activate"], "ok": True}
    fields = {"key": request["key"], "ok": True, "old": 0, "new": request["value"]}
    return {"type": "update_config_ack", **fields}


def echoing(request: Mapping[str, Any]) -> dict[str, Any]:
    """The ack of a bot that echoes them."""
    return {**plain(request), "id": request["id"]}


class Bot:
    """Answers every command and pushes states meanwhile."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.pushed = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        push = asyncio.create_task(self._push(writer))
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self._reply(json.loads(line))).encode() + b"\n")
        finally:
            push.cancel()
            writer.transport.abort()

    async def _push(self, writer: asyncio.StreamWriter) -> None:
        for cycle in itertools.count(1):
            writer.write(json.dumps(state(16) | {"cycle": cycle, "ts": time.time()}).encode() + b"\n")
            self.pushed += 1
            await asyncio.sleep(PUSH_SECONDS)


async def measured(reply: Reply) -> tuple[int, list[float], list[float], int]:
    """How many of the acks were right, seconds of settings and of kills, and how many states came between."""
    bot = Bot(reply)
    server = await asyncio.start_server(bot.serve, "127.0.0.1", 0)
    view = BotView("arb", now=time.time())
    bridge = Bridge(view, "127.0.0.1", server.sockets[0].getsockname()[1])
    reading = asyncio.create_task(bridge.run())
    while view.link.opened_at is None:  # noqa: ASYNC110 - the view tells nobody
        await asyncio.sleep(0.001)
    try:
        answers = await asyncio.gather(*(_one(bridge, number) for number in range(COMMANDS)))
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        server.close()
    right = sum(_is_right(number, answer) for number, answer in enumerate(answers))
    kills = [answer.seconds for number, answer in enumerate(answers) if number % 10 == 0]
    settings = [answer.seconds for number, answer in enumerate(answers) if number % 10]
    return right, settings, kills, bot.pushed


async def _one(bridge: Bridge, number: int) -> Answer:
    await asyncio.sleep(number / COMMANDS)  # a second of people and programs
    if number % 10 == 0:
        return await bridge.command({"type": "kill_switch", "activate": True}, within=PATIENCE, urgent=True)
    message = {"type": "update_config", "key": f"KEY_{number % 7}", "value": number}
    return await bridge.command(message, within=PATIENCE)


def _is_right(number: int, answer: Answer) -> bool:
    ack = answer.ack or {}
    if number % 10 == 0:
        return ack.get("type") == "kill_switch_ack"
    return (ack.get("key"), ack.get("new")) == (f"KEY_{number % 7}", number)


def figures(small: bool) -> list[Figure]:
    """With ids and without; the long form does it ten times."""
    found = []
    for name, reply in (("ids echoed", echoing), ("no ids", plain)):
        runs = [asyncio.run(measured(reply)) for _ in range(1 if small else 10)]
        right = min(run[0] for run in runs)
        kills = [seconds for run in runs for seconds in run[2]]
        settings = [seconds for run in runs for seconds in run[1]]
        note = f"median {_ms(settings):.2f} ms, of a kill {_ms(kills):.2f} ms; {runs[0][3]} states between"
        found.append(
            at_least(
                f"acks matched of {COMMANDS:,} commands under a 20 Hz push, {name}", right, "", COMMANDS, note
            )
        )
    return found


def _ms(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1e3


def main() -> int:
    """Print the table; answer 1 when an ack went astray."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="ten times")
    found = figures(small=not parser.parse_args().long)
    print(table(found))
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main())
