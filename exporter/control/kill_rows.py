"""How the metrics of a kill are read from where it stands; pure. A bot that nobody can kill has none."""

from __future__ import annotations

from collections.abc import Callable

from exporter.control.kill import Kill, Stage
from exporter.control.proof import Rung
from exporter.control.standing import Standing
from exporter.rows import Rows, each, one
from exporter.sight import Sight


def stages(sight: Sight) -> Rows:
    """One series for each stage, 1 for the one that holds."""
    return _read(sight, lambda stands: [((stage,), stage is stands.state) for stage in Stage])


def rungs(sight: Sight) -> Rows:
    """One series for each rung, 1 for the one that a proven kill stands on."""
    return _read(sight, lambda stands: [((rung,), rung is stands.rung) for rung in Rung])


def paths(sight: Sight) -> Rows:
    """One series for each path."""
    return _read(sight, lambda stands: each(stands.paths))


def last_drill(sight: Sight) -> Rows:
    """When a drill last proved the path."""
    return _read(sight, lambda stands: one(stands.last_drill))


def positions_remaining(sight: Sight) -> Rows:
    """Open positions of a bot that is being killed."""
    return _read(sight, lambda stands: () if stands.kill is None else one(stands.positions))


def of_kill(read: Callable[[Kill], float | None]) -> Callable[[Sight], Rows]:
    """Read one value from the kill that is on; none while none is."""

    def rows(sight: Sight) -> Rows:
        return _read(sight, lambda stands: () if stands.kill is None else one(read(stands.kill)))

    return rows


def _read(sight: Sight, read: Callable[[Standing], Rows]) -> Rows:
    return () if sight.kill is None else read(sight.kill)
