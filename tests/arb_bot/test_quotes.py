"""Which quotes are not traded on, in the documented words."""

import math
from dataclasses import replace
from typing import Any

import pytest

from arb_bot.quotes import REJECT_REASONS, Quote, reject_reason

NOW = 1_000_000.0
GOOD = Quote("kalshi", "K1", "a market", NOW - 1, 0.40, 0.42, 0.57, 0.59, 10.0, 12.0, 0.01, NOW + 60)

CASES: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"yes_bid": None}, None),
    ({"observed_at": NOW + 299}, None),
    ({"yes_ask": 1.0}, None),
    ({"market_id": ""}, "missing_identity"),
    ({"venue": ""}, "missing_identity"),
    ({"observed_at": math.nan}, "invalid_observed_at"),
    ({"observed_at": 0.0}, "invalid_observed_at"),
    ({"observed_at": NOW + 301}, "future_observed_at"),
    ({"yes_ask": None}, "missing_required_field"),
    ({"no_size": None}, "missing_required_field"),
    ({"no_ask": math.inf}, "non_finite_numeric"),
    ({"fee_per_contract": math.nan}, "non_finite_numeric"),
    ({"yes_ask": 1.01}, "price_out_of_range"),
    ({"no_bid": -0.01}, "price_out_of_range"),
    ({"yes_size": 0.0}, "non_positive_size"),
    ({"fee_per_contract": -0.001}, "negative_fee"),
]


@pytest.mark.parametrize(("change", "reason"), CASES)
def test_a_quote_is_refused_in_the_documented_words(change: dict[str, Any], reason: str | None) -> None:
    assert reject_reason(replace(GOOD, **change), NOW) == reason


def test_every_documented_reason_is_among_the_cases() -> None:
    assert {reason for _, reason in CASES if reason} == set(REJECT_REASONS)
