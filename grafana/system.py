"""System: where in the chain from the venues to the person something is broken."""

from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import dashboard

from grafana import alert_panels, kill_panels, kill_queries, ledger_panels, palette, queries
from grafana.charts import Column, Line, Rows, chart, rows_table, timeline
from grafana.ledger_panels import Look
from grafana.page import Below, Place, page
from grafana.shared import alerts, verdict
from grafana.sql import stores as sql_stores
from grafana.stats import CHAIN, Level, Sizes, levels_stat, rows, tile
from grafana.words import LEVEL_WORDS, MARKET_WORDS, STATE_WORDS, STORE_WORDS


def system() -> dashboard.Dashboard:
    """The page as a table of contents: 27 rows, which is a 1080p screen in kiosk mode."""
    return page(
        "tradebot-system",
        "System",
        "The chain from the venues to the person, the bot's states, its timing, its market data, and "
        "every bot's verdict.",
        [
            Place(verdict(Sizes(name=48, value=32)), x=0, y=0, w=24, h=3),
            Place(venues_link(), x=0, y=3, w=4, h=4),
            Place(loop_link(), x=4, y=3, w=4, h=4),
            Place(socket_link(), x=8, y=3, w=4, h=4),
            Place(exporter_link(), x=12, y=3, w=4, h=4),
            Place(scrape_link(), x=16, y=3, w=4, h=4),
            Place(alert_panels.delivery(), x=20, y=3, w=4, h=4),
            Place(alerts(Sizes(name=20, value=20), shown=3, others="below"), x=0, y=7, w=24, h=2),
            Place(states(), x=0, y=9, w=16, h=7),
            Place(kill_panels.kill_button(), x=16, y=9, w=8, h=4),
            Place(kill_panels.last_command(), x=16, y=13, w=8, h=3),
            Place(cycle_time(), x=0, y=16, w=8, h=5),
            Place(coverage(), x=8, y=16, w=8, h=5),
            Place(trouble(), x=16, y=16, w=8, h=5),
            Place(kill_panels.what_changed(), x=0, y=21, w=12, h=6),
            Place(kill_panels.complaints(), x=12, y=21, w=12, h=6),
        ],
        [
            Below(
                "BOTS AND ALERTS · every bot, every alert, the link in figures",
                [
                    Place(bots(), x=0, y=0, w=24, h=6),
                    Place(alert_panels.every_alert(), x=0, y=6, w=16, h=8),
                    Place(link_figures(), x=16, y=6, w=8, h=8),
                ],
            ),
            Below(
                "ALERT HISTORY · when somebody was told, when it ended and why, who had it",
                [
                    Place(alert_panels.history(), x=0, y=0, w=16, h=12),
                    Place(alert_panels.times(), x=16, y=0, w=8, h=8),
                    Place(alert_panels.receivers(), x=16, y=8, w=8, h=4),
                ],
            ),
            Below(
                "COMMANDS · what was ordered, latency, results, the kill in figures",
                [
                    Place(kill_panels.commands(), x=0, y=0, w=24, h=8),
                    Place(kill_panels.latency(), x=0, y=8, w=8, h=8),
                    Place(kill_panels.command_results(), x=8, y=8, w=8, h=8),
                    Place(kill_panels.kill_figures(), x=16, y=8, w=8, h=8),
                ],
            ),
            Below("AUDIT TRAIL · every event", [Place(kill_panels.audit(), x=0, y=0, w=24, h=14)]),
            Below(
                "REGISTRY · the bot's own metrics, its settings, the fields it reports",
                [
                    Place(registry(), x=0, y=0, w=9, h=9),
                    Place(settings(), x=9, y=0, w=8, h=9),
                    Place(reported_fields(), x=17, y=0, w=7, h=9),
                ],
            ),
            Below(
                "MESSAGES · received, missed, malformed",
                [Place(messages(), x=0, y=0, w=12, h=8), Place(malformed(), x=12, y=0, w=12, h=8)],
            ),
            Below(
                "LEDGER · each bot's stores, the reporting database",
                [Place(stores(), x=0, y=0, w=18, h=8), Place(reporting_lag(), x=18, y=0, w=6, h=8)],
            ),
            Below(
                "EXPORTER ITSELF · scrape, memory, processor, files",
                [
                    Place(exporter_facts(), x=0, y=0, w=6, h=8),
                    Place(exporter_scrape(), x=6, y=0, w=6, h=8),
                    Place(exporter_memory(), x=12, y=0, w=6, h=8),
                    Place(exporter_cpu(), x=18, y=0, w=6, h=8),
                ],
            ),
        ],
    )


# --- The chain: the leftmost red or amber one is the cause ---
def venues_link() -> stat.Panel:
    """How many venues stream or are polled as they should."""
    return tile(
        "VENUES: how many of the bot's venues stream or are polled.",
        [
            Level(queries.VENUES_NONE_UP, "of {{all}} VENUES", palette.RED, "NONE"),
            Level(queries.VENUES_SOME_UP, "of {{all}} VENUES", palette.AMBER, unit="suffix: UP"),
            Level(queries.VENUES_ALL_UP, "VENUES →", unit="suffix: UP"),
            Level(queries.VENUES_QUIET, "VENUES →", palette.BLUE, "PLANNED"),
        ],
        known=queries.VENUES_KNOWN,
        unknown="VENUES ?",
        sizes=CHAIN,
    )


def loop_link() -> stat.Panel:
    """How late the engine's loop is, by its heartbeat."""
    return tile(
        "BOT LOOP: how late the engine's loop is, by the bot's heartbeat; amber from 1 s, red when no "
        "cycle ends. Unknown for bots without one.",
        [
            Level(queries.LOOP_HUNG, "BOT LOOP →", palette.RED, "HUNG"),
            Level(queries.LOOP_SLOW, "LOOP SLOW →", palette.AMBER, unit="s"),
            Level(queries.LOOP_CALM, "LOOP LAG →", unit="s"),
        ],
        known=queries.LOOP_KNOWN,
        unknown="LOOP ?",
        sizes=CHAIN,
    )


def socket_link() -> stat.Panel:
    """Whether the control socket is connected."""
    return tile(
        "SOCKET: the exporter's connection to the bot.",
        [
            Level(queries.SOCKET_DOWN, "SOCKET →", palette.RED, "DOWN"),
            Level(queries.SOCKET_PLANNED, "SOCKET →", palette.BLUE, "PLANNED"),
            Level(queries.SOCKET_UP, "SOCKET →", words="UP"),
        ],
        known=queries.CONNECTED,
        unknown="SOCKET ?",
        sizes=CHAIN,
    )


def exporter_link() -> stat.Panel:
    """Whether the exporter answers and keeps up with the ledgers, and how long the last answer took."""
    return levels_stat(
        "EXPORTER + LEDGER: whether it answered Prometheus's last scrape, and how long building the answer "
        "took; amber where the reporting database is not written, a store cannot be read, or it is late.",
        [
            Level(queries.EXPORTER_DOWN, "EXPORTER →", palette.RED, "DOWN"),
            Level(queries.LEDGER_FAILING, "{{state}}", palette.AMBER, "LEDGER"),
            Level(queries.LEDGER_UNREAD, "{{bot}} {{status}}", palette.AMBER, "LEDGER"),
            Level(queries.LEDGER_LATE, "LEDGER LATE", palette.AMBER, unit="s"),
            Level(queries.EXPORTER_UP, "EXPORTER →", unit="s"),
        ],
        sizes=CHAIN,
        unknown="BLIND",
    )


def scrape_link() -> stat.Panel:
    """Whether Prometheus goes on scraping."""
    return levels_stat(
        "SCRAPE: time since Prometheus last tried the exporter; amber from 15 s, red from 60 s.",
        [
            Level(queries.SCRAPE_STOPPED, "SCRAPE →", palette.RED, unit="s"),
            Level(queries.SCRAPE_LATE, "SCRAPE →", palette.AMBER, unit="s"),
            Level(queries.SCRAPE_FRESH, "SCRAPE →", unit="s"),
        ],
        sizes=CHAIN,
        unknown="BLIND",
    )


# --- States and link ---
def states() -> statetimeline.Panel:
    """What was up, and what the bot said of itself, over six hours."""
    return timeline(
        "STATES · $bot · 6 h (UTC) · purple: nobody said",
        "Exporter, link, freshness of data, loop, mode, kill switch, ledger and planned quiet.",
        [
            (queries.EXPORTER_STATES, "exporter"),
            (queries.LINK_STATES, "socket"),
            (queries.DATA_STATES, "data"),
            (queries.LOOP_STATES, "loop"),
            (queries.MODE_STATES, "mode"),
            (kill_queries.KILL_STATES, "kill"),
            (queries.LEDGER_STATES, "ledger"),
            (queries.PLANNED_STATES, "planned"),
        ],
        STATE_WORDS,
        hours=6,
    )


def link_figures() -> stat.Panel:
    """The link in figures."""
    figures = [
        Level(queries.BEAT_AGE, "heartbeat, age"),
        Level(queries.INTERVAL, "expected between states"),
        Level(queries.STALE_AFTER, "stale after"),
        Level(queries.SETTINGS_AGE, "settings, age"),
        Level(queries.OVERRUN, "planned quiet ended, not back, for", palette.AMBER),
        Level(queries.QUIET_FOR, "planned quiet, for another", palette.BLUE),
        Level(queries.CLOCK_SKEW, "bot's clock ahead", unit="s", decimals=2),
        Level(queries.LEDGER_DIFFERENCE, "bot − ledger, PnL of the day", unit="currencyUSD", decimals=2),
        Level(queries.RECONNECTS, "reconnects, 1 h", unit="none"),
        Level(queries.MISSED_HOUR, "states missed, 1 h", unit="none"),
        Level(queries.MALFORMED_HOUR, "malformed, 1 h", unit="none"),
        Level(queries.RESTARTS, "restarts, 24 h", unit="none"),
        Level(kill_queries.UNVERIFIED, "settings unverified", unit="none"),
        Level(queries.MODE_CHANGES, "mode changes nobody ordered, 24 h", unit="none"),
    ]
    return rows(
        tile(
            "LINK: the connection in figures, by the exporter. A row that is absent was not reported.",
            figures,
            known=queries.CONNECTED,
            unknown="LINK ?",
            sizes=Sizes(name=16, value=16),
            unit="s",
        )
    )


# --- Timing and market data ---
def cycle_time() -> timeseries.Panel:
    """How long a cycle takes, against the time between two."""
    return chart(
        "CYCLE · $bot · p50 and p99 against the interval (UTC)",
        "Duration of a cycle over 5 minutes, and the expected time between states.",
        [
            Line(queries.CYCLE_MEDIAN, "p50", palette.LINE_DIM),
            Line(queries.CYCLE_WORST, "p99", palette.LINE),
            Line(queries.INTERVAL, "interval", palette.LINE_AMBER, dashed=True),
        ],
        unit="s",
    )


def coverage() -> stat.Panel:
    """How much of each venue is scanned, and how old its quotes are."""
    return rows(
        tile(
            "QUOTE COVERAGE by venue: share of the markets that were scanned, and the age of the quotes, "
            "as the bot reports.",
            [Level(queries.COVERAGE_ROWS, "{{venue}} · {{age}}", unit="percentunit")],
            known=queries.COVERAGE,
            unknown="QUOTES ?",
            sizes=Sizes(name=24, value=32),
        )
    )


def trouble() -> timeseries.Panel:
    """What venues rejected, and what the bot complained of."""
    return chart(
        "REJECTS AND ERRORS · $bot · each 10 minutes (UTC)",
        "Rejects by venue, errors and warnings of the bot, in the 10 minutes before; a gap: nobody said.",
        [
            Line(queries.REJECTS, "rejects {{venue}}"),
            Line(queries.WARNINGS, "{{severity}}", palette.LINE_AMBER),
            Line(queries.ERRORS, "{{severity}}", palette.LINE_RED),
        ],
        unit="none",
        decimals=0,
        bars=True,
    )


# --- Every bot, every alert ---
def bots() -> table.Panel:
    """Every bot's verdict, mode, version and restarts."""
    return rows_table(
        "BOTS · verdict, last mode, version, start, restarts of 24 h (UTC)",
        "Every bot that the exporter knows, whatever bot the page shows.",
        Rows(
            [
                Column("level", label="level", width=92, words=LEVEL_WORDS),
                Column("bot", label="bot", width=72),
                Column("verdict", label="text"),
                Column("mode", label="mode", width=62),
                Column("markets", label="simulated", width=95, words=MARKET_WORDS),
                Column("data age", queries.ALL_STATE_AGES, unit="s", width=75),
                Column("version", label="version", width=68),
                Column("started", queries.ALL_STARTS, unit="time:D MMM HH:mm [UTC]", width=138),
                Column("restarts", queries.ALL_RESTARTS, width=70),
            ],
            explained_by=[queries.ALL_VERDICTS, queries.ALL_MODES, queries.ALL_VERSIONS, queries.NO_BOTS],
            sort_by="bot",
            ascending=True,
        ),
    )


# --- Below ---
def registry() -> table.Panel:
    """The bot's own counters and gauges."""
    return rows_table(
        "REGISTRY · $bot · the bot's own metrics, as it sends them",
        "Name, kind and value of each metric in the bot's registry.",
        Rows(
            [
                Column("name", label="name"),
                Column("kind", label="kind", width=120),
                Column("value", queries.REGISTRY, decimals=None, width=160),
            ],
            sort_by="name",
            ascending=True,
        ),
        empty="NOTHING REPORTED",
    )


def settings() -> table.Panel:
    """The bot's settings as it last sent them."""
    return rows_table(
        "SETTINGS · $bot · last known, as the bot sent them",
        "Settings that are numbers or switches (1 or 0). They stay when the bot is gone.",
        Rows(
            [Column("setting", label="key"), Column("value", queries.SETTINGS, decimals=None, width=120)],
            sort_by="setting",
            ascending=True,
        ),
        empty="NOTHING REPORTED",
    )


def reported_fields() -> table.Panel:
    """Which fields the bot really reports."""
    words = {"1": ("reported", palette.NEUTRAL), "0": ("NOT REPORTED", palette.DIM_PURPLE)}
    return rows_table(
        "FIELDS · $bot · which it reports",
        "A field counts as reported from its first value that is no constant, or when the bot says so.",
        Rows(
            [Column("field", label="field"), Column("is", queries.REPORTED, width=160, words=words)],
            sort_by="field",
            ascending=True,
        ),
        empty="NOTHING REPORTED",
    )


def messages() -> timeseries.Panel:
    """States received and missed."""
    return chart(
        "MESSAGES · $bot · received and missed a minute (UTC)",
        "Missed: gaps in the bot's cycle numbers.",
        [
            Line(queries.STATES, "states", palette.LINE),
            Line(queries.MISSED, "states missed", palette.LINE_AMBER),
            Line(queries.MESSAGES, "{{type}}", palette.LINE_DIM),
        ],
        unit="none",
    )


def malformed() -> timeseries.Panel:
    """Lines that could not be read."""
    return chart(
        "MALFORMED · $bot · lines each 10 minutes, by reason (UTC)",
        "Lines from the bot that the exporter could not read.",
        [Line(queries.MALFORMED, "{{reason}}")],
        unit="none",
        bars=True,
    )


def stores() -> table.Panel:
    """How each bot's stores are."""
    return ledger_panels.rows(
        "STORES · every bot's ledger, as the exporter reads it (UTC)",
        "Each store with its state, why, rows mirrored, newest row and last look.",
        sql_stores.stores(),
        {
            "bot": Look(width=80),
            "store": Look(width=90),
            "status": Look(width=110, words=STORE_WORDS),
            "rows": Look(unit="locale", decimals=0, width=90),
            "newest row": Look(width=190),
            "last read": Look(width=120),
            "path": Look(width=300),
        },
    )


def reporting_lag() -> timeseries.Panel:
    """How far behind the reporting database is."""
    return chart(
        "REPORTING LAG · exporter (UTC)",
        "How long ago everything that waited was in the reporting database; a second or two while well.",
        [Line(queries.REPORTING_LAG, "lag", palette.LINE)],
        unit="s",
    )


def exporter_facts() -> stat.Panel:
    """The exporter's version and what went wrong inside it."""
    return rows(
        levels_stat(
            "EXPORTER: its version, its disks (amber below a tenth), whether the chain of events is "
            "unbroken, open files, and its own faults of the last hour.",
            [
                Level(queries.EXPORTER_BUILD, "version {{version}}", words="runs"),
                Level(queries.DISK_LOW, "disk of {{folder}}, free", palette.AMBER, unit="percentunit"),
                Level(queries.DISK_FREE, "disk of {{folder}}, free", unit="percentunit"),
                Level(queries.CHAIN_BROKEN, "chain of events", palette.AMBER, "BROKEN"),
                Level(queries.CHAIN_WHOLE, "chain of events", words="unbroken"),
                Level(queries.EXPORTER_FILES, "open files"),
                Level(queries.READ_ERRORS, "{{bot}} · metrics left out, 1 h"),
                Level(queries.BRIDGE_RESTARTS, "{{bot}} · reader restarted, 1 h"),
                Level(queries.REPORTING_ERRORS, "reporting database not written, 1 h"),
                Level(queries.LATCH_ERRORS, "{{bot}} · breach latch not written, 1 h"),
            ],
            sizes=Sizes(name=18, value=18),
            unknown="EXPORTER ?",
        )
    )


def exporter_scrape() -> timeseries.Panel:
    """How long a scrape takes."""
    return chart(
        "SCRAPE · duration (UTC)",
        "Building the answer, and the whole scrape as Prometheus saw it.",
        [
            Line(queries.EXPORTER_SCRAPE, "building", palette.LINE_DIM),
            Line(queries.SCRAPE_SECONDS, "scrape", palette.LINE),
        ],
        unit="s",
    )


def exporter_memory() -> timeseries.Panel:
    """Memory of the exporter."""
    return chart(
        "MEMORY · exporter (UTC)",
        "Resident memory of the exporter.",
        [Line(queries.EXPORTER_MEMORY, "resident", palette.LINE)],
        unit="bytes",
    )


def exporter_cpu() -> timeseries.Panel:
    """Processor share of the exporter."""
    return chart(
        "PROCESSOR · exporter (UTC)",
        "Share of one core over 5 minutes.",
        [Line(queries.EXPORTER_CPU, "share of a core", palette.LINE)],
        unit="percentunit",
    )
