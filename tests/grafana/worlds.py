"""What Prometheus stored of the console itself and of alerts over ten minutes, in every situation: samples.

A world overrides some series of one that is well: by series a value, None where it is absent, or a function
of the second that gives either. It is looked at `LENGTH` seconds after it began.
"""

from collections.abc import Callable, Iterator, Mapping

from tests.doubles.messages import T0

LENGTH = 600
SCRAPE = 5
APART = 1200.0
"""From one world's beginning to the next: no query looks back so far."""
FIRST = T0 - 45_000.0

BOT = "arb"

Value = float | None
Course = Callable[[int], Value] | Value
World = Mapping[str, Course]

_ERRORS = 'prometheus_notifications_errors_total{alertmanager="a"}'
_DROPPED = "prometheus_notifications_dropped_total"
_UP = 'up{job="tradebot"}'
_ALERTMANAGER_UP = 'up{job="alertmanager"}'
_STARTED = 'process_start_time_seconds{job="tradebot"}'
_BACK = "tradebot_exporter_alert_path_timestamp_seconds"
_PUSH = 'tradebot_exporter_push_receivers{integration="slack"}'
_PAPER = 'tradebot_tier{bot="arb",tier="paper"}'
_LIVE = 'tradebot_tier{bot="arb",tier="live"}'
_WATCHDOG = 'ALERTS{alertname="TradebotWatchdog",alertstate="firing",severity="none"}'
_FAILED = 'alertmanager_notifications_failed_total{integration="%s",reason="other"}'
_DISK = 'tradebot_exporter_disk_free_bytes{folder="reporting"}'
_CHAIN = "tradebot_exporter_event_chain_broken"


def _until(second: int) -> Callable[[int], Value]:
    return lambda now: 1 if now <= second else None


def _after(second: int) -> Callable[[int], Value]:
    return lambda now: 1 if now > second else 0


WELL: World = {
    _UP: 1,
    'up{job="prometheus"}': 1,
    _ALERTMANAGER_UP: 1,
    _WATCHDOG: 1,
    "prometheus_notifications_alertmanagers_discovered": 1,
    _DROPPED: 1,
    _ERRORS: 2,
    _FAILED % "slack": 0,
    _FAILED % "webhook": 0,
    _PUSH: 1,
    'tradebot_exporter_push_receivers{integration="email"}': 0,
    "tradebot_exporter_dead_man_receivers": 1,
    'tradebot_connected{bot="arb"}': 1,
    _LIVE: 1,
    _PAPER: 0,
    _DISK: 50e9,
    'tradebot_exporter_disk_size_bytes{folder="reporting"}': 100e9,
    _CHAIN: 0,
    # Times: seconds after the world began.
    _STARTED: -9000,
    _BACK: lambda now: now - now % 60,
}
TIMES = {_STARTED, _BACK}
GONE: World = {series: _until(300) for series in WELL if series.startswith("tradebot_") or series in TIMES}


def alert(
    name: str, began: int, severity: str = "warning", *, had: str = "", bot: str = BOT, besides: str = ""
) -> World:
    """An alert that fires from a second on, and who has it since then; `besides` are more labels of it."""
    labels = f'alertname="Tradebot{name}",bot="{bot}",severity="{severity}"{besides}'
    firing: dict[str, Course] = {
        f'ALERTS{{{labels},alertstate="firing"}}': lambda now: 1 if now >= began else None,
        f"ALERTS_FOR_STATE{{{labels}}}": began,
    }
    if had:
        key = f'alertname="Tradebot{name}",bot="{bot}",by="{had}"'
        firing[f"tradebot_alert_acknowledged{{{key}}}"] = lambda now: 1 if now >= began else None
    return firing


_NO_RECEIVER: World = {_PUSH: 0}
_FIVE: World = {key: course for n in range(5) for key, course in alert(f"Five{n}", 500 + n).items()}
_SIX: World = {**_FIVE, **alert("Six", 550)}

WORLDS: Mapping[str, World] = {
    "well": {},
    "two of five are had": {
        **alert("Old", 100, "critical", had="ann"),
        **alert("New", 590, "critical"),
        **alert("Noticed", 200, had="bea"),
        **alert("Late", 400),
        **alert("Later", 500),
    },
    "alike": {
        **alert("Twice", 400, besides=',store="fills"'),
        **alert("Twice", 300, besides=',store="orders"'),
    },
    "exporter does not answer": {**GONE, _UP: lambda now: 1 if now <= 300 else 0},
    "exporter is not scraped": {**GONE, _UP: _until(300)},
    "rules are not evaluated": {_WATCHDOG: _until(500)},
    "rules are not evaluated, six fire": {**_SIX, _WATCHDOG: _until(500)},
    "alertmanager is down": {_ALERTMANAGER_UP: lambda now: 1 if now <= 500 else 0},
    "alertmanager is down, five fire": {**_FIVE, _ALERTMANAGER_UP: lambda now: 1 if now <= 500 else 0},
    "one scrape of alertmanager was lost": {_ALERTMANAGER_UP: lambda now: 0 if now == LENGTH else 1},
    "alertmanager was not found": {"prometheus_notifications_alertmanagers_discovered": 0},
    "prometheus started again": {
        series: lambda now: 2 if now < 505 else None if now < 520 else 0 if now < 525 else 3
        for series in (_DROPPED, _ERRORS)
    },
    "alertmanager refuses": {_ERRORS: lambda now: max(0, (now - 400) // 15)},
    "nobody is called": _NO_RECEIVER,
    "nobody is called, on paper": {**_NO_RECEIVER, _PAPER: 1, _LIVE: 0},
    "nobody is called, tier unknown": {**_NO_RECEIVER, _PAPER: None, _LIVE: None},
    "nobody is called, four fire": {**_NO_RECEIVER, **dict(list(_FIVE.items())[:8])},
    "nobody is called, five fire": {**_NO_RECEIVER, **_FIVE},
    "nobody is called, six fire": {**_NO_RECEIVER, **_SIX},
    "receivers are not known": {_PUSH: None, 'tradebot_exporter_push_receivers{integration="email"}': None},
    "watchdog never came": {_BACK: None},
    "watchdog is awaited": {_BACK: None, _STARTED: LENGTH - 60},
    "watchdog is late": {_BACK: 300},
    "slack fails": {_FAILED % "slack": _after(500)},
    "the exporter started again": {_FAILED % "webhook": _after(500), _STARTED: 510},
    "a webhook fails": {_FAILED % "webhook": _after(500)},
    "disk is low": {_DISK: 9e9},
    "chain is broken": {_CHAIN: 1},
    "chain is not checked": {_CHAIN: None},
}
BEGINS = {world: FIRST + number * APART for number, world in enumerate(WORLDS)}


def end(world: str) -> float:
    """When a world is looked at."""
    return BEGINS[world] + LENGTH


def samples() -> Iterator[str]:
    """All worlds as lines of OpenMetrics with times, those of a series in order."""
    by_series: dict[str, list[str]] = {}
    for name, changed in WORLDS.items():
        for series, course in {**WELL, **changed}.items():
            time = BEGINS[name] if series in TIMES or series.startswith("ALERTS_FOR_STATE") else 0
            for second in range(0, LENGTH + 1, SCRAPE):
                value = course(second) if callable(course) else course
                if value is not None:
                    line = f"{series} {value + time} {BEGINS[name] + second}\n"
                    by_series.setdefault(series, []).append(line)
    return (line for lines in by_series.values() for line in lines)
