"""Writes the pages as `grafana/dashboards/*.json`, or with `--check` says which committed ones are stale."""

import argparse
import sys
from pathlib import Path

from grafana import analytics, config_page, live, system
from grafana.page import encoded

DASHBOARDS = Path(__file__).parent / "dashboards"
PAGES = {
    "analytics.json": analytics.analytics,
    "config.json": config_page.config,
    "live.json": live.live,
    "system.json": system.system,
}


def stale(folder: Path) -> list[str]:
    """Names of the files in `folder` that are not what the code gives."""
    return [name for name, page in PAGES.items() if not _same(folder / name, encoded(page()))]


def write(folder: Path) -> None:
    """Write every page into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_bytes(encoded(page()))


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 written or fresh, 1 stale (with `--check`)."""
    parser = argparse.ArgumentParser(prog="python -m grafana", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail when a committed file is stale"
    )
    parser.add_argument(
        "--folder", type=Path, default=DASHBOARDS, help="where the files are (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    if not options.check:
        write(options.folder)
        return 0
    names = stale(options.folder)
    for name in names:
        sys.stderr.write(f"{options.folder / name} is stale: run `python -m grafana`\n")
    return 1 if names else 0


def _same(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


if __name__ == "__main__":
    sys.exit(main())
