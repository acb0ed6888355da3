"""What the lint reads from an expression is what the expression asks for."""

from tests.prometheus.promql import Selector, grouped_by, made, selectors

EXPRESSION = """
(
  sum by (bot, instance) (increase(tradebot_mode_changes_total{expected="false", mode=~"paper|live"}[5m])) > 0
  and on (bot) bot:tier:info{tier!="paper"} offset 5m  # not { this
)
  * on (instance) group_left (tier) max({__name__=~"tradebot_a|tradebot_b", venue="x"}) or time() - up > 1e9
"""


def test_selectors_are_found_with_their_matchers() -> None:
    assert list(selectors(EXPRESSION)) == [
        Selector(
            "tradebot_mode_changes_total", (("expected", "=", ("false",)), ("mode", "=~", ("paper", "live")))
        ),
        Selector("bot:tier:info", (("tier", "!=", ("paper",)),)),
        Selector("tradebot_a", (("venue", "=", ("x",)),)),
        Selector("tradebot_b", (("venue", "=", ("x",)),)),
        Selector("up", ()),
    ]


def test_labels_of_clauses_are_found() -> None:
    assert grouped_by(EXPRESSION) == {"bot", "instance", "tier"}


def test_labels_that_an_expression_makes_are_found_with_their_values() -> None:
    assert made('label_replace(tradebot_up, "tier", "unknown", "", "")') == {"tier": frozenset({"unknown"})}
    assert made("tradebot_up") == {}
