"""The calls about alerts: Alertmanager hands them in, a person has one, or tests whether pages arrive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from exporter.alerting.paging import PageTest
from exporter.alertmanager import AlertDesk
from exporter.alerts import of_delivery
from exporter.api.answers import HAD, PAGE_TESTED, TAKEN, answer
from exporter.api.asking import Doorkeeper
from exporter.api.calls import REASON, REFUSALS, TOKEN, Given, Parameter, body_of, change
from exporter.control import params
from exporter.control.access import Caller
from exporter.control.actions import Actions
from exporter.errors import Invalid

LARGEST_DELIVERY: Final = 1_000_000

SEVERITIES: Final = ("critical", "warning")


def _severity(raw: object) -> str:
    said = params.text(raw)
    if said not in SEVERITIES:
        raise Invalid(f"expected {' or '.join(SEVERITIES)}")
    return said


SEVERITY: Final = Parameter(
    params.Field(_severity),
    {"type": "string", "enum": list(SEVERITIES)},
    "As what it is tested: critical (where nothing is said) or warning.",
)

_DELIVERY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"alerts": {"type": "array", "items": {"type": "object"}}},
                }
            }
        },
    }
}


def router(desk: AlertDesk, page_test: PageTest, actions: Actions, door: Doorkeeper) -> APIRouter:
    """`POST /api/alerts`, `POST /api/alerts/test` and `POST /api/alerts/{fingerprint}/ack`."""
    made = APIRouter(prefix="/api", tags=["alerts"], dependencies=TOKEN)

    @made.post("/alerts", responses=REFUSALS | answer(TAKEN), openapi_extra=_DELIVERY)
    async def hand_in(request: Request) -> Response:
        """Take what Alertmanager's webhook delivers into the audit trail; with its token alone."""
        door.reporting_alerts(request)
        content = params.body(await body_of(request, LARGEST_DELIVERY), LARGEST_DELIVERY)
        return JSONResponse({"news": desk.delivered(list(of_delivery(content)))})

    async def have_it(request: Request, caller: Caller, given: Given) -> Mapping[str, object]:
        """Say that you have an alert.

        Your name stands beside it, and it is quiet for an hour or until it ends; one that is exempt goes on.
        """
        key = str(request.path_params["fingerprint"])
        return await desk.acknowledge(key, caller.name, caller.source, given["reason"] or "")

    async def test_page(_: Request, caller: Caller, given: Given) -> Mapping[str, object]:
        """Send a test page to every push receiver, and see whether it arrives.

        The answer comes when each has delivered or failed, after 20 seconds at the latest. One in 30 seconds.
        """
        severity = given["severity"] or SEVERITIES[0]
        return await page_test.send(severity, caller.name, caller.source, given["reason"] or "")

    fields = {"severity": SEVERITY, "reason": REASON}
    change(
        made, "/alerts/test", fields, door.changing, test_page, refused=actions.refused, answers=PAGE_TESTED
    )
    path = "/alerts/{fingerprint}/ack"
    change(made, path, {"reason": REASON}, door.changing, have_it, refused=actions.refused, answers=HAD)
    return made
