"""Each alert is seen firing and seen silent by promtool, and no alert is without its set of situations."""

import pytest

from tests.prometheus import (
    cases_caps,
    cases_control,
    cases_delivery,
    cases_disconnected,
    cases_exposure,
    cases_history,
    cases_link,
    cases_market,
    cases_orders,
    cases_performance,
    cases_restarts,
    cases_risk,
    cases_self,
)
from tests.prometheus.judging import faults
from tests.prometheus.promtool import Case, Kind, alert_rules

SITUATIONS = (
    cases_disconnected,
    cases_exposure,
    cases_link,
    cases_market,
    cases_restarts,
    cases_performance,
    cases_risk,
    cases_caps,
    cases_control,
    cases_orders,
    cases_self,
    cases_delivery,
    cases_history,
)
CASES = [case for module in SITUATIONS for case in module.CASES]
ALERTS = sorted({str(rule["alert"]) for rule in alert_rules()})

# The watchdog fires always: it has no moment before, no look-alike, and no data that a scrape could lose.
NOT_APPLICABLE = {"TradebotWatchdog": {Kind.NEGATIVE, Kind.LOST_SCRAPE, Kind.RESTART}}


@pytest.fixture(scope="module")
def found(
    request: pytest.FixtureRequest, promtool: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[Case, str]:
    """What promtool finds wrong in the situations that this run asks for, all of them at once."""
    specs = [item.callspec for item in request.session.items if hasattr(item, "callspec")]
    asked = [spec.params["case"] for spec in specs if isinstance(spec.params.get("case"), Case)]
    return faults(asked, promtool, tmp_path_factory.mktemp("promtool"))


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.alert}: {case.name}") for case in CASES])
def test_an_alert_does_in_a_situation_what_its_sentence_says(case: Case, found: dict[Case, str]) -> None:
    if case in found:
        pytest.fail(found[case], pytrace=False)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_a_situation_of_each_kind(alert: str) -> None:
    kinds = {case.kind for case in CASES if case.alert == alert}
    assert kinds | NOT_APPLICABLE.get(alert, set()) == set(Kind)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_severity_of_an_alert_is_seen_firing(alert: str) -> None:
    written = {str(rule["labels"]["severity"]) for rule in alert_rules() if rule["alert"] == alert}  # type: ignore[index]
    seen = {
        f.labels["severity"]
        for case in CASES
        if case.alert == alert and (case.firing_at or case.ends)
        for f in case.firing
    }
    assert seen == written


@pytest.mark.parametrize("alert", [alert for alert in ALERTS if alert not in NOT_APPLICABLE])
def test_every_alert_is_seen_silent_just_before_it_fires(alert: str) -> None:
    assert any(
        case.silent_at and case.firing_at and min(case.firing_at) - max(case.silent_at) == 1
        for case in CASES
        if case.alert == alert
    )


def test_every_situation_is_of_an_alert_that_exists() -> None:
    assert {case.alert for case in CASES} == set(ALERTS)
