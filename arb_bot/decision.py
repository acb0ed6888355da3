"""The documented words for what became of an opportunity, and one such verdict."""

from dataclasses import dataclass

SKIPPED = "skipped"
DRY_RUN = "dry_run"
SETTLED = "settled"
EXECUTION_FAILED = "execution_failed"

EDGE_ABOVE_SANITY = "edge_exceeds_sanity_threshold"
SIZER_REJECTED = "position_sizer_rejected"
FILL_PROBABILITY_LOW = "fill_probability_below_threshold"
REALIZED_PROFIT_LOW = "expected_realized_profit_below_threshold"
MAKER_ESTIMATE = "maker_estimate_disabled_in_live"
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
