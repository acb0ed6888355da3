"""The committed rules over simulated windows, by `promtool test rules`: which alerts fired, for how long.

Rules of the link are evaluated each second, as in production, the others every five. promtool has no way to
say what it found, only that it is not what was expected: so it is asked for what cannot be, and its complaint
is read.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.prometheus.promql import selectors
from tests.prometheus.promtool import LOST, PROMETHEUS, SCRAPE, rule_groups, rules_of
from tests.prometheus.thirty_days import Sample, Window

EACH_SECOND = ("bots", "link")
EPOCH = 1e9
"""What is above is a time; promtool's begin at 0."""
FIRED = 'count_over_time(ALERTS{alertstate="firing",alertname!="TradebotWatchdog"}[1d])'
_FOUND = re.compile(r"\{([^{}]*)\} ([\d.E+]+)")


@dataclass(frozen=True)
class Fired:
    """An alert that fired in a window, for so many seconds."""

    window: Window
    alert: str
    severity: str
    bot: str
    seconds: int


@dataclass
class Verdict:
    """What fired, and how often it was asked."""

    fired: list[Fired]
    evaluations: int
    rules: int


def judged(windows: Sequence[Window], promtool: str, folder: Path) -> Verdict:
    """Evaluate all rules over all windows, as two processes at a time."""
    every = tuple(str(group["name"]) for group in rule_groups())
    verdict = Verdict([], 0, 0)
    for some in batches(windows):
        runs = [
            (step, files, Run(some, files, step, promtool, folder))
            for step, files in (
                (1, EACH_SECOND),
                (SCRAPE, every),
            )
        ]
        for step, files, run in runs:
            moments = sum((window.ends - window.begins) // step + 1 for window in some)
            verdict.evaluations += moments
            verdict.rules += moments * sum(len(rules_of(g)) for g in rule_groups() if g["name"] in files)
            verdict.fired += [fired for fired, area in run.found() if step == 1 or area != "link"]
    return verdict


def batches(windows: Sequence[Window], size: int = 12) -> Iterator[Sequence[Window]]:
    """A few at a time, so that promtool needs little memory."""
    for first in range(0, len(windows), size):
        yield windows[first : first + size]


class Run:
    """promtool under way with some windows."""

    def __init__(
        self, windows: Sequence[Window], files: tuple[str, ...], step: int, promtool: str, folder: Path
    ) -> None:
        self._windows, self._step = windows, step
        self._file = folder / f"each-{step}.yml"
        self._file.write_text(json.dumps(rendered(windows, files, step)))
        command = [promtool, "test", "rules", str(self._file)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def found(self) -> Iterator[tuple[Fired, str]]:
        """Every alert that fired, with its area; waits for the end."""
        said, _ = self._process.communicate(timeout=1200)
        self._file.unlink()
        found = re.findall(r'exp: \{window="(\d+)"\}.*\n *got: (.*)', said)
        assert [int(number) for number, _ in found] == [*range(len(self._windows))], said[:3000]
        assert "err:" not in said, said[:3000]
        for number, got in found:
            for labels, times in _FOUND.findall(got):
                alert = dict(re.findall(r'(\w+)="([^"]*)"', labels))
                yield (
                    Fired(
                        self._windows[int(number)],
                        alert["alertname"],
                        alert["severity"],
                        alert.get("bot", ""),
                        int(float(times)) * self._step,
                    ),
                    alert["area"],
                )


def rendered(windows: Iterable[Window], files: tuple[str, ...], step: int) -> dict[str, object]:
    """The windows as tests that fail."""
    return {
        "rule_files": [str(PROMETHEUS / "rules" / f"{name}.yml") for name in files],
        "evaluation_interval": f"{step}s",
        "group_eval_order": list(dict.fromkeys((*EACH_SECOND, *files))),
        "tests": [
            {
                "name": str(number),
                "interval": f"{SCRAPE}s",
                "input_series": [
                    {"series": name, "values": notation(values, window.begins)}
                    for name, values in window.series.items()
                    if name.partition("{")[0] in asked()
                ],
                "promql_expr_test": [
                    {
                        "expr": FIRED,
                        "eval_time": f"{window.ends - window.begins}s",
                        "exp_samples": [{"labels": f'{{window="{number}"}}', "value": 0}],
                    }
                ],
            }
            for number, window in enumerate(windows)
        ],
    }


@cache
def asked() -> frozenset[str]:
    """The metrics that any rule asks for."""
    rules = [rule for group in rule_groups() for rule in rules_of(group)]
    return frozenset(selector.metric for rule in rules for selector in selectors(str(rule["expr"])))


def notation(values: Sequence[Sample], begins: int) -> str:
    """A series as promtool reads it, what stays the same said once."""
    tokens: list[str] = []
    previous, times = None, 0
    for value in (*values, object()):
        if value == previous and type(value) is type(previous):
            times += 1
            continue
        if times:
            tokens.append(repeated(previous, times, begins))
        previous, times = value, 1  # type: ignore[assignment]
    return " ".join(tokens)


def repeated(value: Sample, times: int, begins: int) -> str:
    """The same sample so many times."""
    if value is None:
        return f"_x{times}"
    if value == LOST:
        return " ".join([LOST] * times)
    number = float(value) - begins if float(value) > EPOCH else float(value)
    text = repr(number) if number % 1 else str(int(number))
    return text if times == 1 else f"{text}+0x{times - 1}"


def summary(fired: Iterable[Fired]) -> Counter[tuple[str, str]]:
    """Seconds of firing by alert and severity."""
    found: Counter[tuple[str, str]] = Counter()
    for each in fired:
        found[each.alert, each.severity] += each.seconds
    return found
