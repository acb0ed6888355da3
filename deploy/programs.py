"""Finds the programs that a machine without Docker has installed, and says what it means where one is not."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Where Grafana's own packages put what the program needs beside it.
PACKAGED_GRAFANA = Path("/usr/share/grafana")
PACKAGED_PLUGINS = Path("/var/lib/grafana/plugins")
# The version that docker-compose.yml names.
LEDGER_PLUGIN, LEDGER_PLUGIN_VERSION = "frser-sqlite-datasource", "4.0.3"


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs that were found; None for one that is not installed. `grafana` is its home folder."""

    prometheus: Path | None
    alertmanager: Path | None
    grafana: Path | None

    def missing(self) -> list[str]:
        """A sentence for each program that is not installed: what is lost without it, and how to get it."""
        said = (
            (
                self.prometheus,
                "Prometheus is not installed (Debian: prometheus): no history and no alerts, and Grafana has "
                "nothing to show.",
            ),
            (
                self.alertmanager,
                "Alertmanager is not installed (Debian: prometheus-alertmanager): alerts are seen in "
                "Prometheus and go nowhere from there.",
            ),
            (
                self.grafana,
                "Grafana is not installed (on the PATH, or named by GRAFANA_HOME): no wall pages; the "
                "exporter's own page shows each bot's verdict.",
            ),
        )
        return [sentence for program, sentence in said if program is None]


def find_programs(environ: Mapping[str, str]) -> Programs:
    """What is installed here, by `PATH` and `GRAFANA_HOME`."""
    return Programs(
        prometheus=_on_path("prometheus", environ),
        alertmanager=_on_path("alertmanager", environ) or _on_path("prometheus-alertmanager", environ),
        grafana=grafana_home(environ),
    )


def grafana_home(environ: Mapping[str, str]) -> Path | None:
    """The folder with Grafana's `bin/grafana`, `conf` and `public`, or None."""
    named = [Path(environ["GRAFANA_HOME"])] if environ.get("GRAFANA_HOME") else []
    found = _on_path("grafana", environ)
    beside = [found.resolve().parents[1]] if found else []
    for home in (*named, *beside, PACKAGED_GRAFANA):
        if (home / "bin" / "grafana").exists() and (home / "conf" / "defaults.ini").exists():
            return home.resolve()
    return None


def plugin_folder(home: Path, *others: Path) -> Path | None:
    """The folder of plugins that has the one for the reporting database, or None.

    Grafana takes one folder: looked for where this Grafana, its packages and `others` keep theirs.
    """
    for folder in (home / "plugins", home / "data" / "plugins", PACKAGED_PLUGINS, *others):
        if (folder / LEDGER_PLUGIN / "plugin.json").exists():
            return folder
    return None


def _on_path(name: str, environ: Mapping[str, str]) -> Path | None:
    found = shutil.which(name, path=environ.get("PATH", ""))
    return Path(found) if found else None
