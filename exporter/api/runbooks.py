"""Answers `/runbooks` and `/runbooks/{alert}` to whoever reaches this address: a phone's link must open."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import Response

from exporter.page import runbooks as pages


def router(runbooks: Mapping[str, str], grafana: str) -> APIRouter:
    """The pages; `grafana` is where a person's browser finds it."""
    made = APIRouter(include_in_schema=False)

    @made.get("/runbooks")
    async def get_list() -> Response:
        return Response(pages.listed(runbooks), media_type="text/html")

    @made.get("/runbooks/{alert}")
    async def get_runbook(alert: str) -> Response:
        if alert not in runbooks:
            return Response(pages.listed(runbooks, missing=alert), 404, media_type="text/html")
        return Response(pages.page(alert, runbooks, grafana), media_type="text/html")

    return made
