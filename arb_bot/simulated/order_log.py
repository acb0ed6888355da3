"""The venue's own record: every order message it was sent, every fill, every payout; only ever appended to.

One JSON object a line, written by the venue and not by the engine, so that what was submitted, filled and
paid, and when, can be checked from outside.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from arb_bot import StartRefused
from arb_bot.money import to_usd
from arb_bot.quotes import Side
from arb_bot.simulated.order_board import Execution
from arb_bot.venue import OrderRequest


class OrderLog:
    """Appends to `path`, one write a line, so that a reader never sees half of one."""

    def __init__(self, path: Path, session: str) -> None:
        self._session = session
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as exc:
            raise StartRefused(f"the venue's order log {path} cannot be written: {exc.strerror}") from exc

    def place(self, ts: float, order_id: str, request: OrderRequest) -> None:
        """An order was sent. Raises OSError when the line cannot be written."""
        self._write(
            ts,
            "place",
            order_id=order_id,
            market_id=request.market_id,
            side=request.side,
            direction=request.action,
            contracts=request.contracts,
            limit_price=to_usd(request.limit_price),
            tag=request.tag,
        )

    def cancel(self, ts: float, order_id: str) -> None:
        """A cancellation was sent. It counts even where the disk takes no line."""
        with contextlib.suppress(OSError):
            self._write(ts, "cancel", order_id=order_id)

    def cancel_all(self, ts: float) -> None:
        """A cancellation of everything was sent. It counts even where the disk takes no line."""
        with contextlib.suppress(OSError):
            self._write(ts, "cancel_all")

    def fill(self, ts: float, execution: Execution) -> None:
        """An order got something: contracts, and their price and fee in micro-dollars."""
        request = execution.order.request
        with contextlib.suppress(OSError):
            self._write(
                ts,
                "fill",
                order_id=execution.order_id,
                market_id=request.market_id,
                side=request.side,
                direction=request.action,
                tag=request.tag,
                contracts=execution.contracts,
                value=execution.value,
                fee=execution.fee,
            )

    def payout(self, ts: float, market_id: str, winner: Side, held: Mapping[Side, int]) -> None:
        """A market that the account held contracts of has paid."""
        with contextlib.suppress(OSError):
            self._write(ts, "payout", market_id=market_id, winner=winner, held=dict(held))

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _write(self, ts: float, action: str, **details: object) -> None:
        line = {"ts": ts, "session": self._session, "action": action, **details}
        os.write(self._file, json.dumps(line).encode() + b"\n")
