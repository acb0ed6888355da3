"""Renders the small part of Markdown that the runbooks use; whatever else stands there is shown as text.

Pure. Headings, paragraphs, lists with what belongs to an item, indented and fenced code; within a line code,
bold and links. Every text is escaped. Who calls decides where a link leads, and which words are links.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Final

Link = Callable[[str, str], str | None]
"""From the kind of a text (`link`, `bold`, `word`) and what it names to an address, or None for no link."""

_HEADING: Final = re.compile(r"(#{1,4}) +(.+?) *#*")
_ITEM: Final = re.compile(r"( {0,3})([*+-]|\d{1,3}[.)])( {1,4})(?=\S)")
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
_INLINE: Final = re.compile(r"(`+)(.+?)\1|\*\*(.+?)\*\*|\[([^\]\[]+)\]\(([^()\s]+)\)|(\bTradebot\w+)", re.S)
CODE_INDENT: Final = 4


def render(text: str, link: Link = lambda kind, name: None) -> str:
    """The document as HTML."""
    lines = [line.rstrip() for line in text.expandtabs(4).splitlines()]
    return _blocks(lines, link)


def _blocks(lines: list[str], link: Link) -> str:
    out, at = [], 0
    while at < len(lines):
        line = lines[at]
        if not line:
            at += 1
        elif fence := _FENCE.match(line):
            end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == fence[1]), len(lines))
            out.append(_code(lines[at + 1 : end]))
            at = end + 1
        elif line.startswith(" " * CODE_INDENT):
            end = _while(lines, at, lambda each: not each or each.startswith(" " * CODE_INDENT))
            out.append(_code([each[CODE_INDENT:] for each in lines[at:end]]))
            at = end
        elif heading := _HEADING.fullmatch(line):
            level = len(heading[1])
            out.append(f"<h{level}>{_inline(heading[2], link)}</h{level}>")
            at += 1
        elif _ITEM.match(line):
            found, at = _list(lines, at, link)
            out.append(found)
        else:
            end = _while(lines, at, lambda each: bool(each) and not _begins(each))
            end = max(end, at + 1)
            out.append(f"<p>{_inline(chr(10).join(each.strip() for each in lines[at:end]), link)}</p>")
            at = end
    return "\n".join(out)


def _list(lines: list[str], at: int, link: Link) -> tuple[str, int]:
    """A list that begins at a line, and the line behind it."""
    kind = _kind(lines[at])
    items = []
    while at < len(lines) and (item := _ITEM.match(lines[at])) and _kind(lines[at]) == kind:
        width = item.end()
        inner, at = [lines[at][width:]], at + 1
        while at < len(lines):
            line = lines[at]
            belongs = not line or line.startswith(" " * width)
            lazy = bool(inner[-1]) and not _begins(line)
            if not (belongs or lazy):
                break
            inner.append(line[width:] if belongs else line.strip())
            at += 1
        content = _blocks(inner, link)
        only = re.fullmatch(r"<p>((?:(?!</p>).)*)</p>", content, re.S)
        items.append(f"<li>{only[1] if only else content}</li>")
    tag = "ol" if kind else "ul"
    return f"<{tag}>\n{chr(10).join(items)}\n</{tag}>", at


def _kind(line: str) -> bool:
    """Whether an item is numbered."""
    return line.lstrip()[0].isdigit()


def _begins(line: str) -> bool:
    """Whether something else than the text before begins on this line."""
    return bool(_ITEM.match(line) or _HEADING.fullmatch(line) or _FENCE.match(line))


def _while(lines: list[str], at: int, holds: Callable[[str], bool]) -> int:
    return next((n for n in range(at, len(lines)) if not holds(lines[n])), len(lines))


def _code(lines: list[str]) -> str:
    return f"<pre><code>{escape(chr(10).join(lines).strip(chr(10)))}</code></pre>"


def _inline(text: str, link: Link) -> str:
    out, at = [], 0
    for found in _INLINE.finditer(text):
        out += [escape(text[at : found.start()]), _marked(found, link)]
        at = found.end()
    return "".join([*out, escape(text[at:])])


def _marked(found: re.Match[str], link: Link) -> str:
    _, code, bold, words, target, name = found.groups()
    if code is not None:
        return _linked(f"<code>{escape(code.strip())}</code>", link("word", code.strip()))
    if bold is not None:
        return _linked(f"<strong>{_inline(bold, link)}</strong>", link("bold", bold))
    if words is not None:
        return _linked(escape(words), link("link", target))
    return _linked(escape(name), link("word", name))


def _linked(shown: str, address: str | None) -> str:
    return shown if address is None else f'<a href="{escape(address)}">{shown}</a>'
