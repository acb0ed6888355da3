"""The one process between bots and people: it listens to every bot's control socket and answers /metrics."""

__version__ = "0.1.0"
