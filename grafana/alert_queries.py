"""The PromQL of alerts: which fire, who has each, whom they reach; beside `queries` and `kill_queries`."""

from grafana.promql import saying

# --- Whether anything is known of alerts ---
_WATCHDOG = 'ALERTS{alertname=~"(Tradebot)?Watchdog", alertstate="firing"}'
_EVALUATED = f"(time() - max(timestamp({_WATCHDOG})) < 60)"
# One lost scrape of Alertmanager is nothing.
_DELIVERING = (
    "(max(prometheus_notifications_alertmanagers_discovered) > 0)"
    ' and on() (max(max_over_time(up{job="alertmanager"}[12s])) == 1)'
)
# A start finds nobody for a moment. Where that goes on, the Watchdog alone fails each 15 s: so in both spans.
_NOT_HANDED_ON = (
    "((sum(increase(prometheus_notifications_dropped_total[30s]{0}))"
    " + sum(increase(prometheus_notifications_errors_total[30s]{0}))) > 0)"
)
_LOST = f"({_NOT_HANDED_ON.format('')} and {_NOT_HANDED_ON.format(' offset 40s')})"
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
        mine = f"{mine} * on(alertname, bot) group_left(has) {_WHO}"
    else:
        mine = f"{mine} unless on(alertname, bot) {_HAD}"
    return f"max by (alertname, bot, venue, has) ({mine})"


def firing(severity: str, *, had: bool = False, shown: int) -> str:
    """Seconds since each of the oldest alerts began, as many as worse ones leave of `shown` rows.

    `had`: those that somebody has, whose name is in the label `has`. Labels besides: `alertname`, `what`,
    that name without the project's prefix, `where`, bot and venue.
    """
    worse = ORDER[: ORDER.index((severity, had))]
    taken = [f"(count({_each(*each)}) or vector(0))" for each in worse]
    # One row is kept for "and more" as soon as they do not fit.
    left = " - ".join([_rows(shown), f"({_all()} > bool {_rows(shown)})", *taken])
    named = f'label_replace({_each(severity, had)}, "what", "$1", "alertname", "(?:Tradebot)?(.+)")'
    joined = f'label_join({named}, "where", " ", "bot", "venue")'
    placed = f'label_replace({joined}, "where", " · $1", "where", "(.*[^ ]) *")'
    return f"topk(scalar(clamp_min({left}, 0)), {placed})"


def more(shown: int) -> str:
    """How many alerts have no row of their own."""
    return f"({_all()} > {_rows(shown)}) - {_rows(shown)} + 1"


def where_room(expr: str, shown: int) -> str:
    """`expr` while alerts leave it one of `shown` rows."""
    return f"({expr}) and on() ({_all()} < {shown})"


def _all() -> str:
    return f"(count(max by (alertname, severity, bot, venue) ({_SHOWN})) or vector(0))"


def _rows(shown: int) -> str:
    """How many of `shown` rows are for alerts: one less while the way that they take is itself broken."""
    return f"({shown} - (count({NOT_DELIVERED}) or count({NOT_EVALUATED}) or vector(0)))"


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
# As TradebotNotificationsFailing judges it: what a reload cut short is sent again, and the way back to the
# exporter fails while the exporter restarts.
_STARTED = 'max(process_start_time_seconds{job="tradebot"})'
_GAVE_UP = (
    "(sum(increase(alertmanager_notifications_failed_total"
    '{integration%s"webhook", reason!="contextCanceled"}[5m])) > 0)'
)
_FAILING = f"({_GAVE_UP % '!='} or on() ({_GAVE_UP % '='} and on() (time() - {_STARTED} > 300)))"
ALERTS_FAILING = f"({_FAILING}) unless on() ({NOT_DELIVERED})"
_BACK_AGE = "ceil(time() - max(tradebot_exporter_alert_path_timestamp_seconds))"
_HANDED_ON = f"unless on() ({NOT_DELIVERED}) unless on() ({_FAILING})"
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
