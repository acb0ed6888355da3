"""The words of the command line: commands, options, help. What they do stands in `exporter.__main__`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from exporter import __version__
from exporter.config import Listen
from exporter.config_values import host, port, seconds, web_address
from exporter.incident import command as incident
from exporter.reporting.chain import Head, head_of
from exporter.shell import arguments as shell

PROGRAMS: Final = ("prometheus", "alertmanager", "grafana")

EXAMPLES: Final = """\
examples:
  python -m exporter                              run with ./exporter.yml
  python -m exporter --config /etc/bots.yml       run with another file
  python -m exporter --listen 127.0.0.1:9200      run on another port than the file says
  python -m exporter check-config                 say what the file means, or all that is wrong with it
  python -m exporter doctor                       check sockets, files and the programs around, with fixes
  python -m exporter doctor --timeout 70          wait longer for a bot that cycles once a minute
  python -m exporter notifications                who is told of what: pages, log, phone, sound
  python -m exporter backup console.backup        the reporting database, latches and tokens as one file;
                                                  an exporter that runs goes on
  python -m exporter restore console.backup       put them back (the exporter must not run)
  python -m exporter rebuild                      make the rollups anew and say whether they agreed
  python -m exporter verify-events                prove that no recorded event was changed or taken away
  python -m exporter status                       how every bot is
  python -m exporter kill arb                     stop it and wait for the proof; works without a running
                                                  exporter, too; `kill all` stops every bot
  python -m exporter rearm arb --reason "…"       take that back; the bot is paused then
  python -m exporter set arb ARB_DAILY_LOSS_CAP_USD 25 --reason "…"
                                                  change a setting and see it in the bot's states
  python -m exporter test-page                    call everybody whom an alert would call; does it arrive?
  python -m exporter digest                       what yesterday's daily digest says
  python -m exporter incident --from -2h          everything about the last two hours as one zip

what answers while it runs (port 9121):
  /            each bot's verdict and figures      /-/healthy   the process lives
  /metrics     for Prometheus                      /-/ready     every bot's link was tried

environment: PUBLIC_URL (Grafana as people reach it), PROMETHEUS_PUBLIC_URL (the page's link to Prometheus);
for the doctor also GRAFANA_URL, PROMETHEUS_URL, ALERTMANAGER_URL (as this machine reaches them).
exit codes: 0 stopped, nothing wrong, or proven; 1 a failure was found, or what was ordered is not proven;
2 settings, files or port cannot be used, or what was ordered is refused.
"""


def parser() -> argparse.ArgumentParser:
    """Understands the command line; the name of the command is in `command`, `run` where none is given."""
    general = argparse.ArgumentParser(
        prog="python -m exporter",
        description="Watches trading bots over their control sockets; answers Prometheus and people.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    general.set_defaults(command="run")
    _shared(general, Path("exporter.yml"))
    general.add_argument("--version", action="version", version=f"exporter {__version__}")
    commands = general.add_subparsers(metavar="command", help="what to do (default: run)")
    _command(commands, "run", "watch the bots until a signal comes")
    _command(commands, "check-config", "say what the settings file means")
    _command(commands, "notifications", "print who is told of what, and where each of it comes from")
    _doctor(_command(commands, "doctor", "check what goes wrong in the first hour, with fixes"))
    backup = _command(commands, "backup", "copy the reporting database, latches and tokens into one file")
    backup.add_argument("file", type=Path, metavar="FILE", help="the file to make; it must not exist yet")
    restore = _command(commands, "restore", "put back what a backup holds; the exporter must not run")
    restore.add_argument("file", type=Path, metavar="FILE", help="a file that backup made")
    _command(commands, "rebuild", "make the rollups anew from the rows and say whether they agreed")
    verify = _command(commands, "verify-events", "prove that no recorded event was changed or taken away")
    verify.add_argument(
        "--head", type=_head, action="append", default=[], metavar="COUNT:HASH",
        help="a head known from the exporter's log, from which rows may have been cut off since",
    )  # fmt: skip
    digest = _command(commands, "digest", "say what the daily digest of a day says")
    digest.add_argument(
        "--date", metavar="DATE", help="such as 2026-11-20 (default: the last day that is over)"
    )
    digest.add_argument("--json", action="store_true", help="answer as JSON")
    incident.add(_command(commands, "incident", "make a zip for the post-mortem of a stretch of time"))
    shell.add(lambda name, does: _command(commands, name, does))
    return general


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, does: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")
    command.set_defaults(command=name)
    # Options may stand before the command and after it; the second parser must not reset what the first read.
    _shared(command, argparse.SUPPRESS)
    return command


def _shared(parser: argparse.ArgumentParser, config: Path | str) -> None:
    parser.add_argument("--config", type=Path, default=config, metavar="FILE", help="the settings file")
    parser.add_argument(
        "--listen",
        type=_listen,
        default=None if isinstance(config, Path) else config,
        metavar="HOST:PORT",
        help="where the exporter answers, whatever the file says",
    )


def _doctor(doctor: argparse.ArgumentParser) -> None:
    doctor.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="for each check (default: 10)")
    doctor.add_argument("--json", action="store_true", help="report as JSON")
    for program in PROGRAMS:
        doctor.add_argument(f"--{program}", type=_address, metavar="URL", help=f"where {program.title()} is")


def _listen(text: str) -> Listen:
    name, _, number = text.rpartition(":")
    try:
        return Listen(host=host(name.removeprefix("[").removesuffix("]")), port=port(int(number)))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: expected HOST:PORT, such as 127.0.0.1:9121") from error


def _seconds(text: str) -> float:
    try:
        return seconds(float(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error


def _address(text: str) -> str:
    try:
        return web_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error


def _head(text: str) -> Head:
    try:
        return head_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error
