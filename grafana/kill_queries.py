"""The PromQL expressions about kills and commands: what was ordered, what proves it, how one would go."""

from collections.abc import Sequence

from grafana.promql import by_bot, duration_in_words, first_of, in_words, of, saying, total, without
from grafana.queries import FRESH, KILL_SWITCH, MEANT_DOWN, SILENCE, WHY_CONDITIONS, coded
from grafana.words import CAUSES

# --- A kill of this console: where it stands, how one would go ---
_STATES_OF_KILL = of("tradebot_kill_state")


def _stage(*words: str) -> str:
    at = of("tradebot_kill_state", f'state=~"{"|".join(words)}"')
    return f"({by_bot(at)} == 1)"


_READY = _stage("ready")
_KILL_ON = _stage("sent", "acked", "verified", "unproven", "not_verified")
_KILLED_AT = by_bot(of("tradebot_kill_timestamp_seconds"))
_LEFT = by_bot(of("tradebot_kill_positions_remaining"))
_LEFT_WORDS = first_of(
    in_words(f"({_LEFT} != 1)", "left", "$1 positions remain"),
    in_words(f"({_LEFT} == 1)", "left", "$1 position remains"),
    saying(f"{_KILL_ON} * 0 + 1", "left", "positions not reported"),
)
_QUIET_SINCE = by_bot(of("tradebot_kill_quiet_cycles"))
_NEEDED = by_bot(of("tradebot_kill_quiet_cycles_needed"))
_NEEDED_WORDS = first_of(
    in_words(_NEEDED, "needed", " of $1"), saying(f"{_QUIET_SINCE} * 0 + 1", "needed", ", not proven")
)
_QUIET_WORDS = f"{in_words(_QUIET_SINCE, 'quiet', 'quiet $1')} * on(bot) group_left(needed) ({_NEEDED_WORDS})"
_RUNG = f"max by (bot, rung) ({of('tradebot_kill_proof')} == 1)"
_KILLING = f"{_stage('sent', 'acked')} * on(bot) group_left(lasting)"
KILLING = f"{_KILLING} ({duration_in_words(f'(time() - {_KILLED_AT})', 'lasting')})"
HALTED = (
    f"(1000 * {by_bot(of('tradebot_kill_verified_timestamp_seconds'))} and on(bot) {_stage('verified')})"
    f" * on(bot) group_left(left) ({_LEFT_WORDS}) * on(bot) group_right(left) {_RUNG}"
)
UNPROVEN = f"{_stage('unproven')} * on(bot) group_left(quiet, needed) ({_QUIET_WORDS})"
NOT_KILLED = f"{_stage('not_verified')} * on(bot) group_left(left) ({_LEFT_WORDS})"


def _path(path: str) -> str:
    return f"({by_bot(of('tradebot_kill_path', path=path))} == 1)"


DRILL_AGE = f"(time() - {by_bot(of('tradebot_last_drill_timestamp_seconds'))})"
_DRILLED = f'label_replace({duration_in_words(DRILL_AGE, "age")}, "drilled", "drilled $1 ago", "age", "(.+)")'
_DRILL_WORDS = first_of(
    f"max by (bot, drilled) ({_DRILLED})", saying(f"{_READY} * 0 + 1", "drilled", "never drilled")
)
_NO_PATH = f"({_READY} unless on(bot) {_path('socket')} unless on(bot) {_path('file')})"


def _unless_killed(ready: str) -> str:
    """Left out where the bot itself says that it is killed: that comes first."""
    return f"({ready}) unless on(bot) {KILL_SWITCH} == 1"


# --- The bot's own kill switch ---
_OPEN_WORDS = first_of(
    in_words(total(of("tradebot_open_positions")), "open", " · $1 open"), without(KILL_SWITCH, "open")
)


def _caused(causes: Sequence[str]) -> str:
    active = {cause: by_bot(of("tradebot_bot_kill_switch_active", cause=cause)) for cause in causes}
    return f"({first_of(*(saying(f'{on} == 1', 'by', CAUSES[cause]) for cause, on in active.items()))})"


def killed(*causes: str) -> str:
    """Present while the bot reports that it is killed by one of `causes`; `by` and `open` say it in words."""
    now = f"({_caused(causes)} and on(bot) {FRESH} == 1) unless on(bot) {_KILL_ON}"
    return f"({now}) * on(bot) group_left(open) ({_OPEN_WORDS})"


def killed_before(*causes: str) -> str:
    """The same, of a bot whose last state is too old to be now."""
    return f"({_caused(causes)} and on(bot) {FRESH} == 0) unless on(bot) {_KILL_ON}"


_BY_SOCKET = f"{_READY} and on(bot) {_path('socket')}"
KILL_READY = f"({_unless_killed(_BY_SOCKET)}) * on(bot) group_left(drilled) ({_DRILL_WORDS})"
KILL_BY_FILE = _unless_killed(f"({_READY} and on(bot) {_path('file')}) unless on(bot) {_path('socket')}")
KILL_NO_PATH = f"{_unless_killed(_NO_PATH)} unless on(bot) {MEANT_DOWN}"
KILL_NO_PATH_PLANNED = f"{_unless_killed(_NO_PATH)} and on(bot) {MEANT_DOWN}"
# Of a bot that this console does not kill.
_UNCONTROLLED = f"(({KILL_SWITCH} == 0) unless on(bot) {_STATES_OF_KILL})"
KILL_OFF = f"{_UNCONTROLLED} and on(bot) {FRESH} == 1"
KILL_OFF_BEFORE = f"{_UNCONTROLLED} and on(bot) {FRESH} == 0"
KILL_KNOWN = first_of(by_bot(_STATES_OF_KILL), KILL_SWITCH)

# --- Kill and commands in figures ---
KILL_STAGE = f"max by (bot, state) ({_STATES_OF_KILL} == 1)"
KILL_PROVEN_BY = _RUNG
KILL_QUIET = f"{_QUIET_SINCE} * on(bot) group_left(needed) ({_NEEDED_WORDS})"
KILL_TIME = by_bot(of("tradebot_kill_time_to_verified_seconds"))
KILL_LEFT = _LEFT
KILL_PATHS = f"max by (bot, path) ({of('tradebot_kill_path')} == 1)"
UNVERIFIED = f"sum by (bot) ({of('tradebot_config_unverified')})"
_ANSWER_BUCKETS = f"sum by (le) (rate({of('tradebot_command_duration_seconds_bucket')}[1h]))"
COMMAND_MEDIAN = f"histogram_quantile(0.5, {_ANSWER_BUCKETS})"
COMMAND_WORST = f"histogram_quantile(0.99, {_ANSWER_BUCKETS})"
COMMAND_RESULTS = f"(sum by (command, result) ({of('tradebot_commands_total')}) > 0)"
NO_COMMANDS = (
    f"{saying('vector(1)', 'command', SILENCE)} and on() {WHY_CONDITIONS['BLIND']}"
    f" or on() ({saying('vector(0)', 'command', 'nothing was ordered')} unless on() {COMMAND_RESULTS})"
)

# --- The lane of the six hours ---
KILL_STATES = coded(
    ("not killed", _stage("not_verified")),
    ("unproven", _stage("unproven")),
    ("killing", _stage("sent", "acked")),
    ("halted", _stage("verified")),
    ("killed", f"{KILL_SWITCH} == 1"),
    ("none", f"{KILL_SWITCH} == 0"),
)
