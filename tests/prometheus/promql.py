"""What a rule's expression asks for: metrics, labels, values. Reads as much of PromQL as the rules use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FUNCTIONS = (
    "abs absent absent_over_time avg avg_over_time bottomk ceil changes clamp clamp_max clamp_min count "
    "count_over_time delta deriv floor group histogram_quantile increase label_join label_replace "
    "last_over_time max max_over_time min min_over_time predict_linear present_over_time quantile "
    "quantile_over_time rate resets round scalar sort sort_desc stddev sum sum_over_time time timestamp topk "
    "vector"
)
WORDS = "and or unless on ignoring by without group_left group_right bool offset inf nan"
RESERVED = frozenset(f"{FUNCTIONS} {WORDS}".split())

_NAME = re.compile(r"[a-zA-Z_][\w]*(?::\w+)*")
_MATCHER = re.compile(r'\s*(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*,?')
_CLAUSE = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")


@dataclass(frozen=True, slots=True)
class Selector:
    """One use of a metric: its name, and for each matcher its label, its operator and the values it names."""

    metric: str
    matchers: tuple[tuple[str, str, tuple[str, ...]], ...]


def selectors(expression: str) -> Iterator[Selector]:
    """Every metric that an expression asks for; one that is chosen by `__name__` counts as each it may be."""
    position = 0
    text = _CLAUSE.sub(lambda found: " " * len(found[0]), _without_comments(expression))
    while found := re.compile(r'"(?:[^"\\]|\\.)*"|\[[^]]*\]|[\d.]+[a-z]*|\{|[a-zA-Z_]').search(
        text, position
    ):
        position = found.end()
        if found[0] == "{":
            matchers, position = _matchers(text, position)
            yield from _chosen(None, matchers)
        elif re.match("[a-zA-Z_]", found[0]):
            name = _NAME.match(text, found.start())
            assert name is not None
            position = name.end()
            if name[0].lower() in RESERVED:
                continue
            matchers = ()
            if (brace := re.compile(r"\s*\{").match(text, position)) is not None:
                matchers, position = _matchers(text, brace.end())
            yield from _chosen(name[0], matchers)


def grouped_by(expression: str) -> frozenset[str]:
    """Every label that a clause of the expression names."""
    clauses = _CLAUSE.findall(_without_comments(expression))
    return frozenset(label.strip() for clause in clauses for label in clause.split(",") if label.strip())


def made(expression: str) -> dict[str, frozenset[str]]:
    """The labels that the expression makes by itself, each with the values that it gives them."""
    found: dict[str, frozenset[str]] = {}
    for label, value in re.findall(r'"(\w+)",\s*"([^"]*)",\s*"[^"]*",\s*"[^"]*"\s*\)', expression):
        found[label] = found.get(label, frozenset()) | {value}
    return found


def _without_comments(expression: str) -> str:
    return re.sub(r"(?m)(^|\s)#.*$", " ", expression)


def _matchers(text: str, position: int) -> tuple[tuple[tuple[str, str, tuple[str, ...]], ...], int]:
    found = []
    while (matcher := _MATCHER.match(text, position)) is not None:
        label, operator, value = matcher.groups()
        found.append((label, operator, tuple(value.split("|")) if "~" in operator else (value,)))
        position = matcher.end()
    end = re.compile(r"\s*\}").match(text, position)
    assert end is not None, f"not understood: {text[position : position + 40]}"
    return tuple(found), end.end()


def _chosen(metric: str | None, matchers: tuple[tuple[str, str, tuple[str, ...]], ...]) -> Iterator[Selector]:
    named = [values for label, _, values in matchers if label == "__name__"]
    rest = tuple(matcher for matcher in matchers if matcher[0] != "__name__")
    for name in (metric,) if metric is not None else (named[0] if named else ()):
        yield Selector(name, rest)
