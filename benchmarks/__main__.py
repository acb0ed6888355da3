"""Runs every benchmark of this folder and prints one table; exits non-zero when a target is missed.

A benchmark is a module here with `figures(small: bool) -> Iterable[Figure]`: `small` is the short form that a
developer runs, otherwise the long one of `make soak`.
"""

import argparse
import importlib
import logging
import pkgutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import benchmarks
from benchmarks.figure import Figure, exit_code, table

Benchmark = Callable[[bool], Iterable[Figure]]


def discovered() -> Iterator[tuple[str, Benchmark]]:
    """Every module of this folder that measures something, by name."""
    for module in sorted(pkgutil.iter_modules(benchmarks.__path__), key=lambda found: found.name):
        if module.name == "__main__":
            continue
        measure = getattr(importlib.import_module(f"benchmarks.{module.name}"), "figures", None)
        if measure is not None:
            yield module.name, measure


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, answer 0 when every target was reached and 1 when one was missed."""
    # What the measured parts say of every kill and link would bury the figures; faults still show.
    logging.basicConfig(level=logging.ERROR)
    known = dict(discovered())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure what the project promises."
    )
    parser.add_argument("only", nargs="*", metavar="NAME", help=f"of {', '.join(known)} (default: all)")
    parser.add_argument("--long", action="store_true", help="the long form, for steadier figures")
    options = parser.parse_args(arguments)
    if unknown := set(options.only) - known.keys():
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    measured: list[Figure] = []
    for name in options.only or known:
        began = time.monotonic()
        print(f"{name} …", end=" ", flush=True, file=sys.stderr)
        measured += known[name](not options.long)
        print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    print(table(measured))
    return exit_code(measured)


if __name__ == "__main__":
    sys.exit(main())
