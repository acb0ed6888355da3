"""Alerts on System: whether they are delivered and to whom, which fire, and their history."""

from grafana_foundation_sdk.builders import stat, table

from grafana import alert_queries, ledger_panels, palette
from grafana.charts import Column, Rows, rows_table
from grafana.ledger_panels import Look
from grafana.sql import alerts
from grafana.stats import CHAIN, Level, Sizes, levels_stat, rows
from grafana.targets import CONSOLE
from grafana.words import SEVERITY_WORDS


def delivery() -> stat.Panel:
    """Whom an alert would reach, as Prometheus and Alertmanager tell."""
    return levels_stat(
        "ALERT DELIVERY: age of the last Watchdog that Alertmanager delivered, amber from 3 minutes and "
        "where no push receiver is set though a bot may be live; red while alerts cannot be handed on or "
        "delivered.",
        [
            Level(alert_queries.NOT_DELIVERED, "ALERTS", palette.RED, "LOST"),
            Level(alert_queries.ALERTS_FAILING, "ALERTS", palette.RED, "FAILING"),
            Level(alert_queries.ALERTS_LATE, "WATCHDOG", palette.AMBER, unit="s"),
            Level(alert_queries.ALERTS_NEVER_BACK, "WATCHDOG", palette.AMBER, "NEVER"),
            Level(alert_queries.ALERTS_NOT_YET_BACK, "WATCHDOG", palette.BLUE, "AWAITED"),
            Level(alert_queries.ALERTS_TO_NOBODY, "NO RECEIVER", palette.AMBER, unit="s"),
            Level(alert_queries.ALERTS_TO_WALL, "TO WALL ONLY", palette.BLUE, unit="s"),
            Level(alert_queries.ALERTS_DELIVERED, "DELIVERED", unit="s"),
        ],
        sizes=CHAIN,
        unknown="BLIND",
    )


def receivers() -> stat.Panel:
    """Who is called, by kind."""
    return rows(
        levels_stat(
            "RECEIVERS: how many of each kind Alertmanager calls, by its own configuration; the dead-man's "
            "switch calls when the Watchdog stops.",
            [
                Level(alert_queries.RECEIVERS_BY_KIND, "{{integration}}"),
                Level(alert_queries.DEAD_MAN_RECEIVERS, "dead-man's switch"),
            ],
            sizes=Sizes(name=16, value=16),
            unknown="RECEIVERS ?",
        )
    )


def every_alert() -> table.Panel:
    """Every alert that is pending or firing, the quiet ones too."""
    return rows_table(
        "ALERTS · pending and firing, every severity (UTC)",
        "What the rules say now. Silences and routing stand in Grafana under Alerting, data source "
        "alertmanager.",
        Rows(
            [
                Column("severity", label="severity", width=100, words=SEVERITY_WORDS),
                Column("alert", label="alertname"),
                Column("bot", label="bot", width=90),
                Column("state", label="alertstate", width=90),
                Column("since", alert_queries.EVERY_ALERT_SINCE, unit="time:HH:mm:ss [UTC]", width=130),
            ],
            explained_by=[alert_queries.EVERY_ALERT],
            sort_by="severity",
            ascending=True,
            hidden=["venue"],
        ),
    )


RUNBOOK = f"{CONSOLE}/runbooks/Tradebot${{__data.fields.alert}}"


def history() -> table.Panel:
    """Every alert of the range, the newest first."""
    return ledger_panels.rows(
        "ALERT HISTORY · $bot and the console, in the page's range (UTC)",
        "symptom: when the rule first saw it; told after: from then until Alertmanager delivered it; –: it "
        "was never delivered, as one that is silenced or inhibited. A press on an alert opens its runbook.",
        alerts.history(),
        {
            "symptom": Look(width=130),
            "alert": Look(width=210, link=("Runbook", RUNBOOK)),
            "bot": Look(width=80),
            "severity": Look(width=90, words=SEVERITY_WORDS),
            "told after": Look(unit="s", decimals=1, width=90),
            "lasted": Look(unit="s", decimals=0, width=90),
            "ended": Look(),
            "had by": Look(width=90),
        },
    )


def times() -> table.Panel:
    """How soon somebody was told of each alert, and how long it lasted."""
    return ledger_panels.rows(
        "TIMES BY ALERT · $bot and the console · medians",
        f"Of the newest {alerts.COUNTED:,} alerts of the page's range: how often each fired, the median time "
        "from its symptom until it was delivered, and how long it lasted.",
        alerts.times(),
        {
            "fired": Look(width=60, decimals=0),
            "told after": Look(unit="s", decimals=1, width=90),
            "lasted": Look(unit="s", decimals=0, width=90),
        },
    )
