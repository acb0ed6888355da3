"""Says in plain words what a settings file means, for people who wrote one. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.config import BotConfig, Config, ExchangeHours, Window, unused_parts
from exporter.config_values import DAYS
from exporter.reporting.days import OperatorDay

EVERY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104 - named, not listened on


def summary(config: Config) -> str:
    """What the exporter would do with these settings, line by line."""
    reach = ", on every address of this machine" if config.listen.host in EVERY_ADDRESS else ""
    lines = [
        _line("answers at", f"{config.listen.address}{reach}"),
        _line("history", f"{config.reporting_db}, latches beside it"),
        _line("operator's day", str(OperatorDay(config.day.tz, config.day.rolls_at))),
    ]
    for bot in config.bots:
        lines += ["", *_bot(bot)]
    if unused := unused_parts(config):
        lines += ["", f"Accepted and checked, not used yet: {', '.join(unused)}."]
    return "\n".join(lines)


def _bot(bot: BotConfig) -> Iterator[str]:
    yield f"bot {bot.name} (kind {bot.kind}) at {bot.address}"
    learned = "as often as they turn out to come"
    yield _line("states", learned if bot.expected_interval is None else f"every {bot.expected_interval:g} s")
    derived = "after three intervals, at least 15 s"
    yield _line("stale", derived if bot.stale_after is None else f"after {bot.stale_after:g} s")
    tiers = {
        "paper": "paper: never pages anybody",
        "live": "live: pages",
        None: "by the bot's last known mode",
    }
    yield _line("tier", tiers[bot.tier])
    for entry in bot.schedule:
        when = _closed(entry) if isinstance(entry, ExchangeHours) else _window(entry)
        yield _line("meant to be quiet", when if entry.venue is None else f"{when} ({entry.venue} alone)")
    for name, path in bot.stores.items():
        yield _line(f"store {name}", str(path))
    if bot.kill_file is not None:
        yield _line("kill file", str(bot.kill_file))


def _window(window: Window) -> str:
    days = "daily" if len(window.days) == len(DAYS) else ", ".join(DAYS[day] for day in sorted(window.days))
    next_day = "" if window.closes > window.opens else " of the next day"
    return f"{days} {_clock(window.opens)} to {_clock(window.closes)}{next_day} {window.tz}: {window.reason}"


def _closed(hours: ExchangeHours) -> str:
    says = f": {hours.reason}" if hours.reason else ""
    return f"while {hours.exchange} is closed, by its {hours.open} hours{says}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _line(title: str, says: str) -> str:
    return f"  {title:<18} {says}"
