"""Config: every setting of one bot, what it takes, how to change it, and what became of the last change."""

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.builders import text as text_builders
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models import text as text_models

from grafana import kill_panels, ledger_panels
from grafana.buttons import Press, column
from grafana.ledger_panels import Look
from grafana.page import Below, Place, ledger_page
from grafana.shared import alerts, verdict
from grafana.sql import control, freshness
from grafana.stats import Sizes
from grafana.targets import LEDGER
from grafana.words import EFFECT_WORDS

CHANGE = Press(
    "Change…",
    "/settings",
    "Set ${__data.fields.parameter} of $bot from ${__data.fields.value} to $newValue?",
    {"key": "${__data.fields.parameter}", "value": "$newValue", "reason": "$why", "code": "$code"},
)
HEIGHTS = {"Lanes": (22, 6), "Sizing": (16, 6), "Safety Rails": (14, 8), "Exchange": (9, 9)}
"""How many rows of the grid the tables of a category take: those that can be changed, and the others."""
USUAL_HEIGHTS = (12, 5)

WHO_MAY = """**READ ONLY for you**, unless you are an Admin of Grafana **and** in `grafana_users` of the
exporter. What **raises the risk**: press, read the code here, press again and type it. A toast: it was sent.
**No toast: not done**, see COMMANDS; nothing there: open Grafana by its own address."""


def config() -> dashboard.Dashboard:
    """The page as a table of contents; below, a row for each category."""
    return ledger_page(
        "tradebot-config",
        "Config",
        "The settings of one trading bot, as it said them, and the changes that people ordered.",
        [
            Place(verdict(Sizes(name=24, value=16)), x=0, y=0, w=6, h=3),
            Place(who_may_change(), x=6, y=0, w=7, h=3),
            Place(kill_panels.code_to_type(), x=13, y=0, w=5, h=3),
            Place(kill_panels.unverified(), x=18, y=0, w=3, h=3),
            Place(kill_panels.as_of(), x=21, y=0, w=3, h=3),
            Place(alerts(Sizes(name=20, value=20), shown=3), x=0, y=3, w=24, h=2),
            Place(kill_panels.commands(), x=0, y=5, w=13, h=6),
            Place(differences(), x=13, y=5, w=11, h=6),
        ],
        range_from="now-7d",
        bots=freshness.bot_variable(),
        choices=[],
        below=[category(name) for name in (*control.CATEGORIES, control.OTHERS)],
    )


def who_may_change() -> text_builders.Panel:
    """Who may press a button, in words: Grafana cannot know whom the exporter lets."""
    return (
        text_builders.Panel()
        .title("")
        .description("Who may change a setting, and how a change that raises the risk goes.")
        .datasource(LEDGER)
        .mode(text_models.TextMode.MARKDOWN)
        .content(WHO_MAY)
    )


def differences() -> table.Panel:
    """What is not as at the start, or not the default."""
    return ledger_panels.rows(
        "DIFFERENT · $bot · from the session's start, then from the defaults (UTC)",
        "Settings whose value is not the one at the start of the bot's session, or not the default.",
        control.differences(),
        {
            "parameter": Look(width=300),
            "value": Look(width=90),
            "at start": Look(width=90),
            "default": Look(width=90),
        },
    )


def category(name: str) -> Below:
    """A category's settings: those with a button, and under them those without one, with the reason."""
    high, low = HEIGHTS.get(name, USUAL_HEIGHTS)
    return Below(
        f"{name.upper()} · settings",
        [
            Place(changeable(name), x=0, y=0, w=24, h=high),
            Place(fixed(name), x=0, y=high, w=24, h=low),
        ],
    )


def changeable(name: str) -> table.Panel:
    """The settings of a category that a running bot takes."""
    panel = ledger_panels.rows(
        f"{name} · $bot · takes effect in the running bot (UTC)",
        "Change… asks for the value, why, and where the risk is raised for the code. ACKED, NOT OBSERVABLE: "
        "the bot said yes, and no state can show whether it does it. Rows never move.",
        control.changeable(name),
        {
            "parameter": Look(width=410),
            "value": Look(width=150, wrapped=True),
            "unit": Look(width=80),
            "takes": Look(width=230, wrapped=True),
            "more risk by": Look(width=110),
            "effect": Look(width=190, words=EFFECT_WORDS),
            "last change": Look(width=240),
            "what it does": Look(wrapped=True),
        },
    )
    return panel.override_by_name("change", column(CHANGE, width=100))


def fixed(name: str) -> table.Panel:
    """The settings of a category that nobody changes from here."""
    return ledger_panels.rows(
        f"{name} · $bot · read only, and why",
        "Settings that the running bot does not take: no button, and the reason.",
        control.fixed(name),
        {
            "parameter": Look(width=380, grey=True),
            "value": Look(width=250, grey=True),
            "unit": Look(width=80, grey=True),
            "why it is not changed here": Look(grey=True, wrapped=True),
            "what it does": Look(grey=True, wrapped=True),
        },
    )
