"""Says, before the tests run, which programs this machine lacks and what is skipped thereby."""

import os
import shutil

from deploy.programs import grafana_home

# Program, Debian's package, what is skipped without it.
PROGRAMS = (
    ("promtool", "prometheus", "the rules' own tests and everything that a real Prometheus shows"),
    ("amtool", "prometheus-alertmanager", "Alertmanager's routing and the alerts end to end"),
    ("chromium", "chromium", "pages in a real browser"),
    (
        "dockerd",
        "docker.io, docker-compose 2.24 or later, debootstrap, iptables",
        "the Compose files in an engine",
    ),
)


def sentences() -> list[str]:
    """One sentence for each program that is missing."""
    said = [
        f"{program} is not installed (Debian: {package}); skipped thereby: {lost}"
        for program, package, lost in PROGRAMS
        if shutil.which(program) is None
    ]
    if grafana_home(os.environ) is None:
        said.append(
            "Grafana is not installed (PATH or GRAFANA_HOME); skipped thereby: the pages in a real Grafana"
        )
    return said


if __name__ == "__main__":
    print("\n".join(sentences()), flush=True)
