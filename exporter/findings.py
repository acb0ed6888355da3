"""What a check of the doctor found, and how a list of findings is shown. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["PASS", "WARN", "FAIL", "SKIP"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: `says` is what was seen, `fix` what to do about it, empty for nothing."""

    level: Level
    check: str
    says: str
    fix: str = ""

    def __str__(self) -> str:
        line = f"{self.level}  {self.check:<22} {self.says}"
        return f"{line}\n      fix: {self.fix}" if self.fix else line


def exit_code(findings: Iterable[Finding]) -> int:
    """1 when anything failed, else 0; a warning is no failure."""
    return int(any(finding.level == "FAIL" for finding in findings))


def summary(findings: Sequence[Finding]) -> str:
    """The last line of the doctor's report."""
    counts = {
        level: sum(finding.level == level for finding in findings)
        for level in ("PASS", "WARN", "FAIL", "SKIP")
    }
    words = {"PASS": "passed", "WARN": "to look at", "FAIL": "failed", "SKIP": "skipped"}
    return ", ".join(f"{count} {words[level]}" for level, count in counts.items()) + "."


def as_json(findings: Sequence[Finding]) -> str:
    """The whole report for a program: `{"ok": bool, "findings": [{level, check, says, fix}]}`."""
    report = {"ok": exit_code(findings) == 0, "findings": [asdict(finding) for finding in findings]}
    return json.dumps(report, indent=2, ensure_ascii=False)
