"""The history of alerts: each told once when it fires and once when it ended, also across restarts."""

import json
from typing import Any

import pytest

from exporter.alerting.history import DELIVERY_SECONDS, SYMPTOM_SECONDS, History
from exporter.alerts import epoch, of_delivery, of_poll, of_rules
from tests.exporter.test_alerts import STARTED, raw

FIRED = epoch(STARTED)
assert FIRED is not None
NOW = FIRED + 2


class Story:
    """One run of the program, told what happens; rows are kept as they stand in the audit trail."""

    def __init__(self, before: "Story | None" = None, *, recalled: bool = True) -> None:
        self.rows: list[dict[str, Any]] = [] if before is None else before.rows
        self.history = History()
        if recalled:
            self.recall()

    def recall(self) -> None:
        self.history.recalled(json.loads(json.dumps(self.rows)))

    def poll(self, *found: dict[str, Any], now: float) -> None:
        self.history.looked(of_poll(list(found)) or [], now)
        self._take(now)

    def deliver(self, alert: dict[str, Any], now: float, status: str = "firing", **more: Any) -> bool:
        content = {"receiver": "page", "alerts": [{**alert, "status": status, **more}]}
        news = [self.history.delivered(each, now) for each in of_delivery(content)]
        self._take(now)
        return any(news)

    def resolve(self, alert: dict[str, Any], now: float, ended: str = "recovered") -> bool:
        notes = {**alert["annotations"], "ended": ended}
        return self.deliver(alert, now, "resolved", endsAt="2026-11-21T01:05:00Z", annotations=notes)

    def symptom(self, alert: dict[str, Any], now: float, ended: str = "") -> None:
        told = {"labels": alert["labels"], "state": "firing", "activeAt": "2026-11-21T00:59:45Z"}
        answer = {"data": {"alerts": [{**told, "annotations": {"ended": ended}}]}}
        self.history.symptoms(of_rules(answer) or [], now)
        self._take(now)

    def said(self) -> list[str]:
        return [f"{row['labels']['alertname']} {row['state']}" for row in self.rows]

    def _take(self, now: float) -> None:
        self.rows += [dict(told.data) for told in self.history.due(now)]


BEGAN, ENDED = "TradebotKillNotVerified firing", "TradebotKillNotVerified resolved"


def test_an_alert_has_one_row_when_it_fires_and_one_when_it_ended_with_every_time_that_is_known() -> None:
    story = Story()
    story.poll(raw(), now=NOW)
    story.symptom(raw(), NOW)
    assert story.said() == []  # the delivery is still to come
    story.deliver(raw(), NOW + 1)
    assert story.said() == [BEGAN]
    assert (story.rows[0]["active_at"], story.rows[0]["fired_at"]) == (FIRED - 15, FIRED)
    assert (story.rows[0]["delivered_at"], story.rows[0]["resolved_at"]) == (NOW + 1, None)
    assert story.resolve(raw(), NOW + 300)
    assert story.said() == [BEGAN, ENDED]
    assert {key: story.rows[1][key] for key in ("resolved_at", "resolved_delivered_at", "ended")} == {
        "resolved_at": FIRED + 300,
        "resolved_delivered_at": NOW + 300,
        "ended": "recovered",
    }
    assert story.rows[1].items() >= {"active_at": FIRED - 15, "delivered_at": NOW + 1}.items()


def test_what_is_polled_and_delivered_again_and_again_is_told_once() -> None:
    story = Story()
    digits = {**raw(), "startsAt": "2026-11-21T01:00:00.000456789Z"}
    for n in range(20):
        story.poll(raw(), now=NOW + n * 5)
        story.deliver(digits, NOW + n * 5 + 1)
    for n in range(3):
        story.resolve(digits, NOW + 301 + n)
        story.poll(raw(), now=NOW + 302 + n)  # an answer that was on its way
        story.deliver(raw(), NOW + 303 + n)  # and a delivery that comes late
    story.poll(now=NOW + 500)
    assert story.said() == [BEGAN, ENDED]


def test_one_that_nobody_delivers_is_told_after_a_while_without_that_time() -> None:
    story = Story()
    story.poll(raw(), now=NOW)
    story.poll(raw(), now=NOW + DELIVERY_SECONDS - 1)
    assert story.said() == []
    story.poll(raw(), now=NOW + DELIVERY_SECONDS)
    assert story.said() == [BEGAN]
    assert story.rows[0]["delivered_at"] is None


def test_a_prometheus_that_is_away_costs_the_time_of_the_symptom_alone() -> None:
    story = Story()
    story.deliver(raw(), NOW)
    assert story.said() == []
    story.poll(raw(), now=NOW + SYMPTOM_SECONDS)
    assert story.said() == [BEGAN]
    assert (story.rows[0]["active_at"], story.rows[0]["delivered_at"]) == (None, NOW)


def test_the_end_of_a_silenced_alert_is_known_by_the_polls_and_its_reason_by_prometheus() -> None:
    story = Story()
    for n in range(8):
        story.poll(raw(), now=NOW + n * 5)
    story.symptom(raw(), NOW + 35, ended="the UTC day rolled over")
    for n in range(17):
        story.poll(now=NOW + 40 + n * 5)
    assert story.said() == [BEGAN, ENDED]
    row = story.rows[1]
    assert (row["resolved_at"], row["resolved_source"]) == (NOW + 40, "poll")
    assert (row["ended"], row["resolved_delivered_at"]) == ("the UTC day rolled over", None)


def test_a_reason_that_was_said_long_before_the_end_is_not_the_reason_of_the_end() -> None:
    story = Story()
    story.poll(raw(), now=NOW)
    story.symptom(raw(), NOW, ended="recovered")
    for n in range(60):
        story.poll(*([raw()] if n < 30 else []), now=NOW + n * 5)
    assert (story.rows[1]["ended"], story.said()) == ("", [BEGAN, ENDED])


def test_an_end_that_fell_into_a_gap_of_the_polls_has_no_time() -> None:
    story = Story()
    story.poll(raw(), now=NOW)
    for n in range(20):
        story.poll(now=NOW + 600 + n * 5)
    assert story.said() == [BEGAN, ENDED]
    assert (story.rows[1]["resolved_at"], story.rows[1]["seen_until"]) == (None, NOW)


def test_an_alertmanager_that_begins_anew_ends_no_alert() -> None:
    story = Story()
    for n in range(60):
        story.poll(*([raw()] if not 20 <= n < 34 else []), now=NOW + n * 5)
    assert story.said() == [BEGAN]


def test_what_only_prometheus_still_knows_goes_on() -> None:
    story = Story()
    story.poll(raw(), now=NOW)
    for n in range(60):
        story.symptom(raw(), NOW + n * 5)
        story.poll(now=NOW + n * 5)
    assert story.said() == [BEGAN]


def test_an_alert_that_fires_again_is_another_one() -> None:
    story = Story()
    story.deliver(raw(), NOW)
    story.resolve(raw(), NOW + 20)
    again = {**raw(), "startsAt": "2026-11-21T01:02:00Z"}
    story.poll(again, now=FIRED + 121)
    story.deliver(again, FIRED + 125)
    story.poll(again, now=FIRED + 160)
    assert story.said() == [BEGAN, ENDED, BEGAN]


def test_one_that_ended_and_fired_again_between_two_polls_is_two() -> None:
    story = Story()
    story.poll(raw(), now=NOW)
    story.poll({**raw(), "startsAt": "2026-11-21T01:00:04Z"}, now=NOW + 5)
    story.poll({**raw(), "startsAt": "2026-11-21T01:00:04Z"}, now=NOW + 60)
    assert story.said() == [BEGAN, ENDED, BEGAN]
    assert [row["fired_at"] for row in story.rows] == [FIRED, FIRED, FIRED + 4]


def test_the_reason_of_an_end_may_be_delivered_after_the_next_alert_was_seen() -> None:
    story = Story()
    story.poll(raw(), now=NOW)
    story.deliver(raw(), NOW + 13)
    again = {**raw(), "startsAt": "2026-11-21T01:00:20Z"}
    story.poll(again, now=FIRED + 21)
    assert story.resolve(raw(), FIRED + 25)
    story.poll(again, now=FIRED + 60)
    assert story.said() == [BEGAN, ENDED, BEGAN]
    assert (
        story.rows[1].items()
        >= {"fired_at": FIRED, "ended": "recovered", "resolved_source": "delivery"}.items()
    )


def test_one_that_came_and_went_unseen_is_told_beside_the_one_that_fires() -> None:
    story = Story()
    later = {**raw(), "startsAt": "2026-11-21T01:10:00Z"}
    story.deliver(later, FIRED + 601)
    assert story.resolve(raw(), FIRED + 602)
    story.poll(later, now=FIRED + 640)
    assert sorted((row["fired_at"] - FIRED, row["state"]) for row in story.rows) == [
        (0, "firing"), (0, "resolved"), (600, "firing"),
    ]  # fmt: skip


@pytest.mark.parametrize("seen_first", [False, True], ids=["recalled first", "seen before the recall"])
def test_an_alert_that_fires_on_through_a_restart_is_not_a_second_one(seen_first: bool) -> None:
    story = Story()
    story.poll(raw(), now=NOW)
    story.symptom(raw(), NOW)
    story.deliver(raw(), NOW + 1)
    story = Story(story, recalled=not seen_first)
    story.poll(raw(), now=NOW + 4000)
    if seen_first:
        assert story.said() == [BEGAN]  # nothing is told before it is known what was
        story.recall()
    story.deliver(raw(), NOW + 4010)
    story.poll(raw(), now=NOW + 4090)
    assert story.said() == [BEGAN]
    story.resolve(raw(), NOW + 4100)
    assert story.said() == [BEGAN, ENDED]
    assert story.rows[1].items() >= {"active_at": FIRED - 15, "delivered_at": NOW + 1}.items()


def test_an_alert_that_ended_while_the_program_was_away_gets_its_end() -> None:
    story = Story()
    story.deliver(raw(), NOW)
    story.poll(raw(), now=NOW + 30)
    story = Story(story)
    for n in range(20):
        story.poll(now=NOW + 4000 + n * 5)
    assert story.said() == [BEGAN, ENDED]
    row = story.rows[1]
    assert (row["resolved_at"], row["resolved_source"], row["ended"]) == (None, None, "")
    assert row["delivered_at"] == NOW
    for n in range(20):
        Story(story).poll(now=NOW + 5000 + n * 5)
    assert story.said() == [BEGAN, ENDED]


def test_a_delivery_of_the_end_that_was_repeated_after_a_restart_is_told_with_its_reason() -> None:
    story = Story()
    story.deliver(raw(), NOW)
    story.poll(raw(), now=NOW + 30)
    story = Story(story, recalled=False)
    story.resolve(raw(), NOW + 400)
    story.recall()
    story.poll(now=NOW + 401)
    assert story.said() == [BEGAN, ENDED]
    assert (story.rows[1]["ended"], story.rows[1]["delivered_at"]) == ("recovered", NOW)
    story = Story(story, recalled=False)
    assert story.resolve(raw(), NOW + 500)  # once more: it died before its answer
    story.recall()
    story.poll(now=NOW + 501)
    assert story.said() == [BEGAN, ENDED]


def test_one_that_ended_and_another_that_began_while_the_program_was_away_are_told_apart() -> None:
    story = Story()
    story.deliver(raw(), NOW)
    story.poll(raw(), now=NOW + 30)
    story = Story(story)
    again = {**raw(), "startsAt": "2026-11-21T01:30:00Z"}
    story.poll(again, now=FIRED + 1900)
    story.poll(again, now=FIRED + 1931)
    assert story.said() == [BEGAN, ENDED, BEGAN]
    assert [row["fired_at"] for row in story.rows] == [FIRED, FIRED, FIRED + 1800]


def test_who_had_an_alert_stands_in_its_end() -> None:
    story = Story()
    story.deliver(raw(), NOW)
    story.history.had("aa", "ann", NOW + 3)
    story.history.had("aa", "ann", NOW + 9)
    story.resolve(raw(), NOW + 20)
    assert (story.rows[-1]["had_by"], story.rows[-1]["had_at"]) == ("ann", NOW + 3)


def test_memory_is_bounded_however_many_alerts_there_are() -> None:
    story = Story()
    story.history.looked(of_poll([raw(f"{n:x}") for n in range(5200)]) or [], NOW)
    for n in range(5200):
        story.deliver(raw(f"{n:x}"), NOW + 1, "resolved", endsAt=STARTED)
    assert len(story.history._open) == 0
    assert len(story.history._closed) <= 5000


def test_more_alerts_than_are_kept_do_not_end_each_other_at_every_look() -> None:
    story = Story()
    flood = [raw(f"{n:x}") for n in range(5010)]
    for look in range(10):
        story.poll(*flood, now=NOW + 10 * look)
    assert story.said() == [BEGAN] * 5000


def test_ends_that_cannot_be_told_yet_do_not_pile_up() -> None:
    story = Story(recalled=False)
    for n in range(5200):
        story.deliver(raw(f"{n:x}"), NOW + 1)
        story.deliver(raw(f"{n:x}"), NOW + 1, "resolved", endsAt=STARTED)
    story.recall()
    story.poll(now=NOW + 2)
    assert 5000 <= len(story.rows) <= 10_000
    assert story.said()[-2:] == [BEGAN, ENDED]


def test_a_clock_that_is_set_back_holds_up_neither_rows_nor_ends() -> None:
    story = Story()
    story.poll(raw(), now=NOW)
    story.poll(raw(), now=NOW - 3600)
    assert story.said() == [BEGAN]
    story.poll(now=NOW)  # the clock is right again, and then wrong for good
    for n in range(20):
        story.poll(now=NOW - 3600 + 5 * n)
    assert story.said() == [BEGAN, ENDED]


@pytest.mark.parametrize("row", [{}, {"labels": 3}, {"labels": {}, "fingerprint": "aa", "fired_at": "x"}])
def test_a_row_that_is_no_history_is_left_alone(row: dict[str, Any]) -> None:
    history = History()
    history.recalled([row])
    assert history.due(NOW) == []
    assert not history.fires
