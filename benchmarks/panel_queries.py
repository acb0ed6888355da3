"""Every SQL statement of the committed dashboards, as the data source would run it. Pure.

Panels (also those in collapsed rows), annotations and variables are walked; a statement that names a toggle
comes once for each of its options. What a statement uses and this module does not know is an error, so that
no query is measured that Grafana would have run in another way.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

SQLITE: Final = "frser-sqlite-datasource"
DASHBOARDS: Final = Path(__file__).parents[1] / "grafana" / "dashboards"

_Json = dict[str, Any]
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(?!__)(\w+)")
_GROUP_SECONDS: Final = re.compile(r"\$__unixEpochGroupSeconds\(([^,)]*),([^,)]*)\)")


class UnknownVariable(ValueError):  # noqa: N818 - named for what was met
    """A statement uses a variable that its dashboard does not declare, or in an unknown form."""


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """A statement and where it stands; `range_free` when the page's time range makes no difference."""

    page: str
    panel: str
    sql: str

    @property
    def name(self) -> str:
        """As a table names it."""
        return f"{self.page} · {self.panel}"

    @property
    def range_free(self) -> bool:
        """Whether it costs the same for every range."""
        return "$__from" not in self.sql and "$__to" not in self.sql

    def between(self, begin: float, end: float) -> str:
        """The SQL for a time range in epoch seconds."""
        replaced = self.sql.replace("$__from", str(int(begin * 1000))).replace("$__to", str(int(end * 1000)))
        if "$__" in replaced:
            raise UnknownVariable(f"{self.name}: an unknown macro in {replaced}")
        return replaced


def panel_queries(bot: str, folder: Path = DASHBOARDS) -> list[PanelQuery]:
    """All statements of all dashboards in a folder, for one bot."""
    dashboards = (json.loads(path.read_text()) for path in sorted(folder.glob("*.json")))
    return [query for dashboard in dashboards for query in _of(dashboard, bot)]


def _of(dashboard: _Json, bot: str) -> Iterator[PanelQuery]:
    choices = _choices(dashboard, bot)
    for name, text in _statements(dashboard):
        for sql, chosen in _filled(text, choices, name):
            yield PanelQuery(str(dashboard["title"]), f"{name}{chosen}", sql)


def _statements(dashboard: _Json) -> Iterator[tuple[str, str]]:
    for panel in _panels(dashboard.get("panels", ())):
        sources = [target for target in panel.get("targets", ()) if _is_sqlite(target, panel)]
        for target in sources:
            mark = f" {target['refId']}" if len(sources) > 1 else ""
            yield f"{_called(panel)}{mark}", str(target["queryText"])
    for annotation in dashboard.get("annotations", {}).get("list", ()):
        if _is_sqlite(annotation, {}):
            yield f"annotation {annotation['name']}", str(annotation["target"]["queryText"])
    for variable in dashboard.get("templating", {}).get("list", ()):
        if _is_sqlite(variable, {}):
            asked = variable["query"]
            yield f"variable {variable['name']}", str(asked if isinstance(asked, str) else asked["queryText"])


def _called(panel: _Json) -> str:
    """The title up to what it says of units and zones; a tile without one by its place in the page."""
    return str(panel.get("title") or f"{panel['type']} {panel['id']}").split(" · ", maxsplit=1)[0]


def _panels(panels: Sequence[_Json]) -> Iterator[_Json]:
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels") or ())


def _is_sqlite(part: _Json, default: _Json) -> bool:
    source = part.get("datasource") or default.get("datasource") or {}
    return bool(source.get("type") == SQLITE)


def _choices(dashboard: _Json, bot: str) -> dict[str, list[str]]:
    """What each variable may stand for: the bot, each option of a toggle, the choice of all."""
    found: dict[str, list[str]] = {}
    for variable in dashboard.get("templating", {}).get("list", ()):
        name = str(variable["name"])
        if name == "bot":
            found[name] = [bot]
        elif variable["type"] in ("custom", "interval"):
            found[name] = [part.split(" : ")[-1].strip() for part in str(variable["query"]).split(",")]
        elif variable.get("allValue"):
            found[name] = [f"all:{variable['allValue']}"]
        elif variable["type"] == "textbox":
            found[name] = [str(variable.get("query") or "")]
    return found


def _filled(text: str, choices: Mapping[str, Sequence[str]], where: str) -> Iterator[tuple[str, str]]:
    """The statement for each combination of what its variables may be, and a word for the combination."""
    text = _GROUP_SECONDS.sub(r"(CAST((\1) / (\2) AS INTEGER) * (\2))", text)
    used = list(dict.fromkeys(m[1] or m[3] for m in _VARIABLE.finditer(text) if not _is_macro(m)))
    if missing := [name for name in used if name not in choices]:
        raise UnknownVariable(f"{where}: nothing known of {', '.join(missing)}")
    for values in itertools.product(*(choices[name] for name in used)):
        chosen = dict(zip(used, values, strict=True))
        sql = _VARIABLE.sub(partial(_written, chosen), text)
        told = [value for name, value in chosen.items() if len(choices[name]) > 1]
        yield sql, f" ({', '.join(told)})" if told else ""


def _is_macro(match: re.Match[str]) -> bool:
    return (match[1] or match[3]).startswith("__")


def _written(chosen: Mapping[str, str], match: re.Match[str]) -> str:
    if _is_macro(match):
        return match[0]
    value, form = chosen[match[1] or match[3]], match[2]
    if value.startswith("all:"):
        return value.removeprefix("all:")  # as Grafana puts it: without quotes, whatever the form
    if form == "sqlstring":
        return "'" + value.replace("'", "''") + "'"
    if form in (None, "raw"):
        return value
    raise UnknownVariable(f"{match[0]}: this form is not known here")
