"""The documented words for what became of an opportunity, and one such verdict."""

from dataclasses import dataclass

SKIPPED = "skipped"
DRY_RUN = "dry_run"
SETTLED = "settled"
EXECUTION_FAILED = "execution_failed"

CLUSTER_FULL = "cluster_open_position_cap_reached"
EDGE_ABOVE_SANITY = "edge_exceeds_sanity_threshold"
EDGE_BELOW_DYNAMIC = "edge_below_dynamic_threshold"
CLUSTER_BUDGET_EXHAUSTED = "cluster_budget_exhausted"
SIZER_REJECTED = "position_sizer_rejected"
KELLY_ZERO = "kelly_fraction_zero"
KELLY_RESIZE_REJECTED = "kelly_resize_rejected"
FILL_PROBABILITY_LOW = "fill_probability_below_threshold"
FILL_QUALITY_LOW = "fill_quality_below_threshold"
REALIZED_PROFIT_LOW = "expected_realized_profit_below_threshold"
MAKER_DISABLED = "maker_estimate_disabled_in_live"
"""Also on paper: orders are sent there as in live trading, and an estimate has no order to send."""
PAPER_NO_FILL = "paper_no_fill"
PAPER_OPENED = "paper_position_opened"
PAPER_SETTLED = "paper_position_settled"
LEGS_FAILED = "one or more legs failed"
LEGGING_ABORTED = "legging aborted: quote drift or time window exceeded"


@dataclass(frozen=True, slots=True)
class Decision:
    """One verdict of a cycle. `edge` in dollars a contract, `fill_prob` 0..1 (1.0 where no plan was made)."""

    action: str
    kind: str
    match_key: str
    reason: str
    edge: float
    fill_prob: float = 1.0

    def as_message(self) -> dict[str, object]:
        """The decision as it stands in a state."""
        return {
            "action": self.action,
            "kind": self.kind,
            "match_key": self.match_key,
            "reason": self.reason,
            "edge": round(self.edge, 6),
            "fill_prob": round(self.fill_prob, 6),
        }
