"""`python -m exporter`: the command line, and the one place where everything is put together."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector

from exporter import __version__, doctor, findings, logs, service
from exporter.bridge import Bridge
from exporter.collector import Collector
from exporter.config import Addresses, BotConfig, Config, Listen, addresses, load, unused_parts
from exporter.config_summary import summary
from exporter.config_values import host, port, seconds, web_address
from exporter.doctor_files import own_folder
from exporter.errors import ExporterError
from exporter.exposition import render
from exporter.latches import Latches
from exporter.losscap import Breach
from exporter.page import Place
from exporter.view import BotView
from exporter.web import application

log = logging.getLogger("exporter.main")

BAD_INPUT = 2  # exit code for what the caller can put right: settings, arguments, a taken port

DOCTOR_SECONDS = 10.0
PROGRAMS = ("prometheus", "alertmanager", "grafana")

EXAMPLES = """\
examples:
  python -m exporter                              run with ./exporter.yml
  python -m exporter --config /etc/bots.yml       run with another file
  python -m exporter --listen 127.0.0.1:9200      run on another port than the file says
  python -m exporter check-config                 say what the file means, or all that is wrong with it
  python -m exporter doctor                       check sockets, files and the programs around, with fixes
  python -m exporter doctor --timeout 70          wait longer for a bot that cycles once a minute
  python -m exporter doctor --json                the same for a program

what answers while it runs (port 9121):
  /            each bot's verdict and figures      /-/healthy   the process lives
  /metrics     for Prometheus                      /-/ready     every bot's link was tried

environment: PUBLIC_URL (Grafana as people reach it), PROMETHEUS_PUBLIC_URL (the page's link to Prometheus);
for the doctor also GRAFANA_URL, PROMETHEUS_URL, ALERTMANAGER_URL (as this machine reaches them).
exit codes: 0 stopped or nothing wrong, 1 the doctor found a failure, 2 settings or port cannot be used.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command != "doctor" and any(getattr(options, name) for name in ("timeout", "json", *PROGRAMS)):
        parser.error("--timeout, --json and addresses are for the doctor only")
    logs.set_up(sys.stderr)
    try:
        return COMMANDS[options.command](options)
    except ExporterError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a program's answer to its caller
        return BAD_INPUT
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m exporter",
        description="Watches trading bots over their control sockets; answers Prometheus and people.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "command", nargs="?", choices=COMMANDS, default="run", help="what to do (default: run)"
    )
    parser.add_argument(
        "--config", type=Path, default=Path("exporter.yml"), metavar="FILE", help="the settings file"
    )
    parser.add_argument(
        "--listen", type=_listen, metavar="HOST:PORT", help="answer here, whatever the file says"
    )
    parser.add_argument("--version", action="version", version=f"exporter {__version__}")
    only = parser.add_argument_group("doctor only")
    only.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="for each check (default: 10)")
    only.add_argument("--json", action="store_true", help="report as JSON")
    for program in PROGRAMS:
        only.add_argument(f"--{program}", type=_address, metavar="URL", help=f"where {program.title()} is")
    return parser


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


def _settings(options: argparse.Namespace) -> Config:
    config = load(options.config)
    return config if options.listen is None else config.model_copy(update={"listen": options.listen})


def check_config(options: argparse.Namespace) -> int:
    """Say what the settings mean."""
    config = _settings(options)
    addresses(os.environ)
    print(f"{options.config} is good.\n{summary(config)}")  # noqa: T201
    return 0


def examine(options: argparse.Namespace) -> int:
    """Run the doctor and report as its findings come."""
    given = {name: value for name in PROGRAMS if (value := getattr(options, name)) is not None}
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
    if (folder := own_folder(config.latch_folder)).level == "FAIL":
        log.warning("latches will not survive a restart: %s; %s", folder.says, folder.fix)
    taken = service.listening(config.listen)
    with taken:
        log.info("exporter %s answers at %s", __version__, config.listen.address)
        asyncio.run(_serve(config, where, taken))
    return 0


async def _serve(config: Config, where: Addresses, taken: socket.socket) -> None:
    latches = Latches(config.latch_folder)
    views = [_view(bot, latches.restore(bot.name)) for bot in config.bots]
    bridges = [
        Bridge(view, bot.host, bot.port, changed=latches.keep)
        for view, bot in zip(views, config.bots, strict=True)
    ]
    watches = [
        service.Watch(view.name, bridge.run, view.bridge_died)
        for view, bridge in zip(views, bridges, strict=True)
    ]
    process = CollectorRegistry()
    ProcessCollector(registry=process)
    GCCollector(registry=process)
    collector = Collector(views)
    app = application(
        views,
        lambda: render(collector, process),
        not_ready=lambda: [
            f"{view.name}: its link was not tried yet" for view in views if not view.link.attempts
        ],
        places=_places(where),
    )
    await service.serve(app, watches, taken)


def _view(bot: BotConfig, breach: Breach | None) -> BotView:
    return BotView(
        bot.name,
        now=time.time(),
        kind=bot.kind,
        tier=bot.tier,
        expected_interval=bot.expected_interval,
        stale_after=bot.stale_after,
        schedule=bot.schedule,
        breach=breach,
    )


def _places(where: Addresses) -> list[Place]:
    """Where the page's links lead."""
    return [
        Place("Live", f"{where.grafana_public}/d/tradebot-live"),
        Place("System", f"{where.grafana_public}/d/tradebot-system"),
        Place("Prometheus", where.prometheus_public),
        Place("Metrics", "/metrics"),
    ]


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": run,
    "check-config": check_config,
    "doctor": examine,
}


if __name__ == "__main__":
    sys.exit(main())
