"""Unhedged exposure and working orders at every instant, against a slow look through the venues' own logs."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arb_bot.execution import FIRST_LEG_SECONDS, POLL_TIMEOUT_SECONDS
from arb_bot.simulated.paper_venue import PaperVenue
from arb_bot.simulated.world import WorldShape
from arb_bot.venue import OrderReport, OrderRequest, selling_tag
from tests.arb_bot.lab import Lab, query

ROUGH = WorldShape(shortest_life=60.0, longest_life=400.0, news_per_hour=20.0, rivals=0.6)
LOOK = 2.0
"""Seconds within which the bot has looked at an order, where the venue answers."""


@dataclass
class Told:
    """What the venues told the bot: accepted orders, the last report of each, markets said to have paid."""

    accepted: dict[str, str] = field(default_factory=dict)
    reports: dict[str, OrderReport] = field(default_factory=dict)
    paid: set[tuple[str, str]] = field(default_factory=set)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    heard = Told()
    place, report, winner = PaperVenue.place, PaperVenue.report, PaperVenue.winner

    def placed(venue: PaperVenue, request: OrderRequest) -> str:
        order_id = place(venue, request)
        heard.accepted[order_id] = venue.name
        return order_id

    def reported(venue: PaperVenue, order_id: str) -> OrderReport:
        heard.reports[order_id] = report(venue, order_id)
        return heard.reports[order_id]

    def won(venue: PaperVenue, market_id: str) -> Any:
        side = winner(venue, market_id)
        if side is not None:
            heard.paid.add((venue.name, market_id))
        return side

    monkeypatch.setattr(PaperVenue, "place", placed)
    monkeypatch.setattr(PaperVenue, "report", reported)
    monkeypatch.setattr(PaperVenue, "winner", won)
    return heard


@dataclass
class Reference:
    """Recomputes from the logs, every time from the first line on."""

    lab: Lab
    told: Told

    def unhedged(self) -> dict[str, float]:
        """Dollars of contracts that no other leg covers, by venue, by the fills that the venues told of."""
        held, cost = self._legs()
        legs = query(
            self.lab.folder / "arb_orders.db",
            "SELECT intent_id, leg_id, venue, market_id FROM leg_executions ORDER BY intent_id, leg_index",
        )
        intents: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for intent_id, leg_id, venue, market_id in legs:
            intents[intent_id].append((leg_id, venue, market_id))
        totals: dict[str, Fraction] = defaultdict(Fraction)
        for rows in intents.values():
            markets = {(venue, market_id) for leg_id, venue, market_id in rows if held[leg_id]}
            if markets and markets <= self.told.paid:
                continue
            sets = min(held[leg_id] for leg_id, _, _ in rows)
            for leg_id, venue, _ in rows:
                if held[leg_id]:
                    totals[venue] += cost[leg_id] * (held[leg_id] - sets) / held[leg_id]
        return {venue: float(amount) / 1e6 for venue, amount in totals.items()}

    def working(self) -> dict[str, tuple[int, float | None]]:
        """Orders on the books and the time of the oldest, as far as the venues told the bot."""
        found: dict[str, list[float]] = defaultdict(list)
        for line in self.lab.placed():
            order_id = line["order_id"]
            report = self.told.reports.get(order_id)
            if order_id in self.told.accepted and (report is None or report.working):
                found[line["venue"]].append(line["ts"])
        return {
            venue: (len(found[venue]), min(found[venue], default=None)) for venue in ("kalshi", "polymarket")
        }

    def late(self, now: float) -> list[str]:
        """Orders of which the bot was told less than had filled a look before."""
        filled: dict[str, int] = defaultdict(int)
        for line in self.lab.log():
            if line["action"] == "fill" and line["ts"] <= now - LOOK:
                filled[line["order_id"]] += line["contracts"]
        reports = self.told.reports
        return [o for o, count in filled.items() if o not in reports or reports[o].filled < count]

    def _legs(self) -> tuple[dict[str, int], dict[str, Fraction]]:
        """Contracts and their cost in micro-dollars by leg id, fill after fill as they were told."""
        position_of = {
            selling_tag(position): leg
            for position, leg in query(
                self.lab.folder / "arb_orders.db",
                "SELECT position_id, leg_id FROM positions p JOIN leg_executions l ON "
                "(l.intent_id, l.venue, l.market_id, l.side) = (p.intent_id, p.venue, p.market_id, p.side)",
            )
        }
        held: dict[str, int] = defaultdict(int)
        cost: dict[str, Fraction] = defaultdict(Fraction)
        seen: dict[str, int] = defaultdict(int)
        for line in self.lab.log():
            if line["action"] != "fill":
                continue
            order_id, contracts = line["order_id"], line["contracts"]
            seen[order_id] += contracts
            report = self.told.reports.get(order_id)
            if report is None or seen[order_id] > report.filled:
                continue
            if line["direction"] == "buy":
                held[line["tag"]] += contracts
                cost[line["tag"]] += line["value"]
            else:
                leg = position_of[line["tag"]]
                cost[leg] -= cost[leg] * contracts / held[leg]
                held[leg] -= contracts
        return held, cost


def instants(lab: Lab, told: Told, seed: str, seconds: int, kill_after: int | None) -> tuple[int, int]:
    """Compare the bot with the reference every second; how often there was exposure, how often orders."""
    for heard in (told.accepted, told.reports, told.paid):
        heard.clear()  # one session after the other
    session = lab.start(seed, ROUGH)
    reference, answered = Reference(lab, told), lab.clock.now()
    first_seen: dict[str, float] = {}
    exposed = busy = 0
    for second in range(seconds):
        lab.run(1)
        if second == kill_after:
            session.parts.kill.activate("test")
            session.engine.tick()
        now = lab.clock.now()
        state: Any = session.parts.states.build(session.engine.report, now)
        expected, orders = reference.unhedged(), reference.working()
        for venue, amount in state["unhedged_usd"].items():
            assert amount == pytest.approx(expected.get(venue, 0.0), abs=1e-4), (second, venue)
        assert {v: (w["count"], w["oldest_ts"]) for v, w in state["working_orders"].items()} == orders, second
        exposed += any(expected.values())
        busy += any(count for count, _ in orders.values())
        if lab.outage():
            answered = now
        elif now - answered > 10:
            assert not reference.late(now - 1), second
            for execution in session.parts.executor.active:
                begun, legs = first_seen.setdefault(execution.intent_id, now), len(execution.legs)
                longest = FIRST_LEG_SECONDS + (legs - 1) * (POLL_TIMEOUT_SECONDS + LOOK) + LOOK
                assert now - max(begun, answered) <= longest, "hedged, flagged or given up in its window"
    return exposed, busy


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), kill_after=st.none() | st.integers(30, 150))
def test_unhedged_exposure_and_the_oldest_working_order_are_right_at_every_instant(
    new_lab: Callable[[], Lab], told: Told, seed: int, kill_after: int | None
) -> None:
    instants(new_lab(), told, str(seed), 180, kill_after)


def test_the_comparison_has_seen_exposure_and_orders(lab: Lab, told: Told) -> None:
    exposed, busy = instants(lab, told, "5", 900, None)
    assert exposed > 20
    assert busy > 20
