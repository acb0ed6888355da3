"""Writes a scrape as Prometheus' text format 0.0.4.

The same bytes that prometheus_client would write but for the order of labels, at a fraction of its cost: what
stands before the value of a series changes seldom and is remembered.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from exporter.collector import Collector, Family

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4

_REMEMBERED_SERIES: Final = 65_536
_NOT_FINITE: Final = {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}


def render(collector: Collector, process: CollectorRegistry | None = None) -> tuple[bytes, str]:
    """The body and the content type of /metrics; `process` holds collectors of the process itself."""
    parts: list[str] = []
    for family in collector.families():
        _write(family, parts)
    body = "".join(parts).encode("utf-8")
    return (body if process is None else body + generate_latest(process)), CONTENT_TYPE


def _write(family: Family, parts: list[str]) -> None:
    parts.append(_head(family.name, family.kind, family.help))
    for name, labels, values, value in family.samples():
        number = repr(value)
        parts.append(f"{_series(name, labels, values)} {_NOT_FINITE.get(number, number)}\n")


@lru_cache(maxsize=1024)
def _head(name: str, kind: str, text: str) -> str:
    escaped = text.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {escaped}\n# TYPE {name} {kind}\n"


@lru_cache(maxsize=_REMEMBERED_SERIES)
def _series(name: str, labels: tuple[str, ...], values: tuple[str, ...]) -> str:
    """A series without its value, as `name{bot="arb",venue="kalshi"}`."""
    if not labels:
        return name
    pairs = ",".join(f'{label}="{_escaped(value)}"' for label, value in zip(labels, values, strict=True))
    return f"{name}{{{pairs}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
