"""The exporter as a process of its own, on a port of its own."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
LONGEST = 30  # seconds that any wait here may take before it is a failure


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings(folder: Path, bot_port: int, more: str = "", of_bot: str = "") -> Path:
    """A settings file with one bot; `more` stands before it, `of_bot` beside its port."""
    path = folder / "exporter.yml"
    path.write_text(f"{more}bots: [{{name: arb, kind: arb, port: {bot_port}{of_bot}}}]\n")
    return path


async def start(*arguments: object, **environ: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "exporter",
        *map(str, arguments),
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def outcome(program: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    """Exit code, standard output and standard error of a program that ends by itself."""
    async with asyncio.timeout(LONGEST):
        out, error = await program.communicate()
    return program.returncode, out.decode(), error.decode()


class Exporter:
    """A running exporter and its address."""

    def __init__(self, program: asyncio.subprocess.Process, port: int) -> None:
        self.program = program
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.get(self.url + path)

    async def until(self, path: str, words: str) -> str:
        """The first answer that has these words in it."""
        async with asyncio.timeout(LONGEST):
            while True:
                try:
                    text = (await self.get(path)).text
                except httpx.TransportError:
                    text = ""
                if words in text:
                    return text
                await asyncio.sleep(0.02)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int | None, str]:
        """Exit code and log after a signal."""
        self.program.send_signal(number)
        code, _, log = await outcome(self.program)
        return code, log


@asynccontextmanager
async def exporter(
    folder: Path, bot_port: int, more: str = "", of_bot: str = "", **environ: str
) -> AsyncIterator[Exporter]:
    """An exporter that is ready, with its settings and its data in `folder`."""
    port = free_port()
    path = settings(folder, bot_port, more, of_bot)
    program = await start("--config", path, "--listen", f"127.0.0.1:{port}", **environ)
    running = Exporter(program, port)
    try:
        await running.until("/-/ready", "ready\n")
        yield running
    finally:
        if program.returncode is None:
            program.kill()
            await program.communicate()
