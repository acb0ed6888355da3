"""The panels that stand on every page: the verdict, and what fires."""

from grafana_foundation_sdk.builders import stat

from grafana import alert_queries, palette, queries
from grafana.stats import Level, Sizes, levels_stat, linked, rows
from grafana.targets import CONSOLE

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


def alerts(sizes: Sizes, shown: int, others: str = "see System") -> stat.Panel:
    """The worst alerts in `shown` rows, or the proof that the rules are evaluated and none fires.

    A press on one leads to its runbook. What somebody has is grey: nobody else has to do anything. `others`
    says where those stand that have no row.
    """
    looks = {"critical": palette.RED, "warning": palette.AMBER}
    nobody, on_paper = (
        alert_queries.where_room(each, shown)
        for each in (alert_queries.NOBODY_IS_CALLED, alert_queries.NOBODY_ON_PAPER)
    )
    firing = [
        Level(
            alert_queries.firing(severity, had=had, shown=shown),
            f"{severity.upper()} · {{{{what}}}}{{{{where}}}}" + (" · {{has}} has it" if had else ""),
            palette.NEUTRAL if had else looks[severity],
        )
        for severity, had in alert_queries.ORDER
    ]
    besides = [
        Level(alert_queries.more(shown), f"AND MORE · {others}", palette.AMBER, unit="none"),
        Level(alert_queries.NONE_FIRING, "NONE FIRING · rules evaluated", unit="suffix: s ago"),
        Level(alert_queries.NOT_SEEN, "ALERTS · the exporter does not answer", palette.PURPLE, "BLIND"),
        Level(alert_queries.NOT_DELIVERED, "ALERTS REACH NOBODY · Alertmanager", palette.RED, "LOST"),
        Level(alert_queries.NOT_EVALUATED, "ALERTS · rules are not evaluated", palette.PURPLE, "BLIND"),
        Level(nobody, "NOBODY IS CALLED · no push receiver", palette.AMBER, "SET ONE"),
        Level(on_paper, "no push receiver · paper only", palette.BLUE, "ON THE WALL"),
    ]
    panel = levels_stat(
        "ALERTS: critical and warning, oldest first, with the time since each began and who has it; a press "
        "opens the runbook. NONE FIRING only while the rules are evaluated (Watchdog).",
        [*firing, *besides],
        sizes=sizes,
        unit="s",
        unknown="ALERTS: BLIND",
    )
    return linked(panel, len(firing), "Runbook", f"{CONSOLE}/runbooks/${{__field.labels.alertname}}")
