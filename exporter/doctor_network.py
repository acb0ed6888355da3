"""The doctor's checks of the chain's own ends: each bot's socket, the own port, the links handed out.

Every check ends within its time and returns findings; none raises for what it meets.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from botkit.messages import HEARTBEAT, LINE_LIMIT, STATE, TOO_LONG, MalformedMessage, decode
from exporter.backoff import describe
from exporter.config import Addresses, BotConfig, Listen
from exporter.config_values import joined
from exporter.findings import Finding
from exporter.http_get import get
from exporter.metrics_self import BUILD_INFO
from exporter.service import bound
from exporter.sight import CLOCK_OFF_SECONDS

OWN_BOT = "use deploy/own-bot.yml, which puts the exporter on the host's network"


def is_loopback(host: str) -> bool:
    """Whether an address or name means this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")


async def bot_socket(bot: BotConfig, within: float, *, contained: bool) -> list[Finding]:
    """Connect to a bot as the exporter would and listen until a state came or the time is up."""
    check = f"{bot.name} socket"
    where = bot.address
    until = asyncio.get_running_loop().time() + within
    try:
        async with asyncio.timeout_at(until):
            reader, writer = await asyncio.open_connection(bot.host, bot.port, limit=LINE_LIMIT)
    except TimeoutError:
        fix = "check host, port and firewall between here and the bot"
        return [Finding("FAIL", check, f"{where} does not answer within {within:g} s", fix)]
    except socket.gaierror:
        return [
            Finding("FAIL", check, f"the name {bot.host} is not known here", _name_fix(contained=contained))
        ]
    except OSError as error:
        fix = _refused_fix(bot, contained=contained)
        return [Finding("FAIL", check, f"{where} cannot be reached: {describe(error)}", fix)]
    try:
        heard = await _listen(reader, until)
    finally:
        writer.transport.abort()
    return _judge(bot, where, heard, within)


def _name_fix(*, contained: bool) -> str:
    if contained:
        return "start the bot's container in the same Compose network, or correct host"
    return "correct host; a Compose service's name is known inside the Compose network only"


def _refused_fix(bot: BotConfig, *, contained: bool) -> str:
    if contained and (is_loopback(bot.host) or bot.host == "host.docker.internal"):
        return f"start the bot; a bridged container does not reach its host's 127.0.0.1: {OWN_BOT}"
    return (
        "start the bot, and check that its ARB_CONTROL_SOCKET_PORT is this port (0 or less switches it off)"
    )


@dataclass(slots=True)
class _Heard:
    """What came over a socket while the doctor listened."""

    state: Mapping[str, object] | None = None
    skew: float | None = None
    beats: int = 0
    malformed: str = ""
    closed: bool = False

    def take(self, line: bytes) -> None:
        """Take in one line."""
        try:
            message = decode(line)
        except MalformedMessage as error:
            self.malformed = error.reason
            return
        stamp = message.get("ts")
        if message["type"] in {STATE, HEARTBEAT} and isinstance(stamp, int | float):
            self.skew = stamp - time.time()
        if message["type"] == STATE:
            self.state = message
        self.beats += message["type"] == HEARTBEAT


async def _listen(reader: asyncio.StreamReader, until: float) -> _Heard:
    """Take in lines until a state, the end of the stream, or a time of the loop's own clock."""
    heard = _Heard()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(until):
            while heard.state is None and not heard.closed:
                try:
                    line = await reader.readline()
                except ValueError:  # longer than any line may be
                    heard.malformed, heard.closed = TOO_LONG, True
                except OSError:
                    heard.closed = True
                else:
                    heard.closed = not line
                    if line:
                        heard.take(line)
    return heard


def _judge(bot: BotConfig, where: str, heard: _Heard, within: float) -> list[Finding]:
    check = f"{bot.name} socket"
    findings = []
    if heard.malformed and heard.state is None and not heard.beats:
        fix = "check that this is the bot's control socket and not another program's port"
        findings.append(Finding("FAIL", check, f"{where} sends what is no message ({heard.malformed})", fix))
    elif heard.closed:
        fix = "look into the bot's log; a bot that stops says so there"
        findings.append(Finding("FAIL", check, f"{where} closed the connection before a state came", fix))
    elif heard.state is None:
        beating = f"{heard.beats} heartbeats" if heard.beats else "no heartbeat (older bots send none)"
        fix = "normal for up to one poll interval, 60 s by default; repeat with a longer --timeout"
        findings.append(
            Finding("WARN", check, f"{where} is open, no state within {within:g} s, {beating}", fix)
        )
    else:
        cycle, mode = heard.state.get("cycle"), heard.state.get("mode")
        findings.append(Finding("PASS", check, f"{where} sent a state (cycle {cycle}, mode {mode})"))
    if heard.skew is not None:
        findings.append(_clock_of(bot, heard.skew))
    return findings


def _clock_of(bot: BotConfig, skew: float) -> Finding:
    check = f"{bot.name} clock"
    says = f"the bot's clock is {abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} this one"
    if abs(skew) < CLOCK_OFF_SECONDS:
        return Finding("PASS", check, says)
    return Finding("WARN", check, says, "set both clocks by NTP; ages are reckoned by this machine's")


async def own_port(listen: Listen, within: float) -> list[Finding]:
    """Whether the port to listen on is free, or already answered by an exporter."""
    check = "own port"
    where = listen.address
    try:
        bound(listen).close()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            fix = "set listen.host to an address of this machine, and listen.port to 1024 or more"
            return [Finding("FAIL", check, f"{where} cannot be listened on: {error.strerror}", fix)]
    else:
        return [Finding("PASS", check, f"{where} is free")]
    asked = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104
    answer = await get(f"http://{joined(asked, listen.port)}/metrics", within)
    if answer.status == 200 and BUILD_INFO.name.encode() in answer.body:
        return [Finding("PASS", check, f"an exporter already answers at {where}")]
    return [Finding("FAIL", check, f"{where} is taken by another program", "stop it, or set listen.port")]


def public_url(listen: Listen, addresses: Addresses, *, contained: bool) -> Finding:
    """Whether links that are handed out lead other machines back to this one."""
    host = urlsplit(addresses.grafana_public).hostname or ""
    if not is_loopback(host):
        return Finding("PASS", "PUBLIC_URL", f"links lead to {addresses.grafana_public}")
    if contained:
        says = f"{addresses.grafana_public}: from inside a container nobody sees which address is published"
        return Finding("SKIP", "PUBLIC_URL", says)
    if is_loopback(listen.host):
        return Finding("PASS", "PUBLIC_URL", f"links lead to {addresses.grafana_public}, on this machine")
    says = f"{addresses.grafana_public} means each reader's own machine, though others can reach this one"
    return Finding("WARN", "PUBLIC_URL", says, "set PUBLIC_URL to the address that people open Grafana with")
