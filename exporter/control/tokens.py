"""The token files of those who may ask for something: read, read again when they change, never repeated.

They are read in a thread, each second, so that a disk that hangs keeps nobody out who was let in before.

A token is compared by its digest with every known one, in the same time whether and where it fits. What is
wrong with the files is said at the start: a missing, empty, sample, short or shared token is a fault where
others can reach this program, and a warning where only this machine can.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from exporter.config import Config, Tokens
from exporter.control.errand import errand
from exporter.service import StartError

log = logging.getLogger(__name__)

REFRESH_SECONDS: Final = 1.0
SHORTEST: Final = 20
FEWEST_DIFFERENT: Final = 8
LARGEST_FILE: Final = 4096
_SAMPLE: Final = re.compile(
    r"change.?me|example|sample|replace|placeholder|insert|secret|password|dummy|token|1234567|abcdefg"
    r"|default",
    re.I,
)


class Role(StrEnum):
    """What a token opens."""

    OPERATOR = "operator"
    VIEWER = "viewer"
    GRAFANA = "grafana"
    ALERTMANAGER = "alertmanager"


@dataclass(slots=True)
class TokenFile:
    """One token: whose it is, what it opens, and its digest while the file holds a usable one."""

    name: str
    role: Role
    path: Path
    strict: bool
    digest: bytes | None = field(default=None, repr=False)
    fault: str = "was not read yet"
    _mark: tuple[int, int, int] | None = None

    def refresh(self) -> None:
        """Read the file again if it is another one than before; what cannot be read opens nothing."""
        try:
            stat = self.path.stat()
            mark = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if mark == self._mark:
                return
            with self.path.open("rb") as file:
                content = file.read(LARGEST_FILE + 1)
        except OSError as error:
            self._keep(None, None, f"cannot be read: {error.strerror}")
            return
        self._keep(mark, content, "")

    def _keep(self, mark: tuple[int, int, int] | None, content: bytes | None, fault: str) -> None:
        token = b"" if content is None else content.strip()
        if content is not None:
            fault = _fault(token, content)
        if fault and fault != self.fault and self.digest is not None:
            log.warning("the token of %s %s: %s", self.role, self.name, fault)
        usable = bool(token) and len(content or b"") <= LARGEST_FILE and not (fault and self.strict)
        self._mark, self.fault = mark, fault
        self.digest = hashlib.sha256(token).digest() if usable else None


class TokenFiles:
    """Every token of the settings; where `strict`, one with a fault opens nothing."""

    def __init__(self, tokens: Tokens, *, strict: bool) -> None:
        listed = [
            *((name, Role.OPERATOR, path) for name, path in tokens.operators.items()),
            *((name, Role.VIEWER, path) for name, path in tokens.viewers.items()),
            ("grafana", Role.GRAFANA, tokens.grafana),
            ("alertmanager", Role.ALERTMANAGER, tokens.alertmanager),
        ]
        self.files = [TokenFile(name, role, path, strict) for name, role, path in listed if path is not None]
        self.refresh()

    async def run(self) -> None:
        """Look at every file again and again, until cancelled."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await errand(self.refresh)

    def refresh(self) -> None:
        """Look at every file again."""
        for file in self.files:
            file.refresh()

    def find(self, token: str) -> TokenFile | None:
        """Whose token this is; nobody's where two have it. What fits does not show in the time it takes."""
        given = hashlib.sha256(token.strip().encode("utf-8", "replace")).digest()
        fits = [file for file in self.files if hmac.compare_digest(file.digest or b"", given)]
        return fits[0] if len(fits) == 1 else None

    def holder(self, name: str, role: Role) -> TokenFile | None:
        """The token of somebody by name, as it was read last."""
        return next((file for file in self.files if (file.name, file.role) == (name, role)), None)

    def faults(self) -> Iterator[str]:
        """A sentence for each thing wrong with the files; none holds anything of a token."""
        for file in self.files:
            if file.fault:
                yield f"the token of {file.role} {file.name} ({file.path}) {file.fault}"
        seen: dict[bytes, TokenFile] = {}
        for file in self.files:
            first = seen.setdefault(file.digest, file) if file.digest is not None else file
            if first is not file:
                yield (
                    f"{file.role} {file.name} has the same token as {first.role} {first.name}:"
                    " nobody could tell them apart"
                )


def checked(config: Config) -> list[str]:
    """What is wrong with the tokens, to be warned of; raises StartError where others can reach them."""
    faults = list(TokenFiles(config.tokens, strict=True).faults())
    if (why := refusal(faults, config.listen.host)) is not None:
        raise StartError(why)
    return faults


def refusal(faults: Sequence[str], host: str) -> str | None:
    """Why the program must not start on this address with these faults, or None where it may."""
    if not faults or is_loopback(host):
        return None
    return (
        f"{'; '.join(faults)}. On {host} others can reach this program: make a token with"
        " `python3 -c 'import secrets; print(secrets.token_urlsafe(24))'` for each, or listen on 127.0.0.1."
    )


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _fault(token: bytes, content: bytes) -> str:
    """What is wrong with a token, without repeating it."""
    if not token:
        return "is empty"
    if len(content) > LARGEST_FILE:
        return f"is larger than {LARGEST_FILE} bytes, so it is no token"
    if not token.isascii() or not token.decode("ascii").isprintable() or b" " in token:
        return "holds blanks, control characters or letters that no header carries"
    if len(token) < SHORTEST:
        return f"is shorter than {SHORTEST} characters"
    if len(set(token)) < FEWEST_DIFFERENT or _SAMPLE.search(token.decode("ascii")):
        return "looks like a sample and not like a secret"
    return ""
