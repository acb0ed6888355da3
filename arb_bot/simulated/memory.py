"""What the simulated venues keep between sessions, as real venues would: accounts, orders, open events,
recent outcomes.
"""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path

from arb_bot import StartRefused
from arb_bot.simulated.account import Account
from arb_bot.simulated.world import Family

_FAMILY = tuple(part.name for part in fields(Family))

VERSION = 1


@dataclass(frozen=True, slots=True)
class Memory:
    """Families with times in epoch seconds, outcomes by event number, accounts and orders by venue."""

    families: list[Family] = field(default_factory=list)
    next_number: int = 1
    outcomes: dict[int, bool] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    orders: dict[str, list[dict[str, object]]] = field(default_factory=dict)


def load(path: Path) -> Memory:
    """Read what an earlier session left; empty when there was none.

    Raises StartRefused for a damaged file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["version"] != VERSION:
            raise StartRefused(f"{path} was written by another version of the simulated venues; move it away")
        return Memory(
            families=[Family(**family) for family in content["families"]],
            next_number=int(content["next_number"]),
            outcomes={int(number): bool(outcome) for number, outcome in content["outcomes"].items()},
            accounts={
                venue: Account(
                    int(account["cash"]), {(market, side): int(n) for market, side, n in account["contracts"]}
                )
                for venue, account in content["accounts"].items()
            },
            orders={venue: [dict(o) for o in orders] for venue, orders in content.get("orders", {}).items()},
        )
    except FileNotFoundError:
        return Memory()
    except OSError as exc:
        raise StartRefused(
            f"the simulated venues' file {path} cannot be read: {exc.strerror or exc}"
        ) from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise StartRefused(
            f"the simulated venues' file {path} is damaged ({exc}); move it away to start afresh"
        ) from exc


def save(path: Path, memory: Memory) -> None:
    """Replace the file in one step. Raises OSError."""
    content = {
        "version": VERSION,
        "families": [{name: getattr(family, name) for name in _FAMILY} for family in memory.families],
        "next_number": memory.next_number,
        "outcomes": memory.outcomes,
        "accounts": {
            venue: {"cash": account.cash, "contracts": [[m, s, n] for (m, s), n in account.contracts.items()]}
            for venue, account in memory.accounts.items()
        },
        "orders": memory.orders,
    }
    beside = path.with_suffix(".json.new")
    beside.write_text(json.dumps(content), encoding="utf-8")
    beside.replace(path)
