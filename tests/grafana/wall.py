"""Reads a stat of a page as people do, from the answers to its queries: what it says, in which colour."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from grafana.__main__ import DASHBOARDS
from tests.grafana import situations

Series = tuple[dict[str, str], float]
Ask = Callable[[str], Sequence[Series]]
Prometheus = Callable[[str, str, float], list[Series]]
"""Answers an expression for a bot at a time."""


@dataclass(frozen=True)
class Said:
    """One field of a stat: its name, its value in words or as a number, its colour."""

    name: str
    text: str
    colour: str

    def __str__(self) -> str:
        return f"{self.name} | {self.text}"


def read(panel: dict[str, Any], ask: Ask) -> list[Said]:
    """What the panel shows; what stands there without any answer, if none came."""
    said = []
    for target in panel["targets"]:
        look = _overrides(panel, target["refId"])
        for labels, value in ask(target["expr"]):
            name = re.sub(
                r"{{(\w+)}}", lambda found, own=labels: own.get(found[1], ""), target["legendFormat"]
            )
            colour = look.get("color", {}).get("fixedColor", "")
            text, colour = _words(look.get("mappings", []), value, colour)
            said.append(Said(name.strip(), text, colour))
    if not said:
        (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]
        result = mapping["options"]["result"]
        said.append(Said("", result["text"], result["color"]))
    return said


def _words(mappings: list[dict[str, Any]], value: float, colour: str) -> tuple[str, str]:
    for mapping in mappings:
        if mapping["type"] == "value" and f"{value:g}" in mapping["options"]:
            result = mapping["options"][f"{value:g}"]
        elif mapping["type"] == "range":
            result = mapping["options"]["result"]
        else:
            continue
        return result["text"], result["color"]
    return f"{value:.4g}", colour


def _overrides(panel: dict[str, Any], ref_id: str) -> dict[str, Any]:
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"] == {"id": "byFrameRefID", "options": ref_id}:
            return {entry["id"]: entry.get("value") for entry in override["properties"]}
    return {}


def panel(page: str, begins: str) -> dict[str, Any]:
    """The stat whose description begins so; one under a collapsed row where there is none above."""
    content = json.loads((DASHBOARDS / f"{page}.json").read_text())
    below = [one for row in content["panels"] for one in row.get("panels", [])]
    above, others = (
        [one for one in places if one.get("description", "").startswith(begins)]
        for places in (content["panels"], below)
    )
    (found,) = above or others
    return dict(found)


def look(ask: Prometheus, page: str, begins: str, bot: str, at: float = situations.END) -> list[Said]:
    """What a stat of a page says of a bot at a time."""
    return read(panel(page, begins), lambda expression: ask(expression, bot, at))
