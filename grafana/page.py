"""A page: panels placed on the grid of 24 columns, what all pages share, and its JSON as bytes."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from grafana import palette, queries
from grafana.targets import DATA_SOURCE, DATA_SOURCE_VARIABLE, history

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


def page(
    uid: str, title: str, description: str, places: Sequence[Place], below: Sequence[Below]
) -> models.Dashboard:
    """The page with what all share: bot and data source to choose, links, marks, UTC, 5 s refresh."""
    board = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .readonly()
        .timezone("utc")
        .time("now/d", "now")
        .refresh("5s")
        .preload(True)
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .variables([_data_source(), _bot()])
        .annotations(_annotations())
        .link(_links())
    )
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


def _data_source() -> dashboard.DatasourceVariable:
    chosen = models.VariableOption(selected=True, text="Prometheus", value="prom")
    return (
        dashboard.DatasourceVariable(DATA_SOURCE_VARIABLE)
        .label("Data source")
        .type("prometheus")
        .current(chosen)
    )


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
        _annotation("Start", queries.STARTED_MS, palette.LINE_DIM, "bot started").use_value_for_time(True),
        _annotation("Killed", queries.KILLED_REGION, palette.LINE_RED, "kill switch active"),
        _annotation("Cap breached", queries.BREACHED, palette.LINE_RED, "daily loss cap breached"),
    ]


def _annotation(name: str, expr: str, colour: str, text: str) -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name(name)
        .datasource(DATA_SOURCE)
        .enable(True)
        .hide(True)
        .icon_color(colour)
        .target(history(expr, "Anno", name, step="60s"))
        .title_format(text)
    )
