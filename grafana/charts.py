"""Charts, timelines and tables of the desk: defaults in one place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.builders import statetimeline, table, timeseries
from grafana_foundation_sdk.models import common, dashboard

from grafana import palette
from grafana.stats import null_mapping, words_mapping
from grafana.targets import DATA_SOURCE, history, row_values
from grafana.words import Words

# Every table has a row that says why there are no others, so that no row at all is a query that failed.
NO_ANSWER = "BLIND: Prometheus does not answer"


@dataclass(frozen=True, slots=True)
class Line:
    """One query of a chart: its name may hold `{{label}}`."""

    expr: str
    name: str
    colour: str | None = None
    dashed: bool = False
    dots: bool = False


def chart(
    title: str,
    description: str,
    lines: Sequence[Line],
    *,
    unit: str,
    decimals: int | None = None,
    bars: bool = False,
    last: bool = False,
) -> timeseries.Panel:
    """Lines (or stacked bars) over time, the `last` value beside each name; a gap is a gap, never bridged."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .unit(unit)
        .line_width(2)
        .fill_opacity(80 if bars else 0)
        .draw_style(common.GraphDrawStyle.BARS if bars else common.GraphDrawStyle.LINE)
        .show_points(common.VisibilityMode.NEVER)
        .span_nulls(False)
        .color_scheme(shades(palette.LINE_DIM if bars else palette.LINE))
        .legend(
            common_builders.VizLegendOptions()
            .show_legend(True)
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .calcs(["lastNotNull"] if last else [])
        )
        .tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
        .timezone(["utc"])
    )
    if bars:
        panel.min(0).stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    if decimals is not None:
        panel.decimals(decimals)
    for ref_id, line in zip(ascii_uppercase, lines, strict=False):
        panel.with_target(history(line.expr, ref_id, line.name)).override_by_query(ref_id, look_of(line))
    return panel


def timeline(
    title: str,
    description: str,
    lanes: Sequence[tuple[str, str]],
    words: Mapping[int, Words],
    *,
    hours: int,
) -> statetimeline.Panel:
    """Lanes (expression of codes, name) over the last `hours`; `words` names and colours each code."""
    panel = (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .time_from(f"{hours}h")
        .hide_time_override(True)
        .merge_values(True)
        .disable_pagination()
        .show_value(common.VisibilityMode.AUTO)
        .align_value(common.TimelineValueAlignment.LEFT)
        .row_height(0.86)
        .fill_opacity(100)
        .line_width(0)
        .color_scheme(
            dashboard_builders.FieldColor()
            .mode(dashboard.FieldColorModeId.FIXED)
            .fixed_color(palette.NEUTRAL)
        )
        .mappings([_typed(words), null_mapping("no record", palette.NO_RECORD)])
        .legend(
            common_builders.VizLegendOptions()
            .show_legend(False)
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
        )
        .tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.SINGLE))
        .timezone(["utc"])
    )
    for ref_id, (expr, name) in zip(ascii_uppercase, lanes, strict=False):
        panel.with_target(history(expr, ref_id, name))
    return panel


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: the value of `expr`, or the label `label` that all its queries share."""

    title: str
    expr: str | None = None
    label: str | None = None
    unit: str = "none"
    decimals: int | None = 0
    width: int | None = None
    words: Mapping[str, Words] | None = None  # value: text and colour of the cell
    short: Mapping[str, str] | None = None  # value: shorter text


@dataclass(frozen=True, slots=True)
class Rows:
    """What a table holds: columns in order, queries whose rows say why there are no others, order."""

    columns: Sequence[Column]
    explained_by: Sequence[str] = field(default=())
    sort_by: str | None = None
    ascending: bool = False
    hidden: Sequence[str] = field(default=())


def rows_table(
    title: str, description: str, content: Rows, *, missing: str = "–", empty: str = NO_ANSWER
) -> table.Panel:
    """A table of values now, joined by labels: an empty cell says `missing`, no row at all says `empty`."""
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .cell_height(common.TableCellHeight.SM)
        .show_header(True)
        .min_width(50)
        .filterable(False)
        .color_scheme(
            dashboard_builders.FieldColor().mode(dashboard.FieldColorModeId.FIXED).fixed_color(palette.LINE)
        )
        .mappings([null_mapping(missing)])
        .no_value(empty)
    )
    expressions = [column.expr for column in content.columns if column.expr] + list(content.explained_by)
    for ref_id, expr in zip(ascii_uppercase, expressions, strict=False):
        panel.with_target(row_values(expr, ref_id))
    names = _names(content, len(expressions))
    panel.with_transformation(dashboard.DataTransformerConfig(id_val="merge", options={}))
    panel.with_transformation(dashboard.DataTransformerConfig(id_val="organize", options=names))
    if content.sort_by:
        order = {"sort": [{"field": content.sort_by, "desc": not content.ascending}]}
        panel.with_transformation(dashboard.DataTransformerConfig(id_val="sortBy", options=order))
    for column in content.columns:
        panel.override_by_name(column.title, _column_look(column, missing))
    return panel


def _names(content: Rows, queries: int) -> dict[str, object]:
    """Options that order, rename and hide columns: Grafana calls the value of query X `Value #X`."""
    values = [f"Value #{ref_id}" for ref_id in ascii_uppercase[:queries]] if queries > 1 else ["Value"]
    renamed: dict[str, str] = {}
    order: dict[str, int] = {}
    rest = iter(values)
    for place, column in enumerate(content.columns):
        source = column.label if column.label is not None else next(rest)
        renamed[source] = column.title
        order[source] = place
    hidden = {
        name: True
        for name in ("Time", "__name__", "bot", "why", *content.hidden, *rest)
        if name not in renamed
    }
    return {"excludeByName": hidden, "indexByName": order, "renameByName": renamed, "includeByName": {}}


def _column_look(column: Column, missing: str) -> list[dashboard.DynamicConfigValue]:
    look = [dashboard.DynamicConfigValue("unit", column.unit)]
    if column.decimals is not None:
        look.append(dashboard.DynamicConfigValue("decimals", column.decimals))
    look.append(dashboard.DynamicConfigValue("custom.align", "left" if column.label else "right"))
    if column.width is not None:
        look.append(dashboard.DynamicConfigValue("custom.width", column.width))
    if column.short is not None:
        texts = {value: {"text": text, "index": i} for i, (value, text) in enumerate(column.short.items())}
        mapped = {"type": "value", "options": texts}
        look.append(dashboard.DynamicConfigValue("mappings", [mapped, null_mapping(missing).to_json()]))
    if column.words is not None:
        filled = {"type": "color-background", "mode": "basic"}
        mappings = [words_mapping(column.words), null_mapping(missing).to_json()]
        look.append(dashboard.DynamicConfigValue("mappings", mappings))
        look.append(dashboard.DynamicConfigValue("custom.cellOptions", filled))
    return look


def look_of(line: Line) -> list[dashboard.DynamicConfigValue]:
    """How a line is drawn, as a panel's override writes it."""
    look: list[dashboard.DynamicConfigValue] = []
    if line.colour is not None:
        look.append(dashboard.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": line.colour}))
    if line.dashed:
        look.append(dashboard.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [12, 8]}))
    if line.dots:
        look.append(dashboard.DynamicConfigValue("custom.drawStyle", "points"))
        look.append(dashboard.DynamicConfigValue("custom.showPoints", "always"))
        look.append(dashboard.DynamicConfigValue("custom.pointSize", 7))
    return look


def _typed(words: Mapping[int, Words]) -> dashboard.ValueMap:
    return dashboard.ValueMap(
        {
            str(code): dashboard.ValueMappingResult(text=text, color=colour, index=index)
            for index, (code, (text, colour)) in enumerate(words.items())
        }
    )


def shades(colour: str) -> dashboard_builders.FieldColor:
    """Shades of one colour: none looks like an alarm."""
    return dashboard_builders.FieldColor().mode(dashboard.FieldColorModeId.SHADES).fixed_color(colour)
