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
