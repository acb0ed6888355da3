"""The page in a real browser: it keeps itself fresh, and does not look live once nothing newer comes."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.doubles.bots import OwnBot
from tests.exporter.api.office import Office

CHROMIUM = shutil.which("chromium")
NOW = 1_795_212_245.0  # 22:04:05 UTC
LONGEST = 60  # seconds that the browser may take before it is a failure

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@asynccontextmanager
async def page_server(folder: Path, pages: int) -> AsyncIterator[str]:
    """The application on loopback, a second later at each page; after so many pages it answers 503.

    Of the stream nothing comes: the page has to go on without it.
    """
    served = 0
    office = Office(folder, {"arb": OwnBot()}, now=NOW)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        path = (await reader.readline()).split()[1:2]
        while (await reader.readline()).strip():
            pass
        if path == [b"/events/stream"]:
            writer.close()
            return
        answer = await client.get((path or [b"/"])[0].decode())
        served += path == [b"/"]
        office.now = NOW + served
        status = 503 if path == [b"/"] and served > pages else answer.status_code
        head = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        writer.write(f"HTTP/1.1 {status} X\r\nconnection: close\r\n{head}\r\n".encode() + answer.content)
        await writer.drain()
        writer.close()

    async with office.client as client:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def seen_after(url: str, seconds: int, profile: Path) -> str:
    """The document after so many seconds of the browser's own time."""
    assert CHROMIUM is not None
    browser = await asyncio.create_subprocess_exec(
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={profile}",
        f"--virtual-time-budget={seconds * 1000}",
        "--dump-dom",
        url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(LONGEST):
            out, _ = await browser.communicate()
    finally:
        if browser.returncode is None:
            browser.kill()
            await browser.wait()
    return out.decode()


async def test_the_page_replaces_itself_while_newer_ones_come(tmp_path: Path) -> None:
    async with page_server(tmp_path, pages=1000) as url:
        document = await seen_after(url, 9, tmp_path / "profile")
    shown = re.search(r"as of <time>22:04:(\d\d) UTC", document)
    assert shown is not None
    assert int(shown[1]) > 5
    assert 'class="stopped"' not in document
    assert "FROZEN ·" not in document


async def test_a_page_that_stopped_says_so_within_fifteen_seconds(tmp_path: Path) -> None:
    async with page_server(tmp_path, pages=1) as url:
        document = await seen_after(url, 20, tmp_path / "profile")
    assert "as of <time>22:04:05 UTC" in document
    assert 'id="live" class="stopped"' in document
    assert "<title>FROZEN · " in document
    assert re.search(r'<span class="age">1[5-9] s old|<span class="age">2\d s old', document)
