"""The lines of a draft timeline."""

from typing import Any

import pytest

from exporter.incident.timeline import Bursts, Line, of_events, of_rows_without_event, rendered
from tests.doubles.messages import T0
from tests.exporter.incident.archive import fill


def event(**told: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("before", "after", "proof", "latency", "data"))
    texts = {"bot": "arb", "severity": "info", "who": "", "source": "", "what": "", "why": ""}
    return {"seq": 7, "at": T0, **texts, **nothing, **told}


def test_an_event_is_a_line_with_who_what_why_and_proof() -> None:
    told = event(who="ann", source="token", what="kill ordered", why="bad day", proof="flag", latency=0.5)
    (line,) = of_events([told], None)
    assert line == Line(T0, "arb", "ann (token)", "kill ordered: bad day", "event 7; flag; after 0.50 s")


def test_a_change_is_told_with_both_values_and_what_is_critical_stands_out() -> None:
    (line,) = of_events([event(severity="critical", what="mode", before="paper", after="live")], None)
    assert line.what == "**mode** (paper → live)"


def test_of_one_bot_there_are_its_own_events_and_those_of_no_bot() -> None:
    told = [event(bot="arb", what="a"), event(bot="other", what="b"), event(bot="", what="c")]
    assert [line.what for line in of_events(told, "arb")] == ["a", "c"]


def test_fills_close_together_are_one_line_by_bot() -> None:
    bursts = Bursts()
    for number, at in enumerate((0, 30, 80, 200)):
        bursts.add(fill(number, T0 + at, pnl=-0.25))
        bursts.add(fill(number, T0 + at, bot="other", pnl=1.0) | {"filled_contracts": None})
    lines = [burst.line() for burst in bursts.done if burst.bot == "arb"]
    assert [line.what for line in lines] == [
        "3 fills within 80 s: 30 contracts, -$0.75",
        "1 fill: 10 contracts, -$0.25",
    ]
    assert [line.proof for line in lines] == ["fills.jsonl, id 0 to 2", "fills.jsonl, id 3"]


def test_a_kill_whose_event_is_missing_has_a_line_of_its_own() -> None:
    kill = {"id": "k1", "bot": "arb", "who": "ann", "source": "token", "reason": "why not", "sent_at": T0}
    command = {**kill, "id": "c1", "command": "pause", "state": "unknown", "seen": "not answered"}
    kills, commands = [kill | {"state": "sent"}], [command]
    known = [event(data='{"command_id": "c1"}'), event(data="no json")]
    lines = list(of_rows_without_event(kills, commands, known, T0))
    assert [line.what for line in lines] == ["**kill ordered**: why not; it is sent"]
    lines = list(of_rows_without_event(kills, commands, [], T0))
    assert lines[1].what == "pause: why not; it is unknown: not answered"
    assert list(of_rows_without_event(kills, commands, [], T0 + 1)) == []


@pytest.mark.parametrize("text", ["a | b", "<script>", "two\nlines", "[link](x)", "x" * 1000])
def test_no_text_leaves_its_cell(text: str) -> None:
    table = rendered([Line(T0, "arb", "ann", text)])
    (row,) = table.splitlines()[2:]
    assert row.count("|") - row.count("\\|") == 6
    assert "<" not in row
    assert row.count("[") == row.count("\\[")
    assert len(row) < 400


def test_lines_stand_in_the_order_of_time() -> None:
    table = rendered([Line(T0 + 1.5, "", "", "later"), Line(T0, "", "", "sooner")])
    rows = table.splitlines()[2:]
    assert rows[0].startswith("| 2026-11-20 17:53:20 |  |  | sooner |")
    assert rows[1].startswith("| 2026-11-20 17:53:21.500 |")
