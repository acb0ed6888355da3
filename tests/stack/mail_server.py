"""A mail server on loopback; it takes nothing before STARTTLS and a login, where it shall want them."""

import base64
import email
import socketserver
import ssl
import time
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from typing import cast

from tests.stack.serving import LOOPBACK, Serving

USER, PASSWORD = "bots@example.com", "a pass word with spaces"


@dataclass(frozen=True)
class Mail:
    """One mail as it was taken, when (epoch seconds), and whether over TLS and after a login."""

    sender: str
    readers: tuple[str, ...]
    at: float
    secure: bool
    logged_in: bool
    message: EmailMessage

    def part(self, kind: str) -> str:
        """The text of its part `plain` or `html`."""
        found = self.message.get_body((kind,))
        assert found is not None
        return str(found.get_content()).replace("\r\n", "\n")


class MailServer(Serving):
    """Takes mail for everybody; with `tls`, from nobody who has not switched to TLS and logged in."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.mails: list[Mail] = []
        self.refused: list[str] = []
        server = _Server(LOOPBACK, _Session)
        server.owner, server.tls = self, tls
        super().__init__(server)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    owner: MailServer
    tls: ssl.SSLContext | None


class _Session(socketserver.StreamRequestHandler):
    """One connection, by RFC 5321, 3207 and 4954 as far as Alertmanager speaks them."""

    secure = logged_in = False

    def handle(self) -> None:
        server = cast("_Server", self.server)
        sender, readers = "", list[str]()
        self._say("220 here")
        while line := self.rfile.readline(2000).decode().rstrip("\r\n"):
            word, _, rest = line.partition(" ")
            match word.upper():
                case "EHLO":
                    offered = ["AUTH PLAIN LOGIN"] if self.secure else ["STARTTLS"] if server.tls else []
                    self._say(*(f"250-{each}" for each in ("here", *offered)), "250 8BITMIME")
                case "STARTTLS" if server.tls and not self.secure:
                    self._say("220 go ahead")
                    self._switch(server.tls)
                case "AUTH" if self.secure:
                    expected = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
                    self.logged_in = rest == f"PLAIN {expected}"
                    self._say("235 welcome" if self.logged_in else "535 who are you")
                case "MAIL" if server.tls is None or self.logged_in:
                    sender, readers = _address(rest), []
                    self._say("250 ok")
                case "RCPT" if sender:
                    readers.append(_address(rest))
                    self._say("250 ok")
                case "DATA" if readers:
                    self._say("354 go ahead")
                    message = email.message_from_bytes(self._data(), policy=default)
                    taken = Mail(
                        sender,
                        tuple(readers),
                        time.time(),
                        self.secure,
                        self.logged_in,
                        cast("EmailMessage", message),
                    )
                    server.owner.mails.append(taken)
                    self._say("250 taken")
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    server.owner.refused.append(line)
                    self._say("503 not now")

    def finish(self) -> None:
        """End the connection; the server knows only the one from before TLS."""
        super().finish()
        self.request.close()

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def _data(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def _switch(self, tls: ssl.SSLContext) -> None:
        self.request = tls.wrap_socket(self.request, server_side=True)
        self.connection = self.request
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        self.secure = True


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
