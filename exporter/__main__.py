"""`python -m exporter`: one function for each command."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from exporter import __version__, arguments, assembly, doctor, findings, logs, notifications, service
from exporter.alerting import digest_desk
from exporter.config import Config, addresses, load, unused_parts
from exporter.config_summary import summary
from exporter.control import tokens
from exporter.doctor_files import own_folder
from exporter.errors import ExporterError
from exporter.incident import command as incident
from exporter.reporting import commands
from exporter.shell import commands as shell

log = logging.getLogger("exporter.main")

BAD_INPUT = 2  # exit code for what the caller can put right: settings, arguments, a taken port

DOCTOR_SECONDS = 10.0


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = arguments.parser().parse_args(incident.joined(sys.argv[1:] if words is None else words))
    logs.set_up(sys.stderr)
    try:
        return COMMANDS[options.command](options)
    except ExporterError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a program's answer to its caller
        return BAD_INPUT
    except KeyboardInterrupt:
        return 130


def _settings(options: argparse.Namespace) -> Config:
    config = load(options.config)
    return config if options.listen is None else config.model_copy(update={"listen": options.listen})


def check_config(options: argparse.Namespace) -> int:
    """Say what the settings mean."""
    config = _settings(options)
    addresses(os.environ)
    print(f"{options.config} is good.\n{summary(config)}")  # noqa: T201
    return 0


def tell_of(_: argparse.Namespace) -> int:
    """Print the notification table."""
    print(notifications.printed(notifications.notifications()))  # noqa: T201
    return 0


def examine(options: argparse.Namespace) -> int:
    """Run the doctor and report as its findings come."""
    given = {name: value for name in arguments.PROGRAMS if (value := getattr(options, name)) is not None}
    circumstances = doctor.Circumstances(
        config_path=options.config,
        listen=options.listen,
        addresses=replace(addresses(os.environ), **given),
        wanted=doctor.set_on_purpose(os.environ) | given.keys(),
        within=options.timeout or DOCTOR_SECONDS,
        contained=doctor.in_container(),
    )
    found = asyncio.run(_report(circumstances, as_json=options.json))
    print(findings.as_json(found) if options.json else f"\n{findings.summary(found)}")  # noqa: T201
    return findings.exit_code(found)


async def _report(circumstances: doctor.Circumstances, *, as_json: bool) -> list[findings.Finding]:
    found = []
    async for finding in doctor.examine(circumstances, lambda text: print(f"…     {text}", file=sys.stderr)):  # noqa: T201
        found.append(finding)
        if not as_json:
            print(finding, flush=True)  # noqa: T201
    return found


def run(options: argparse.Namespace) -> int:
    """Watch the bots until a signal comes."""
    config, where = _settings(options), addresses(os.environ)
    if unused := unused_parts(config):
        log.info("accepted and checked, not used yet: %s", ", ".join(unused))
    for fault in tokens.checked(config):
        log.warning("%s; nobody else than this machine can reach this program, so it goes on", fault)
    if (folder := own_folder(config.latch_folder)).level == "FAIL":
        log.warning("latches will not survive a restart: %s; %s", folder.says, folder.fix)
    taken = service.listening(config.listen)
    with taken:
        log.info("exporter %s answers at %s", __version__, config.listen.address)
        asyncio.run(assembly.serve(config, where, taken))
    return 0


def on_database(options: argparse.Namespace) -> int:
    """One of the commands that work on the reporting database."""
    return commands.COMMANDS[options.command](_settings(options), options)


def gather(options: argparse.Namespace) -> int:
    """Make the zip of an incident."""
    return incident.incident(_settings(options), options)


def digest(options: argparse.Namespace) -> int:
    """What the daily digest says of a day."""
    return digest_desk.command(_settings(options), options)


def in_shell(options: argparse.Namespace) -> int:
    """One of the commands for people in a shell."""
    return shell.run(_settings(options), options)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": run,
    "check-config": check_config,
    "digest": digest,
    "doctor": examine,
    "notifications": tell_of,
    "incident": gather,
    **dict.fromkeys(commands.COMMANDS, on_database),
    **dict.fromkeys(shell.COMMANDS, in_shell),
}


if __name__ == "__main__":
    sys.exit(main())
