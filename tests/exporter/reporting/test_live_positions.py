"""Open positions from the socket and from the ledger: each with its source and age, nothing made up."""

import json

from exporter.reporting import open_positions
from tests.doubles.messages import T0, base_state, state
from tests.exporter.reporting.hearing import Hearing, hearing

OURS = {
    "position_id": "p1",
    "venue": "kalshi",
    "market_id": "KX-1",
    "market": "CPI above 3 %",
    "side": "yes",
    "contracts": 40,
    "entry": 0.31,
    "expected_profit": 0.66,
    "opened_at": T0 - 60,
    "expected_settlement_at": T0 + 3600,
    "hedged": True,
    "kind": "cross_venue",
}
ALL = (
    "SELECT position_id, venue, market_id, market, side, contracts, entry, expected_profit, opened_at, "
    "expected_settlement_at, hedged, kind, as_of FROM live_positions WHERE source = ? ORDER BY position_id"
)


async def test_a_full_row_is_stored_as_it_came_with_the_time_of_its_state(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(state(1, open_positions=[OURS]), now=T0 + 5)
        await heard.write(T0 + 6)
        assert heard.rows(ALL, "bot") == [(*OURS.values(), T0 + 5)]


async def test_what_a_deployed_bot_does_not_say_is_null_and_never_zero(tmp_path):
    told = [{"market_id": "KX-1", "venue": "kalshi"}, {"market_id": "KX-1", "venue": "kalshi"}, 5]
    async with hearing(tmp_path) as heard:
        heard.say(base_state(1, open_positions=told))
        await heard.write(T0 + 6)
        unknown = (None,) * 9
        assert heard.rows(ALL, "bot") == [
            ("kalshi/KX-1", "kalshi", "KX-1", *unknown, T0 + 5),
            ("kalshi/KX-1#2", "kalshi", "KX-1", *unknown, T0 + 5),
        ]


async def test_the_rows_are_those_of_the_last_state_alone(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(state(1, open_positions=[OURS]), state(2, open_positions=[OURS | {"position_id": "p2"}]))
        await heard.write(T0 + 11)
        assert heard.rows("SELECT position_id, as_of FROM live_positions") == [("p2", T0 + 10)]
        heard.say(state(3, open_positions=[]))
        await heard.write(T0 + 16)
        assert heard.rows("SELECT * FROM live_positions") == []


async def test_positions_without_end_are_cut_with_a_row_that_says_so(tmp_path):
    told = [OURS | {"position_id": str(number)} for number in range(open_positions.MOST + 7)]
    async with hearing(tmp_path) as heard:
        heard.say(state(1, open_positions=told))
        await heard.write(T0 + 6)
        assert heard.rows("SELECT count(*) FROM live_positions") == [(open_positions.MOST + 1,)]
        said = heard.rows("SELECT market FROM live_positions WHERE position_id = '…'")
        assert said == [("7 more are not shown",)]


async def test_a_bot_that_is_not_watched_any_more_has_no_live_rows(tmp_path):
    async with hearing(tmp_path, "arb", "old") as heard:
        heard.say(state(1, open_positions=[OURS]), bot="old")
        await heard.write(T0 + 6)
    async with hearing(tmp_path, "arb", now=T0 + 10) as again:
        await again.write(T0 + 10)
        assert again.rows("SELECT * FROM live_positions") == []
        assert again.rows("SELECT bot FROM bots") == [("arb",)]


async def test_a_commit_that_fails_is_written_again(tmp_path):
    async with hearing(tmp_path) as heard:
        heard.say(state(1, open_positions=[OURS]))
        await heard.write(T0 + 6, fails="live positions")
        assert heard.rows("SELECT * FROM live_positions") == []
        await heard.write(T0 + 7)
        assert heard.rows("SELECT position_id FROM live_positions") == [("p1",)]


def plan(*legs: tuple[str, str, str], **metadata: object) -> str:
    return json.dumps(
        {
            "legs": [
                {"venue": venue, "market_id": market, "side": side, "metadata": metadata}
                for venue, market, side in legs
            ]
        }
    )


YES, NO = ("kalshi", "KX-1", "yes"), ("polymarket", "0x1", "no")


async def ledger(
    heard: Hearing,
    *positions: tuple[tuple[str, str, str], int],
    plan_json: str,
    generation: int = 1,
    current: int = 1,
    read_at: float = T0,
) -> None:
    """One intent with these open legs, as the mirror would have written it."""
    db = heard.db
    await db.execute(
        "INSERT INTO sources (bot, store, generation, status, last_read_at, current) "
        "VALUES ('arb', 'orders', ?, 'ok', ?, ?)",
        (generation, read_at, current),
    )
    await db.execute(
        "INSERT INTO order_intents (bot, generation, intent_id, plan_json, kind, edge_per_contract) "
        "VALUES ('arb', ?, 'i', ?, 'cross_venue', 0.03)",
        (generation, plan_json),
    )
    for number, ((venue, market, side), contracts) in enumerate(positions):
        await db.execute(
            "INSERT INTO positions (bot, generation, position_id, intent_id, venue, market_id, side, "
            "net_contracts, average_entry, status, opened_at) "
            "VALUES ('arb', ?, ?, 'i', ?, ?, ?, ?, 0.5, 'open', ?)",
            (generation, f"g{generation}p{number}", venue, market, side, contracts, T0 - 60),
        )


async def test_the_ledgers_positions_have_the_profit_and_settlement_that_their_plan_knew(tmp_path):
    async with hearing(tmp_path) as heard:
        both = plan(YES, NO, title="CPI above 3 %", settles_at=T0 + 600)
        await ledger(heard, (YES, 40), (NO, 40), plan_json=both, read_at=T0 + 3)
        await heard.write(T0 + 6)
        assert heard.rows(ALL, "ledger") == [
            (
                "g1p0",
                *YES[:2],
                "CPI above 3 %",
                "yes",
                40,
                0.5,
                0.6,
                T0 - 60,
                T0 + 600,
                1,
                "cross_venue",
                T0 + 3,
            ),
            (
                "g1p1",
                *NO[:2],
                "CPI above 3 %",
                "no",
                40,
                0.5,
                0.6,
                T0 - 60,
                T0 + 600,
                1,
                "cross_venue",
                T0 + 3,
            ),
        ]


async def test_a_leg_that_holds_more_than_another_is_unhedged_and_only_full_sets_earn(tmp_path):
    async with hearing(tmp_path) as heard:
        await ledger(heard, (YES, 40), (NO, 30), plan_json=plan(YES, NO))
        await heard.write(T0 + 6)
        sql = "SELECT side, hedged, round(expected_profit, 9) FROM live_positions ORDER BY side"
        assert heard.rows(sql) == [("no", 1, 0.45), ("yes", 0, 0.45)]


async def test_a_leg_whose_partner_was_never_filled_is_unhedged_and_earns_nothing(tmp_path):
    async with hearing(tmp_path) as heard:
        await ledger(heard, (YES, 40), plan_json=plan(YES, NO))
        await heard.write(T0 + 6)
        assert heard.rows("SELECT hedged, expected_profit FROM live_positions") == [(0, 0.0)]


async def test_without_a_plan_that_can_be_read_hedge_and_profit_are_not_known(tmp_path):
    for number, odd in enumerate(("", "null", "[]", '{"legs": 5}', '{"legs": [7]}', plan(NO))):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with hearing(folder) as heard:
            await ledger(heard, (YES, 40), plan_json=odd)
            await heard.write(T0 + 6)
            sql = "SELECT contracts, hedged, expected_profit, expected_settlement_at FROM live_positions"
            assert heard.rows(sql) == [(40, None, None, None)]


async def test_positions_of_a_store_that_was_replaced_are_not_open_any_more(tmp_path):
    async with hearing(tmp_path) as heard:
        await ledger(heard, (YES, 40), plan_json=plan(YES), generation=1, current=0)
        await ledger(heard, (YES, 20), plan_json=plan(YES), generation=2)
        await heard.write(T0 + 6)
        assert heard.rows("SELECT position_id, contracts FROM live_positions") == [("g2p0", 20)]


async def test_positions_that_settled_leave_the_ledgers_rows_at_the_next_look(tmp_path):
    async with hearing(tmp_path) as heard:
        await ledger(heard, (YES, 40), plan_json=plan(YES))
        await heard.write(T0 + 6)
        await heard.db.execute("UPDATE positions SET status = 'closed'")
        await heard.write(T0 + 12)
        assert heard.rows("SELECT * FROM live_positions") == []
