"""The venue's own record of every order message it was sent: one JSON object a line, only ever appended to.

Written by the venue and not by the engine, so that what was submitted, and when, can be checked from outside.
"""

import json
from pathlib import Path

from arb_bot import StartRefused
from arb_bot.venue import OrderRequest


class OrderLog:
    """Appends to `path`; each line is on its way to the disk before the call returns."""

    def __init__(self, path: Path, session: str) -> None:
        self._session = session
        try:
            self._file = path.open("a", encoding="utf-8", buffering=1)
        except OSError as exc:
            raise StartRefused(
                f"the venue's order log {path} cannot be written: {exc.strerror or exc}"
            ) from exc

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
            limit_price=request.limit_price / 1_000_000,
        )

    def cancel(self, ts: float, order_id: str) -> None:
        """A cancellation was sent."""
        self._write(ts, "cancel", order_id=order_id)

    def cancel_all(self, ts: float) -> None:
        """A cancellation of everything was sent."""
        self._write(ts, "cancel_all")

    def _write(self, ts: float, action: str, **details: object) -> None:
        line = {"ts": ts, "session": self._session, "action": action, **details}
        self._file.write(json.dumps(line) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
