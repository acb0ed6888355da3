"""The panel that stands on every page."""

from grafana_foundation_sdk.builders import stat

from grafana import palette, queries
from grafana.stats import Level, Sizes, levels_stat, rows

_LOOKS = {
    "act": ("ACT NOW · ", palette.RED),
    "unknown": ("UNKNOWN · ", palette.PURPLE),
    "look": ("LOOK · ", palette.AMBER),
    "planned": ("", palette.BLUE),
    "ok": ("", palette.NEUTRAL),
}


def verdict(sizes: Sizes) -> stat.Panel:
    """The worst bot and why, for how long, and when that was scraped."""
    levels = [
        Level(queries.verdict(level), f"{word}{{{{bot}}}} {{{{text}}}} · {{{{lasting}}}}{{{{more}}}}", colour)
        for level, (word, colour) in _LOOKS.items()
    ]
    blind = Level(queries.NO_VERDICT, "BLIND · the exporter says nothing", palette.PURPLE)
    return rows(
        levels_stat(
            "VERDICT: the worst bot, why and for how long; right, when that was scraped (UTC).",
            [*levels, blind],
            sizes=sizes,
            unit="time:[as of] HH:mm:ss [UTC]",
            unknown="BLIND · Prometheus does not answer",
        )
    )
