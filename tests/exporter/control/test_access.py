"""Who may do what: people's tokens, Grafana's with a name, Alertmanager's, logins of the operator page."""

import asyncio
import logging
import os
import secrets
import threading
from pathlib import Path

import pytest

from exporter.config import Config
from exporter.control import tokens
from exporter.control.access import BAD_TOKENS, Access, Caller, presented
from exporter.control.sessions import COOKIE, LASTS_SECONDS, clear_cookie, same_origin, set_cookie
from exporter.control.tokens import Role, TokenFiles, is_loopback, refusal
from exporter.errors import NotAllowed, TooManyGuesses, WhoAreYou

NOW = 1_000_000.0
NAMES = ("ann", "wall", "grafana", "alertmanager")


class House:
    """Four token files and the access that is made of them."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.files = {name: folder / f"{name}_token" for name in NAMES}
        self.tokens = {name: secrets.token_urlsafe(24) for name in NAMES}
        for name, token in self.tokens.items():
            self.files[name].write_text(token + "\n")
        files = {name: str(path) for name, path in self.files.items()}
        self.config = Config.model_validate(
            {
                "listen": {"host": host},
                "tokens": {
                    "operators": {"ann": files["ann"]},
                    "viewers": {"wall": files["wall"]},
                    "grafana": files["grafana"],
                    "alertmanager": files["alertmanager"],
                },
                "grafana_users": ["admin"],
                "bots": [{"name": "arb", "kind": "arb"}],
            }
        )
        self.access = Access(self.config)

    def rewrite(self, name: str, token: str) -> None:
        """Another token in the same file, at another time than before."""
        before = self.files[name].stat().st_mtime_ns
        self.files[name].write_text(token)
        os.utime(self.files[name], ns=(before + 10**9, before + 10**9))
        self.access.tokens.refresh()

    def caller(self, name: str, user: str | None = None) -> Caller:
        return self.access.by_token(self.tokens[name], source="1.2.3.4", now=NOW, grafana_user=user)

    @property
    def faults(self) -> list[str]:
        return list(TokenFiles(self.config.tokens, strict=False).faults())


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_an_operator_may_change_things_and_a_viewer_only_look(house: House) -> None:
    ann, wall = house.caller("ann"), house.caller("wall")
    assert (ann.name, ann.role, ann.source, ann.may_look) == ("ann", Role.OPERATOR, "token", True)
    ann.may_change()
    assert wall.may_look
    with pytest.raises(NotAllowed, match="wall may look and not change anything"):
        wall.may_change()


def test_grafana_may_change_things_for_a_user_of_the_list_only(house: House) -> None:
    admin = house.caller("grafana", "admin")
    admin.may_change()
    assert (admin.name, admin.source) == ("admin", "grafana")
    for user, says in ((None, "did not say who"), (" ", "did not say who"), ("bob", "'bob' may look")):
        with pytest.raises(NotAllowed, match=says):
            house.caller("grafana", user).may_change()
    assert house.caller("grafana").may_look


def test_a_persons_own_token_does_not_become_another_by_a_header(house: House) -> None:
    assert house.caller("ann", "admin").name == "ann"
    with pytest.raises(NotAllowed):
        house.caller("wall", "admin").may_change()


def test_alertmanagers_token_hands_in_alerts_and_opens_nothing_else(house: House) -> None:
    caller = house.caller("alertmanager")
    caller.may_report_alerts()
    assert not caller.may_look
    with pytest.raises(NotAllowed, match="changes nothing"):
        caller.may_change()
    for other in ("ann", "wall", "grafana"):
        with pytest.raises(NotAllowed):
            house.caller(other, "admin").may_report_alerts()


def test_no_token_and_a_wrong_one_are_nobody(house: House) -> None:
    for token in (None, "", "x", house.tokens["ann"][:-1], house.tokens["ann"] + "x", "ä" * 30):
        with pytest.raises(WhoAreYou):
            house.access.by_token(token, source=f"of {token}", now=NOW)


def test_guesses_are_throttled_by_source_and_a_good_token_never(house: House) -> None:
    def guess(now: float, source: str = "bad") -> None:
        house.access.by_token("no such token", source=source, now=now)

    for _ in range(BAD_TOKENS):
        with pytest.raises(WhoAreYou, match="does not fit"):
            guess(NOW)
    with pytest.raises(TooManyGuesses) as caught:
        guess(NOW + 10)
    assert caught.value.wait == 50.0
    assert house.access.by_token(house.tokens["ann"], source="bad", now=NOW + 10).name == "ann"
    assert house.access.log_in(house.tokens["ann"], source="bad", now=NOW + 10)
    with pytest.raises(WhoAreYou, match="does not fit"):
        guess(NOW + 10, "another")
    with pytest.raises(WhoAreYou, match="does not fit"):
        guess(NOW + 61)


def test_a_request_without_a_token_is_no_guess(house: House) -> None:
    for _ in range(BAD_TOKENS * 2):
        with pytest.raises(WhoAreYou, match="needs a token"):
            house.access.by_token(None, source="page", now=NOW)


def test_a_token_is_taken_from_either_header_and_never_from_two() -> None:
    assert (
        presented("Bearer abc", None) == presented("bearer  abc ", "abc") == presented(None, "abc") == "abc"
    )
    assert presented("Basic abc", None) is presented(None, None) is None
    with pytest.raises(WhoAreYou, match="two different"):
        presented("Bearer abc", "def")


def test_a_changed_file_counts_when_it_was_read_again(house: House) -> None:
    old, new = house.tokens["ann"], secrets.token_urlsafe(24)
    house.rewrite("ann", new)
    assert house.access.by_token(new, source="x", now=NOW).name == "ann"
    with pytest.raises(WhoAreYou):
        house.access.by_token(old, source="x", now=NOW)
    house.files["ann"].unlink()
    house.access.tokens.refresh()
    with pytest.raises(WhoAreYou):
        house.access.by_token(new, source="x", now=NOW)


async def test_files_are_read_again_each_second_and_one_that_hangs_keeps_nobody_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "REFRESH_SECONDS", 0.01)
    reading = asyncio.create_task(house.access.tokens.run())
    new, hangs, hung = secrets.token_urlsafe(24), threading.Event(), threading.Event()
    house.files["ann"].write_text(new)
    async with asyncio.timeout(10):
        while house.access.tokens.find(new) is None:
            await asyncio.sleep(0.005)

        def hang(_: tokens.TokenFile) -> None:
            hung.set()
            hangs.wait(10)

        monkeypatch.setattr(tokens.TokenFile, "refresh", hang)
        while not hung.is_set():
            await asyncio.sleep(0.005)
    assert house.access.by_token(new, source="x", now=NOW).name == "ann"
    reading.cancel()
    hangs.set()


def test_a_login_holds_twelve_hours_and_ends_with_its_token(house: House) -> None:
    cookie = house.access.log_in(house.tokens["ann"], source="x", now=NOW)
    assert house.access.by_login(cookie, NOW + LASTS_SECONDS - 1).source == "operator page"
    with pytest.raises(WhoAreYou, match="expired"):
        house.access.by_login(cookie, NOW + LASTS_SECONDS)
    cookie = house.access.log_in(house.tokens["ann"], source="x", now=NOW)
    house.rewrite("ann", secrets.token_urlsafe(24))
    with pytest.raises(WhoAreYou, match="token has changed"):
        house.access.by_login(cookie, NOW + 1)


def test_a_login_ends_when_it_is_ended_and_when_the_clock_was_set_back(house: House) -> None:
    cookie = house.access.log_in(house.tokens["wall"], source="x", now=NOW)
    with pytest.raises(NotAllowed):
        house.access.by_login(cookie, NOW).may_change()
    house.access.sessions.end(cookie)
    for value in (cookie, None, "", "guess"):
        with pytest.raises(WhoAreYou):
            house.access.by_login(value, NOW)
    early = house.access.log_in(house.tokens["wall"], source="x", now=NOW)
    with pytest.raises(WhoAreYou):
        house.access.by_login(early, NOW - 3600)


def test_only_people_log_in(house: House) -> None:
    for name in ("grafana", "alertmanager"):
        with pytest.raises(NotAllowed, match="no person's"):
            house.access.log_in(house.tokens[name], source="x", now=NOW)
    with pytest.raises(WhoAreYou):
        house.access.log_in("guess", source="x", now=NOW)


def test_the_cookie_is_for_this_site_and_no_script() -> None:
    for flag in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"):
        assert flag in set_cookie("v", secure=False)
    assert "Secure" in set_cookie("v", secure=True) and "Secure" not in set_cookie("v", secure=False)
    assert clear_cookie().startswith(f"{COOKIE}=;") and "Max-Age=0" in clear_cookie()


PAGE = {"x-tradebot-page": "1", "host": "console:9121", "origin": "http://console:9121"}


def test_a_change_from_our_own_page_passes() -> None:
    assert same_origin(PAGE) is None
    assert same_origin(PAGE | {"sec-fetch-site": "same-origin"}) is None
    assert same_origin({"x-tradebot-page": "1", "sec-fetch-site": "same-origin"}) is None


@pytest.mark.parametrize(
    "headers",
    [
        {name: value for name, value in PAGE.items() if name != "x-tradebot-page"},
        {name: value for name, value in PAGE.items() if name != "origin"},
        PAGE | {"origin": "http://evil:9121"},
        PAGE | {"origin": "null"},
        PAGE | {"origin": "http://[bad"},
        PAGE | {"origin": "http://console:9121.evil"},
        PAGE | {"sec-fetch-site": "cross-site"},
        PAGE | {"sec-fetch-site": "same-site"},
        PAGE | {"sec-fetch-site": "none"},
        {"x-tradebot-page": "1", "origin": "http://console:9121"},
        {},
    ],
)
def test_a_change_from_anywhere_else_does_not(headers: dict[str, str]) -> None:
    assert same_origin(headers) is not None


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("short-but-random-9f2", ""),
        ("kX9-fQ2_pL7", "shorter than 20"),
        ("change-me-please-change-me", "looks like a sample"),
        ("your-token-goes-right-here", "looks like a sample"),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "looks like a sample"),
        ("two words that are no token 42", "holds blanks"),
        ("k" * 5000, "larger than 4096"),
    ],
)
def test_what_is_wrong_with_a_token_is_said_without_repeating_it(house: House, token: str, says: str) -> None:
    house.files["ann"].write_text(token)
    faults = house.faults
    assert bool(faults) == bool(says)
    if says:
        assert len(faults) == 1 and says in faults[0] and "operator ann" in faults[0]
        assert not token.strip() or token.strip() not in faults[0]


def test_a_missing_file_and_a_shared_token_are_faults(house: House) -> None:
    house.files["wall"].unlink()
    house.files["ann"].write_text(house.tokens["grafana"])
    house.access.tokens.refresh()
    missing, shared = house.faults
    assert "viewer wall" in missing and "cannot be read: No such file" in missing
    assert "grafana grafana has the same token as operator ann" in shared
    assert house.tokens["grafana"] not in shared
    with pytest.raises(WhoAreYou):
        house.access.by_token(house.tokens["grafana"], source="x", now=NOW)


def test_faults_stop_the_start_where_others_can_reach_it_only() -> None:
    says = refusal(["the token of operator ann is empty"], "0.0.0.0")
    assert says is not None and says.startswith("the token of operator ann is empty. On 0.0.0.0 others")
    assert refusal([], "0.0.0.0") is None
    for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost"):
        assert is_loopback(host) and refusal(["fault"], host) is None
    for host in ("0.0.0.0", "::", "10.0.0.1", "exporter"):
        assert not is_loopback(host)


def test_a_weak_token_written_later_opens_nothing_where_others_can_reach_it(tmp_path: Path) -> None:
    far, near = House(tmp_path, "0.0.0.0"), House(tmp_path)
    far.rewrite("ann", "weak")
    with pytest.raises(WhoAreYou):
        far.access.by_token("weak", source="x", now=NOW)
    near.access.tokens.refresh()
    assert near.access.by_token("weak", source="x", now=NOW).name == "ann"


def test_no_token_is_shown_or_logged(house: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        house.rewrite("ann", "too-short")
        house.access.tokens.refresh()
        with pytest.raises(WhoAreYou):
            house.access.by_token("a-guess-that-fails", source="x", now=NOW)
    assert "the token of operator ann: is shorter than 20 characters" in caplog.text
    said = caplog.text + repr(house.access.tokens.files) + repr(house.config)
    for token in (*house.tokens.values(), "too-short", "a-guess"):
        assert token not in said
