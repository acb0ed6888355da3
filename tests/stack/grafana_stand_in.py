"""Stands where Grafana would, in images for machines that have none. It is not Grafana and shows no page.

It checks what the stack promises its Grafana (mounts, password file, writable data, enforced domain) and
answers the few calls that the first start makes: the files around Grafana are tried, Grafana itself is not.
"""

import base64
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PASSWORDS = {"admin": Path(os.environ["GF_SECURITY_ADMIN_PASSWORD__FILE"]).read_text().strip()}
DOMAIN = os.environ["GF_SERVER_DOMAIN"]


def unkept_promises() -> list[str]:
    """What is not as Grafana needs it."""
    data = Path("/var/lib/grafana/probe")
    data.write_text("writable")
    data.unlink()
    dashboards = Path(os.environ["DASHBOARDS_DIR"])
    return [
        *(
            f"no {variable}"
            for variable in ("PROMETHEUS_URL", "ALERTMANAGER_URL")
            if not os.environ.get(variable)
        ),
        *(["an empty admin password"] if not PASSWORDS["admin"] else []),
        *(["no dashboards"] if not list(dashboards.glob("*.json")) else []),
        *(f"{path} cannot be read" for path in dashboards.glob("*.json") if not json.loads(path.read_text())),
        *(["no provisioning"] if not list(Path("/etc/grafana/provisioning").glob("*/*.y*ml")) else []),
    ]


class Handler(BaseHTTPRequestHandler):
    """Health without a login, users with one; other hosts are sent to the public address."""

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        if path.path == "/api/health":
            self.answer(200, {"database": "ok", "version": "stand-in"})
        elif self.allowed():
            if path.path == "/api/user":
                self.answer(200, {"login": self.user()})
            elif path.path == "/api/users/lookup":
                (name,) = parse_qs(path.query)["loginOrEmail"]
                self.answer(200 if name in PASSWORDS else 404, {"id": 2, "login": name})
            else:
                self.answer(404, {"message": "this is not Grafana"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.allowed() and self.path == "/api/admin/users":
            PASSWORDS[body["login"]] = body["password"]
            self.answer(200, {"id": 2})

    def allowed(self) -> bool:
        """Whether the call may go on; answers it where not."""
        if (self.headers["Host"] or "").partition(":")[0] != DOMAIN:
            self.send_response(301)
            self.send_header("Location", os.environ["GF_SERVER_ROOT_URL"] + self.path)
            self.end_headers()
            return False
        if self.user() is None:
            self.answer(401, {"message": "Invalid username or password"})
            return False
        return True

    def user(self) -> str | None:
        """Who calls, by basic authentication."""
        login = base64.b64decode((self.headers["Authorization"] or "").removeprefix("Basic ")).decode()
        name, _, password = login.partition(":")
        return name if password and PASSWORDS.get(name) == password else None

    def answer(self, status: int, body: object) -> None:
        """Send one JSON answer."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


if __name__ == "__main__":
    if faults := unkept_promises():
        sys.exit("; ".join(faults))
    address = (os.environ.get("GF_SERVER_HTTP_ADDR", ""), int(os.environ.get("GF_SERVER_HTTP_PORT", "3000")))
    ThreadingHTTPServer(address, Handler).serve_forever()
