"""Structural event tree lane: a parent question against its children, of which one is true when it is."""

from collections.abc import Iterator

from arb_bot.lanes import STRUCTURAL_EVENT_TREE, MarketView
from arb_bot.lanes.combining import combination, quotes_of
from arb_bot.opportunity import Opportunity
from arb_bot.quotes import Side


class StructuralEventTreeLane:
    """Buys the parent's one side and every child's other side where they cost less than they must pay."""

    kind = STRUCTURAL_EVENT_TREE

    def find(self, view: MarketView, floor: float) -> Iterator[Opportunity]:
        """NO of the parent with YES of all children pays $1; YES with NO of all pays $1 for each child."""
        for tree in view.relations.trees:
            quotes = quotes_of(view, (tree.parent, *tree.children))
            if quotes is None:
                continue
            directions: tuple[tuple[Side, Side, float], ...] = (
                ("no", "yes", 1.0),
                ("yes", "no", float(len(tree.children))),
            )
            parent, *children = quotes
            for parent_side, child_side, payout in directions:
                found = combination(
                    self.kind,
                    f"{tree.group_id}:parent_{parent_side}_children_{child_side}",
                    ((parent, parent_side), *((child, child_side) for child in children)),
                    view,
                    floor,
                    payout=payout,
                    metadata={"structural_class": "event_tree", "event_tree_group_id": tree.group_id},
                )
                if found:
                    yield found
