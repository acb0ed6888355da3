"""Checks of single settings: a plain value in, the value to use out, or a ValueError with what was expected.

Pure but for the time zones, which are looked up in this machine's own data. The annotated types at the end
are what the models in `exporter.config` are made of.
"""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ValidationInfo

from exporter.exchanges import EXCHANGES

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_SECONDS = 7 * 86_400
COLLOQUIAL = {"LSE": "XLON", "NASDAQ": "XNAS", "NYSE": "XNYS", "TSX": "XTSE"}
"""What people call an exchange, and its code."""


def words(value: object, expected: str) -> str:
    """Any text that is neither empty nor padded with blanks."""
    if not isinstance(value, str) or not value.strip() or value != value.strip():
        raise ValueError(f"expected {expected}")
    return value


def name(value: object) -> str:
    """What may become a label and a part of an address."""
    expected = "a name of small letters, digits, - and _ (at most 64), such as `arb`"
    if not re.fullmatch(r"[a-z0-9_-]{1,64}", text := words(value, expected)):
        raise ValueError(f"expected {expected}")
    return text


def person(value: object) -> str:
    """The name under which a person's changes are recorded."""
    expected = "a person's name of letters, digits, . - _ @ (at most 64)"
    if not re.fullmatch(r"[A-Za-z0-9._@-]{1,64}", text := words(value, expected)):
        raise ValueError(f"expected {expected}")
    return text


def host(value: object) -> str:
    """A host name or an IP address; never a URL, never with a port."""
    expected = "a host name or an address without scheme or port, such as `arb-bot`, `127.0.0.1` or `::1`"
    text = words(value, expected)
    try:
        ipaddress.ip_address(text)
    except ValueError:
        looks_like_address = re.fullmatch(r"[0-9.]+", text)
        if looks_like_address or not re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})", text):
            raise ValueError(f"expected {expected}") from None
    return text


def port(value: object) -> int:
    """A TCP port."""
    if type(value) is not int or not 1 <= value <= 65_535:
        raise ValueError("expected a whole number from 1 to 65535")
    return value


def seconds(value: object) -> float:
    """A length of time: finite, above 0, at most a week."""
    expected = "expected seconds: a number above 0, at most 604800 (a week)"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(expected)
    if not 0 < value <= LONGEST_SECONDS:  # false for NaN too
        raise ValueError(expected)
    return float(value)


def flag(value: object) -> bool:
    """Yes or no, in YAML's own words."""
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def path(value: object, info: ValidationInfo) -> Path:
    """The path of a file that need not exist yet; a relative one starts at `folder` of the context."""
    text = str(value) if isinstance(value, Path) else words(value, "the path of a file")
    if "\0" in text:
        raise ValueError("expected the path of a file")
    return Path((info.context or {}).get("folder", ""), text)


def secret_file(value: object, info: ValidationInfo) -> Path:
    """The path of a token file; a token pasted in its place is refused without being repeated."""
    if not isinstance(value, str) or not value.startswith(("/", "./", "../")):
        raise ValueError(
            "expected the path of a token's file, beginning with / or ./, never the token itself"
        )
    return path(value, info)


def zone(value: object) -> str:
    """A time zone that this machine knows."""
    text = words(value, "an IANA time zone such as `America/New_York` or `UTC`")
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
        if not known:
            raise ValueError("this machine has no time zone data (install the package tzdata)") from None
        same = {name.lower(): name for name in known}.get(text.lower())
        hint = f"`{same}`" if same else "such as `America/New_York`, `Europe/London` or `UTC`"
        raise ValueError(f"expected an IANA time zone, {hint}") from None
    return text


def clock(value: object) -> int:
    """Minutes after local midnight from `"HH:MM"`; `"24:00"` is the end of the day."""
    match = re.fullmatch(r"([01]\d|2[0-4]):([0-5]\d)", value) if isinstance(value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else -1
    if not 0 <= minutes <= 1440:
        raise ValueError('expected a time of day as "HH:MM", from "00:00" to "24:00"')
    return minutes


def exchange(value: object) -> str:
    """The code of an exchange whose calendar can be known."""
    code = value if isinstance(value, str) else ""
    if code in EXCHANGES:
        return code
    meant = COLLOQUIAL.get(code.upper(), code.upper())
    hint = f"`{meant}`" if meant in EXCHANGES else f"one of {', '.join(EXCHANGES)}"
    raise ValueError(f"expected the code of an exchange (ISO 10383), {hint}")


def venue(value: object) -> str:
    """A venue as the bot itself names it."""
    expected = "a venue's name of letters, digits, . - and _ (at most 64), as the bot writes it"
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text := words(value, expected)):
        raise ValueError(f"expected {expected}")
    return text


def days(value: object) -> frozenset[int]:
    """Weekdays, 0 = Monday, from `thu`, `mon-fri`, `sat, sun`, `daily` or a list of these."""
    expected = "expected days such as `thu`, `mon-fri`, `sat, sun` or `daily`"
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not parts:
        raise ValueError(expected)
    found: set[int] = set()
    for part in parts:
        first, dash, last = part.strip().lower().partition("-") if isinstance(part, str) else ("", "", "")
        if (first, dash) == ("daily", ""):
            found.update(range(7))
        elif first in DAYS and (last in DAYS if dash else True):
            start, end = DAYS.index(first), DAYS.index(last if dash else first)
            found.update(day % 7 for day in range(start, end + 1 if end >= start else end + 8))
        else:
            raise ValueError(expected)
    return frozenset(found)


def one_of(*choices: str) -> BeforeValidator:
    """A check that takes one of a few words."""

    def check(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"expected {' or '.join(f'`{choice}`' for choice in choices)}")
        return value

    return BeforeValidator(check)


def joined(host: str, port: int) -> str:
    """`host:port` as people and URLs write it, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def web_address(value: str) -> str:
    """An http address without a password, a query or a trailing slash."""
    expected = "expected an address such as http://localhost:3000"
    try:
        parts = urlsplit(value)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        raise ValueError(expected) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_valid or " " in value:
        raise ValueError(expected)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(f"{expected}, without a name, password, query or fragment")
    return value.rstrip("/")


Name = Annotated[str, BeforeValidator(name)]
Person = Annotated[str, BeforeValidator(person)]
Host = Annotated[str, BeforeValidator(host)]
Port = Annotated[int, BeforeValidator(port)]
Seconds = Annotated[float, BeforeValidator(seconds)]
Flag = Annotated[bool, BeforeValidator(flag)]
FilePath = Annotated[Path, BeforeValidator(path)]
SecretFile = Annotated[Path, BeforeValidator(secret_file)]
Zone = Annotated[str, BeforeValidator(zone)]
Clock = Annotated[int, BeforeValidator(clock)]
Exchange = Annotated[str, BeforeValidator(exchange)]
Venue = Annotated[str, BeforeValidator(venue)]
Days = Annotated[frozenset[int], BeforeValidator(days)]
Reason = Annotated[str, BeforeValidator(lambda value: words(value, "a few words that say why"))]
