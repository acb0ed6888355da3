"""Stats read from four metres: one query a level, with its colour and words; the unknown has words too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.builders import stat
from grafana_foundation_sdk.models import common, dashboard

from grafana import palette
from grafana.queries import WHY_CODES, why_unknown
from grafana.targets import DATA_SOURCE, instant
from grafana.words import Words

UNKNOWN_REF = "U"
_CALM_REASONS = ("PLANNED", "AWAITING")


@dataclass(frozen=True, slots=True)
class Level:
    """What is shown while `expr` has a series: its value (or `words` in its place) under `name`, on `colour`.

    `name` may hold `{{label}}`. `unit` and `decimals` override the panel's.
    """

    expr: str
    name: str
    colour: str = palette.NEUTRAL
    words: str | None = None
    unit: str | None = None
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Sizes:
    """Text sizes in px. Explicit ones never shrink, and one without the other overflows."""

    name: int
    value: int


CHAIN = Sizes(name=36, value=54)  # the tiles of the chain on System
TILE = Sizes(name=36, value=56)  # 4 x 4: eight capitals of value, twelve of name


def levels_stat(
    description: str, levels: Sequence[Level], *, sizes: Sizes, unit: str = "none", unknown: str
) -> stat.Panel:
    """A stat without a header: each of `levels` that has a series, coloured by query, not by threshold.

    So a limit may itself be a metric. `unknown` is what stands there, in purple, when no query answers.
    """
    panel = (
        stat.Panel()
        .title("")
        .description(description)
        .datasource(DATA_SOURCE)
        .unit(unit)
        .decimals(0)
        .no_value(unknown)
        .mappings([null_mapping(unknown)])
        .color_scheme(_fixed(palette.NEUTRAL))
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_mode(common.BigValueColorMode.BACKGROUND_SOLID)
        .text_mode(common.BigValueTextMode.VALUE_AND_NAME)
        .justify_mode(common.BigValueJustifyMode.AUTO)
        .wide_layout(True)
        .show_percent_change(False)
        .text(common_builders.VizTextDisplayOptions().title_size(sizes.name).value_size(sizes.value))
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))
    )
    for ref_id, level in zip(ascii_uppercase, levels, strict=False):
        if ref_id == UNKNOWN_REF:
            raise ValueError(f"too many levels in {description!r}")
        panel.with_target(instant(level.expr, ref_id, level.name)).override_by_query(
            ref_id, _look_of(level, unknown)
        )
    return panel


def tile(
    description: str,
    levels: Sequence[Level],
    *,
    known: str,
    unknown: str,
    sizes: Sizes = TILE,
    unit: str = "none",
) -> stat.Panel:
    """A stat of one figure: while `known` has no series, its name says why, its value (`unknown`) of what."""
    panel = levels_stat(description, levels, sizes=sizes, unit=unit, unknown=unknown)
    return panel.with_target(instant(why_unknown(known), UNKNOWN_REF, "{{why}}")).override_by_query(
        UNKNOWN_REF, [dashboard.DynamicConfigValue("mappings", _why_mappings(unknown))]
    )


def linked(panel: stat.Panel, first: int, title: str, url: str) -> stat.Panel:
    """The same with a link on what the `first` levels show."""
    links = [{"title": title, "url": url, "targetBlank": True}]
    for ref_id in ascii_uppercase[:first]:
        panel.override_by_query(ref_id, [dashboard.DynamicConfigValue("links", links)])
    return panel


def rows(panel: stat.Panel) -> stat.Panel:
    """The same with one row a series: name left, value right."""
    return panel.orientation(common.VizOrientation.HORIZONTAL)


def null_mapping(text: str, colour: str = palette.PURPLE) -> dashboard.SpecialValueMap:
    """No answer (no series, NaN, a failed query) in words and colour: Grafana's own colour is green."""
    return dashboard.SpecialValueMap(
        dashboard.DashboardSpecialValueMapOptions(
            match=dashboard.SpecialValueMatch.NULL_AND_NAN,
            result=dashboard.ValueMappingResult(text=text, color=colour, index=99),
        )
    )


def words_mapping(words: Mapping[str, Words]) -> dict[str, object]:
    """Values (or codes) to text and colour, as a panel's override writes them."""
    options = {
        value: {"text": text, "color": colour, "index": index}
        for index, (value, (text, colour)) in enumerate(words.items())
    }
    return {"type": "value", "options": options}


def _look_of(level: Level, unknown: str) -> list[dashboard.DynamicConfigValue]:
    look = [dashboard.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": level.colour})]
    if level.words is not None:
        every_number = {
            "from": None,
            "to": None,
            "result": {"text": level.words, "color": level.colour, "index": 0},
        }
        mappings = [{"type": "range", "options": every_number}, null_mapping(unknown).to_json()]
        look.append(dashboard.DynamicConfigValue("mappings", mappings))
    if level.unit is not None:
        look.append(dashboard.DynamicConfigValue("unit", level.unit))
    if level.decimals is not None:
        look.append(dashboard.DynamicConfigValue("decimals", level.decimals))
    return look


def _why_mappings(unknown: str) -> list[object]:
    reasons = {
        str(code): (unknown, palette.BLUE if why in _CALM_REASONS else palette.DIM_PURPLE)
        for why, code in WHY_CODES.items()
    }
    return [words_mapping(reasons), null_mapping(unknown).to_json()]


def _fixed(colour: str) -> dashboard_builders.FieldColor:
    return dashboard_builders.FieldColor().mode(dashboard.FieldColorModeId.FIXED).fixed_color(colour)
