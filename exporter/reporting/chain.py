"""The hash chain over the events: what each row's hash covers, and whether a chain is whole. Pure.

hash = SHA-256 over the hash before it (hexadecimal, empty for the first) and the row as canonical JSON: keys
sorted, no spaces, UTF-8, without `previous` and `hash`. So no row can be changed, removed, put in or moved
without every later hash changing; a tail that was cut off shows against a head known from elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

COLUMNS: Final = (
    *("seq", "at", "bot", "kind", "severity", "who", "source", "what", "why"),
    *("before", "after", "answer", "proof", "latency", "data", "previous", "hash"),
)
"""The columns of `events`, in their order."""

FAULTS_NAMED: Final = 20
Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: how many rows, and the hash of the last."""

    count: int = 0
    hash: str = ""

    def __str__(self) -> str:
        return f"{self.count}:{self.hash}"


_BEGINNING: Final = Head()


@dataclass(slots=True)
class Verdict:
    """What a look at a whole chain found; `faults` are sentences, the first ones of `total`."""

    head: Head = field(default_factory=Head)
    faults: list[str] = field(default_factory=list)
    total: int = 0

    def fault(self, says: str) -> None:
        """Remember one more."""
        self.total += 1
        if len(self.faults) < FAULTS_NAMED:
            self.faults.append(says)


def head_of(text: str) -> Head:
    """The head that `COUNT:HASH` names; raises ValueError."""
    count, _, digest = text.partition(":")
    if not count.isdecimal() or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ValueError("expected COUNT:HASH as the log says it, such as 1204:9f86d0…")
    return Head(int(count), digest)


def digest(row: Mapping[str, Value], previous: str) -> str:
    """The hash of a row whose predecessor has the hash `previous`."""
    covered = {name: row[name] for name in COLUMNS if name not in {"previous", "hash"}}
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(f"{previous}{text}".encode()).hexdigest()


def verify(rows: Iterable[Sequence[Value]], known: Iterable[Head] = (), after: Head = _BEGINNING) -> Verdict:
    """Look at every row (values in the order of COLUMNS, by `seq`) and hold the chain against known heads.

    `after` is the head before the first row, where the rows are a part of a chain.
    """
    found, wanted = Verdict(after), {head.count: head for head in known if head.count}
    expected, previous = after.count + 1, after.hash
    for values in rows:
        row = dict(zip(COLUMNS, values, strict=True))
        seq = row["seq"]
        assert isinstance(seq, int)
        if seq != expected:
            gone = f"row {expected} is" if seq == expected + 1 else f"rows {expected} to {seq - 1} are"
            found.fault(f"{gone} missing")
        elif row["previous"] != previous:
            found.fault(
                f"row {seq} does not follow the row before it: put in, moved, or its predecessor changed"
            )
        if row["hash"] != _digest_or_none(row):
            found.fault(f"row {seq} is not as it was written")
        head = wanted.pop(seq, None)
        if head is not None and head.hash != row["hash"]:
            found.fault(
                f"row {seq} has another hash than was known: all rows up to it may have been rewritten"
            )
        expected, previous = seq + 1, str(row["hash"])
        found.head = Head(seq, previous)
    for head in wanted.values():
        found.fault(
            f"{head.count} rows were known and only {found.head.count} are there: the tail was cut off"
        )
    return found


def _digest_or_none(row: Mapping[str, Value]) -> str | None:
    """The hash that a row should have; None where it holds what could never have been written."""
    try:
        return digest(row, str(row["previous"]))
    except (TypeError, ValueError):
        return None
