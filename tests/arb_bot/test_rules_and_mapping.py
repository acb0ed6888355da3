"""The files of rules and mappings: read as documented, or refused with file, place and what was expected."""

import json
from pathlib import Path
from typing import Any

import pytest

from arb_bot import InputFileUnusable
from arb_bot.mapping import read_mapping
from arb_bot.relations import Bucket, EventTree, MappedPair, ParityCheck, Relations, RuleLeg
from arb_bot.rules import read_rules
from tests.arb_bot.lab import Lab


def market(name: str, **more: str) -> dict[str, str]:
    return {"venue": "kalshi", "market_id": name, **more}


BUCKET: dict[str, Any] = {"group_id": "temps", "legs": [market("A", side="yes"), market("B", side="no")]}
TREE: dict[str, Any] = {"group_id": "state", "parent": market("P"), "children": [market("A"), market("B")]}
PARITY: dict[str, Any] = {
    "group_id": "same",
    "left": market("A"),
    "right": market("C"),
    "relationship": "equivalent",
}


def rules(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "rules.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_rules_of_all_kinds_are_read(tmp_path: Path) -> None:
    stated = BUCKET | {"payout_per_contract": 0.99, "exclusivity_source": "exchange_api", "note": "any"}
    path = rules(
        tmp_path,
        {
            "mutually_exclusive_buckets": [stated],
            "event_trees": [TREE],
            "cross_market_parity_checks": [PARITY],
            "written_by": "hand",
        },
    )
    assert read_rules(path) == Relations(
        buckets=(
            Bucket("temps", (RuleLeg("kalshi", "A"), RuleLeg("kalshi", "B", "no")), 0.99, "exchange_api"),
        ),
        trees=(EventTree("state", ("kalshi", "P"), (("kalshi", "A"), ("kalshi", "B"))),),
        parities=(ParityCheck("same", ("kalshi", "A"), ("kalshi", "C"), "equivalent"),),
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"event_trees": [', "rules.json, line 1: expected JSON"),
        ("[]", "expected an object with mutually_exclusive_buckets, event_trees or"),
        ({"event_tree": []}, "expected an object with"),
        ({"event_trees": [], "buckets": []}, "buckets: expected no other list than"),
        ({"event_trees": {}}, "event_trees: expected a list"),
        ({"event_trees": [7]}, "event_trees[0]: expected an object, got 7"),
        (
            {"mutually_exclusive_buckets": [BUCKET | {"legs": [market("A")]}]},
            "mutually_exclusive_buckets[0].legs: expected a list of at least 2",
        ),
        (
            {"mutually_exclusive_buckets": [BUCKET | {"legs": [market("A"), market("B", side="maybe")]}]},
            'mutually_exclusive_buckets[0].legs[1].side: expected yes or no, got "maybe"',
        ),
        (
            {"mutually_exclusive_buckets": [BUCKET | {"legs": [market("A"), market("A")]}]},
            "mutually_exclusive_buckets[0].legs: expected each market once, got kalshi/A twice",
        ),
        (
            {"mutually_exclusive_buckets": [BUCKET | {"payout_per_contract": 0}]},
            "mutually_exclusive_buckets[0].payout_per_contract: expected dollars above 0, got 0",
        ),
        (
            {"mutually_exclusive_buckets": [BUCKET | {"exclusivity_source": 1}]},
            "mutually_exclusive_buckets[0].exclusivity_source: expected text, got 1",
        ),
        (
            {"mutually_exclusive_buckets": [BUCKET, BUCKET]},
            "mutually_exclusive_buckets[1].group_id: expected another one than 'temps'",
        ),
        (
            {"event_trees": [TREE | {"parent": None}]},
            "event_trees[0].parent: expected an object, got nothing",
        ),
        (
            {"event_trees": [TREE | {"children": [{"venue": "kalshi"}]}]},
            "event_trees[0].children[0].market_id: expected text, got nothing",
        ),
        ({"event_trees": [TREE | {"group_id": " "}]}, 'event_trees[0].group_id: expected text, got " "'),
        (
            {"cross_market_parity_checks": [PARITY | {"relationship": "opposite"}]},
            "cross_market_parity_checks[0].relationship: expected complement or equivalent",
        ),
    ],
)
def test_a_fault_in_the_rules_is_told_with_its_place_and_what_was_expected(
    tmp_path: Path, content: object, said: str
) -> None:
    with pytest.raises(InputFileUnusable) as refused:
        read_rules(rules(tmp_path, content))
    assert said in str(refused.value)
    assert "rules.json" in str(refused.value)


def test_all_faults_of_the_rules_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(InputFileUnusable) as refused:
        read_rules(rules(tmp_path, {"event_trees": [7, TREE], "cross_market_parity_checks": [PARITY, 8]}))
    assert "event_trees[0]" in str(refused.value)
    assert "cross_market_parity_checks[1]" in str(refused.value)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputFileUnusable, match="cannot be read: No such file"):
        read_rules(tmp_path / "rules.json")
    with pytest.raises(InputFileUnusable, match="cannot be read: No such file"):
        read_mapping(tmp_path / "map.csv")
    for name, read in (("rules.json", read_rules), ("map.csv", read_mapping)):
        (tmp_path / name).write_bytes(b"group_id,kalshi_ticker,polymarket_slug\n\xff\xfe\n")
        with pytest.raises(InputFileUnusable, match="UTF-8"):
            read(tmp_path / name)


def mapping(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "map.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_mapping_pairs_all_venues_of_a_row_in_their_order(tmp_path: Path) -> None:
    path = mapping(
        tmp_path,
        "\ufeffgroup_id,forecastex_symbol,polymarket_slug,kalshi_ticker,kalshi_market_id,note\n"
        "one,,will-x,KX,,first\n"
        "two,FX,will-y,KT,KY,\n",
    )
    kalshi, polymarket, forecastex = ("kalshi", "KY"), ("polymarket", "will-y"), ("forecastex", "FX")
    assert read_mapping(path) == (
        MappedPair("one", ("kalshi", "KX"), ("polymarket", "will-x")),
        MappedPair("two", kalshi, polymarket),
        MappedPair("two", kalshi, forecastex),
        MappedPair("two", polymarket, forecastex),
    )
    assert read_mapping(path)[3].match_key == "two:polymarket:forecastex"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: expected the columns group_id and"),
        ("group_id,kalshi_ticker,kalshi_market_id\n", "line 1: expected the columns group_id and"),
        ("kalshi_ticker,polymarket_slug\n", "line 1: expected the columns group_id and"),
        (
            "group_id,kalshi_ticker,polymarket_slug\na,K,P\n ,K2,P2\n",
            "line 3, column group_id: expected a name",
        ),
        (
            "group_id,kalshi_ticker,polymarket_slug\na,K,P\na,K2,P2\n",
            "line 3, column group_id: expected another name than a, taken on line 2",
        ),
        (
            "group_id,kalshi_ticker,polymarket_slug\na,K,\n",
            "line 2: expected the markets of at least two venues, got 1",
        ),
        (
            "group_id,kalshi_ticker,polymarket_slug\na\n",
            "line 2: expected the markets of at least two venues, got 0",
        ),
        ('group_id,kalshi_ticker,polymarket_slug\na,"K"x,P\n', "expected CSV"),
    ],
)
def test_a_fault_in_the_mapping_is_told_with_its_line_and_what_was_expected(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(InputFileUnusable) as refused:
        read_mapping(mapping(tmp_path, text))
    assert said in str(refused.value)
    assert "map.csv" in str(refused.value)


def test_a_session_knows_what_the_files_say_beside_its_own_markets(lab: Lab, tmp_path: Path) -> None:
    session = lab.start(
        "1",
        ARB_STRUCTURAL_RULES_PATH=str(rules(tmp_path, {"event_trees": [TREE]})),
        ARB_CROSS_VENUE_MAPPING_PATH=str(
            mapping(tmp_path, "group_id,kalshi_ticker,polymarket_slug\nmine,K,P\n")
        ),
    )
    known = session.parts.relations()
    assert known.trees[0].group_id == "state"
    assert known.pairs[0].group_id == "mine"
    assert len(known.pairs) > 10
    assert session.parts.relations() is known


def test_a_start_that_a_file_refuses_leaves_what_an_earlier_session_left_as_it_is(
    lab: Lab, tmp_path: Path
) -> None:
    session = lab.start("1")
    lab.run_until(lambda: bool(list(session.parts.executor.active)))
    lab.crash()
    with pytest.raises(InputFileUnusable):
        lab.start("1", ARB_STRUCTURAL_RULES_PATH=str(tmp_path / "nowhere.json"))
    lab.crash()
    again = lab.start("1")
    assert "open intent" in again.parts.kill.check().reason
