"""A stand-in bot as a program: writes both stores without a pause until it is told to stop, or killed.

    python -m tests.stack.a_bot_that_writes FOLDER FIRST_NUMBER [PER_SECOND]

Intents, legs and positions change after they were written; fills come out of time order.
"""

import random
import signal
import sqlite3
import sys
import time
from pathlib import Path

from tests.exporter.reporting.mirroring import add, bots_store, decision, fill, intent, leg, position

STORES = {"orders": "arb_orders.db", "analytics": "analytics.db"}
BACK = 400  # how many numbers back a row may still change


def trade(orders: sqlite3.Connection, analytics: sqlite3.Connection, number: int) -> None:
    """One trade from its decision to its settlement, and a change to an older one."""
    now, chance = time.time(), random.Random(number)
    at = {"created_at": now, "updated_at": now}
    add(analytics, "decisions", [decision(number, timestamp=now)])
    add(orders, "order_intents", [intent(number, status="submitted", **at)])
    add(orders, "leg_executions", [leg(number, status="pending", filled_contracts=0, **at)])
    add(orders, "positions", [position(number, opened_at=now)])
    add(analytics, "fills", [fill(number, timestamp=now - chance.uniform(0, 90))])
    older = max(1, number - chance.randrange(BACK))
    changed = (time.time(), f"intent-{older}")
    orders.execute("UPDATE order_intents SET status='filled', updated_at=? WHERE intent_id=?", changed)
    orders.execute("UPDATE leg_executions SET status='filled', updated_at=? WHERE intent_id=?", changed)
    orders.execute("UPDATE positions SET status='closed', closed_at=? WHERE intent_id=?", changed)


def main(folder: Path, first: int, per_second: float) -> None:
    """Trade until SIGTERM, then close the stores as a bot does; says so once it trades."""
    going, number = True, first

    def stop(*_: object) -> None:
        nonlocal going
        going = False

    signal.signal(signal.SIGTERM, stop)
    orders, analytics = (bots_store(folder / file, name) for name, file in STORES.items())
    for store in (orders, analytics):
        store.execute("PRAGMA busy_timeout = 20000")
        store.execute("PRAGMA synchronous = NORMAL")
    while going:
        trade(orders, analytics, number)
        if number == first:
            print("trading", flush=True)
        number += 1
        time.sleep(1 / per_second)
    orders.close()
    analytics.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 100.0)
