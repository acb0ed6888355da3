"""A table of a replay: opportunities by lane and edge with size and fees, and what became of them.

An opportunity is counted once for as long as it is found in cycle after cycle: how often a bot looks does
not change the count. All sums are simulated, and edges of a recording are no evidence of profit.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean, median

from arb_bot.lanes.scanning import Scan
from arb_bot.money import to_usd
from arb_bot.opportunity import TAKER, Opportunity
from arb_bot.sqlite_file import SqliteFile

BANDS = (0.01, 0.02, 0.05, 0.10)
"""Upper ends of the bands of net edge, dollars a contract; the last band has none."""
HEADINGS = (
    "lane", "net edge", "count", "seconds", "gross", "est. fee", "net", "size", "legs apart",
)  # fmt: skip
OUTCOMES = ("lane", "opened", "contracts", "fees paid", "results", "PnL")


@dataclass(slots=True)
class _Episode:
    """One opportunity from its first cycle to its last; prices are those of the cycle with the best edge."""

    best: Opportunity
    first: float
    last: float

    @property
    def apart(self) -> float:
        """Seconds between the oldest and the newest of the legs' own times."""
        times = [leg.observed_at for leg in self.best.legs]
        return max(times) - min(times)


@dataclass(slots=True)
class OpportunityTable:
    """Listens to the cycles of a replay. `observe` takes what a cycle found, `state` what it decided."""

    interval: float
    episodes: list[_Episode] = field(default_factory=list)
    decisions: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    cycles: int = 0
    quotes: int = 0
    refused: int = 0
    _running: dict[object, _Episode] = field(default_factory=dict)

    def observe(self, scan: Scan, now: float) -> None:
        """What one cycle found."""
        running: dict[object, _Episode] = {}
        for opportunity in scan.found:
            episode = self._running.get(opportunity.identity)
            if episode is None:
                episode = _Episode(opportunity, now, now)
                self.episodes.append(episode)
            elif opportunity.net_edge > episode.best.net_edge:
                episode.best = opportunity
            episode.last = now
            running[opportunity.identity] = episode
        self._running = running

    def state(self, state: Mapping[str, object]) -> None:
        """What one cycle decided, as the state says it; ids in parentheses are cut off."""
        cycle, rejects = state["last_cycle"], state["rejects"]
        if not isinstance(cycle, dict) or not isinstance(rejects, dict):
            raise TypeError("a state has a last cycle and rejects by venue")
        self.cycles += 1
        self.quotes += cycle["quotes_count"]
        self.refused = sum(rejects.values())
        for decision in cycle["decisions"]:
            reason = str(decision["reason"]).split(" (")[0]
            self.decisions[decision["kind"], decision["action"], reason] += 1

    def text(self, orders: SqliteFile, analytics: SqliteFile) -> str:
        """The tables, as aligned text."""
        decided = [
            (kind, action, reason, str(count))
            for (kind, action, reason), count in sorted(self.decisions.items())
        ]
        return "\n\n".join(
            (
                f"{self.cycles:,} cycles, {self.quotes:,} looks at a quote, {self.refused:,} quotes refused",
                _aligned(HEADINGS, self._rows()),
                _aligned(OUTCOMES, _outcomes(orders, analytics)),
                _aligned(("lane", "action", "reason", "times"), decided),
            )
        )

    def _rows(self) -> Iterable[tuple[str, ...]]:
        grouped: dict[tuple[str, int], list[_Episode]] = {}
        for episode in self.episodes:
            band = sum(1 for end in BANDS if episode.best.net_edge >= end)
            grouped.setdefault((_lane(episode.best), band), []).append(episode)
        for (lane, band), episodes in sorted(grouped.items()):
            best = [episode.best for episode in episodes]
            yield (
                lane,
                _band(band),
                str(len(episodes)),
                f"{sum(e.last - e.first + self.interval for e in episodes):.0f}",
                f"{fmean(o.gross_edge for o in best):.4f}",
                f"{fmean(o.fee for o in best):.4f}",
                f"{fmean(o.net_edge for o in best):.4f}",
                f"{median(min(leg.size for leg in o.legs) for o in best):g}",
                f"{median(e.apart for e in episodes):.1f} s",
            )


def _lane(opportunity: Opportunity) -> str:
    style = opportunity.execution_style
    return opportunity.kind if style == TAKER else f"{opportunity.kind}, {style}"


def _band(band: int) -> str:
    low = BANDS[band - 1] if band else None
    high = BANDS[band] if band < len(BANDS) else None
    if low is None:
        return f"< {high:.2f}"
    return f"≥ {low:.2f}" if high is None else f"{low:.2f}–{high:.2f}"


def _outcomes(orders: SqliteFile, analytics: SqliteFile) -> Iterable[tuple[str, ...]]:
    """By lane: intents that got something, contracts and fees of their legs, and the realised results."""
    opened = orders.read(
        "SELECT i.kind, COUNT(DISTINCT i.intent_id) AS intents, SUM(l.filled_contracts) AS contracts, "
        "SUM(json_extract(l.raw_json, '$.fee_micros')) AS fees FROM order_intents i "
        "JOIN leg_executions l USING (intent_id) WHERE l.filled_contracts > 0 GROUP BY i.kind ORDER BY 1"
    )
    realized = {
        row["kind"]: (row["results"], row["pnl"])
        for row in analytics.read(
            "SELECT kind, COUNT(*) AS results, SUM(realized_pnl) AS pnl FROM fills GROUP BY kind"
        )
    }
    for row in opened:
        results, pnl = realized.get(row["kind"], (0, 0.0))
        yield (
            row["kind"],
            str(row["intents"]),
            str(row["contracts"]),
            f"${to_usd(row['fees'] or 0):.2f}",
            str(results),
            f"${pnl:+.2f}",
        )


def _aligned(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [headings, *rows]
    if len(lines) == 1:
        lines.append(("none", *("" for _ in headings[1:])))
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
