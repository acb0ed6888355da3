"""Each lane's own thresholds, which go before the global ones where they are set."""

from dataclasses import dataclass
from typing import Any

from botkit.hot_reload import setting


def _min_net_edge(lane: str) -> Any:
    return setting(
        None,
        key=f"ARB_LANE_{lane}_MIN_NET_EDGE_PER_CONTRACT",
        category="lanes",
        unit="USD",
        minimum=-1,
        maximum=1,
        risk="down",
        help="this lane's ARB_MIN_NET_EDGE_PER_CONTRACT, also in discovery mode",
    )


def _min_expected_profit(lane: str) -> Any:
    return setting(
        None,
        key=f"ARB_LANE_{lane}_MIN_EXPECTED_PROFIT_USD",
        category="lanes",
        unit="USD",
        minimum=-1000,
        risk="down",
        help="this lane's ARB_MIN_EXPECTED_PROFIT_USD, also in discovery mode",
    )


def _min_fill_probability(lane: str) -> Any:
    return setting(
        None,
        key=f"ARB_LANE_{lane}_MIN_FILL_PROBABILITY",
        category="lanes",
        minimum=0,
        maximum=1,
        risk="down",
        help="this lane's ARB_FILL_MIN_PROBABILITY",
    )


def _min_realized_profit(lane: str) -> Any:
    return setting(
        None,
        key=f"ARB_LANE_{lane}_MIN_REALIZED_PROFIT_USD",
        category="lanes",
        unit="USD",
        risk="down",
        help="this lane's ARB_FILL_MIN_REALIZED_PROFIT_USD",
    )


def _use_kelly(lane: str) -> Any:
    return setting(
        None,
        key=f"ARB_LANE_{lane}_USE_EXECUTION_AWARE_KELLY",
        category="lanes",
        risk="down",
        help="this lane's ARB_ENABLE_EXECUTION_AWARE_KELLY",
    )


def _kelly_multiplier(lane: str) -> Any:
    return setting(
        None,
        key=f"ARB_LANE_{lane}_KELLY_FRACTION_MULTIPLIER",
        category="lanes",
        minimum=0,
        maximum=100,
        risk="up",
        help="factor on this lane's Kelly fraction; blank is 1",
    )


def _kelly_floor(lane: str) -> Any:
    return setting(
        None,
        key=f"ARB_LANE_{lane}_KELLY_FRACTION_FLOOR",
        category="lanes",
        minimum=0,
        maximum=1,
        risk="up",
        help="a Kelly fraction above 0 is lifted to this in this lane; blank is 0",
    )


def _kelly_cap(lane: str) -> Any:
    return setting(
        None,
        key=f"ARB_LANE_{lane}_KELLY_FRACTION_CAP",
        category="lanes",
        minimum=0,
        maximum=1,
        risk="up",
        help="this lane's ARB_KELLY_FRACTION_CAP",
    )


@dataclass(frozen=True)
class LaneOverrides:
    """Eight settings a lane beside its switch; a blank one inherits the global value."""

    intra_min_net_edge: float | None = _min_net_edge("INTRA")
    intra_min_expected_profit: float | None = _min_expected_profit("INTRA")
    intra_min_fill_probability: float | None = _min_fill_probability("INTRA")
    intra_min_realized_profit: float | None = _min_realized_profit("INTRA")
    intra_use_kelly: bool | None = _use_kelly("INTRA")
    intra_kelly_multiplier: float | None = _kelly_multiplier("INTRA")
    intra_kelly_floor: float | None = _kelly_floor("INTRA")
    intra_kelly_cap: float | None = _kelly_cap("INTRA")
    cross_min_net_edge: float | None = _min_net_edge("CROSS")
    cross_min_expected_profit: float | None = _min_expected_profit("CROSS")
    cross_min_fill_probability: float | None = _min_fill_probability("CROSS")
    cross_min_realized_profit: float | None = _min_realized_profit("CROSS")
    cross_use_kelly: bool | None = _use_kelly("CROSS")
    cross_kelly_multiplier: float | None = _kelly_multiplier("CROSS")
    cross_kelly_floor: float | None = _kelly_floor("CROSS")
    cross_kelly_cap: float | None = _kelly_cap("CROSS")
    bucket_min_net_edge: float | None = _min_net_edge("STRUCTURAL_BUCKET")
    bucket_min_expected_profit: float | None = _min_expected_profit("STRUCTURAL_BUCKET")
    bucket_min_fill_probability: float | None = _min_fill_probability("STRUCTURAL_BUCKET")
    bucket_min_realized_profit: float | None = _min_realized_profit("STRUCTURAL_BUCKET")
    bucket_use_kelly: bool | None = _use_kelly("STRUCTURAL_BUCKET")
    bucket_kelly_multiplier: float | None = _kelly_multiplier("STRUCTURAL_BUCKET")
    bucket_kelly_floor: float | None = _kelly_floor("STRUCTURAL_BUCKET")
    bucket_kelly_cap: float | None = _kelly_cap("STRUCTURAL_BUCKET")
    tree_min_net_edge: float | None = _min_net_edge("STRUCTURAL_EVENT_TREE")
    tree_min_expected_profit: float | None = _min_expected_profit("STRUCTURAL_EVENT_TREE")
    tree_min_fill_probability: float | None = _min_fill_probability("STRUCTURAL_EVENT_TREE")
    tree_min_realized_profit: float | None = _min_realized_profit("STRUCTURAL_EVENT_TREE")
    tree_use_kelly: bool | None = _use_kelly("STRUCTURAL_EVENT_TREE")
    tree_kelly_multiplier: float | None = _kelly_multiplier("STRUCTURAL_EVENT_TREE")
    tree_kelly_floor: float | None = _kelly_floor("STRUCTURAL_EVENT_TREE")
    tree_kelly_cap: float | None = _kelly_cap("STRUCTURAL_EVENT_TREE")
    parity_min_net_edge: float | None = _min_net_edge("STRUCTURAL_PARITY")
    parity_min_expected_profit: float | None = _min_expected_profit("STRUCTURAL_PARITY")
    parity_min_fill_probability: float | None = _min_fill_probability("STRUCTURAL_PARITY")
    parity_min_realized_profit: float | None = _min_realized_profit("STRUCTURAL_PARITY")
    parity_use_kelly: bool | None = _use_kelly("STRUCTURAL_PARITY")
    parity_kelly_multiplier: float | None = _kelly_multiplier("STRUCTURAL_PARITY")
    parity_kelly_floor: float | None = _kelly_floor("STRUCTURAL_PARITY")
    parity_kelly_cap: float | None = _kelly_cap("STRUCTURAL_PARITY")
