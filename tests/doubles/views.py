"""Views of a bot that have heard what a test lets it say."""

from exporter.view import BotView
from tests.doubles.messages import T0


def connected_view(**settings) -> BotView:
    view = BotView("arb", now=T0, **settings)
    view.connected(T0)
    return view


def fed(*states, view: BotView | None = None) -> BotView:
    """A view that took in these states, each 5 s × its cycle after the beginning."""
    view = view or connected_view()
    for said in states:
        view.received(said, said["ts"])
    return view


def decided(view: BotView) -> int:
    return sum(view.decisions.counts.values())
