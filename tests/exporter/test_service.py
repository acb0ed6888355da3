"""A bot's watch is never silently gone, and a port is ours or the reason is said."""

import asyncio
import logging
import socket
import subprocess
import sys

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from exporter import service
from exporter.config import Listen
from exporter.service import StartError, Watch, keep_running, listening
from tests.exporter.program import LONGEST, ROOT


async def test_a_bridge_that_dies_is_counted_logged_and_started_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runs: list[int] = []
    deaths: list[int] = []
    third_run = asyncio.Event()

    async def run() -> None:
        runs.append(len(runs))
        if len(runs) == 1:
            raise RuntimeError("nobody foresaw this")
        if len(runs) == 3:
            third_run.set()
            await asyncio.Event().wait()

    watching = asyncio.create_task(
        keep_running(Watch("the bridge of arb", run, lambda: deaths.append(len(runs))), pause=0)
    )
    async with asyncio.timeout(10):
        await third_run.wait()
    assert deaths == [1, 2]
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
        "the bridge of arb died; starting it anew",
        "the bridge of arb ended by itself; starting it anew",
    ]
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert deaths == [1, 2]


HANGING = """
import asyncio, sys, time
from exporter import service
from exporter.config import Listen

async def hang():
    await asyncio.to_thread(lambda: (print("hanging", flush=True), time.sleep(600)))

watch = service.Watch("what hangs", hang, lambda: None)
with service.bound(Listen(host="127.0.0.1", port=int(sys.argv[1]))) as taken:
    taken.listen()
    asyncio.run(service.serve(lambda scope, receive, send: None, [watch], taken))
"""


def test_a_thread_that_hangs_on_a_dead_disk_does_not_keep_the_program_from_ending() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with subprocess.Popen(
        [sys.executable, "-c", HANGING, port], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "hanging\n"
        program.terminate()
        assert program.wait(timeout=LONGEST) == 0


def test_a_taken_port_is_one_sentence_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartError) as caught:
            listening(Listen(host="127.0.0.1", port=port))
    text = str(caught.value)
    assert text == (
        f"cannot listen on 127.0.0.1:{port}: Address already in use; "
        "stop what uses it, or choose another with --listen HOST:PORT."
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_machine_is_refused_in_one_sentence(host: str) -> None:
    with pytest.raises(StartError, match=rf"{host}:9121"):
        listening(Listen(host=host, port=9121))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_both_kinds_of_loopback_can_be_listened_on(host: str) -> None:
    if host == "::1" and not _has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with listening(Listen(host=host, port=port)) as taken, socket.create_connection((host, port), timeout=5):
        assert taken.getsockname()[1] == port


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


async def test_a_connection_on_which_no_whole_request_comes_is_closed_and_a_slow_answer_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "HEAD_SECONDS", 0.1)
    servers: list[uvicorn.Server] = []
    kept = service._Server.__init__
    monkeypatch.setattr(
        service._Server, "__init__", lambda made, config: servers.append(made) or kept(made, config)
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.5)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"at last"})

    taken = socket.create_server(("127.0.0.1", 0))
    host, port = taken.getsockname()
    serving = asyncio.create_task(service.serve(app, [Watch("nothing", asyncio.Event().wait, list)], taken))
    try:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"POST /api/kill HTTP/1.1\r\nHost: x\r\nX-A")
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(10):
            assert (await reader.read()).endswith(b"at last\r\n0\r\n\r\n")
        writer.close()
    finally:
        servers[0].should_exit = True
        await serving
