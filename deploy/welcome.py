"""Ends a start: says where the pages are, how to read the login and who is told of alerts.

Before that it waits for Grafana, gives the wall its user and lets Alertmanager read its receivers anew.
Standard library only: Compose runs it in a container of its own as the last thing of `docker compose up`,
and `make run` beside what it starts, where Grafana may be missing. With `--login` it only prints the login.

Errors: `WelcomeError`, which ends in one sentence and exit status 1.
"""

import argparse
import base64
import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.first_start import ADMIN_PASSWORD, OPERATOR_TOKEN, WALL_PASSWORD, WALL_USER
from deploy.receivers import SAID

_RELOADED = re.compile(r"^alertmanager_config_last_reload_success_timestamp_seconds (\S+)$", re.MULTILINE)
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Reaches the console's own programs, which no proxy of this machine would find."""
KIOSK = "/d/tradebot-live/live?kiosk&refresh=5s&_dash.hideTimePicker&_dash.hideVariables&_dash.hideLinks"


class WelcomeError(Exception):
    """The start did not come to its end; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Grafana:
    """Grafana's HTTP interface as one user. `url` is where it answers, `public_url` where people open it."""

    url: str
    public_url: str
    user: str
    password: str

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> tuple[int, object]:
        """Status and decoded answer of one call. Raises OSError while nothing answers."""
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        request = urllib.request.Request(  # noqa: S310 - the address is the operator's own
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Basic {login}",
                "Content-Type": "application/json",
                # The domain is enforced: another Host would be sent away to the public address.
                "Host": urllib.parse.urlsplit(self.public_url).netloc,
            },
        )
        try:
            with _DIRECT.open(request, timeout=10) as answer:
                return answer.status, _decoded(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _decoded(error.read())


def _decoded(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def wait_for(name: str, url: str, seconds: float) -> None:
    """Return once `url` answers 200; raises WelcomeError after `seconds`."""
    end = time.monotonic() + seconds
    while not _answers(url):
        if time.monotonic() > end:
            raise WelcomeError(f"{name} did not answer at {url} within {seconds:.0f} s; its log says why")
        time.sleep(0.5)


def _answers(url: str) -> bool:
    try:
        with _DIRECT.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def provide_wall_user(admin: Grafana, password: str) -> None:
    """Make sure that the read-only user of the wall exists and has this password.

    Its role is what Grafana gives a new user: Viewer. Raises WelcomeError where Grafana refuses.
    """
    status, user = admin.call("GET", f"/api/users/lookup?loginOrEmail={WALL_USER}")
    if status == 401:
        raise WelcomeError(
            "Grafana's data is older than the admin password made for it: set the password again with "
            "`grafana cli admin reset-admin-password`, or remove Grafana's data to begin anew"
        )
    if status == 404:
        account = {"login": WALL_USER, "name": "Wall screen", "password": password}
        status, user = admin.call("POST", "/api/admin/users", account)
    elif isinstance(user, dict) and not _logs_in(admin, password):
        path = f"/api/admin/users/{user.get('id')}/password"
        status, user = admin.call("PUT", path, {"password": password})
    if status != 200:
        raise WelcomeError(f"Grafana did not take the wall's user: {status} {user}")


def _logs_in(admin: Grafana, password: str) -> bool:
    status, _ = Grafana(admin.url, admin.public_url, WALL_USER, password).call("GET", "/api/user")
    return status == 200


def reload_alertmanager(url: str, folder: Path, seconds: float) -> None:
    """Let Alertmanager read its configuration, where something in `folder` is newer than what it has read.

    Not without need, because a group in which something ended lately may then be told once more. Raises
    WelcomeError where it does not answer, or goes on with the configuration that it had.
    """
    wait_for("Alertmanager", f"{url}/-/ready", seconds)
    try:
        with _DIRECT.open(f"{url}/metrics", timeout=10) as answer:
            read_at = _RELOADED.search(answer.read().decode())
        if read_at is not None and _written_at(folder) < float(read_at[1]):
            return
        request = urllib.request.Request(f"{url}/-/reload", method="POST")  # noqa: S310 - the operator's own
        with _DIRECT.open(request, timeout=10):
            return
    except urllib.error.HTTPError as error:
        why = error.read().decode(errors="replace").strip()
    except OSError as error:
        why = str(error)
    raise WelcomeError(f"Alertmanager goes on with the receivers that it had: {why}")


def _written_at(folder: Path) -> float:
    """When something in the folder was written last, in epoch seconds."""
    return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))


def greeting(environ: Mapping[str, str], told: Sequence[str] = ()) -> str:
    """The last lines of a start: where everything is that runs, the login, and who is `told` of alerts."""
    page = environ.get("PUBLIC_URL", "").rstrip("/")
    places = {
        "Live page": page and f"{page}/d/tradebot-live/live",
        "Wall screen": page and page + KIOSK,
        "Operator page": environ.get("EXPORTER_PUBLIC_URL"),
        "Prometheus": environ.get("PROMETHEUS_PUBLIC_URL"),
        "Alertmanager": environ.get("ALERTMANAGER_PUBLIC_URL"),
        "Login": page and "make login",
    }
    lines = [f"{name:14} {place}" for name, place in places.items() if place]
    return "\n".join(["", *(f"  {line}" for line in [*lines, *told]), ""])


def passwords(folder: Path) -> tuple[str, str]:
    """The admin's and the wall's. Raises OSError where no start has made them yet."""
    return (folder / ADMIN_PASSWORD).read_text().strip(), (folder / WALL_PASSWORD).read_text().strip()


def login(folder: Path) -> str:
    """Everybody's password or token, for a terminal. Raises OSError where no start has made them."""
    admin, wall = passwords(folder)
    operator = (folder / OPERATOR_TOKEN).read_text().strip()
    return (
        f"Grafana         user admin     password {admin}\n"
        f"Grafana         user {WALL_USER}      password {wall}   (read-only, for a wall screen)\n"
        f"operator page   user operator  token    {operator}"
    )


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Wait, provide, greet; or print the login. 0, or 1 with one sentence."""
    parser = argparse.ArgumentParser(description="Greet whoever started the console, or print the login.")
    parser.add_argument(
        "--secrets", type=Path, required=True, help="the folder of the first start's passwords"
    )
    parser.add_argument(
        "--alertmanager", type=Path, metavar="FOLDER", help="where its configuration was written"
    )
    parser.add_argument("--login", action="store_true", help="print the login and do nothing else")
    parser.add_argument(
        "--wait", type=float, default=120.0, metavar="SECONDS", help="for Grafana (default 120)"
    )
    options = parser.parse_args(arguments)
    try:
        if options.login:
            print(login(options.secrets))
            return 0
        wait_for("the exporter", environ["EXPORTER_URL"] + "/-/healthy", options.wait)
        if "GRAFANA_URL" in environ:
            wait_for("Grafana", environ["GRAFANA_URL"] + "/api/health", options.wait)
            admin_password, wall_password = passwords(options.secrets)
            admin = Grafana(environ["GRAFANA_URL"], environ["PUBLIC_URL"], "admin", admin_password)
            provide_wall_user(admin, wall_password)
    except WelcomeError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"no login yet: {error.filename or error} ({error.strerror})", file=sys.stderr)
        return 1
    told, trouble = list[str](), ""
    if options.alertmanager is not None and "ALERTMANAGER_URL" in environ:
        try:
            told = (options.alertmanager / SAID).read_text().splitlines()
            reload_alertmanager(environ["ALERTMANAGER_URL"], options.alertmanager, options.wait)
        except (WelcomeError, OSError) as error:
            trouble = str(error)
    print(greeting(environ, told), flush=True)
    if trouble:
        print(trouble, file=sys.stderr)
    return int(bool(trouble))


if __name__ == "__main__":
    sys.exit(main())
