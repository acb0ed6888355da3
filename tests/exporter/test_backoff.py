"""Delays between attempts, and the words for each way a link can fail."""

import errno
import itertools
import random
import socket

import pytest

from exporter.backoff import delays, describe
from exporter.errors import ClosedByBot, ExporterError, LinkLost, Silent


def test_delays_grow_from_half_a_second_to_fifteen_and_stay_there():
    first = list(itertools.islice(delays(random.Random(1)), 12))
    assert first[0] == 0.5
    assert all(0.5 <= delay <= 15.0 for delay in first)
    assert all(7.5 <= delay <= 15.0 for delay in first[6:])


@pytest.mark.parametrize("attempt", range(8))
def test_each_delay_lies_in_the_upper_half_below_its_ceiling(attempt):
    ceiling = min(15.0, 0.5 * 2**attempt)
    seen = [next(itertools.islice(delays(random.Random(seed)), attempt, None)) for seed in range(200)]
    assert min(seen) >= max(0.5, ceiling / 2)
    assert max(seen) <= ceiling


def test_two_exporters_do_not_knock_in_step():
    one, other = (list(itertools.islice(delays(random.Random(seed)), 8)) for seed in (1, 2))
    assert one[1:] != other[1:]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(), "connection refused"),
        (ConnectionResetError(), "connection reset"),
        (BrokenPipeError(), "connection reset"),
        (TimeoutError(), "no answer from the host"),
        (socket.gaierror(-2, "Name or service not known"), "host name not found"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "host unreachable"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (OSError(), "OSError"),
        (ClosedByBot("closed by the bot"), "closed by the bot"),
        (Silent("nothing heard for 5 s"), "nothing heard for 5 s"),
    ],
)
def test_every_way_a_link_can_fail_has_words_for_people(error, words):
    assert describe(error) == words


def test_everything_raised_on_purpose_has_one_base():
    assert issubclass(LinkLost, ExporterError)
    assert issubclass(Silent, LinkLost)
