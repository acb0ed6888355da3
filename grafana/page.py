"""A page: panels placed on the grid of 24 columns, what all pages share, and its JSON as bytes."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from grafana import palette, queries
from grafana.sql import marks
from grafana.sql.statement import Statement
from grafana.targets import (
    DATA_SOURCE,
    DATA_SOURCE_VARIABLE,
    LEDGER,
    LEDGER_TYPE,
    LEDGER_VARIABLE,
    LedgerQuery,
    history,
)

TAG = "trading-bot"

Panel = Builder[models.Panel]


@dataclass(frozen=True, slots=True)
class Place:
    """A panel and where it stands: columns from the left, rows from the top, width, height."""

    panel: Panel
    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class Below:
    """A collapsed row under the page: its panels are not drawn and do not query until somebody opens it."""

    title: str
    places: Sequence[Place]


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose above the page: `$name` is one of a few words, or any of what a statement answers.

    `all_of_them` is what `$name` becomes when all are chosen, those that appear later too.
    """

    name: str
    label: str
    values: Statement | tuple[str, ...]
    all_of_them: str | None = None


def page(
    uid: str, title: str, description: str, places: Sequence[Place], below: Sequence[Below]
) -> models.Dashboard:
    """A page of the wall, over the UTC day: its bots are those that Prometheus knows."""
    board = _board(uid, title, description, "now/d").variables([*_data_sources(), _bot(), _console()])
    return _filled(board, places, below)


def ledger_page(
    uid: str,
    title: str,
    description: str,
    places: Sequence[Place],
    *,
    range_from: str,
    bots: Statement,
    choices: Sequence[Choice],
    below: Sequence[Below] = (),
) -> models.Dashboard:
    """A page of the desk, from `range_from` to now: its bots and `choices` come from the ledger."""
    chosen = [_bot_of_ledger(bots), *(_choice(choice) for choice in choices)]
    board = _board(uid, title, description, range_from).variables([*_data_sources(), *chosen, _console()])
    return _filled(board, places, below)


def _board(uid: str, title: str, description: str, range_from: str) -> dashboard.Dashboard:
    """What all pages share: links, marks, UTC, 5 s refresh."""
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .readonly()
        .timezone("utc")
        .time(range_from, "now")
        .refresh("5s")
        .preload(True)
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .annotations(_annotations())
        .link(_links())
    )


def _filled(board: dashboard.Dashboard, places: Sequence[Place], below: Sequence[Below]) -> models.Dashboard:
    ids = iter(range(1, 1000))
    for place in places:
        board.with_panel(_placed(place, next(ids)))
    bottom = max(place.y + place.h for place in places)
    for row in below:
        board.with_row(_row(row, bottom, ids))
        bottom += 1
    return board.build()


def encoded(board: models.Dashboard) -> bytes:
    """The bytes of the committed file: sorted keys, so that the same code gives the same bytes."""
    content = json.loads(json.dumps(board, cls=JSONEncoder))
    # The builders hide links and annotations in a menu, whose button takes a strip of the wall.
    for item in (*content["links"], *content["annotations"]["list"]):
        del item["placement"]
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


class _Fixed(Builder[models.Panel]):
    """A built panel where the page's builder expects one to build."""

    def __init__(self, panel: models.Panel) -> None:
        self._panel = panel

    def build(self) -> models.Panel:
        return self._panel


def _placed(place: Place, panel_id: int) -> _Fixed:
    panel = place.panel.build()
    panel.id_val = panel_id
    panel.grid_pos = models.GridPos(x=place.x, y=place.y, w=place.w, h=place.h)
    return _Fixed(panel)


def _row(row: Below, y: int, ids: Iterator[int]) -> dashboard.Row:
    built = (
        dashboard.Row(row.title)
        .collapsed(True)
        .id(next(ids))
        .grid_pos(models.GridPos(x=0, y=y, w=24, h=1))
        .datasource(DATA_SOURCE)
    )
    for place in row.places:
        below = Place(place.panel, place.x, y + 1 + place.y, place.w, place.h)
        built.with_panel(_placed(below, next(ids)))
    return built


def _data_sources() -> list[Builder[models.VariableModel]]:
    return [
        _data_source(DATA_SOURCE_VARIABLE, "Data source", "prometheus", "Prometheus", "prom"),
        _data_source(LEDGER_VARIABLE, "Ledger", LEDGER_TYPE, "Ledger", "bot-sqlite"),
    ]


def _data_source(name: str, label: str, kind: str, text: str, uid: str) -> dashboard.DatasourceVariable:
    chosen = models.VariableOption(selected=True, text=text, value=uid)
    return dashboard.DatasourceVariable(name).label(label).type(kind).current(chosen)


def _bot() -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable("bot")
        .label("Bot")
        .datasource(DATA_SOURCE)
        .query({"query": queries.BOT_VARIABLE, "refId": "bot"})
        .definition(queries.BOT_VARIABLE)
        .regex('/bot="([^"]+)"/')
        .refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(False)
        .include_all(False)
    )


def _console() -> dashboard.QueryVariable:
    """Where links to the exporter's pages lead; nobody chooses it."""
    return (
        dashboard.QueryVariable("console")
        .hide(models.VariableHide.HIDE_VARIABLE)
        .datasource(DATA_SOURCE)
        .query({"query": queries.CONSOLE_VARIABLE, "refId": "console"})
        .definition(queries.CONSOLE_VARIABLE)
        .regex('/address="([^"]+)"/')
        .refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
        .multi(False)
        .include_all(False)
    )


def _bot_of_ledger(bots: Statement) -> dashboard.QueryVariable:
    return _asked("bot", "Bot", bots).multi(False).include_all(False)


def _choice(choice: Choice) -> dashboard.QueryVariable | dashboard.CustomVariable:
    if isinstance(choice.values, Statement):
        asked = _asked(choice.name, choice.label, choice.values).multi(True)
        if choice.all_of_them is None:
            return asked.include_all(False)
        every = models.VariableOption(selected=True, text="All", value="$__all")
        return asked.include_all(True).all_value(choice.all_of_them).current(every)
    options = [
        models.VariableOption(selected=word == choice.values[0], text=word, value=word)
        for word in choice.values
    ]
    return (
        dashboard.CustomVariable(choice.name)
        .label(choice.label)
        .values(",".join(choice.values))
        .options(options)
        .current(options[0])
        .multi(False)
        .include_all(False)
    )


def _asked(name: str, label: str, statement: Statement) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(LEDGER)
        .query(statement.text)
        .definition(statement.text)
        .refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(models.VariableSort.DISABLED)
    )


def _links() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("Trading bot")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(False)
        .include_vars(True)
        .keep_time(False)
        .target_blank(False)
    )


def _annotations() -> list[Builder[models.AnnotationQuery]]:
    return [
        _annotation("Cap breached", queries.BREACHED, palette.LINE_RED, "daily loss cap breached"),
        _marks("Kills", marks.kills(), palette.LINE_RED),
        _marks("Alerts", marks.alerts(), palette.LINE_AMBER),
        _marks("Changes", marks.changes(), palette.LINE),
        _marks("Restarts", marks.restarts(), palette.LINE_DIM),
    ]


def _annotation(name: str, expr: str, colour: str, text: str) -> dashboard.AnnotationQuery:
    return (
        _drawn(name, colour)
        .datasource(DATA_SOURCE)
        .target(history(expr, "Anno", name, step="60s"))
        .title_format(text)
    )


def _marks(name: str, statement: Statement, colour: str) -> dashboard.AnnotationQuery:
    return _drawn(name, colour).datasource(LEDGER).target(LedgerQuery(statement, "Anno"))


def _drawn(name: str, colour: str) -> dashboard.AnnotationQuery:
    return dashboard.AnnotationQuery().name(name).enable(True).hide(True).icon_color(colour)
