"""How people may write the ends of a stretch of time."""

import pytest

from exporter.incident.command import joined
from exporter.incident.span import Span, moment, said

NOON = 1_795_176_000.0  # 2026-11-20 12:00:00 UTC


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-11-20T12:00Z", NOON),
        ("2026-11-20 12:00", NOON),
        ("2026-11-20 12:00:00.250", NOON + 0.25),
        ("2026-11-20T07:00-05:00", NOON),
        ("2026-11-20", NOON - 12 * 3600),
        ("1795176000", NOON),
        ("1795176000.5", NOON + 0.5),
        ("now", NOON + 60),
        ("-2h", NOON + 60 - 7200),
        ("-90s", NOON - 30),
        ("-1.5m", NOON - 30),
        ("-1d", NOON + 60 - 86_400),
    ],
)
def test_a_time_may_be_written_in_each_of_these_ways_and_is_utc_where_it_names_no_zone(
    written: str, at: float
) -> None:
    assert moment(written, NOON + 60) == at


@pytest.mark.parametrize("written", ["", "yesterday", "17:00", "-2", "2h", "-2w", "2026-13-01", "nan", "1e9"])
def test_anything_else_is_refused_with_what_was_expected(written: str) -> None:
    with pytest.raises(ValueError, match="expected a time such as 2026-11-20T17:00Z"):
        moment(written, NOON)


def test_a_stretch_must_begin_before_it_ends() -> None:
    with pytest.raises(
        ValueError, match=r"--from 2026-11-20 12:00:00 UTC is not before --to 2026-11-20 11:59"
    ):
        Span(NOON, NOON - 60)


def test_a_time_is_said_in_utc() -> None:
    assert said(NOON) == "2026-11-20 12:00:00 UTC"
    assert said(NOON + 0.25) == "2026-11-20 12:00:00.250 UTC"


def test_a_time_with_a_minus_is_no_option() -> None:
    assert joined(["incident", "--from", "-2h", "--to", "now"]) == ["incident", "--from=-2h", "--to", "now"]
    assert joined(["incident", "--from", "--to"]) == ["incident", "--from", "--to"]
