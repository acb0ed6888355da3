"""How the program runs."""

from dataclasses import dataclass

from botkit.hot_reload import setting


@dataclass(frozen=True)
class Runtime:
    """Settings of the category `runtime`."""

    poll_interval: float = setting(
        60.0,
        key="ARB_POLL_INTERVAL_SECONDS",
        category="runtime",
        unit="s",
        minimum=0.2,
        maximum=3600,
        help="time between two cycles",
    )
    control_port: int = setting(
        9120,
        key="ARB_CONTROL_SOCKET_PORT",
        category="runtime",
        minimum=0,
        maximum=65535,
        hot=False,
        help="port of the control socket; 0 takes any free one and logs it",
    )
    log_level: str = setting(
        "INFO",
        key="ARB_LOG_LEVEL",
        category="runtime",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
        hot=False,
        help="least severe lines that are logged",
    )
    stream_stale_seconds: float = setting(
        0.0,
        key="ARB_STREAM_STALE_DEGRADE_SECONDS",
        category="runtime",
        unit="s",
        minimum=0,
        maximum=3600,
        help="without a fresh quote for this long a venue's stream is stale; at least 30 s and two polls",
    )
    stream_poll_only: bool = setting(
        True,
        key="ARB_STREAM_POLL_ONLY_ON_STALE",
        category="runtime",
        help="a stale stream is called poll_only and still asked each cycle; otherwise it is degraded",
    )
    stream_recovery_seconds: float = setting(
        30.0,
        key="ARB_STREAM_RECOVERY_ATTEMPT_SECONDS",
        category="runtime",
        unit="s",
        minimum=1,
        maximum=3600,
        help="time between two attempts to bring a poll_only or stale stream back",
    )
