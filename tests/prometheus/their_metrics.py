"""The metrics of Prometheus and Alertmanager that rules stand on, with their labels, for all versions in use.

`test_their_metrics.py` finds them in programs that run.
"""

UP = "up"
STARTED = "process_start_time_seconds"
ALERTS = "ALERTS"

THEIRS: dict[str, tuple[str, frozenset[str]]] = {
    "prometheus_config_last_reload_successful": ("prometheus", frozenset()),
    "prometheus_notifications_errors_total": ("prometheus", frozenset({"alertmanager"})),
    "prometheus_notifications_dropped_total": ("prometheus", frozenset()),
    "prometheus_rule_evaluation_failures_total": ("prometheus", frozenset({"rule_group"})),
    "alertmanager_config_last_reload_successful": ("alertmanager", frozenset()),
    "alertmanager_notifications_failed_total": ("alertmanager", frozenset({"integration"})),
}
"""By name: whose it is, and the labels that every version writes."""

NEWER_LABELS = {"alertmanager_notifications_failed_total": frozenset({"reason"})}
"""Labels that newer versions add; a rule may leave values of them out, never ask for one."""
