"""Checks what goes wrong in the first hour and says how to fix it: which checks, and in what order.

All checks run at once; their findings are told in order, each as soon as it and those before it are there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path

from exporter import (
    doctor_calendars,
    doctor_files,
    doctor_network,
    doctor_receivers,
    doctor_stack,
    doctor_tokens,
)
from exporter.calendars import Calendars
from exporter.config import ENVIRONMENT, Addresses, Config, Listen, load
from exporter.config_faults import ConfigError
from exporter.findings import Finding

PATIENCE = 2.0  # seconds after which a check that still runs is named
CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the doctor is told: settings file, addresses, those of them that were set on purpose, and limits.

    `listen` is None where the file decides; `within` is in seconds and holds for each check by itself.
    """

    config_path: Path
    listen: Listen | None
    addresses: Addresses
    wanted: frozenset[str]
    within: float
    contained: bool


def in_container() -> bool:
    """Whether this process runs in a container."""
    return any(Path(mark).exists() for mark in CONTAINER_MARKS)


def set_on_purpose(environ: Mapping[str, str]) -> frozenset[str]:
    """Names of the addresses that the environment sets."""
    return frozenset(field for field, (variable, _) in ENVIRONMENT.items() if environ.get(variable))


async def examine(given: Circumstances, progress: Callable[[str], None]) -> AsyncIterator[Finding]:
    """Run all checks; `progress` is told about a check that takes more than two seconds."""
    yield doctor_files.time_zones()
    yield doctor_files.clock(time.time())
    try:
        config = load(given.config_path)
    except ConfigError as error:
        for fault in error.faults:
            yield Finding(
                "FAIL", "config", f"{given.config_path}: {fault}", "correct that line; see exporter.yml"
            )
        yield Finding("SKIP", "bots, files, port", "not checked: the settings cannot be read")
        config = None
    if config is not None:
        bots = ", ".join(bot.name for bot in config.bots)
        yield Finding("PASS", "config", f"{given.config_path} is good ({bots})")
        yield doctor_files.own_folder(config.latch_folder)
        for bot in config.bots:
            for finding in doctor_files.files_of(bot):
                yield finding
        if given.listen is not None:
            config = config.model_copy(update={"listen": given.listen})
        for finding in doctor_tokens.tokens_of(config):
            yield finding
        yield doctor_network.public_url(config.listen, given.addresses, contained=given.contained)
    async for finding in _in_order(_over_the_network(config, given), given.within, progress):
        yield finding


Check = tuple[str, Coroutine[None, None, list[Finding]]]


def _over_the_network(config: Config | None, given: Circumstances) -> list[Check]:
    """The checks that may take long, each with the name by which its progress is told."""
    within, where, wanted = given.within, given.addresses, given.wanted
    checks: list[Check] = []
    if config is not None:
        checks += [
            (f"{bot.name} socket", doctor_network.bot_socket(bot, within, contained=given.contained))
            for bot in config.bots
        ]
        if codes := Calendars(config.bots).codes:
            checks.append(("exchange calendars", doctor_calendars.exchanges(codes, time.time())))
        checks.append(("own port", doctor_network.own_port(config.listen, within)))
        checks.append(("alert path", doctor_receivers.alert_path(config.listen, within, time.time())))
    return [
        *checks,
        ("prometheus", doctor_stack.prometheus(where.prometheus, within, wanted="prometheus" in wanted)),
        ("alertmanager", doctor_receivers.alertmanager(where, within, wanted="alertmanager" in wanted)),
        ("grafana", doctor_stack.grafana(where.grafana, within, wanted="grafana" in wanted)),
    ]


async def _in_order(
    checks: list[Check], within: float, progress: Callable[[str], None]
) -> AsyncIterator[Finding]:
    """Findings of checks that all run at once, in the order of the checks."""
    async with asyncio.TaskGroup() as group:
        running = [(name, group.create_task(check)) for name, check in checks]
        for name, task in running:
            done, _ = await asyncio.wait({task}, timeout=PATIENCE)
            if not done:
                progress(f"{name}: waiting, up to {within:g} s …")
            for finding in await task:
                yield finding
