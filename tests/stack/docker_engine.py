"""A Docker engine of the tests' own, so that stand-in images never meet the images of a real one.

Errors: `NoEngineError`, for which the caller skips; the message says what is missing.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NEEDED = ("docker", "dockerd", "containerd", "debootstrap", "iptables")


class NoEngineError(Exception):
    """No engine can run here."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine: what its clients need in their environment."""

    environ: Mapping[str, str]

    def docker(self, *arguments: str, **options: object) -> str:
        """Run the docker client; its standard output. Raises CalledProcessError with what it said."""
        done = subprocess.run(
            ["docker", *arguments], env=self.environ, text=True, capture_output=True, check=False, **options
        )
        if done.returncode:
            raise RuntimeError(f"docker {' '.join(arguments)}: {done.stdout[-4000:]}{done.stderr[-4000:]}")
        return done.stdout

    def has_image(self, name: str) -> bool:
        """Whether the engine holds an image of this name."""
        return bool(self.docker("images", "--quiet", name).strip())


def check_possible() -> None:
    """Raise NoEngineError where an engine of our own cannot start."""
    if os.geteuid() != 0:
        raise NoEngineError("an engine of the tests' own needs root")
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        raise NoEngineError(f"not installed: {', '.join(missing)}")
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        raise NoEngineError("the docker client has no compose plugin")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0:
        raise NoEngineError("an engine runs here already, and two would fight over its firewall rules")


@contextmanager
def own_engine(data: Path) -> Iterator[Engine]:
    """Start `dockerd` on a socket of its own with its images under `data`, and stop it afterwards."""
    check_possible()
    data.mkdir(parents=True, exist_ok=True)
    # A socket's path is limited to about 100 characters, so it does not live in the checkout.
    with tempfile.TemporaryDirectory(prefix="tradebot-docker-") as folder:
        socket = f"unix://{folder}/docker.sock"
        command = ["dockerd", "--host", socket, "--data-root", str(data), "--exec-root", f"{folder}/exec"]
        log = Path(folder, "dockerd.log")
        with log.open("wb") as output:
            daemon = subprocess.Popen(
                [*command, "--pidfile", f"{folder}/dockerd.pid"], stdout=output, stderr=subprocess.STDOUT
            )
        engine = Engine({**os.environ, "DOCKER_HOST": socket})
        try:
            _wait_until_it_answers(engine, daemon, log)
            _clear(engine)
            yield engine
            _clear(engine)
        finally:
            daemon.terminate()
            daemon.wait(60)
            # Containers on the host's network leave their namespace mounted here.
            for mounted in Path(folder, "exec", "netns").glob("*"):
                subprocess.run(["umount", mounted], capture_output=True, check=False)


def _clear(engine: Engine) -> None:
    """Remove what runs left behind, also one that was cut short: containers, volumes, nameless images."""
    if left := engine.docker("ps", "--all", "--quiet").split():
        engine.docker("rm", "--force", "--volumes", *left)
    for kind in ("volume", "image"):
        engine.docker(kind, "prune", "--force")


def _wait_until_it_answers(engine: Engine, daemon: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and daemon.poll() is None:
        if (
            subprocess.run(
                ["docker", "info"], env=engine.environ, capture_output=True, check=False
            ).returncode
            == 0
        ):
            return
        time.sleep(0.2)
    last = log.read_text(errors="replace").strip().splitlines()[-1:]
    raise NoEngineError(f"dockerd does not start here: {' '.join(last)}")
