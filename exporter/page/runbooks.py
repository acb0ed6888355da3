"""The runbooks as pages that open on a phone: one for each alert, and the list of them.

Pure but for `read`, which is called once at the start. They hold no secrets and need no login.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Final

from exporter.page.markdown import render as render_markdown
from exporter.page.text import shown

log = logging.getLogger(__name__)

FOLDERS: Final = (
    Path(__file__).parents[1] / "runbooks",  # of a wheel and of the image
    Path(__file__).parents[2] / "prometheus" / "runbooks",  # of a checkout
)
PAGES: Final = ("Live", "System", "Analytics", "Config")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,79}")
_WEB: Final = re.compile(r"https?://[^\s\"'<>]+")


def read(folders: Iterable[Path] = FOLDERS) -> dict[str, str]:
    """The runbooks by alert, from the first folder that is there."""
    for folder in folders:
        try:
            found = {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.md"))}
        except (OSError, UnicodeDecodeError) as error:
            log.warning("the runbooks in %s cannot be read: %s", folder, error)
            continue
        if found:
            return {name: text for name, text in found.items() if _NAME.fullmatch(name)}
    log.warning("there are no runbooks in %s", " or ".join(map(str, folders)))
    return {}


def page(name: str, runbooks: Mapping[str, str], grafana: str) -> str:
    """One runbook; `grafana` is where a person's browser finds it."""

    def link(kind: str, what: str) -> str | None:
        if kind == "bold":
            return f"{grafana}/d/tradebot-{what.lower()}" if what in PAGES else None
        alert = what.removesuffix(".md")
        if alert in runbooks:
            return f"/runbooks/{alert}" if alert != name else None
        if kind == "link" and _WEB.fullmatch(what):
            return what
        return f"{grafana}{what}" if kind == "link" and what.startswith("/d/") else None

    return _document(shown(name), f"<article>{render_markdown(runbooks[name], link)}</article>")


def listed(runbooks: Mapping[str, str], missing: str = "") -> str:
    """The list of all; `missing` is what was asked for and is not there."""
    links = "".join(f'<li><a href="/runbooks/{escape(name)}">{escape(name)}</a></li>' for name in runbooks)
    no_such = f"<p>There is no runbook of {shown(missing)}. There are these:</p>" if missing else ""
    none = "" if runbooks else "<p>None was found beside this program.</p>"
    return _document("Runbooks", f"<article><h1>Runbooks</h1>{no_such}{none}<ul>{links}</ul></article>")


def _document(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/page.css">
<link rel="stylesheet" href="/static/runbook.css">
</head>
<body class="runbook">
<nav><a href="/">Operator page</a> <a href="/runbooks">All runbooks</a></nav>
{body}
</body>
</html>
"""
