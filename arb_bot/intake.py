"""Takes in the venues' quotes: screens them, and keeps what is to be known about each feed."""

from collections.abc import Mapping
from dataclasses import dataclass

from arb_bot import VenueUnavailable
from arb_bot.quotes import REJECT_REASONS, Quote, reject_reason
from arb_bot.venue import Venue
from botkit.metrics_registry import Registry


@dataclass(slots=True)
class Feed:
    """One venue's quotes: good ones of the last look, listed markets, rejects since the start."""

    scanned: int = 0
    listed: int = 0
    rejects: int = 0
    newest: float | None = None


class Intake:
    """Asks every venue for quotes once a cycle."""

    def __init__(self, venues: Mapping[str, Venue], registry: Registry) -> None:
        self._venues = venues
        self.feeds = {name: Feed() for name in venues}
        self._reasons = {reason: registry.counter(f"quote_rejects_{reason}") for reason in REJECT_REASONS}
        self._unavailable = registry.counter("venue_unavailable")
        self._cached = registry.gauge("quote_cache_size")

    def look(self, now: float) -> dict[tuple[str, str], Quote]:
        """All good quotes of this moment by (venue, market id); a venue that does not answer has none."""
        good: dict[tuple[str, str], Quote] = {}
        for name, venue in self._venues.items():
            feed = self.feeds[name]
            feed.scanned, feed.listed = 0, venue.listed()
            try:
                quotes = venue.quotes()
            except VenueUnavailable:
                self._unavailable.inc()
                continue
            for quote in quotes:
                reason = reject_reason(quote, now)
                if reason:
                    feed.rejects += 1
                    self._reasons[reason].inc()
                    continue
                good[name, quote.market_id] = quote
                feed.scanned += 1
                feed.newest = max(feed.newest or 0.0, quote.observed_at)
        self._cached.set(len(good))
        return good
