"""What became of the planned edge: told apart where it is known, never a 0 for what is not."""

import pytest

from tests.exporter.reporting.slow_ledger import Fill, Intent, Leg
from tests.exporter.reporting.test_rollups import NOON, Ledger, on_a_ledger

DAY_AND_LANE = ("2026-11-20", "cross_venue")
COLUMNS = ("trades", "expected", "gross", "fees", "slippage", "adverse", "unsplit", "net", "known")

# A set that pays 1 dollar, planned at 0.40 + 0.53 with 2 cents of fees: 7 cents gross, 5 net.
LEGS = (Leg(0.40, 0.41), Leg(0.53, 0.53))
PLAN = Intent("i", LEGS, edge=0.05, created_at=NOON - 60)
FILL = Fill(1, NOON, 0.30, intent_id="i", planned_edge=0.05)


async def _lane(ledger: Ledger) -> dict[str, float | None]:
    values = (await ledger.rows("lane_pnl"))[DAY_AND_LANE]
    lane = dict(zip(COLUMNS, values, strict=True))
    known = {column: lane[column] or 0.0 for column in COLUMNS}
    gross = lane["expected"] if lane["gross"] is None else lane["gross"]
    assert gross - known["fees"] + known["slippage"] + known["adverse"] + known["unsplit"] == pytest.approx(
        lane["net"], abs=0.005
    )
    return lane


def test_ten_sets_bought_a_cent_dearer_that_settled_for_a_dollar_too_little() -> None:
    async def scenario(ledger: Ledger) -> None:
        await ledger.intents(PLAN)
        await ledger.fills(FILL)
        assert await _lane(ledger) == pytest.approx(
            {
                "trades": 1, "expected": 0.5, "gross": 0.7, "fees": 0.2, "slippage": -0.1, "adverse": -0.1,
                "unsplit": 0.0, "net": 0.3, "known": 1,
            }
        )  # fmt: skip

    on_a_ledger(scenario)


def test_fees_that_the_bot_says_it_paid_stand_beside_those_it_planned() -> None:
    async def scenario(ledger: Ledger) -> None:
        await ledger.intents(PLAN)
        await ledger.fills(
            Fill(1, NOON, 0.3, intent_id="i", planned_edge=0.05, metadata_json='{"fees": 0.26}')
        )
        lane = await _lane(ledger)
        assert (lane["gross"], lane["fees"], lane["adverse"]) == pytest.approx((0.7, 0.26, -0.04))

    on_a_ledger(scenario)


def test_a_plan_that_says_gross_edge_and_asks_needs_no_guess_and_room_for_drift_is_no_slippage() -> None:
    async def scenario(ledger: Ledger) -> None:
        legs = (
            Leg(0.95, 0.95, ask=0.95),
            Leg(0.99, 0.96, ask=0.96),
        )  # pays 2 dollars; limits allow for drift
        await ledger.intents(Intent("i", legs, edge=0.05, created_at=NOON, plan={"gross_edge": 0.09}))
        await ledger.fills(FILL)
        lane = await _lane(ledger)
        assert (lane["gross"], lane["fees"], lane["slippage"]) == pytest.approx((0.9, 0.4, 0.0))

    on_a_ledger(scenario)


@pytest.mark.parametrize(
    ("intent", "fill"),
    [
        (None, FILL),
        (Intent("i", (), 0.05, NOON), FILL),
        (Intent("i", (Leg(0.4, 0.4), Leg(0.53, None)), 0.05, NOON), FILL),
        (Intent("i", (Leg(0.4, 0.4), Leg(0.53, 0.53, filled_contracts=0)), 0.05, NOON), FILL),
        (Intent("i", (Leg(0.4, 0.4), Leg(0.58, 0.58)), 0.05, NOON), FILL),
        (PLAN, Fill(1, NOON, 0.3, intent_id="i", planned_edge=0.05, metadata_json='{"event": "unwind"}')),
    ],
    ids=[
        "no order store",
        "no legs",
        "a price unknown",
        "a leg that never filled",
        "a fee below 0",
        "an unwinding",
    ],
)
def test_what_cannot_be_told_apart_is_unsplit_and_its_parts_are_unknown_not_0(intent, fill) -> None:
    async def scenario(ledger: Ledger) -> None:
        if intent is not None:
            await ledger.intents(intent)
        await ledger.fills(fill)
        lane = await _lane(ledger)
        assert lane["known"] == 0
        assert lane["unsplit"] == pytest.approx(-0.2)
        assert [lane[column] for column in ("gross", "fees", "slippage", "adverse")] == [None] * 4

    on_a_ledger(scenario)


def test_intents_whose_ids_end_alike_are_not_taken_for_each_other() -> None:
    async def scenario(ledger: Ledger) -> None:
        other = (Leg(0.40, 0.90), Leg(0.53, 0.90))
        await ledger.intents(
            Intent("one-00000001", LEGS, edge=0.05, created_at=NOON - 60),
            Intent("two-00000001", other, edge=0.05, created_at=NOON - 60),
        )
        await ledger.fills(Fill(1, NOON, 0.30, intent_id="one-00000001", planned_edge=0.05))
        lane = await _lane(ledger)
        assert (lane["known"], lane["slippage"]) == pytest.approx((1, -0.1))

    on_a_ledger(scenario)


def test_what_is_known_is_told_apart_beside_what_is_not() -> None:
    async def scenario(ledger: Ledger) -> None:
        await ledger.fills(Fill(1, NOON, -0.1, planned_edge=0.05))
        await ledger.intents(PLAN)
        await ledger.fills(Fill(2, NOON, 0.3, intent_id="i", planned_edge=0.05))
        lane = await _lane(ledger)
        assert (lane["known"], lane["trades"], lane["fees"]) == pytest.approx((1, 2, 0.2))
        assert lane["unsplit"] == pytest.approx(-0.6)

    on_a_ledger(scenario)


def test_an_intent_or_a_price_that_comes_after_its_fill_is_counted_then() -> None:
    async def scenario(ledger: Ledger) -> None:
        await ledger.fills(FILL)
        await ledger.intents(Intent("i", (Leg(0.40), Leg(0.53)), 0.05, NOON - 60))
        assert (await _lane(ledger))["known"] == 0
        await ledger.intents(PLAN)
        lane = await _lane(ledger)
        assert (lane["known"], lane["slippage"]) == pytest.approx((1, -0.1))

    on_a_ledger(scenario)


def test_an_intent_that_changes_leaves_the_days_of_other_fills_alone() -> None:
    async def scenario(ledger: Ledger) -> None:
        await ledger.intents(PLAN)
        await ledger.fills(FILL, Fill(2, NOON + 86_400, 0.5, planned_edge=0.05))
        await ledger.db.execute("UPDATE lane_pnl SET net = 77 WHERE date = '2026-11-21'")
        await ledger.intents(PLAN)
        assert (await ledger.rows("lane_pnl"))["2026-11-21", "cross_venue"][-2] == 77

    on_a_ledger(scenario)
