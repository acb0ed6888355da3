"""The page's colours: what to do, ranked so that the more urgent one is also the lighter one in greyscale.

Colour never stands alone: every coloured thing carries a word.
"""

NEUTRAL = "#23272F"  # normal: a dark cockpit
BLUE = "#1C4785"  # planned: paused, paper, maintenance, awaiting
DIM_PURPLE = "#4B3173"  # one figure is not known, and the reason stands elsewhere on the page
PURPLE = "#6B3FA8"  # not known, blind
AMBER = "#A06000"  # look within the hour
RED = "#FF4A3F"  # act now
INVERSE = "#B9BEC7"  # real money: the one light tile, not an alarm

BY_URGENCY = (NEUTRAL, BLUE, PURPLE, AMBER, RED)

# Lines and text on the dark background, where the fills above would be too faint.
LINE = "#D5D9E0"
LINE_DIM = "#7C8594"
LINE_AMBER = "#E0912A"
LINE_RED = "#FF6F66"
# Venues side by side, told apart in greyscale, too; one that is not here gets a shade of the first.
VENUES = {"kalshi": LINE, "polymarket": LINE_DIM, "forecastex": "#4C5564"}
# A lane of a state timeline that is in its normal state.
LANE = "#3A414D"
# Before anything was recorded: neither a state nor an alarm.
NO_RECORD = "#1B1E24"

# PnL by size on the calendar, worst to best: neither side is an alarm, so neither is red, amber or purple; in
# greyscale a larger size stands out more, and the text has the sign.
BANDS = {
    -3: "#9C4F5F",
    -2: "#713D49",
    -1: "#4A2F37",
    0: "#2B303A",
    1: "#25443F",
    2: "#2C655C",
    3: "#3A8F82",
}
