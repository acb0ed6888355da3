"""A store that is another one than before is told from one that lost old rows or was moved."""

import pytest

from exporter.reporting.generations import START, Cursor, Place, Traces, continues, digest

AT_100 = Cursor(100, None, "row 100")


@pytest.mark.parametrize(
    ("why", "traces", "same"),
    [
        ("the row is there", Traces("row 100", older=True, highest=100), True),
        ("more rows came", Traces("row 100", older=True, highest=150), True),
        ("ids are not counted by the store", Traces("row 100", older=True, highest=None), True),
        ("old rows were purged", Traces("row 100", older=False, highest=150), True),
        ("all our rows were purged", Traces(None, older=False, highest=150), True),
        ("everything was purged and ids go on", Traces(None, older=False, highest=100), True),
        ("everything was deleted where ids are not counted", Traces(None, older=False, highest=None), True),
        ("another row has that id", Traces("another", older=True, highest=150), False),
        ("ids went down", Traces(None, older=True, highest=60), False),
        ("a new store has no row yet", Traces(None, older=False, highest=0), False),
        ("the row is gone and older ones are not", Traces(None, older=True, highest=150), False),
    ],
)
def test_a_store_is_the_same_by_its_rows(why: str, traces: Traces, same: bool) -> None:
    assert continues(AT_100, traces) is same, why


def test_where_nothing_was_mirrored_any_store_goes_on() -> None:
    assert continues(Cursor(), Traces(None, older=True, highest=7))


def test_a_new_generation_begins_before_the_first_row() -> None:
    place = Place(1, {"fills": AT_100}).next_generation()
    assert place == Place(2)
    assert place.cursor("fills").last == START


def test_rows_with_the_same_content_have_the_same_digest_and_others_do_not() -> None:
    row = (1, 1763675000.123456, "a", None)
    assert digest(row) == digest(list(row))
    others = [
        (1, 1763675000.1234562, "a", None),
        (1, 1763675000.123456, "a", ""),
        (1, 1763675000.123456, "a"),
    ]
    assert digest(row) not in {digest(other) for other in others}
    assert digest(("\udcff",))
