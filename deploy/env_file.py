"""Reads the lines of a `.env` as Compose reads them: NAME=VALUE, quotes around a value, comments. Pure.

Variables inside a value are not filled in.
"""

import re

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_QUOTED = re.compile(r"""(["'])(.*?)\1\s*(?:#.*)?""")


def read_variables(text: str) -> dict[str, str]:
    """Every variable that is set there; what is no such line is passed over."""
    found = {}
    for line in text.removeprefix("\ufeff").splitlines():  # which some editors put before everything
        if (assigned := _LINE.fullmatch(line)) is not None:
            name, value = assigned.groups()
            quoted = _QUOTED.fullmatch(value)
            found[name] = quoted[2] if quoted else re.sub(r"\s+#.*", "", value).rstrip()
    return found
