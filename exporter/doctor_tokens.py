"""The doctor's look at who may ask for what: every token's file, as this program would read it."""

from __future__ import annotations

from exporter.config import Config
from exporter.control.tokens import TokenFiles, is_loopback
from exporter.findings import Finding, Level

MAKE_ONE = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(24))'"


def tokens_of(config: Config) -> list[Finding]:
    """What is wrong with the tokens, or that they are good; never anything of a token."""
    files = TokenFiles(config.tokens, strict=True)
    level: Level = "WARN" if is_loopback(config.listen.host) else "FAIL"
    found = [Finding(level, "tokens", fault, MAKE_ONE) for fault in files.faults()]
    if files.files and not found:
        who = ", ".join(f"{file.role} {file.name}" for file in files.files)
        found.append(Finding("PASS", "tokens", f"each has a good one: {who}"))
    if not config.tokens.operators:
        says = "there is no operator: nobody can stop or change a bot from here"
        found.append(Finding("WARN", "operators", says, "name one in exporter.yml under tokens: operators"))
    if config.tokens.grafana is not None and not config.grafana_users:
        says = "Grafana has a token and grafana_users is empty: its buttons change nothing"
        found.append(Finding("WARN", "grafana users", says, "name those who may in grafana_users"))
    return found
