"""Where the money between the planned edge and the result went: the SQL of `lane_pnl`.

For each lane and UTC day, in USD:

    gross − fees + slippage + adverse + unsplit = net            (`gross` read as `expected` where it is NULL)

* `expected` = Σ planned_edge × filled_contracts: what the plans promised, fees taken off.
* `gross` = expected + the planned fees; `fees` = those paid where the fill's metadata says `fees` (USD of
  that fill), else the planned ones. The plan's own `gross_edge` − `edge_per_contract` is the planned fee a
  contract; a plan without it is read as (payout − Σ limit prices) − edge_per_contract, with the payout that
  constraint pricing left (`constraint_adjusted_payout`) or 1 dollar. A fee that comes out below 0 or above
  the payout says that the plan cannot be read so: it is unknown.
* `slippage` = Σ over the intent's legs (planned price − average price) × contracts of the fill, above 0
  where prices were better than planned. The planned price is the plan's `ask` of that leg, else its limit.
* `adverse` = net − (gross − fees + slippage): what prices and fees do not explain (settled against the
  plan, a wrong outcome, legs that filled in part).
* A fill is told apart only where its fee and the average price of every leg of its plan are known and it is
  no unwinding (of which no set was ever held). Of every other fill all of net − expected is `unsplit`.
  `known` counts those told apart; where it is 0, gross, fees, slippage and adverse are NULL, not 0.

An intent belongs to a fill only if it was created before the fill was, with an hour to spare for clocks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from exporter.reporting.fill_rows import DATE, DAY, NEW, PLAUSIBLE, number
from exporter.reporting.sums import Sum

CLOCK_SLACK: Final = 3_600
"""Seconds that an intent may be younger than its fill."""

_LEG_COUNT: Final = "CASE WHEN json_valid(plan_json) THEN json_array_length(plan_json, '$.legs') END"
_PAYOUT: Final = f"coalesce({number('plan_json', '$.metadata.constraint_adjusted_payout')}, 1.0)"
_ASK: Final = """CASE WHEN json_valid(plan_json)
                      AND json_type(plan_json, path || '.metadata.ask') IN ('integer', 'real')
                    THEN json_extract(plan_json, path || '.metadata.ask') END"""

# {rows} chooses the fills; {generations} are those of the bot's order stores, so that its key finds an
# intent. Whatever the stores hold, a fill meets one intent at most, and so counts once.
_FILLS: Final = f"""
    SELECT {DAY} AS day, kind, realized_pnl AS net, filled_contracts AS contracts,
           planned_edge * filled_contracts AS expected,
           CASE WHEN metadata_json != '{{}}' THEN {number("metadata_json", "$.fees")} END AS paid,
           CASE WHEN metadata_json != '{{}}' AND json_valid(metadata_json)
                THEN coalesce(json_extract(metadata_json, '$.event'), '') = 'unwind' ELSE 0 END AS unwound,
           (SELECT rowid FROM order_intents AS i INDEXED BY order_intents_by_id
            WHERE substr(i.intent_id, -8) = substr(fills.intent_id, -8)
              AND i.bot = fills.bot AND i.generation IN ({{generations}}) AND i.intent_id = fills.intent_id
              AND i.created_at <= fills.timestamp + {CLOCK_SLACK}
            ORDER BY i.generation DESC LIMIT 1) AS intent
    FROM fills
    WHERE {{rows}}"""

_PRICED: Final = f"""
    SELECT day, f.kind, net, expected, f.contracts, paid, unwound, edge_per_contract AS edge,
           {number("plan_json", "$.gross_edge")} AS gross_edge, {_PAYOUT} AS payout,
           (SELECT CASE WHEN count(*) = {_LEG_COUNT} AND count(average_price) = count(*) AND min(filled) > 0
                   THEN json_array(sum(limit_price), sum(coalesce({_ASK}, limit_price) - average_price)) END
            FROM (SELECT '$.legs[' || leg_index || ']' AS path, limit_price, average_price,
                         l.filled_contracts AS filled
                  FROM leg_executions AS l INDEXED BY leg_executions_by_intent
                  WHERE substr(l.intent_id, -8) = substr(order_intents.intent_id, -8)
                    AND l.bot = order_intents.bot AND l.intent_id = order_intents.intent_id
                    AND l.generation = order_intents.generation)) AS legs
    FROM fills_of AS f LEFT JOIN order_intents ON order_intents.rowid = f.intent"""

_FEES: Final = """
    SELECT *, CASE WHEN fee BETWEEN -1e-9 AND payout THEN max(fee, 0.0) * contracts END AS planned_fees,
           json_extract(legs, '$[1]') * contracts AS slippage
    FROM (SELECT *, coalesce(gross_edge, payout - json_extract(legs, '$[0]')) - edge AS fee FROM priced)"""

_SPLIT: Final = """
    SELECT *, NOT unwound AND slippage IS NOT NULL AND coalesce(paid, planned_fees) IS NOT NULL AS told,
           expected + coalesce(planned_fees, paid) AS gross, coalesce(paid, planned_fees) AS fees
    FROM costed"""


def _where_told(value: str) -> str:
    return f"CASE WHEN total(told) > 0 THEN total(CASE WHEN told THEN {value} END) END"


_SELECT: Final = f"""
    WITH fills_of AS MATERIALIZED ({_FILLS}), priced AS MATERIALIZED ({_PRICED}),
         costed AS MATERIALIZED ({_FEES}), split AS MATERIALIZED ({_SPLIT})
    SELECT :bot AS bot, {DATE} AS date, kind, trades, expected, gross, fees, slippage, adverse, unsplit,
           net, known
    FROM (SELECT day, kind, count(*) AS trades, total(expected) AS expected, total(net) AS net,
                 CASE WHEN total(told) > 0 THEN total(CASE WHEN told THEN gross ELSE expected END)
                 END AS gross,
                 {_where_told("fees")} AS fees, {_where_told("slippage")} AS slippage,
                 {_where_told("net - (gross - fees + slippage)")} AS adverse,
                 total(CASE WHEN NOT told THEN net - expected END) AS unsplit,
                 CAST(total(told) AS INTEGER) AS known
          FROM split GROUP BY day, kind)"""


def _merged(column: str, without: str) -> tuple[str, str]:
    """Adding where one side may be NULL because nothing there was told apart."""
    both = (f"coalesce({side}.{column}, {without.format(side)})" for side in ("lane_pnl", "excluded"))
    return column, f"CASE WHEN lane_pnl.known + excluded.known > 0 THEN {' + '.join(both)} END"


_LANES: Final = Sum(
    "lane_pnl",
    ("date", "kind"),
    ("trades", "expected", "gross", "fees", "slippage", "adverse", "unsplit", "net", "known"),
    _SELECT,
    merged=(
        _merged("gross", "{}.expected"),
        *(_merged(column, "0.0") for column in ("fees", "slippage", "adverse")),
    ),
)

GENERATIONS: Final = """
    WITH RECURSIVE found(generation) AS (
        SELECT min(generation) FROM order_intents WHERE bot = :bot
        UNION ALL
        SELECT (SELECT min(generation) FROM order_intents WHERE bot = :bot AND generation > found.generation)
        FROM found WHERE generation IS NOT NULL
    )
    SELECT generation FROM found WHERE generation IS NOT NULL"""
"""The generations of a bot's order stores that hold intents, a few look-ups however many rows there are."""


# Of a bot without an order store nothing can be told apart, and what sums.py has just summed is enough.
_WITHOUT_ORDERS: Final = replace(
    _LANES,
    select=f"""
    SELECT bot, {DATE} AS date, kind, trades, expected, NULL AS gross, NULL AS fees, NULL AS slippage,
           NULL AS adverse, net - expected AS unsplit, net, 0 AS known
    FROM (SELECT bot, day, kind, sum(trades) AS trades, sum(expected) AS expected, sum(pnl) AS net
          FROM temp.summed_fills GROUP BY bot, day, kind)""",
)


def fold(generations: list[int]) -> str:
    """Adds the new fills of a transaction, after sums.FOLD_FILLS; `generations` as found by GENERATIONS."""
    return _of(generations, _LANES.add(NEW)) if generations else _WITHOUT_ORDERS.add(NEW)


def rewrite(generations: list[int]) -> tuple[str, ...]:
    """The lanes of whole UTC days anew, with the parameters of sums.REWRITE and after it."""
    lanes = _LANES if generations else _WITHOUT_ORDERS
    return tuple(_of(generations, statement) for statement in lanes.rewrite())


_LATE: Final = f"""
    SELECT DISTINCT {DAY} AS day
    FROM fills
    WHERE bot = :bot AND {PLAUSIBLE} AND intent_id IN (SELECT value FROM json_each(:intents))
      AND timestamp >= (SELECT min(created_at) FROM order_intents INDEXED BY order_intents_by_id
                        WHERE substr(intent_id, -8) IN (SELECT substr(value, -8) FROM json_each(:intents))
                          AND bot = :bot AND generation IN ({{generations}})
                          AND intent_id IN (SELECT value FROM json_each(:intents))) - {CLOCK_SLACK}"""


def late(generations: list[int]) -> str:
    """Finds the days (since 1970) of the fills of some intents, `:intents` as a JSON list."""
    return _of(generations, _LATE)


def _of(generations: list[int], sql: str) -> str:
    return sql.replace("{generations}", ", ".join(str(generation) for generation in generations))
