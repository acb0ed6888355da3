"""Buttons that stop and resume a bot, and beside them what was ordered last and what became of it."""

from grafana_foundation_sdk.builders import dashboard, stat, table, timeseries

from grafana import kill_queries, ledger_panels, palette
from grafana.buttons import Button, Press, canvas, column
from grafana.charts import Column, Line, Rows, chart, rows_table
from grafana.ledger_panels import Face, Look
from grafana.sql import control
from grafana.stats import Level, Sizes, rows, tile
from grafana.words import COMPLAINT_WORDS, RESULT_WORDS, SEVERITY_WORDS

ITSELF = ("automatic", "environment", "unknown")
WHO_MAY = "Works for Admins of Grafana who are in grafana_users of exporter.yml; for others nothing happens."
KILL = Press(
    "KILL",
    "/kill",
    "KILL $bot now? It stops opening; open positions remain. Where it stands then is said under the button.",
    {"reason": "$why"},
)
PAUSE = Press("Pause", "/pause", "Pause $bot? It opens nothing more.", {"reason": "$why"})
RESUME = Press("Resume", "/resume", "Resume $bot?", {"reason": "$why", "code": "$code"})
REARM = Press("Re-arm", "/rearm", "Re-arm $bot? It stays paused then.", {"reason": "$why", "code": "$code"})
DRILL = Press(
    "Drill",
    "/drill",
    "Drill the kill of $bot? A paper bot is killed, proven, re-armed and left paused.",
    {"reason": "$why"},
)
MAINTENANCE = Press(
    "Maintenance",
    "/maintenance",
    "Plan quiet of $bot for these minutes?",
    {"minutes": "$minutes", "reason": "$why"},
)
CLOSE = Press(
    "Close",
    "/positions/${__data.fields.position}/close",
    "Close this position of $bot: ${__data.fields.symbol}, ${__data.fields.contracts} contracts?",
    {"symbol": "$symbol"},
)


def kill_switch() -> stat.Panel:
    """Where the kill stands, or how one would go now; a bot that was killed by others says so itself."""
    panel = tile(
        "KILL: where the one that was ordered stands, by what later states prove; else how one would "
        "go now, or that the bot itself says it is killed. The button stands on System.",
        [
            Level(kill_queries.NOT_KILLED, "{{bot}} goes on · {{left}}", palette.RED, "NOT KILLED"),
            Level(kill_queries.UNPROVEN, "{{quiet}}{{needed}} · see System", palette.RED, "UNPROVEN"),
            Level(kill_queries.KILLING, "{{bot}} · since {{lasting}}", palette.AMBER, "KILLING"),
            Level(
                kill_queries.HALTED,
                "PROVEN ({{rung}}) · {{left}}",
                palette.BLUE,
                unit="time:[HALTED] HH:mm [UTC]",
            ),
            Level(kill_queries.killed("operator"), "{{by}}{{open}}", palette.BLUE, "KILLED"),
            Level(kill_queries.killed(*ITSELF), "{{by}}{{open}}", palette.RED, "KILLED"),
            Level(kill_queries.killed_before("operator"), "{{by}} · last known", palette.BLUE, "KILLED"),
            Level(kill_queries.killed_before(*ITSELF), "{{by}} · last known", palette.RED, "KILLED"),
            Level(kill_queries.KILL_READY, "KILL · {{drilled}}", words="READY"),
            Level(kill_queries.KILL_BY_FILE, "KILL · socket is down", palette.AMBER, "BY FILE ONLY"),
            Level(kill_queries.KILL_NO_PATH, "KILL cannot reach {{bot}}", palette.RED, "NO PATH"),
            Level(
                kill_queries.KILL_NO_PATH_PLANNED,
                "KILL · {{bot}} down as planned",
                palette.BLUE,
                "NO PATH",
            ),
            Level(
                kill_queries.KILL_OFF_BEFORE,
                "{{bot}} KILL SWITCH · last known",
                palette.DIM_PURPLE,
                "WAS OFF",
            ),
            Level(kill_queries.KILL_OFF, "{{bot}}'s OWN KILL SWITCH", words="OFF"),
        ],
        known=kill_queries.KILL_KNOWN,
        unknown="KILL ?",
        sizes=Sizes(name=32, value=56),
    )
    return panel.wide_layout(False)


def kill_button() -> dashboard.Panel:
    """KILL, and beside it what is ordered less often."""
    return canvas(
        "KILL · $bot · works for Admins in grafana_users alone",
        f"{WHO_MAY} A toast says only that it was sent; what became of it stands below. Without a toast "
        "it was not done: below is why, or this page was not opened by the address that PUBLIC_URL names.",
        control.what_is_killed(),
        [
            Button("KILL", KILL, left=1, width=43, size=36, colour=palette.LINE_RED, named_by="kill"),
            Button("PAUSE", PAUSE, left=46, width=25, top=6, height=26),
            Button("RESUME", RESUME, left=73, width=25, top=6, height=26),
            Button("DRILL", DRILL, left=46, width=25, top=37, height=26),
            Button("RE-ARM", REARM, left=73, width=25, top=37, height=26),
            Button("MAINTENANCE", MAINTENANCE, left=46, width=52, top=68, height=26),
        ],
    )


def last_command() -> stat.Panel:
    """The last command and its result, the code to type, what a kill would leave, the last drill."""
    panel = _told(
        "LAST COMMAND: what it was, who ordered it, what was seen, when; the code that is asked for; what a "
        "kill would leave open; the last proven drill.",
        [
            Face(control.blind(), palette.PURPLE),
            Face(control.last_command()),
            Face(control.no_command()),
            Face(control.codes(), palette.BLUE),
            Face(control.would_remain()),
            Face(control.last_drill()),
        ],
        Sizes(name=13, value=14),
    )
    return panel.wide_layout(True)


def code_to_type() -> stat.Panel:
    """The code that a change which raises the risk asks for."""
    return _told(
        "CODE TO TYPE: asked for by what raises the risk, and what it is for; type it within two minutes.",
        [
            Face(control.blind(), palette.PURPLE),
            Face(control.codes(), palette.BLUE),
            Face(control.no_code()),
        ],
        Sizes(name=14, value=30),
    )


def unverified() -> stat.Panel:
    """Changes of which no state shows that they work."""
    return _told(
        "UNVERIFIED CHANGES: settings of which nobody knows whether the bot does what was wanted.",
        [
            Face(control.blind(), palette.PURPLE),
            Face(control.unverified(), palette.AMBER),
            Face(control.none_unverified()),
        ],
        Sizes(name=14, value=26),
    )


def as_of() -> stat.Panel:
    """How old what stands on the page is."""
    return _told(
        "AS OF: when the exporter last wrote; BLIND when that is more than 15 s ago.",
        [
            Face(control.blind(), palette.PURPLE),
            Face(control.as_of()),
            Face(control.last_known(), palette.DIM_PURPLE),
        ],
        Sizes(name=13, value=22),
    )


def _told(description: str, faces: list[Face], sizes: Sizes) -> stat.Panel:
    return rows(ledger_panels.tile(description, faces, sizes=sizes))


def commands() -> table.Panel:
    """Every command and what became of it."""
    return ledger_panels.rows(
        f"COMMANDS · $bot · what was ordered and what became of it, the newest {control.SHOWN} (UTC)",
        "What people ordered, refused ones too. An answer of the bot is no effect: VERIFIED takes a later "
        "state that shows it, and UNKNOWN is not failed.",
        control.commands(),
        {
            "at": Look(width=112),
            "what": Look(width=300, wrapped=True),
            "result": Look(width=165, words=RESULT_WORDS),
            "who": Look(width=130),
            "what was seen": Look(wrapped=True),
            "why": Look(width=90),
        },
    )


def what_changed() -> table.Panel:
    """Everything that is not as it was."""
    return ledger_panels.rows(
        f"WHAT CHANGED · $bot · the newest {control.SHOWN} (UTC)",
        "Versions, restarts, settings, modes, kills, maintenance, silences and who has an alert, as the "
        "audit trail has them, of whatever day.",
        control.what_changed(),
        {
            "at": Look(width=112),
            "kind": Look(width=120),
            "what": Look(wrapped=True),
            "who": Look(width=140),
            "why": Look(width=180, wrapped=True),
        },
    )


def complaints() -> table.Panel:
    """The bot's errors and warnings by message."""
    return ledger_panels.rows(
        "ERRORS AND WARNINGS · $bot · by message, of the range's days (UTC)",
        "What the bot complained of: figures are #. Of a bot that reports no errors there is none.",
        control.complaints(),
        {
            "severity": Look(width=100, words=COMPLAINT_WORDS),
            "message": Look(wrapped=True),
            "count": Look(unit="locale", decimals=0, width=70),
            "last": Look(width=120),
        },
    )


def audit() -> table.Panel:
    """The audit trail as it stands."""
    return ledger_panels.rows(
        f"AUDIT TRAIL · $bot · the newest {control.AUDITED} events of the range (UTC)",
        "Every event of the bot and of the console as it was written, each chained to the one before by a "
        "hash: `python -m exporter verify-events` checks them. All of them: GET /api/events.",
        control.audit(),
        {
            "seq": Look(unit="none", decimals=0, width=80),
            "at": Look(width=190),
            "severity": Look(width=100, words=SEVERITY_WORDS),
            "what": Look(width=300),
            "seconds": Look(unit="s", decimals=3, width=90),
        },
        filterable=True,
    )


def closing() -> table.Panel:
    """Positions that can be closed by hand."""
    panel = ledger_panels.rows(
        "CLOSE A POSITION · $bot · works for Admins in grafana_users alone · the oldest first",
        f"{WHO_MAY} What is typed must be the symbol of the row whose button it was, and the exporter "
        "compares them: a dialog that is open while rows move may have slipped to another one.",
        control.closable(),
        {
            "contracts": Look(unit="none", decimals=0, width=100),
            "entry": Look(unit="none", decimals=3, width=90),
            "symbol": Look(width=180),
            "venue": Look(width=130),
            "side": Look(width=70),
        },
    )
    return panel.override_by_name("close", column(CLOSE, width=90))


def may_close() -> stat.Panel:
    """Whether there is a button at all, and if not why."""
    return ledger_panels.tile(
        "MAY CLOSE: whether this bot's positions can be closed from here now.",
        [Face(control.may_close())],
        sizes=Sizes(name=14, value=22),
    )


# --- In figures ---
def kill_figures() -> stat.Panel:
    """The kill that is on, in figures."""
    return rows(
        tile(
            "KILL IN FIGURES: where it stands, on what the proof stands, how it would go now. A row that is "
            "absent does not hold.",
            [
                Level(kill_queries.KILL_STAGE, "stands at {{state}}", words="now"),
                Level(kill_queries.KILL_PROVEN_BY, "proven by its {{rung}}", words="proof"),
                Level(kill_queries.KILL_QUIET, "quiet cycles{{needed}}", unit="none"),
                Level(kill_queries.KILL_TIME, "order to proof", unit="s", decimals=1),
                Level(kill_queries.KILL_LEFT, "open positions of the killed bot", unit="none"),
                Level(kill_queries.KILL_PATHS, "path over the {{path}}", words="usable"),
                Level(kill_queries.DRILL_AGE, "last proven drill, age", unit="s"),
            ],
            known=kill_queries.KILL_STAGE,
            unknown="KILL ?",
            sizes=Sizes(name=16, value=16),
        )
    )


def latency() -> timeseries.Panel:
    """How long bots take to answer."""
    return chart(
        "COMMAND LATENCY · $bot · p50 and p99 of an hour (UTC)",
        "Time from sending a command to the bot's answer; a gap: nothing was ordered.",
        [
            Line(kill_queries.COMMAND_MEDIAN, "p50", palette.LINE_DIM),
            Line(kill_queries.COMMAND_WORST, "p99", palette.LINE),
        ],
        unit="s",
    )


def command_results() -> table.Panel:
    """How commands ended."""
    return rows_table(
        "COMMAND RESULTS · $bot · since the exporter started",
        "Commands that this exporter sent, by what came back; unknown is not failed.",
        Rows(
            [
                Column("command", label="command"),
                Column("result", label="result", width=120),
                Column("count", kill_queries.COMMAND_RESULTS, width=80),
            ],
            explained_by=[kill_queries.NO_COMMANDS],
            sort_by="count",
        ),
    )
