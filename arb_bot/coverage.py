"""How much of what is known of the markets has quotes: the registry's coverage gauges by their names."""

from collections.abc import Collection, Sequence

from arb_bot.relations import Market, Relations

VENUES = ("kalshi", "polymarket", "forecastex")


def coverage(relations: Relations, quoted: Collection[Market]) -> dict[str, int]:
    """Counts by gauge name: written pairs and parity rules, in all and with a quote for each of their
    markets; the markets that they name, in all and with a quote.
    """
    pairs = [(pair.left, pair.right) for pair in relations.pairs if pair.mapped]
    rules = [(rule.left, rule.right) for rule in relations.parities]
    paired = {market for pair in pairs for market in pair}
    checked = {market for rule in rules for market in rule}
    counts = {
        "cross_mapping_pairs_total": len(pairs),
        "cross_mapping_pairs_covered": _covered(pairs, quoted),
        "structural_parity_rules_total": len(rules),
        "structural_parity_rules_covered": _covered(rules, quoted),
        "structural_parity_markets_total": len(checked),
        "structural_parity_markets_seen": sum(market in quoted for market in checked),
    }
    for venue in VENUES:
        refs = [market for market in paired if market[0] == venue]
        counts[f"cross_mapping_{venue}_refs_total"] = len(refs)
        counts[f"cross_mapping_{venue}_refs_seen"] = sum(market in quoted for market in refs)
    return counts


def _covered(couples: Sequence[tuple[Market, Market]], quoted: Collection[Market]) -> int:
    return sum(left in quoted and right in quoted for left, right in couples)
