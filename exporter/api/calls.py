"""Declares the calls of the API: what each takes, from body or query, and how its document describes it.

A change takes the same fields from its JSON body and from its query, because Grafana's buttons can send what
a person typed in the query alone. Changes are POST only; whoever asks with another method changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from exporter.api.answers import Schema, answer
from exporter.control import params
from exporter.control.access import Caller
from exporter.errors import Invalid, Refused

Given = Mapping[str, Any]
"""The fields of a request by name; None where one is blank or not given."""
Doing = Callable[[Request, Caller, Given], Awaitable[Mapping[str, object]]]

TOKEN: Final = (
    Security(HTTPBearer(auto_error=False, description="The token of a person.")),
    Security(
        APIKeyHeader(
            name="X-Admin-Token",
            auto_error=False,
            description="The same; with Grafana's own, a change also takes X-Grafana-User.",
        )
    ),
)
"""For the document of the API alone: who asks is found out by `exporter.api.asking`."""

BODY_SECONDS: Final = 10.0
_TEXT: Final = {"type": "string", "maxLength": params.LONGEST_TEXT}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field: how it is read, its JSON schema, and what it is for."""

    field: params.Field
    schema: Mapping[str, object]
    says: str


REASON: Final = Parameter(params.Field(params.text), _TEXT, "Why; kept in the audit trail.")
REASON_OF_KILL: Final = Parameter(
    params.Field(params.words), {"type": "string"}, "Why; kept in the audit trail, cut where it is long."
)
REASON_NEEDED: Final = Parameter(
    params.Field(params.text, required=True), {**_TEXT, "minLength": 1}, "Why; kept in the audit trail."
)
CODE: Final = Parameter(
    params.Field(params.text),
    {"type": "string", "pattern": "^[0-9]{4}$"},
    "The code that the panel shows. Without one nothing is done, and the panel shows one.",
)
VENUE: Final = Parameter(params.Field(params.text), _TEXT, "One venue of the bot alone.")
FORCE: Final = Parameter(
    params.Field(params.flag), {"type": "boolean"}, "Send it although a warning stands against it."
)


async def given(request: Request, parameters: Mapping[str, Parameter]) -> Given:
    """The fields of a request from body and query. Raises Invalid."""
    raw = await body_of(request)
    fields = {name: parameter.field for name, parameter in parameters.items()}
    return params.merged(params.body(raw), request.query_params.multi_items(), fields)


async def body_of(request: Request, limit: int = params.LARGEST_BODY) -> bytes:
    """The body of a request; raises Invalid where it is larger than so many bytes, or does not come."""
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limit:
        raise Invalid(f"the body is larger than {limit} bytes")
    raw = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > limit:
                    raise Invalid(f"the body is larger than {limit} bytes")
    except (TimeoutError, ClientDisconnect) as error:
        raise Invalid(f"the body did not come whole within {BODY_SECONDS:.0f} s") from error
    return raw


def change(
    router: APIRouter,
    path: str,
    parameters: Mapping[str, Parameter],
    caller_of: Callable[[Request], Caller],
    do: Doing,
    *,
    refused: Callable[[Caller, str, Refused], None],
    answers: Schema,
) -> None:
    """Add a call that changes something; the docstring of `do` is its description.

    `answers` is the schema of what it answers; `refused` hears of everybody known who asked for it in vain.
    """

    async def endpoint(request: Request) -> Response:
        caller = caller_of(request)
        try:
            return JSONResponse(dict(await do(request, caller, await given(request, parameters))))
        except Refused as error:
            refused(caller, request.url.path, error)
            raise

    words = (do.__doc__ or "").strip()
    router.add_api_route(
        path,
        endpoint,
        methods=["POST"],
        name=do.__name__,
        operation_id=do.__name__.strip("_"),
        summary=words.partition("\n")[0].rstrip("."),
        description=words,
        responses=REFUSALS | answer(answers),
        openapi_extra=_document(path, parameters),
    )


def _document(path: str, parameters: Mapping[str, Parameter]) -> dict[str, object]:
    """What the API's own document says of a call's fields, which may stand in the body or in the query."""
    properties = {
        name: {**parameter.schema, "description": parameter.says} for name, parameter in parameters.items()
    }
    required = [name for name, parameter in parameters.items() if parameter.field.required]
    body = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        body["required"] = required
    placed = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _named(path)
    ]
    document: dict[str, object] = {"parameters": placed} if placed else {}
    if parameters:
        document["requestBody"] = {
            "required": bool(required),
            "content": {"application/json": {"schema": body}},
        }
    return document


def _named(path: str) -> list[str]:
    """The names in braces of a path."""
    return [part.strip("{}").partition(":")[0] for part in path.split("/") if part.startswith("{")]


_ERROR: Final = {
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"error": {"type": "string"}},
                "required": ["error"],
            }
        }
    }
}
REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    401: {"description": "Nobody knows who asks.", **_ERROR},
    403: {"description": "Not by this person, or not without more.", **_ERROR},
    404: {"description": "There is no such bot or thing.", **_ERROR},
    409: {"description": "Not as things stand.", **_ERROR},
    422: {"description": "It can never be done like that.", **_ERROR},
    429: {"description": "Too many tokens that do not fit.", **_ERROR},
}
"""The answers that every call may give beside its own."""
