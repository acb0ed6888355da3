"""Runs the whole console on a machine without Docker: `make run`. One Ctrl-C stops everything.

The bot and the exporter always; Prometheus, Alertmanager and Grafana where they are installed. Ports are
variables, data is kept under ./data, everything listens on loopback. What stands in a `.env` counts where the
environment says nothing.
"""

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from honcho.manager import Manager

from deploy.env_file import read_variables
from deploy.local_stack import ROOT, LocalStack, LocalStackError, Ports
from deploy.programs import find_programs

STOPPED_BY_SIGNAL = {128 + 2, 128 + 15}


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, write, start, and wait for the end. 0 when stopped by a signal, 2 when it cannot start."""
    parser = argparse.ArgumentParser(description="Run the whole console on a machine without Docker.")
    parser.add_argument("--env-file", type=Path, metavar="FILE", help="more variables, if it is there")
    parser.add_argument("--secrets", type=Path, metavar="FOLDER", help="secret files of those who are told")
    parser.add_argument("--doctor", action="store_true", help="ask the doctor about a run, and end")
    options = parser.parse_args(arguments)
    environ = dict(os.environ)
    programs = find_programs(environ)
    try:
        if options.env_file is not None and options.env_file.exists():
            environ = {**read_variables(options.env_file.read_text()), **environ}
        data = Path(environ.get("DATA_DIR") or ROOT / "data").resolve()
        stack = LocalStack(programs, Ports.from_environ(environ), data, environ, options.secrets)
        if options.doctor:
            return ask_doctor(stack, environ)
        stack.check_ports()
        stack.write_files()
    except (LocalStackError, OSError, ValueError) as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 2
    for sentence in stack.missing():
        print(sentence, flush=True)
    return supervise(stack, environ)


def ask_doctor(stack: LocalStack, environ: dict[str, str]) -> int:
    """The doctor's report on what runs here, with the addresses that it was given; its exit status."""
    command = (sys.executable, "-m", "exporter", "--config", str(stack.data / "exporter.yml"), "doctor")
    return subprocess.call(command, env={**environ, **stack.addresses}, cwd=ROOT)  # noqa: S603 - our own


def supervise(stack: LocalStack, environ: dict[str, str]) -> int:
    """Start every program, greet once they answer, stop them all when one cannot go on or a signal comes."""
    manager = Manager()
    keeper = (sys.executable, "-m", "deploy.keep_running")
    for command in stack.commands():
        line = "exec " + shlex.join((*keeper, *command.arguments))
        program_environ = {**environ, "PYTHONUNBUFFERED": "1", **command.environ}
        manager.add_process(command.name, line, env=program_environ, cwd=str(ROOT))
    secrets = ("--secrets", str(stack.data / "secrets"))
    greeting = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "deploy.welcome", *secrets, "--alertmanager", str(stack.receivers)],
        env={**environ, **stack.addresses},
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        manager.loop()
    finally:
        greeting.terminate()
        greeting.wait()
    return 0 if manager.returncode in STOPPED_BY_SIGNAL else int(manager.returncode or 0)


if __name__ == "__main__":
    sys.exit(main())
