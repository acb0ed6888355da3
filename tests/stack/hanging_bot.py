"""Runs the arbitrage bot with venues that do not answer while a file exists: only its loop hangs.

python -m tests.stack.hanging_bot FILE [arguments of arb_bot]
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from arb_bot.__main__ import main
from arb_bot.quotes import Quote
from arb_bot.simulated.venue import SimulatedVenue

if __name__ == "__main__":
    hang, answers = Path(sys.argv[1]), SimulatedVenue.quotes

    def quotes(self: SimulatedVenue) -> Sequence[Quote]:
        while hang.exists():
            time.sleep(0.05)
        return answers(self)

    SimulatedVenue.quotes = quotes  # type: ignore[method-assign]
    sys.exit(main(sys.argv[2:]))
