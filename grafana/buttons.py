"""Buttons: what they send to the exporter, what is asked of the person before, how they look.

Grafana lets its Admins alone post to the data source, and the exporter those in `grafana_users` alone. What a
person types goes into the query, where nothing can break it; a blank input arrives as its own name and counts
as nothing. A button is never a filled field: it would train eyes to ignore the colour of an alarm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.models import dashboard

from grafana import palette
from grafana.sql.statement import Statement
from grafana.targets import LEDGER, LedgerQuery

BOT_API = "/api/datasources/proxy/uid/bot-admin/api/bots/$bot"
"""The chosen bot's calls, through the one data source to which actions may post."""
GRAFANA = "12.3.3"
"""The version that Compose runs: a canvas is migrated, and loses its actions, where an older one is said."""

INPUTS = {
    "why": "Why (kept in the audit trail)",
    "code": "Code on the panel; blank the first time",
    "newValue": "New value",
    "symbol": "Symbol of the row, typed",
    "minutes": "Minutes, 1 to 240; 0 ends it",
}
"""What a person may be asked for, by the name of the input."""


@dataclass(frozen=True, slots=True)
class Press:
    """What a button does: asks for inputs, wants a confirmation, posts them to a path of the bot.

    `query` maps each parameter to an input (`$why`) or a field of the row (`${__data.fields.parameter}`).
    """

    title: str
    path: str
    confirmation: str
    query: Mapping[str, str] = field(default_factory=dict)

    def action(self, *, one_click: bool = False) -> dict[str, object]:
        """As a panel writes it."""
        asked = [value[1:] for value in self.query.values() if value[1:] in INPUTS]
        made: dict[str, object] = {
            "type": "fetch",
            "title": self.title,
            "confirmation": self.confirmation,
            "variables": [{"key": name, "name": INPUTS[name], "type": "string"} for name in asked],
            "fetch": {
                "method": "POST",
                "url": f"{BOT_API}{self.path}",
                "body": "{}",
                "headers": [["Content-Type", "application/json"]],
                "queryParams": [[name, value] for name, value in self.query.items()],
            },
        }
        return made | {"oneClick": True} if one_click else made


@dataclass(frozen=True, slots=True)
class Button:
    """A button on a canvas: its words, and where it is in percent of the panel."""

    words: str
    press: Press
    left: int
    width: int
    size: int = 16
    colour: str = palette.LINE
    top: int = 6
    height: int = 88
    named_by: str | None = None
    """The column of the panel's statement that has what stands on it instead of `words`."""


def canvas(
    title: str, description: str, statement: Statement, buttons: Sequence[Button]
) -> dashboard_builders.Panel:
    """Outlined buttons side by side; `statement` is asked so that a dead page is seen."""
    root = {
        "type": "frame",
        "name": "buttons",
        "background": {"color": {"fixed": "transparent"}},
        "border": {"color": {"fixed": "transparent"}},
        "constraint": {"horizontal": "left", "vertical": "top"},
        "placement": {"top": 0, "left": 0, "width": 100, "height": 100, "rotation": 0},
        "elements": [_element(button) for button in buttons],
    }
    return (
        dashboard_builders.Panel()
        .type("canvas")
        .title(title)
        .description(description)
        .datasource(LEDGER)
        .plugin_version(GRAFANA)
        .unit("string")
        .no_value("BLIND")
        .targets([LedgerQuery(statement)])
        .options(
            {
                "inlineEditing": False,
                "showAdvancedTypes": True,
                "panZoom": False,
                "zoomToContent": False,
                "tooltip": {"mode": "none", "disableForOneClick": True},
                "root": root,
            }
        )
    )


def _element(button: Button) -> dict[str, object]:
    return {
        "type": "rectangle",
        "name": button.press.title,
        "constraint": {"horizontal": "scale", "vertical": "scale"},
        "placement": {
            "left": button.left,
            "right": 100 - button.left - button.width,
            "top": button.top,
            "bottom": 100 - button.top - button.height,
            "rotation": 0,
        },
        "background": {"color": {"fixed": "transparent"}},
        "border": {"color": {"fixed": button.colour}, "width": 2, "radius": 6},
        "config": {
            "text": _words(button),
            "align": "center",
            "valign": "middle",
            "size": button.size,
            "color": {"fixed": button.colour},
        },
        "actions": [button.press.action(one_click=True)],
    }


def _words(button: Button) -> dict[str, object]:
    if button.named_by is None:
        return {"mode": "fixed", "fixed": button.words}
    return {"mode": "field", "field": button.named_by, "fixed": button.words}


def column(press: Press, *, width: int) -> list[dashboard.DynamicConfigValue]:
    """What makes a column of a table a button; empty for whom Grafana lets not post."""
    made: Mapping[str, object] = {
        "custom.cellOptions": {"type": "actions"},
        "custom.width": width,
        "displayName": " ",
        "actions": [press.action()],
    }
    return [dashboard.DynamicConfigValue(name, value) for name, value in made.items()]
