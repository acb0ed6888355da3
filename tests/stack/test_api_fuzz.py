"""The API as its own document describes it, asked by everybody for anything: no fault, no right too many.

Schemathesis makes the requests, valid ones and others, against a real exporter. What bots were told is seen
at the bots; what may be seen nowhere is searched for in each answer, the log, the metrics and the files.
"""

import gzip
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, strategies
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.doubles.bots import DeployedBot, Message, OwnBot
from tests.doubles.in_thread import served
from tests.stack.processes import HOST
from tests.stack.shell_stand import TOKENS, Stand

pytestmark = pytest.mark.stack

PLANTED = "Pl4nted-s3cret-of-a-venue"
EXAMPLES, MANY_EXAMPLES = 4, 60
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[name]}"}


def grafana(**more: str) -> dict[str, str]:
    return {"X-Admin-Token": TOKENS["grafana"], **more}


WITHOUT_RIGHT = {
    "a viewer": bearer("wall"),
    "grafana without a user": grafana(),
    "grafana with an empty user": grafana(**{"X-Grafana-User": ""}),
    "grafana with somebody who may look": grafana(**{"X-Grafana-User": "eve"}),
    "alertmanager": bearer("alertmanager"),
    "nobody": {},
    "a token that nobody has": {"Authorization": "Bearer made-up-by-somebody"},
    "a user's name alone": {"X-Grafana-User": "admin"},
    "two tokens": {**bearer("wall"), "X-Admin-Token": TOKENS["ann"]},
}
WITH_RIGHT = {
    "an operator": bearer("ann"),
    "a second operator": bearer("bob"),
    "an operator through grafana": grafana(**{"X-Grafana-User": "admin"}),
}


class Talkative(OwnBot):
    """Puts a credential wherever it says something."""

    def fields(self, now: float, decisions: list[Message]) -> Message:
        said = super().fields(now, decisions)
        said["config_snapshot"] |= {"KALSHI_API_KEY": PLANTED, "ARB_WALLET": {"private_key": PLANTED}}
        said["open_positions"] = [
            {"position_id": "p1", "market_id": "KX-1", "venue": "kalshi", "api_secret": PLANTED}
        ]
        return said

    def asked(self, request: Mapping[str, Any]) -> Message | None:
        answer = super().asked(request)
        return None if answer is None else {**answer, "auth_token": PLANTED}


@dataclass
class Fuzzed:
    """An exporter with two bots; `answers` holds what it has said so far."""

    stand: Stand
    bots: Mapping[str, DeployedBot]
    api: Any
    answers: list[bytes] = field(default_factory=list)

    def told(self) -> list[Message]:
        """What bots were told, over their sockets."""
        return [message for bot in self.bots.values() for message in bot.asked_for]

    def ask_for_anything(self, who: Mapping[str, str], examples: int) -> None:
        """Ask each call, as its document has it and otherwise, and check each answer."""
        for operation in self.api.get_all_operations():
            made = operation.ok()
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                self._ask_one(made, mode, who, examples)

    def _ask_one(self, operation: Any, mode: GenerationMode, who: Mapping[str, str], examples: int) -> None:
        names = strategies.sampled_from([*self.bots, "nobody"])

        @hypothesis.seed(20_261_120)
        @hypothesis.settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode), bot=names)
        def ask(case: Any, bot: str) -> None:
            if "bot" in (case.path_parameters or {}):
                case.path_parameters["bot"] = bot
            case.headers.clear()
            answer = case.call(headers=dict(who))
            self.answers += [answer.content, json.dumps(dict(answer.headers), default=str).encode()]
            case.validate_response(answer, checks=CHECKS)

        try:
            ask()
        except Unsatisfiable:  # a call without a field cannot be asked in a way that is not its document's
            assert mode is GenerationMode.NEGATIVE


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    folder = tmp_path_factory.mktemp("fuzzed")
    bots = {"arb": Talkative(), "old": DeployedBot()}
    with served(bots["arb"]) as own, served(bots["old"]) as old:
        entries = {
            "arb": {"port": own.port, "kill_file": str(folder / "arb.kill")},
            "old": {"port": old.port, "kill_file": str(folder / "old.kill")},
        }
        with Stand(folder, entries) as stand:
            stand.start()
            stand.fresh("arb", "old")
            api = schemathesis.openapi.from_url(f"http://{HOST}:{stand.port}/api/openapi.json")
            yield Fuzzed(stand, bots, api)


def check_without_right(fuzzed: Fuzzed, who: str, examples: int) -> None:
    before = fuzzed.told()
    fuzzed.ask_for_anything(WITHOUT_RIGHT[who], examples)
    assert fuzzed.told() == before
    assert not list(fuzzed.stand.folder.glob("*.kill"))


@pytest.mark.parametrize("who", WITHOUT_RIGHT)
def test_whoever_has_no_right_changes_nothing_whatever_is_asked(fuzzed: Fuzzed, who: str) -> None:
    check_without_right(fuzzed, who, EXAMPLES)


@pytest.mark.soak
@pytest.mark.parametrize("who", WITHOUT_RIGHT)
def test_whoever_has_no_right_changes_nothing_however_often_it_is_asked(fuzzed: Fuzzed, who: str) -> None:
    check_without_right(fuzzed, who, MANY_EXAMPLES)


def test_the_document_says_how_a_person_is_known(fuzzed: Fuzzed) -> None:
    document = json.loads(on_the_wire(fuzzed.stand.port, "GET /api/openapi.json", {})[2])
    assert document["components"]["securitySchemes"].keys() == {"HTTPBearer", "APIKeyHeader"}
    for path, calls in document["paths"].items():
        assert set(calls) <= {"get", "post"}, path
        for call in calls.values():
            assert call["security"] == [{"HTTPBearer": []}, {"APIKeyHeader": []}], path
            assert "schema" in call["responses"]["200"]["content"]["application/json"], path


HOLES = [
    *(
        (f"{method} /api/bots/arb/kill", f"{method} /api/bots/arb/kill", grafana(**user))
        for method in ("GET", "HEAD", "OPTIONS", "PATCH", "PUT", "DELETE", "TRACE", "post")
        for user in ({"X-Grafana-User": "admin"},)
    ),
    *(
        (f"POST {path}", f"POST {path}", grafana(**{"X-Grafana-User": "admin"}))
        for path in (
            "/api/v2/silences/../../bots/arb/kill",
            "/api/v2/silences/%2e%2e/%2e%2e/bots/arb/kill",
            "/api/v2/silences/..%2f..%2fbots/arb/kill",
            "/api/v2/silences/%252e%252e/%252e%252e/bots/arb/kill",
            "/api/v2/silences/..%5c..%5cbots/arb/kill",
            "/api/v1/alerts",
            "/api/v2/alerts",
            "/api/v2/silences",
            "/alertmanager/api/v2/silences",
            "/api//bots/arb/kill",
            "//api/bots/arb/kill",
            "/api/bots/./arb/kill",
            "/api/bots/arb/kill/",
            "/api/bots/arb%2fkill",
            "/API/bots/arb/kill",
        )
    ),
    ("no user", "POST /api/bots/arb/kill", grafana()),
    ("an empty user", "POST /api/bots/arb/kill", grafana(**{"X-Grafana-User": ""})),
    ("a user who may look", "POST /api/bots/arb/kill", grafana(**{"X-Grafana-User": "viewer"})),
    ("two users", "POST /api/bots/arb/kill", grafana(**{"X-Grafana-User": "viewer, admin"})),
    (
        "a method that is to count as another",
        "GET /api/bots/arb/kill",
        grafana(**{"X-Grafana-User": "admin", "X-HTTP-Method-Override": "POST"}),
    ),
]


@pytest.mark.parametrize(("what", "line", "headers"), HOLES, ids=[what for what, _, _ in HOLES])
def test_no_hole_of_grafanas_gate_leads_to_a_bot(
    fuzzed: Fuzzed, what: str, line: str, headers: Mapping[str, str]
) -> None:
    before = fuzzed.told()
    status, heads, body = on_the_wire(fuzzed.stand.port, line, headers)
    assert status in {400, 403, 404, 405}, (what, status, body)
    assert "access-control-allow-origin" not in heads.lower()
    assert fuzzed.told() == before
    assert not list(fuzzed.stand.folder.glob("*.kill"))
    fuzzed.answers += [heads.encode(), body]


def test_what_operators_ask_is_answered_as_the_document_says(fuzzed: Fuzzed) -> None:
    for who in WITH_RIGHT.values():
        fuzzed.ask_for_anything(who, EXAMPLES)
    fuzzed.stand.shell("set", "arb", "ARB_DAILY_LOSS_CAP_USD", "5", "--wait", "5")
    assert {message["type"] for message in fuzzed.told()} >= {"kill_switch", "update_config"}
    no_secret_anywhere(fuzzed)


@pytest.mark.soak
def test_what_operators_ask_is_answered_as_the_document_says_however_often(fuzzed: Fuzzed) -> None:
    for who in WITH_RIGHT.values():
        fuzzed.ask_for_anything(who, MANY_EXAMPLES)
    no_secret_anywhere(fuzzed)


def no_secret_anywhere(fuzzed: Fuzzed) -> None:
    """Search everything that was answered, logged, measured and written."""
    stand = fuzzed.stand
    places = dict.fromkeys(("an answer",), b"\n".join(fuzzed.answers))
    for path in ("/metrics", "/", "/api/openapi.json"):
        places[path] = on_the_wire(stand.port, f"GET {path}", bearer("ann"))[2]
    for path in ("/api/bots", "/api/bots/arb", "/api/bots/arb/settings", "/api/events", "/api/fills"):
        places[path] = on_the_wire(stand.port, f"GET {path}", bearer("ann"))[2]
    assert b'"arb"' in places["/api/bots"]
    stand.stop()
    places["the log"] = (stand.folder / "exporter.log").read_bytes()
    for file in sorted(stand.database.parent.iterdir()):
        data = file.read_bytes()
        places[file.name] = gzip.decompress(data) if file.suffix == ".gz" else data
    assert any(name.startswith("flight-") for name in places)
    assert "reporting.db" in places
    for secret in (PLANTED, *TOKENS.values()):
        assert [place for place, data in places.items() if secret.encode() in data] == [], secret


def on_the_wire(port: int, line: str, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
    """The answer to a request exactly as it is written here, which libraries would straighten."""
    with socket.create_connection((HOST, port), 10) as connection:
        heads = {"Host": HOST, "Connection": "close", "Content-Length": "2", **headers}
        text = "".join(f"{name}: {value}\r\n" for name, value in heads.items())
        connection.sendall(f"{line} HTTP/1.1\r\n{text}\r\n{{}}".encode())
        data = b""
        while piece := connection.recv(65_536):
            data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode(), body
