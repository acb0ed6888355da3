"""Logs: one line an event, in plain text, that nobody's words can forge."""

import io
import logging
import re
import sys

from exporter import logs


def line_of(text: str, *arguments: object, fault: bool = False) -> str:
    record = logging.LogRecord(
        "exporter.bridge", logging.WARNING, "", 0, text, arguments, sys.exc_info() if fault else None
    )
    record.created = 1_795_212_245.25
    return logs.OneLine().format(record)


def test_a_line_says_when_how_bad_where_and_what() -> None:
    assert line_of("bot %s: gone", "arb") == "2026-11-20T22:04:05.250Z warning bridge bot arb: gone"


def test_a_traceback_stays_on_the_line_of_its_event() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        line = line_of("it broke", fault=True)
    assert "\n" not in line
    assert re.search(r"it broke \| Traceback .* \| ValueError: two \| lines$", line)


def test_text_from_outside_can_neither_forge_a_line_nor_steer_a_terminal() -> None:
    line = line_of("bot says %s", "ok\n2026 info root: all is well\r\x1b[2J")
    assert line.endswith(r"bot says ok | 2026 info root: all is well | \x1b[2J")


def test_the_exporters_own_events_show_and_others_only_from_warnings_on() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        logs.set_up(stream)
        logging.getLogger("exporter.service").info("started")
        logging.getLogger("uvicorn.error").info("noise")
        logging.getLogger("uvicorn.error").warning("trouble")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        logging.getLogger("exporter").setLevel(logging.NOTSET)
    assert [line.split(" ", 1)[1] for line in stream.getvalue().splitlines()] == [
        "info service started",
        "warning uvicorn.error trouble",
    ]
