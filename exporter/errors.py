"""What can go wrong in the exporter, named for what the caller does about it.

ExporterError
├── ConfigError         the settings cannot be used: say all faults, exit 2 (in exporter.config_faults)
├── StartError          the program cannot start: say the sentence, exit 2 (in exporter.service)
├── LinkLost            the link to a bot ended or never stood: count it as gone, try again after a delay
│   ├── ClosedByBot     the bot ended it
│   └── Silent          nothing was heard for so long that the link cannot be trusted
├── Refused             what a person asked for is not done; the text says why and what to do
│   ├── Invalid             it can never be done like that: answer 422
│   ├── NotFound            there is no such bot or thing: answer 404
│   ├── NotNow              not as things stand: answer 409
│   ├── NotAllowed          not by this person, or not without more: answer 403
│   └── WhoAreYou           nobody knows who asks: answer 401
│       └── TooManyGuesses      nor will they before a while: answer 429
├── StoreTrouble        a bot's store cannot be read now: say how it is, look again (in reporting.sources)
├── KillFileNotWritten  a kill file could not be written: the socket has to do it; say so, try again
├── KillFileLeft        a kill file still stands after a re-arming: say why, a person has to remove it
└── LatchNotKept        a latch could not be read or written: go on with what is in memory, and say so
"""


class ExporterError(Exception):
    """Base of everything that this package raises on purpose."""


class LinkLost(ExporterError):  # noqa: N818 - named for what happened
    """The link to a bot ended or never stood; another attempt may succeed."""


class ClosedByBot(LinkLost):
    """The bot closed its end of the link."""


class Silent(LinkLost):
    """The bot said nothing for longer than a bot that is alive would."""


class LatchNotKept(ExporterError):  # noqa: N818 - as above
    """A latch could not be read from or written to its file."""


class Refused(ExporterError):  # noqa: N818 - as above
    """What a person asked for is not done, and nothing has changed; the text says why."""


class Invalid(Refused):
    """What was asked for can never be done like that."""


class NotFound(Refused):
    """There is nothing of the name that was asked for."""


class NotNow(Refused):
    """What was asked for cannot be done as things stand."""


class NotAllowed(Refused):
    """Not by this person, or not without a reason, a code or a second person."""


class WhoAreYou(Refused):
    """Nobody knows who asks: no token, or none that fits."""


class TooManyGuesses(WhoAreYou):
    """Tokens that do not fit came too often from there; `wait` seconds."""

    def __init__(self, wait: float) -> None:
        self.wait = wait
        super().__init__(f"too many tokens that do not fit; wait {wait:.0f} s")


class KillFileNotWritten(ExporterError):  # noqa: N818 - as above
    """A kill file could not be written; the text says which and why."""


class KillFileLeft(ExporterError):  # noqa: N818 - as above
    """A kill file still stands where one was to be removed; the text says which and why."""
