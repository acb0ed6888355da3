"""Composes PromQL: selectors of the chosen bot, fallbacks, numbers in words. Knows no metric's name."""


def of(metric: str, *matchers: str, **labels: str) -> str:
    """The selector of `metric` for the chosen bot, narrowed by equal `labels` and by `matchers`."""
    equal = [f'{name}="{value}"' for name, value in {"bot": "$bot", **labels}.items()]
    return f"{metric}{{{', '.join([*equal, *matchers])}}}"


def by_bot(selector: str, how: str = "max") -> str:
    """One value for the bot."""
    return f"{how} by (bot) ({selector})"


def by_venue(selector: str) -> str:
    """One value for each venue of the bot."""
    return f"max by (bot, venue) ({selector})"


def total(selector: str) -> str:
    """The sum over a bot's venues, each counted once even while two exporters report it."""
    return f"sum by (bot) ({by_venue(selector)})"


def grown(counter: str, window: str, *matchers: str, by: str = "bot", **labels: str) -> str:
    """By how much a counter grew in the last `window`, whole."""
    return f"round(sum by ({by}) (increase({of(counter, *matchers, **labels)}[{window}])))"


def first_of(*expressions: str, on: str = "bot") -> str:
    """The first expression that has a series (for each value of the labels `on`)."""
    return f" or on({on}) ".join(f"({expression})" for expression in expressions)


def in_words(number: str, label: str, text: str, *, by: str = "bot") -> str:
    """Series of value 1 whose `label` says the number: `$1` in `text` is the number itself."""
    counted = f'count_values by ({by}) ("{label}_number", {number})'
    return f'label_replace({counted}, "{label}", "{text}", "{label}_number", "(.+)")'


def duration_in_words(seconds: str, label: str) -> str:
    """Series of value 1, one a bot, whose `label` says a duration: `47 s`, `12 min`, `5 h`, `3 d`."""
    steps = (("s", 1, 0, 120), ("min", 60, 120, 7200), ("h", 3600, 7200, 172800), ("d", 86400, 172800, 1e12))
    return first_of(
        *(
            in_words(f"floor(({seconds} >= {low} < {high:.0f}) / {size})", label, f"$1 {unit}")
            for unit, size, low, high in steps
        )
    )


def saying(series: str, label: str, text: str) -> str:
    """Each of `series` with `label` set to `text`."""
    return f'label_replace({series}, "{label}", "{text}", "", "")'


def without(series: str, label: str) -> str:
    """Each of `series` with value 1 and no `label`: the fallback where a number in words is missing."""
    return f"{saying(series, label, '')} * 0 + 1"
