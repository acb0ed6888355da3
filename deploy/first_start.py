"""Makes the secrets of a first start, once, and tells Prometheus where to scrape where names do not.

Standard library only, because Compose runs it in a container of its own before Grafana starts. A secret
that is there is never changed: whoever wants a new one removes the file.
"""

import argparse
import json
import os
import secrets
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ADMIN_PASSWORD = "grafana_admin_password"  # noqa: S105 - the name of a file, not a password
WALL_PASSWORD = "grafana_wall_password"  # noqa: S105 - likewise
WALL_USER = "wall"

OPERATOR_TOKEN = "operator_token"  # noqa: S105 - likewise
VIEWER_TOKEN = "viewer_token"  # noqa: S105 - likewise
GRAFANA_TOKEN = "grafana_token"  # noqa: S105 - likewise
ALERTMANAGER_TOKEN = "alertmanager_token"  # noqa: S105 - likewise

OWNER, GROUP = 0o600, 0o640
SECRETS = {
    ADMIN_PASSWORD: GROUP,  # Grafana is in the group
    WALL_PASSWORD: GROUP,
    OPERATOR_TOKEN: OWNER,  # who reads it may kill and change: the exporter alone
    VIEWER_TOKEN: OWNER,
    GRAFANA_TOKEN: GROUP,
    ALERTMANAGER_TOKEN: GROUP,
}
"""Every secret of a first start, with the mode of its file."""


def make_secrets(folder: Path) -> list[str]:
    """Write each missing secret into `folder`, readable by those it is for; the names of those made.

    Raises OSError where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    made = []
    for name, mode in SECRETS.items():
        path = folder / name
        if path.exists() and path.read_text().strip():
            continue
        # Under another name first: a full disk then leaves no empty secret behind.
        unfinished = path.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
            file.write(secrets.token_urlsafe(24))
        unfinished.replace(path)
        made.append(name)
    return made


def write_targets(folder: Path, addresses: Iterable[str]) -> None:
    """Write one file of scrape targets for each `name=host:port`, in the form that Prometheus reads.

    Raises OSError where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for address in addresses:
        name, _, target = address.partition("=")
        (folder / f"{name}.yml").write_text(json.dumps([{"targets": [target]}]) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make what is missing and say so; 0, or 1 with one sentence."""
    parser = argparse.ArgumentParser(description="Make the secrets of a first start, once, into a folder.")
    parser.add_argument("folder", type=Path, help="where the secrets are kept")
    parser.add_argument("--targets", type=Path, metavar="FOLDER", help="where Prometheus reads its targets")
    parser.add_argument("addresses", nargs="*", metavar="NAME=HOST:PORT", help="the targets to write there")
    options = parser.parse_intermixed_args(arguments)
    if options.addresses and options.targets is None:
        parser.error("addresses need --targets")
    try:
        made = make_secrets(options.folder)
        if options.targets is not None:
            write_targets(options.targets, options.addresses)
    except OSError as error:
        print(f"cannot write {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"made {' and '.join(made)}" if made else "the secrets are there already")
    return 0


if __name__ == "__main__":
    sys.exit(main())
