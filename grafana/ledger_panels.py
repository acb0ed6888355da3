"""Tiles, charts and tables of the ledger: one statement each, which says in words where there is no data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from grafana_foundation_sdk.builders import barchart, stat, statushistory, table, timeseries
from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models import statushistory as models

from grafana import palette
from grafana.charts import Line, look_of
from grafana.sql.performance import NOT_YET
from grafana.sql.statement import NO_DATA, Kind, Statement
from grafana.stats import Sizes, null_mapping
from grafana.targets import LEDGER, MIXED, LedgerQuery, history

NO_ANSWER = "BLIND: the reporting database does not answer"
MONEY = "none"
"""USD to the cent: the unit for dollars makes 1.81K of 1812.45. Titles and names say USD."""


@dataclass(frozen=True, slots=True)
class Face:
    """How a tile looks while `statement` has rows: each shows its value under its name."""

    statement: Statement
    colour: str = palette.NEUTRAL


def tile(
    description: str,
    faces: Sequence[Face],
    *,
    sizes: Sizes,
    unit: str = "none",
    decimals: int | None = None,
    unknown: str = "BLIND",
) -> stat.Panel:
    """A stat of the columns `name` and `value`; `unknown` in purple while nothing answers."""
    dash = {"from": None, "to": float(NOT_YET) / 2, "result": {"text": "–", "index": 0}}
    panel = (
        stat.Panel()
        .title("")
        .description(description)
        .datasource(LEDGER)
        .unit(unit)
        .no_value(unknown)
        .mappings([null_mapping(unknown)])
        .color_scheme(_fixed(palette.NEUTRAL))
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_mode(common.BigValueColorMode.BACKGROUND_SOLID)
        .text_mode(common.BigValueTextMode.VALUE_AND_NAME)
        .justify_mode(common.BigValueJustifyMode.AUTO)
        .wide_layout(False)
        .show_percent_change(False)
        .text(common_builders.VizTextDisplayOptions().title_size(sizes.name).value_size(sizes.value))
        .reduce_options(
            common_builders.ReduceDataOptions().calcs(["lastNotNull"]).values(True).fields("/^value$/")
        )
    )
    if decimals is not None:
        panel.decimals(decimals)
    for ref_id, face in zip(ascii_uppercase, faces, strict=False):
        mappings = [{"type": "range", "options": dash}, null_mapping(unknown).to_json()]
        panel.with_target(LedgerQuery(face.statement, ref_id)).override_by_query(
            ref_id,
            [
                dashboard.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": face.colour}),
                dashboard.DynamicConfigValue("mappings", mappings),
            ],
        )
    plain = {"unit": "string", "mappings": []}  # a name is no figure, whatever the tile's unit
    return panel.override_by_name("name", _entries(plain))


@dataclass(frozen=True, slots=True)
class Look:
    """How a column of a chart or table is drawn."""

    colour: str | None = None
    unit: str | None = None
    decimals: int | None = None
    dashed: bool = False
    dots: bool = False
    below_to: str | None = None  # shade between this line and that one
    thin: bool = False
    width: int | None = None
    wrapped: bool = False
    grey: bool = False  # of a table: what cannot be touched
    words: Mapping[str, tuple[str, str]] | None = None  # value: text, colour of the cell
    link: tuple[str, str] | None = None  # of a table: title and address that a press opens

    def entries(self) -> list[dashboard.DynamicConfigValue]:
        """As a panel's override writes it."""
        made: dict[str, object] = {}
        if self.colour is not None:
            made["color"] = {"mode": "fixed", "fixedColor": self.colour}
        if self.unit is not None:
            made["unit"] = self.unit
        if self.decimals is not None:
            made["decimals"] = self.decimals
        if self.dashed:
            made["custom.lineStyle"] = {"fill": "dash", "dash": [12, 8]}
        if self.dots:
            made |= {"custom.drawStyle": "points", "custom.showPoints": "always", "custom.pointSize": 7}
        if self.link is not None:
            title, url = self.link
            made["links"] = [{"title": title, "url": url, "targetBlank": True}]
        if self.below_to is not None:
            made |= {"custom.fillBelowTo": self.below_to, "custom.fillOpacity": 22}
        if self.thin:
            made["custom.lineWidth"] = 1
        if self.width is not None:
            made["custom.width"] = self.width
        if self.wrapped:
            made["custom.cellOptions"] = {"type": "auto", "wrapText": True}
        if self.grey:
            made |= {
                "color": {"mode": "fixed", "fixedColor": palette.LINE_DIM},
                "custom.cellOptions": {"type": "color-text", "wrapText": self.wrapped},
            }
        return _entries(made)


def chart(
    title: str,
    description: str,
    statement: Statement,
    looks: Mapping[str, Look],
    *,
    unit: str = MONEY,
    bars: bool = False,
    named_by: str | None = None,
    beside: Sequence[Line] = (),
) -> timeseries.Panel:
    """Steps (or bars) over time, a line for each of `looks`; `named_by` is the text column that names them.

    Steps, because a sum changes with a trade and stands between two. Words in the middle where nothing is.
    Lines `beside` them come from Prometheus.
    """
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(MIXED if beside else LEDGER)
        .unit(unit)
        .no_value(NO_ANSWER)
        .line_width(0 if bars else 2)
        .fill_opacity(75 if bars else 0)
        .draw_style(common.GraphDrawStyle.BARS if bars else common.GraphDrawStyle.LINE)
        .line_interpolation(common.LineInterpolation.STEP_AFTER)
        .bar_alignment(common.BarAlignment.AFTER)
        .show_points(common.VisibilityMode.NEVER)
        .span_nulls(False)
        .color_scheme(_fixed(palette.LINE))
        .legend(legend(shown=True))
        .tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
        .timezone(["utc"])
        .with_target(LedgerQuery(statement, by_label=named_by is not None))
    )
    if bars:
        panel.axis_soft_min(0).axis_soft_max(0)  # a bar's length is its value
    for name, look in looks.items():
        entries = look.entries()
        if named_by is not None:
            entries.append(dashboard.DynamicConfigValue("displayName", f"${{__field.labels.{named_by}}}"))
        panel.override_by_name(name, entries)
    for ref_id, line in zip(ascii_uppercase[1:], beside, strict=False):
        panel.with_target(history(line.expr, ref_id, line.name)).override_by_query(ref_id, look_of(line))
    return panel.override_by_name("note", _note())


def _note() -> list[dashboard.DynamicConfigValue]:
    """Draws words in the middle of an empty chart; never in the legend, nor in a tooltip."""
    words = {"type": "range", "options": {"from": None, "to": None, "result": {"text": NO_DATA, "index": 0}}}
    made = {
        "custom.drawStyle": "points",
        "custom.showPoints": "always",
        "custom.pointSize": 1,
        "custom.showValues": True,
        "custom.axisPlacement": "hidden",
        "custom.hideFrom": {"legend": True, "tooltip": True, "viz": False},
        "mappings": [words],
    }
    return _entries(made)


def bars(
    title: str,
    description: str,
    statement: Statement,
    looks: Mapping[str, Look],
    *,
    stacked: bool = False,
    many: bool = False,
) -> barchart.Panel:
    """A group of bars for each row: its text column below, its figures as bars; the values too unless `many`.

    Stacked bars stand for a choice of one figure, which the title names.
    """
    panel = (
        barchart.Panel()
        .title(title)
        .description(description)
        .datasource(LEDGER)
        .orientation(common.VizOrientation.VERTICAL)
        .show_value(common.VisibilityMode.NEVER if many else common.VisibilityMode.ALWAYS)
        .group_width(0.8)
        .bar_width(0.95)
        .fill_opacity(85)
        .line_width(0)
        .x_tick_label_spacing(48 if many else 0)
        .x_tick_label_max_length(16)
        .color_scheme(_fixed(palette.LINE_DIM))
        .legend(legend(shown=len(looks) > 1 and not stacked))
        .tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
        .with_target(LedgerQuery(statement))
    )
    if not many:
        panel.no_value(NO_ANSWER)  # it would stand under every bar whose label is left out
    if stacked:
        panel.stacking(common.StackingMode.NORMAL)
    for name, look in looks.items():
        panel.override_by_name(name, look.entries())
    return panel


def rows(
    title: str,
    description: str,
    statement: Statement,
    looks: Mapping[str, Look],
    *,
    missing: str = "–",
    filterable: bool = False,
) -> table.Panel:
    """A table of the statement's rows: words left, figures right; an empty cell says `missing`."""
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(LEDGER)
        .cell_height(common.TableCellHeight.SM)
        .show_header(True)
        .min_width(50)
        .filterable(filterable)
        .color_scheme(_fixed(palette.LINE))
        .mappings([null_mapping(missing, palette.LINE)])
        .no_value(NO_ANSWER)
        .with_target(LedgerQuery(statement))
    )
    for name, kind in statement.columns.items():
        aligned = dashboard.DynamicConfigValue("custom.align", "left" if kind is Kind.TEXT else "right")
        entries = looks[name].entries() if name in looks else []
        if name in looks and looks[name].words is not None:
            entries += _filled(looks[name].words or {}, missing)
        panel.override_by_name(name, [aligned, *entries])
    return panel


def _filled(words: Mapping[str, tuple[str, str]], missing: str) -> list[dashboard.DynamicConfigValue]:
    texts = {
        value: {"text": text, "color": colour, "index": index}
        for index, (value, (text, colour)) in enumerate(words.items())
    }
    mappings = [{"type": "value", "options": texts}, null_mapping(missing, palette.NEUTRAL).to_json()]
    filled = {"type": "color-background", "mode": "basic"}
    return [
        dashboard.DynamicConfigValue("mappings", mappings),
        dashboard.DynamicConfigValue("custom.cellOptions", filled),
    ]


def banded(
    title: str, description: str, statement: Statement, bands: Mapping[int, str]
) -> statushistory.Panel:
    """Cells of `band|text` over time, a row for each text column, coloured by band; no row, no cell."""
    mappings = [
        dashboard.RegexMap(
            dashboard.DashboardRegexMapOptions(
                pattern=rf"^{band}\|(.*)$",
                result=dashboard.ValueMappingResult(text="$1", color=colour, index=index),
            )
        )
        for index, (band, colour) in enumerate(bands.items())
    ]
    panel = (
        statushistory.Panel()
        .title(title)
        .description(description)
        .datasource(LEDGER)
        .no_value(NO_ANSWER)
        .show_value(common.VisibilityMode.AUTO)
        .row_height(0.9)
        .col_width(0.94)
        .fill_opacity(100)
        .line_width(0)
        .color_scheme(_fixed(palette.NEUTRAL))
        .mappings([*mappings])
        .legend(legend(shown=False))
        .tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.SINGLE))
        .timezone(["utc"])
        .with_target(LedgerQuery(statement))
    )
    # The builder cannot turn pages off, and one page of rows would have a bar to turn it.
    options = panel.build().options
    assert isinstance(options, models.Options)
    options.per_page = None
    return panel


def _entries(made: Mapping[str, object]) -> list[dashboard.DynamicConfigValue]:
    return [dashboard.DynamicConfigValue(name, value) for name, value in made.items()]


def legend(*, shown: bool) -> common_builders.VizLegendOptions:
    """Names below a chart, or none."""
    return (
        common_builders.VizLegendOptions()
        .show_legend(shown)
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .calcs([])
    )


def _fixed(colour: str) -> dashboard_builders.FieldColor:
    return dashboard_builders.FieldColor().mode(dashboard.FieldColorModeId.FIXED).fixed_color(colour)
