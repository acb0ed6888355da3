"""Settings that belong together, kept as files: `NAME.env` in this folder, or any file of that form.

One `KEY=VALUE` a line; blank lines and lines that begin with `#` say nothing. The environment and the
command line go before a profile, a profile before the defaults.
"""

from pathlib import Path

from arb_bot import StartRefused
from arb_bot.settings import Settings
from botkit.hot_reload import catalogue

FOLDER = Path(__file__).parent
DEMO, RECORDED = "demo", "recorded"
"""What is used where nothing else is asked for: for simulated markets, and for recorded quotes."""


class ProfileUnusable(StartRefused):
    """A profile cannot be read, or holds what is no setting."""


def names() -> list[str]:
    """The profiles that come with the bot."""
    return sorted(path.stem for path in FOLDER.glob("*.env"))


def profile(name: str) -> dict[str, str]:
    """The values of a profile by key: one of `names`, or a path. Raises ProfileUnusable."""
    path = FOLDER / f"{name}.env" if name in names() else Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        known = ", ".join(names())
        raise ProfileUnusable(f"there is no profile and no file {name}; profiles are {known}") from None
    except (OSError, UnicodeDecodeError) as exc:
        raise ProfileUnusable(f"the profile {name} cannot be read: {exc}") from exc
    return _parse(name, text)


def _parse(name: str, text: str) -> dict[str, str]:
    known = {declared.key for declared in catalogue(Settings).values()}
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            raise ProfileUnusable(f"profile {name}, line {number}: expected KEY=VALUE")
        if key not in known:
            raise ProfileUnusable(f"profile {name}, line {number}: {key} is no setting of this bot")
        if key in values:
            raise ProfileUnusable(f"profile {name}, line {number}: {key} stands there twice")
        values[key] = value
    return values
