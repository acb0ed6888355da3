"""How the shell asks an exporter, and what it makes of what comes back or does not."""

import socket
from pathlib import Path

import pytest

from exporter.config import Config, Listen
from exporter.shell.client import AnsweredNo, Client, NoExporter, NoToken, client, quoted, reachable
from tests.exporter.shell.answering import answering


def test_a_question_carries_the_token_and_a_change_its_fields_without_those_that_nobody_gave() -> None:
    with answering(200, {"bots": []}) as there:
        asked = Client(there.address, "secret")
        assert asked.get("/bots") == {"bots": []}
        asked.post("/kill", reason="bad day", venue=None)
    assert there.asked == [
        ("GET", "/api/bots", None, "Bearer secret"),
        ("POST", "/api/kill", {"reason": "bad day"}, "Bearer secret"),
    ]


def test_a_refusal_is_the_exporters_own_sentence() -> None:
    with (
        answering(409, {"error": "arb is killed already; re-arm it first"}) as there,
        pytest.raises(AnsweredNo, match=r"^arb is killed already; re-arm it first$") as caught,
    ):
        Client(there.address, "x").get("/bots")
    assert caught.value.status == 409


@pytest.mark.parametrize("body", [b"Internal Server Error", b"", b"[1]"])
def test_a_refusal_without_a_sentence_is_told_by_its_status(body: bytes) -> None:
    with answering(500, body) as there, pytest.raises(AnsweredNo, match="the exporter answered 500"):
        Client(there.address, "x").get("/bots")


def test_what_is_no_exporter_is_called_so() -> None:
    with (
        answering(200, b"<html>Grafana</html>") as there,
        pytest.raises(NoExporter, match="is no exporter of this version"),
    ):
        Client(there.address, "x").get("/bots")


def test_where_nothing_listens_it_says_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(
            NoExporter, match=r"Connection refused.*; start it, or say where it is with --listen"
        ):
            Client(f"127.0.0.1:{port}", "x").get("/bots")


def test_what_hangs_is_waited_for_no_longer_than_was_said() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as hanging,
        pytest.raises(NoExporter, match="timed out"),
    ):
        Client(f"127.0.0.1:{hanging.getsockname()[1]}", "x", within=0.05).post("/kill")


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1:9121"), ("0.0.0.0", "127.0.0.1:9121"), ("::", "[::1]:9121"), ("h", "h:9121")],
)
def test_an_exporter_that_listens_everywhere_is_asked_on_this_machine(host: str, address: str) -> None:
    assert reachable(Listen(host=host)) == address


def test_a_name_stays_one_part_of_a_path() -> None:
    assert quoted("a/../b?c") == "a%2F..%2Fb%3Fc"


def test_a_token_is_not_shown_with_its_client() -> None:
    assert "secret" not in repr(Client("127.0.0.1:1", "secret"))


def test_without_a_named_person_the_first_operator_is_meant(tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        (tmp_path / name).write_text(f"token-of-{name}\n")
    tokens = {"operators": {name: str(tmp_path / name) for name in ("ann", "bob")}}
    config = config_with(tmp_path, tokens)
    assert client(config, None, None, 1.0).token == "token-of-ann"
    assert client(config, None, "bob", 1.0).token == "token-of-bob"
    assert client(config, tmp_path / "bob", "ann", 1.0).token == "token-of-bob"


def test_a_file_that_holds_no_token_is_told_from_one_that_does(tmp_path: Path) -> None:
    file = tmp_path / "token"
    for content, says in (
        (b"", "is empty"),
        (b"one\ntwo\n", "holds more than one token, or something else"),
        (b"\xff\xfe", "cannot be read .it is no text."),
    ):
        file.write_bytes(content)
        with pytest.raises(NoToken, match=says):
            client(config_with(tmp_path, {}), file, None, 1.0)
    with pytest.raises(
        NoToken, match=r"names no operator: give one under tokens\.operators, or --token-file"
    ):
        client(config_with(tmp_path, {}), None, None, 1.0)


def config_with(folder: Path, tokens: object) -> Config:
    listed = [{"name": "arb", "kind": "arb"}]
    return Config.model_validate({"bots": listed, "tokens": tokens}, context={"folder": folder})
