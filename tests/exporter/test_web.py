"""What answers over HTTP: metrics, probes, the page and its files; GET only, and nothing foreign."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from exporter.web import HEADERS, STATIC_TYPES, application
from tests.doubles.bots import OwnBot
from tests.exporter.api.office import Office

NOW = 1_795_212_245.0


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path, {"arb": OwnBot()}, now=NOW)
    async with made.client:
        yield made


async def test_metrics_are_passed_on_with_their_own_content_type(desk: Office) -> None:
    answer = await desk.client.get("/metrics")
    assert answer.content == b"tradebot_connected 0\n"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_the_process_is_healthy_whatever_its_bots_are(desk: Office) -> None:
    desk.missing = ["arb: its link was not tried yet"]
    answer = await desk.client.get("/-/healthy")
    assert (answer.status_code, answer.text) == (200, "healthy\n")


async def test_ready_says_what_is_missing(desk: Office) -> None:
    desk.missing = ["arb: its link was not tried yet"]
    answer = await desk.client.get("/-/ready")
    assert (answer.status_code, answer.text) == (503, "not ready\narb: its link was not tried yet\n")
    desk.missing = []
    assert (await desk.client.get("/-/ready")).status_code == 200


async def test_the_page_shows_the_bot_as_of_now(desk: Office) -> None:
    desk.console.bots["arb"].view.disconnected(NOW - 30, "connection refused")
    answer = await desk.client.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "as of <time>22:04:05 UTC</time>" in answer.text
    assert "<h2>arb DISCONNECTED</h2>" in answer.text


async def test_bot_text_reaches_the_page_escaped(desk: Office) -> None:
    desk.console.bots["arb"].view.connected(NOW - 20)
    desk.console.bots["arb"].view.received(
        {"type": "goodbye", "reason": "<img src=x onerror=alert(1)>"}, NOW - 10
    )
    desk.console.bots["arb"].view.disconnected(NOW - 9, "closed")
    page = (await desk.client.get("/")).text
    assert "<img" not in page
    assert "&lt;img" in page


@pytest.mark.parametrize("name", STATIC_TYPES)
async def test_the_pages_files_are_served_by_the_exporter_itself(desk: Office, name: str) -> None:
    answer = await desk.client.get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(STATIC_TYPES[name])
    pages = [(await desk.client.get(path)).text for path in ("/", "/wall", "/runbooks")]
    assert any(f"/static/{name}" in page for page in pages)


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/ready", "/static/page.css", "/nothing"])
async def test_every_answer_forbids_storing_framing_and_foreign_content(desk: Office, path: str) -> None:
    answer = await desk.client.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "server" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready", "/static/page.css"])
async def test_only_get_is_allowed(desk: Office, method: str, path: str) -> None:
    answer = await desk.client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/metrics/",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/static/",
        "/static/__init__.py",
        "/static/..%2fconfig.py",
    ],
)
async def test_what_is_not_there_is_404_in_one_line(desk: Office, path: str) -> None:
    answer = await desk.client.get(path)
    assert (answer.status_code, answer.text) == (404, "404 Not Found\n")


@pytest.mark.parametrize(
    "path",
    [
        "//metrics",
        "/..",
        "/../metrics",
        "/static/../metrics",
        "/./metrics",
        "/static/..\\metrics",
        "/-/../metrics/..",
    ],
)
async def test_odd_paths_are_not_found_even_where_they_would_lead_somewhere(desk: Office, path: str) -> None:
    assert await raw_status(desk, path) == 404


async def test_an_error_nobody_foresaw_is_answered_without_its_details_and_never_stored() -> None:
    def broken() -> tuple[bytes, str]:
        raise RuntimeError("a detail")

    app = application(broken, not_ready=list)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://exporter") as client:
        answer = await client.get("/metrics")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert answer.headers["cache-control"] == "no-store"


async def raw_status(desk: Office, path: str) -> int:
    """The status for a path as written; a client would resolve its dots first."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
    await desk.app(scope | {"headers": [], "http_version": "1.1", "scheme": "http"}, receive, send)
    return int(sent[0]["status"])


async def test_a_bot_that_cannot_be_read_is_blind_and_hides_no_other(tmp_path: Path, caplog: Any) -> None:
    desk = Office(tmp_path, {"arb": OwnBot(), "broken": OwnBot()}, now=NOW)
    desk.console.bots["arb"].view.disconnected(NOW - 30, "connection refused")
    desk.console.bots["broken"].view.link = None  # type: ignore[assignment]
    async with desk.client:
        answers = [await desk.client.get("/") for _ in range(3)]
    for answer in answers:
        assert answer.status_code == 200
        assert "<h2>broken BLIND: NOT READABLE, SEE THE LOG</h2>" in answer.text
        assert "<h2>arb DISCONNECTED</h2>" in answer.text
    assert [record.message for record in caplog.records] == [
        "bot broken cannot be shown; the page goes on without it"
    ]
