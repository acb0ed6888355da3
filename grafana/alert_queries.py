"""The PromQL of alerts: which fire, who has each, whom they reach; beside `queries` and `kill_queries`."""

from collections.abc import Sequence

from grafana.promql import saying

# --- Whether anything is known of alerts ---
_WATCHDOG = 'ALERTS{alertname=~"(Tradebot)?Watchdog", alertstate="firing"}'
_EVALUATED = f"(time() - max(timestamp({_WATCHDOG})) < 60)"
_DELIVERING = (
    '(max(prometheus_notifications_alertmanagers_discovered) > 0) and on() (max(up{job="alertmanager"}) == 1)'
)
# What could not be handed on is lost only where nothing was handed on since: a start finds nobody at first.
_LOST = (
    "((sum(increase(prometheus_notifications_dropped_total[1m]))"
    " + sum(increase(prometheus_notifications_errors_total[1m]))) > 0)"
)
_SEES = '(max(up{job="tradebot"}) == 1)'

# --- What fires ---
_SHOWN = 'ALERTS{alertstate="firing", severity=~"critical|warning"}'
_FIRING = 'ALERTS{alertstate="firing", severity="%s"}'
_SINCE = "(time() - (ALERTS_FOR_STATE and ignoring(alertstate) %s))"
_HAD = "max by (alertname, bot, by) (tradebot_alert_acknowledged)"
_WHO = f'label_replace(topk by (alertname, bot) (1, {_HAD}), "has", "$1", "by", "(.+)")'
ORDER = (("critical", False), ("critical", True), ("warning", False), ("warning", True))
"""What stands first: the worse severity, and of each what nobody has yet."""


def _each(severity: str, had: bool) -> str:
    """Seconds since each alert of a severity began, of those that somebody has, or nobody."""
    mine = _SINCE % (_FIRING % severity)
    if had:
        return f"{mine} * on(alertname, bot) group_left(has) {_WHO}"
    return f"{mine} unless on(alertname, bot) {_HAD}"


def firing(severity: str, *, had: bool = False, shown: int, beside: Sequence[str] = ()) -> str:
    """Seconds since each of the oldest alerts began, as many as worse ones leave of `shown` rows.

    `had`: those that somebody has, whose name is in the label `has`. Labels besides: `alertname`, `what`,
    that name without the project's prefix, `where`, bot and venue. `beside` are what else takes a row.
    """
    worse = ORDER[: ORDER.index((severity, had))]
    taken = [f"(count({_each(*each)}) or vector(0))" for each in worse]
    taken += [f"(count({each}) or vector(0))" for each in beside]
    # One row is kept for "and more" as soon as they do not fit.
    left = " - ".join([f"{shown}", f"({_all()} > bool {shown})", *taken])
    named = f'label_replace({_each(severity, had)}, "what", "$1", "alertname", "(?:Tradebot)?(.+)")'
    joined = f'label_join(max by (alertname, what, bot, venue, has) ({named}), "where", " ", "bot", "venue")'
    placed = f'label_replace({joined}, "where", " · $1", "where", "(.*[^ ]) *")'
    return f"topk(scalar(clamp_min({left}, 0)), {placed})"


def more(shown: int) -> str:
    """How many alerts have no row of their own."""
    return f"({_all()} > {shown}) - {shown - 1}"


def _all() -> str:
    return f"(count({_SHOWN}) or vector(0))"


NONE_FIRING = (
    f"(time() - max(timestamp({_WATCHDOG}))) and on() {_EVALUATED} and on() ({_all()} == 0) and on() {_SEES}"
)
NOT_SEEN = f"(vector(1) unless on() {_SEES}) and on() {_EVALUATED} and on() ({_all()} == 0)"
"""Nothing fires, but what would is not seen: the exporter does not answer."""
NOT_DELIVERED = f"(vector(1) unless on() ({_DELIVERING}) or on() {_LOST}) and on() {_EVALUATED}"
NOT_EVALUATED = f"vector(1) unless on() {_EVALUATED}"

EVERY_ALERT = (
    'max by (alertname, alertstate, severity, bot, venue) (ALERTS{alertname!~"(Tradebot)?Watchdog"})'
    f" or on() ({saying('vector(1)', 'alertname', 'none pending, none firing')} and on() {_EVALUATED})"
    f" or on() {saying('vector(1)', 'alertname', 'BLIND: rules are not evaluated')}"
)
_BEGAN = 'ALERTS_FOR_STATE{alertname!~"(Tradebot)?Watchdog"}'
EVERY_ALERT_SINCE = f"max by (alertname, severity, bot, venue) ({_BEGAN}) * 1000"

# --- Whom they reach ---
_PUSH = "sum(tradebot_exporter_push_receivers)"
# A bot whose tier nobody knows counts as live.
_NOT_ONLY_PAPER = '(count(tradebot_connected unless on(bot) (tradebot_tier{tier="paper"} == 1)) > 0)'
_NOBODY_CALLED = (
    f"(({_PUSH} == 0) and on() {_SEES} unless on() ({NOT_DELIVERED}) unless on() ({NOT_EVALUATED}))"
)
NOBODY_IS_CALLED = f"{_NOBODY_CALLED} and on() {_NOT_ONLY_PAPER}"
NOBODY_ON_PAPER = f"{_NOBODY_CALLED} unless on() {_NOT_ONLY_PAPER}"

# --- Whether what is told arrives: the Watchdog comes back to the exporter each minute ---
_FAILING = "sum(increase(alertmanager_notifications_failed_total[10m])) > 0"
ALERTS_FAILING = f"({_FAILING}) unless on() ({NOT_DELIVERED})"
_BACK_AGE = "ceil(time() - max(tradebot_exporter_alert_path_timestamp_seconds))"
_HANDED_ON = f"unless on() ({NOT_DELIVERED}) unless on() ({_FAILING})"
_STARTED = 'max(process_start_time_seconds{job="tradebot"})'
ALERTS_LATE = f"({_BACK_AGE} >= 180) {_HANDED_ON}"
_NOT_BACK = (
    f"((time() - {_STARTED} or on() vector(1e9)) unless on() ({_BACK_AGE}) and on() {_SEES} {_HANDED_ON})"
)
ALERTS_NEVER_BACK = f"{_NOT_BACK} > 180"
ALERTS_NOT_YET_BACK = f"{_NOT_BACK} <= 180"
_BACK = f"(({_BACK_AGE} < 180) {_HANDED_ON})"
ALERTS_TO_NOBODY = f"{_BACK} and on() ({NOBODY_IS_CALLED})"
ALERTS_TO_WALL = f"{_BACK} and on() ({NOBODY_ON_PAPER})"
ALERTS_DELIVERED = f"{_BACK} unless on() ({_NOBODY_CALLED})"
RECEIVERS_BY_KIND = "max by (integration) (tradebot_exporter_push_receivers)"
DEAD_MAN_RECEIVERS = "max(tradebot_exporter_dead_man_receivers)"
