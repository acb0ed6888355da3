"""Text as it may stand in a page: cut, escaped, without what cannot be seen or turns the others around."""

from __future__ import annotations

from html import escape
from typing import Final

LONGEST: Final = 160  # characters of any one text on the page


def shown(text: str, longest: int = LONGEST) -> str:
    """A text from anywhere, also one that a bot sent."""
    seen = "".join(char if char.isprintable() else " " for char in text[: longest + 1])
    return escape(seen if len(text) <= longest else f"{seen[:longest]}…")
