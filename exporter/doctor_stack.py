"""The doctor's checks of the programs beside the exporter: Prometheus and Grafana.

A program that does not answer at an address nobody set is skipped: it may live elsewhere, or not be wanted.
At an address that was set on purpose, silence is a failure.
"""

from __future__ import annotations

from exporter.findings import Finding
from exporter.http_get import Answer, field, get

JOB = "tradebot"  # the scrape job in prometheus.yml


def silent_program(check: str, url: str, answer: Answer, *, wanted: bool) -> Finding | None:
    """The finding for a program that does not answer as it should; None when it does."""
    if answer.status == 200:
        return None
    seen = answer.error or f"HTTP status {answer.status}"
    if not wanted:
        return Finding("SKIP", check, f"nothing usable at {url} ({seen}); say where with --{check}")
    return Finding("FAIL", check, f"{url} does not answer: {seen}", f"start {check}, or correct its address")


async def prometheus(url: str, within: float, *, wanted: bool) -> list[Finding]:
    """Whether Prometheus is there, scrapes the exporter, has rules and knows where to send alerts."""
    check = "prometheus"
    answer = await get(f"{url}/api/v1/targets?state=active", within)
    if (silent := silent_program(check, url, answer, wanted=wanted)) is not None:
        return [silent]
    found = field(answer.json(), "data", "activeTargets")
    targets = [t for t in found if field(t, "labels", "job") == JOB] if isinstance(found, list) else []
    findings = []
    if not targets:
        fix = "use the prometheus.yml of this project, with the exporter's address in its targets"
        findings.append(Finding("FAIL", check, f"{url} has no target of the job {JOB}", fix))
    for target in targets:
        where, health = field(target, "scrapeUrl"), field(target, "health")
        if health == "up":
            findings.append(Finding("PASS", check, f"{url} scrapes {where}"))
        elif health == "down":
            fix = "start the exporter there, or correct the address in Prometheus's targets"
            says = f"{url} cannot scrape {where}: {field(target, 'lastError')}"
            findings.append(Finding("FAIL", check, says, fix))
        else:
            findings.append(
                Finding("WARN", check, f"{url} has not scraped {where} yet", "repeat in a few seconds")
            )
    return [*findings, *await _alerting(url, within)]


async def _alerting(url: str, within: float) -> list[Finding]:
    """Whether this Prometheus has alert rules and an Alertmanager."""
    findings = []
    rules = field((await get(f"{url}/api/v1/rules?type=alert", within)).json(), "data", "groups")
    if rules:
        findings.append(Finding("PASS", "alert rules", f"{url} has alert rules"))
    else:
        fix = "use the rules folder of this project: without rules nothing ever fires"
        findings.append(Finding("FAIL", "alert rules", f"{url} has no alert rules", fix))
    managers = field((await get(f"{url}/api/v1/alertmanagers", within)).json(), "data", "activeAlertmanagers")
    if managers:
        findings.append(Finding("PASS", "alert path", f"{url} sends alerts to {field(managers, 0, 'url')}"))
    else:
        fix = "put Alertmanager's address into Prometheus's targets: until then no alert leaves it"
        findings.append(Finding("FAIL", "alert path", f"{url} knows no Alertmanager", fix))
    return findings


async def grafana(url: str, within: float, *, wanted: bool) -> list[Finding]:
    """Whether Grafana is there and its own database works."""
    check = "grafana"
    answer = await get(f"{url}/api/health", within)
    if (silent := silent_program(check, url, answer, wanted=wanted)) is not None:
        return [silent]
    if field(answer.json(), "database") != "ok":
        return [Finding("FAIL", check, f"{url} answers, but is not healthy", "look into Grafana's log")]
    return [Finding("PASS", check, f"{url} answers (version {field(answer.json(), 'version')})")]
