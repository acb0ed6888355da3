"""Takes in the venues' quotes: screens them, and keeps what is to be known about each feed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from arb_bot import VenueUnavailable
from arb_bot.coverage import coverage
from arb_bot.quotes import REJECT_REASONS, Quote, reject_reason
from arb_bot.relations import Relations
from arb_bot.stream_health import Patience, StreamHealth
from arb_bot.trading_hours import Quiet
from arb_bot.venue import Venue
from botkit.metrics_registry import Registry

QUIET_AHEAD_SECONDS = 30.0
"""So long before a planned quiet begins nothing new is looked for: both legs must be done by then."""

Quotes = dict[tuple[str, str], Quote]


@dataclass(slots=True)
class Feed:
    """What is known of one venue's quotes: good ones of the last look, listed markets, rejects since the
    start, the planned quiet that holds.
    """

    health: StreamHealth
    scanned: int = 0
    listed: int = 0
    rejects: int = 0
    newest: float | None = None
    planned: Quiet | None = None


class Intake:
    """Asks every venue for quotes once a cycle. `patience` and `relations` are asked for at each look;
    `record` hears every venue's quotes as they came.
    """

    def __init__(
        self,
        venues: Mapping[str, Venue],
        registry: Registry,
        *,
        patience: Callable[[], Patience],
        relations: Callable[[], Relations],
        now: float,
    ) -> None:
        self._venues = venues
        self._registry = registry
        self._relations = relations
        self._patience = patience
        self.feeds = {name: Feed(StreamHealth(now)) for name in venues}
        self.last: Quotes = {}
        """The good quotes of the last look."""
        self._reasons = {reason: registry.counter(f"quote_rejects_{reason}") for reason in REJECT_REASONS}
        self._unavailable = registry.counter("venue_unavailable")
        self._cached = registry.gauge("quote_cache_size")
        self._reconnects = registry.gauge("stream_reconnects")
        self._gaps = registry.gauge("stream_gaps")
        self.record: Callable[[Sequence[Quote], float], None] = lambda _quotes, _now: None

    def look(self, now: float) -> Quotes:
        """All good quotes of this moment by (venue, market id).

        A venue that does not answer, or that is about to be quiet as planned, has none.
        """
        good: Quotes = {}
        for name, venue in self._venues.items():
            good.update(self._ask(name, venue, now))
        self.last = good
        self._cached.set(len(good))
        self._reconnects.set(sum(feed.health.reconnects for feed in self.feeds.values()))
        self._gaps.set(sum(feed.health.gaps for feed in self.feeds.values()))
        self._measure(good)
        return good

    def _measure(self, good: Quotes) -> None:
        """Say how much of what is listed and of what is known had a good quote."""
        listed = sum(feed.listed for feed in self.feeds.values())
        scanned = sum(feed.scanned for feed in self.feeds.values())
        self._registry.gauge("coverage").set(scanned / listed if listed else None)
        for name, count in coverage(self._relations(), good).items():
            self._registry.gauge(name).set(count)

    def _ask(self, name: str, venue: Venue, now: float) -> Quotes:
        feed = self.feeds[name]
        feed.scanned = 0
        feed.planned = venue.planned()
        if feed.planned is not None:
            feed.health.rested(now)
            return {}
        if not feed.health.due(now):
            return {}
        try:
            feed.listed = venue.listed()
            quotes = venue.quotes()
        except VenueUnavailable:
            self._unavailable.inc()
            feed.health.failed(now)
            return {}
        self.record(quotes, now)
        good: Quotes = {}
        for quote in quotes:
            reason = reject_reason(quote, now)
            if reason:
                feed.rejects += 1
                self._reasons[reason].inc()
            else:
                good[name, quote.market_id] = quote
        feed.scanned = len(good)
        newest = max((quote.observed_at for quote in good.values()), default=None)
        if newest is not None:
            feed.newest = max(feed.newest or 0.0, newest)
        feed.health.answered(newest, now, self._patience())
        return {} if venue.planned(QUIET_AHEAD_SECONDS) is not None else good
