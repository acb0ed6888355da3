"""Writes Alertmanager's configuration: the committed routes, and the receivers that are set.

Standard library only, because Compose runs it in a container of its own, at each start anew. What is set and
cannot be used is told in one sentence and left out, the others go on: a console with a channel less is better
than one that tells nobody. What was written is a secret itself: tokens lie in it, or beside it.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.first_start import ALERTMANAGER_TOKEN
from deploy.receiver_kinds import KINDS, SECRETS, URL, Given, NotUsableError, Settings
from deploy.receiver_texts import DEAD_MAN, as_yaml, receivers

CONFIGURATION = "alertmanager.yml"
ADDRESSES = "addresses.tmpl"
SAID = "receivers.txt"
"""The file with what is to be said of the receivers at the end of a start."""
RECEIVERS = "receivers:\n"
PUBLIC = {
    "PUBLIC_URL": ("tradebot.pages", "http://localhost:3000"),
    "EXPORTER_PUBLIC_URL": ("tradebot.exporter", "http://localhost:9121"),
}
"""Where people open the console: by variable the template that says it, and the usual address."""
LONGEST_ADDRESS = 100  # characters; a message to Telegram has room for no more
FOLDER_MODE, FILE_MODE = 0o750, 0o640


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is to be written, which services are told, and a sentence for each thing that is not usable."""

    configuration: str
    addresses: str
    secrets: Mapping[str, str]
    on: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def said(self) -> list[str]:
        """Who is told, and what is not usable, a line each."""
        nobody = "nobody: they show on the pages only; .env.example says how to be told"
        told = ", ".join(service for service in self.on if service != DEAD_MAN) or nobody
        watched = "on" if DEAD_MAN in self.on else "not set"
        return [f"Alerts are told to {told}.", f"The {DEAD_MAN} is {watched}.", *self.faults]


def render(routes: str, given: Given, exporter: Settings | None = None) -> Rendered:
    """The committed configuration with the receivers that are set.

    `exporter` is the webhook that brings every alert to the exporter. Raises ValueError where `routes` has no
    section of receivers.
    """
    services: dict[str, Settings] = {}
    faults = []
    for name, read in KINDS.items():
        try:
            settings = read(given)
        except NotUsableError as error:
            faults.append(f"{name[0].upper()}{name[1:]} is off: {error}.")
        else:
            if settings is not None:
                services[name] = settings
    addresses, odd = _addresses(given.variables)
    head, found, _ = routes.partition(f"\n{RECEIVERS}")
    if not found:
        raise ValueError(f"{CONFIGURATION} has no line `receivers:`")
    lines = as_yaml(receivers(services, exporter), "  ")
    configuration = "\n".join([head, RECEIVERS.strip(), *lines, ""])
    strange = _strangers(given.folder)
    return Rendered(configuration, addresses, dict(given.used), tuple(services), (*faults, *odd, *strange))


def _addresses(variables: Mapping[str, str]) -> tuple[str, list[str]]:
    """The template with the console's addresses, and a sentence for each that is none."""
    lines = [f"{{{{/* Where people open the console: {' and '.join(PUBLIC)}, written at each start. */}}}}"]
    said = []
    for variable, (template, usual) in PUBLIC.items():
        address = variables.get(variable, "").strip().rstrip("/") or usual
        if not URL.fullmatch(address) or len(address) > LONGEST_ADDRESS:
            expected = f"a web address of at most {LONGEST_ADDRESS} characters"
            said.append(f"Links in messages lead to {usual}: {variable} is not {expected}.")
            address = usual
        lines.append(f'{{{{ define "{template}" }}}}{address}{{{{ end }}}}')
    return "\n".join([*lines, ""]), said


def _strangers(folder: Path) -> list[str]:
    """A sentence for each file among the secrets that nothing reads: a name that was mistyped."""
    try:
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        return [f"The folder of secrets cannot be read ({error.strerror}): chmod 755 secrets."]
    known = ", ".join(SECRETS)
    return [
        f"Nothing reads secrets/{name!a}; the names are {known}." for name in names if name not in SECRETS
    ]


def exporters_webhook(url: str, token: Path, given: Given) -> Settings:
    """The webhook back to the exporter at `url`. Raises OSError where its token cannot be read."""
    given.used[ALERTMANAGER_TOKEN] = token.read_text().strip()
    credentials = {"credentials_file": str(given.copies / ALERTMANAGER_TOKEN)}
    return {"url": f"{url.rstrip('/')}/api/alerts", "http_config": {"authorization": credentials}}


def write(rendered: Rendered, templates: Path, folder: Path) -> None:
    """Write the configuration after what it names, then remove what it names no more. Raises OSError."""
    for part in (folder, folder / "templates", folder / "secrets"):
        part.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    for name, text in rendered.secrets.items():
        _write(folder / "secrets" / name, text)
    texts = {source.name: source.read_text() for source in templates.glob("*.tmpl")}
    for name, text in (texts | {ADDRESSES: rendered.addresses}).items():
        _write(folder / "templates" / name, text)
    _write(folder / SAID, "\n".join([*rendered.said, ""]))
    _write(folder / CONFIGURATION, rendered.configuration)
    for old in (folder / "secrets").iterdir():
        if old.name not in rendered.secrets:
            old.unlink()


def _write(path: Path, text: str) -> None:
    """Write a file, unless it says that already: its time tells whether Alertmanager has read it."""
    content = text.encode()
    if path.exists() and path.read_bytes() == content:
        return
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb") as file:
        file.write(content)
    unfinished.replace(path)


def configure(
    folder: Path,
    *,
    committed: Path,
    secrets: Path,
    variables: Mapping[str, str],
    exporter: str | None = None,
    token: Path | None = None,
) -> Rendered:
    """Write into `folder` what Alertmanager reads there, from the `committed` folder and what is set.

    With the exporter's address and the file of its token, every alert is delivered to it, too. Raises OSError
    and ValueError where nothing was written.
    """
    given = Given(variables, secrets, folder / "secrets")
    webhook = exporters_webhook(exporter, token, given) if exporter and token else None
    rendered = render((committed / CONFIGURATION).read_text(), given, webhook)
    write(rendered, committed / "templates", folder)
    return rendered


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Write and say who is told. 0; 1 where something set is not used; 2 where nothing was written."""
    parser = argparse.ArgumentParser(description="Write Alertmanager's configuration from what is set.")
    parser.add_argument("folder", type=Path, help="where Alertmanager reads it, under the same path")
    parser.add_argument("--committed", type=Path, required=True, help="the folder of routes and texts")
    parser.add_argument("--secrets", type=Path, required=True, help="the folder of the secret files")
    parser.add_argument("--exporter", metavar="URL", help="where the exporter takes alerts")
    parser.add_argument("--token", type=Path, metavar="FILE", help="what the exporter knows Alertmanager by")
    parser.add_argument(
        "--go-on", action="store_true", help="end with 0 while Alertmanager has something to start with"
    )
    given = parser.parse_args(arguments)
    try:
        rendered = configure(
            given.folder,
            committed=given.committed,
            secrets=given.secrets,
            variables=environ,
            exporter=given.exporter,
            token=given.token,
        )
    except (OSError, ValueError) as error:
        print(f"the receivers of alerts could not be written: {error}", file=sys.stderr)
        return 0 if given.go_on and (given.folder / CONFIGURATION).exists() else 2
    print("\n".join(rendered.said))
    return 1 if rendered.faults and not given.go_on else 0


if __name__ == "__main__":
    sys.exit(main())
