"""Situations of the alerts on what hands alerts on: Prometheus, its rules, Alertmanager and its receivers."""

from collections.abc import Mapping

from tests.prometheus.cases_self import told_of_console
from tests.prometheus.promtool import EXPORTER_STARTED, LOST, Case, Firing, Kind, Series, always, changes

ALERTMANAGER = "alertmanager:9093"
PROMETHEUS = "localhost:9090"


def of(job: str, metric: str, labels: str = "") -> str:
    """A series of Prometheus or Alertmanager by its whole name."""
    instance = {"alertmanager": ALERTMANAGER, "prometheus": PROMETHEUS}[job]
    return f'{metric}{{instance="{instance}",job="{job}"{labels and ","}{labels}}}'


def grows(since: int, every: int = 5, until: int = 10**6) -> Series:
    """A counter that is 0, and from `since` on one more at each `every` seconds."""
    return lambda at: max(0, (min(at, until) - since) // every + 1)


def once(at: int) -> Series:
    """A counter of something that happens once."""
    return changes((0, 0), (at, 1))


EXPORTER_OLD = {EXPORTER_STARTED: always(-3600)}


def failed(integration: str, more: str = "") -> str:
    return of("alertmanager", "alertmanager_notifications_failed_total", f'integration="{integration}"{more}')


def not_told(integration: str) -> Firing:
    """TradebotNotificationsFailing of Alertmanager's own messages."""
    return told_of_console(
        "TradebotNotificationsFailing",
        "Messages about alerts do not arrive",
        f"Within five minutes Alertmanager gave up at least one message by {integration}. Who is reached "
        "that way alone does not know what fires.",
        severity="warning",
        integration=integration,
        instance=ALERTMANAGER,
        job="alertmanager",
    )


NOT_HANDED_ON = told_of_console(
    "TradebotNotificationsFailing",
    "Messages about alerts do not arrive",
    "For two minutes Prometheus could not hand all alerts on to Alertmanager. Nobody may be told of what "
    "fires; it shows on the wall.",
    severity="warning",
    integration="alertmanager",
    instance=PROMETHEUS,
    job="prometheus",
)
ERRORS = of(
    "prometheus",
    "prometheus_notifications_errors_total",
    'alertmanager="http://alertmanager:9093/api/v2/alerts"',
)
DROPPED = of("prometheus", "prometheus_notifications_dropped_total")

FAILING = [
    Case(
        "One message that was given up is a warning, for five minutes.",
        "TradebotNotificationsFailing",
        Kind.FIRES,
        {failed("slack"): once(100), failed("email"): always(0)},
        silent_at=(95, 99, 405, 500),
        firing_at=(100, 390),
        firing=(not_told("slack"),),
    ),
    Case(
        "One by a webhook, too, while the exporter, whose own is one, has been there for long.",
        "TradebotNotificationsFailing",
        Kind.FIRES,
        {**EXPORTER_OLD, failed("webhook"): once(100)},
        silent_at=(99,),
        firing_at=(100, 390),
        firing=(not_told("webhook"),),
    ),
    Case(
        "Reasons, which newer versions tell apart, are one failure of one integration.",
        "TradebotNotificationsFailing",
        Kind.FIRES,
        {
            failed("telegram", ',reason="authError"'): once(100),
            failed("telegram", ',reason="serverError"'): once(110),
            failed("telegram", ',reason="contextCanceled"'): always(0),
        },
        silent_at=(99,),
        firing_at=(100, 110, 200),
        firing=(not_told("telegram"),),
    ),
    Case(
        "Alerts that Prometheus cannot hand on for two minutes are a warning.",
        "TradebotNotificationsFailing",
        Kind.FIRES,
        {ERRORS: grows(60, every=15), DROPPED: grows(60, every=15)},
        silent_at=(60, 179),
        firing_at=(180, 300),
        firing=(NOT_HANDED_ON,),
    ),
    Case(
        "So are alerts that it drops without trying.",
        "TradebotNotificationsFailing",
        Kind.FIRES,
        {ERRORS: always(0), DROPPED: grows(60, every=15)},
        silent_at=(179,),
        firing_at=(180,),
        firing=(NOT_HANDED_ON,),
    ),
    Case(
        "What is lost before Alertmanager is found, or while it restarts, is sent again.",
        "TradebotNotificationsFailing",
        Kind.NEGATIVE,
        {ERRORS: grows(60, every=15, until=75), DROPPED: grows(60, every=15, until=75)},
        silent_at=(60, 75, 150, 179, 180, 300),
    ),
    Case(
        "A message cut short by a reload is sent again.",
        "TradebotNotificationsFailing",
        Kind.NEGATIVE,
        {failed("slack", ',reason="contextCanceled"'): once(100)},
        silent_at=(100, 200, 300),
    ),
    Case(
        "Messages that arrive are none that fail.",
        "TradebotNotificationsFailing",
        Kind.NEGATIVE,
        {
            failed("slack"): always(3),
            of("alertmanager", "alertmanager_notifications_total", 'integration="slack"'): grows(0),
        },
        silent_at=(0, 100, 400),
    ),
    Case(
        "Where nobody counts, nothing is claimed: another alert says that Alertmanager is gone.",
        "TradebotNotificationsFailing",
        Kind.MISSING,
        {},
        silent_at=(0, 300),
    ),
    Case(
        "A failure that falls into a lost scrape is found by the next one.",
        "TradebotNotificationsFailing",
        Kind.LOST_SCRAPE,
        {failed("slack"): lambda at: LOST if at == 100 else int(at >= 100)},
        silent_at=(104,),
        firing_at=(105, 300),
        firing=(not_told("slack"),),
    ),
    Case(
        "The exporter's own webhook fails while the exporter restarts.",
        "TradebotNotificationsFailing",
        Kind.RESTART,
        {
            EXPORTER_STARTED: lambda at: (
                -3600 if at < 100 else LOST if at == 100 else None if at < 115 else 115
            ),
            failed("webhook"): grows(110, every=5, until=115),
        },
        silent_at=(100, 105, 120, 200, 400, 410, 420, 600),
    ),
]


def refused(job: str) -> Firing:
    """TradebotConfigReloadFailed."""
    instance = {"alertmanager": ALERTMANAGER, "prometheus": PROMETHEUS}[job]
    return told_of_console(
        "TradebotConfigReloadFailed",
        "A changed configuration was refused",
        f"{job} at {instance} could not read its configuration when it was told to, and goes on with the "
        "one before. What was changed, a receiver or a rule, is not in force; after a restart it would not "
        "start.",
        severity="warning",
        instance=instance,
        job=job,
    )


def read(job: str, series: Series) -> dict[str, Series]:
    """Whether that program's last reload was good."""
    return {of(job, f"{job}_config_last_reload_successful"): series}


GOOD: Mapping[str, Series] = {**read("alertmanager", always(1)), **read("prometheus", always(1))}
BAD = changes((0, 1), (60, 0))

RELOAD = [
    Case(
        "A configuration that Alertmanager refuses is a warning at once.",
        "TradebotConfigReloadFailed",
        Kind.FIRES,
        {**GOOD, **read("alertmanager", BAD)},
        silent_at=(59,),
        firing_at=(60, 300),
        firing=(refused("alertmanager"),),
    ),
    Case(
        "So is one that Prometheus refuses, until it takes one.",
        "TradebotConfigReloadFailed",
        Kind.FIRES,
        {**GOOD, **read("prometheus", changes((0, 1), (60, 0), (200, 1)))},
        silent_at=(59, 200, 300),
        firing_at=(60, 199),
        firing=(refused("prometheus"),),
    ),
    Case(
        "Configurations that were read are no warning.",
        "TradebotConfigReloadFailed",
        Kind.NEGATIVE,
        GOOD,
        silent_at=(0, 60, 300),
    ),
    Case(
        "Programs that say nothing of it are another alert's business.",
        "TradebotConfigReloadFailed",
        Kind.MISSING,
        {},
        silent_at=(0, 60, 300),
    ),
    Case(
        "A lost scrape does not let it resolve.",
        "TradebotConfigReloadFailed",
        Kind.LOST_SCRAPE,
        read("alertmanager", lambda at: LOST if at == 100 else int(at < 60)),
        firing_at=(95, 100, 104, 105),
        firing=(refused("alertmanager"),),
    ),
    Case(
        "A restart of the exporter has nothing to do with it.",
        "TradebotConfigReloadFailed",
        Kind.RESTART,
        {**GOOD, EXPORTER_STARTED: changes((0, -3600), (60, 60))},
        silent_at=(60, 65, 300),
    ),
]


RULES_FAILING_FIRING = told_of_console(
    "TradebotRulesFailing",
    "A rule could not be evaluated",
    "Within five minutes at least one rule of link could not be evaluated. Its alert may be silent although "
    "its symptom is there.",
    severity="warning",
    instance=PROMETHEUS,
    job="prometheus",
    rule_group="/etc/prometheus/rules/link.yml;link",
)


def failures(series: Series, group: str = "link") -> dict[str, Series]:
    """The failed evaluations of a group of rules."""
    where = f'rule_group="/etc/prometheus/rules/{group}.yml;{group}"'
    return {of("prometheus", "prometheus_rule_evaluation_failures_total", where): series}


RULES_FAILING = [
    Case(
        "A rule that could not be evaluated is a warning",
        "TradebotRulesFailing",
        Kind.FIRES,
        {**failures(once(100)), **failures(always(0), "self")},
        silent_at=(99,),
        firing_at=(100, 390),
        firing=(RULES_FAILING_FIRING,),
    ),
    Case(
        "for five minutes.",
        "TradebotRulesFailing",
        Kind.NEGATIVE,
        failures(once(100)),
        silent_at=(405, 600),
    ),
    Case(
        "Failures of last week are none.",
        "TradebotRulesFailing",
        Kind.NEGATIVE,
        failures(always(7)),
        silent_at=(0, 60, 400),
    ),
    Case("Without counters nothing fails.", "TradebotRulesFailing", Kind.MISSING, {}, silent_at=(0, 300)),
    Case(
        "A lost scrape does not let it resolve.",
        "TradebotRulesFailing",
        Kind.LOST_SCRAPE,
        failures(lambda at: LOST if at == 150 else int(at >= 100)),
        firing_at=(100, 150, 154, 155),
        firing=(RULES_FAILING_FIRING,),
    ),
    Case(
        "A restart of the exporter has nothing to do with it.",
        "TradebotRulesFailing",
        Kind.RESTART,
        {**failures(always(0)), EXPORTER_STARTED: changes((0, -3600), (60, 60))},
        silent_at=(60, 65, 300),
    ),
]

CASES = [*FAILING, *RELOAD, *RULES_FAILING]
