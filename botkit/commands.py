"""Commands to a bot and their answers, sans I/O: one line in, one line out or none.

Malformed lines have no effect and no answer; they are counted by reason. A handler gets the request as it
came and returns the fields of its ack; type and `id` are added here. What a handler raises becomes `ok:
false`.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from botkit import messages
from botkit.hot_reload import Refused, SettingsStore
from botkit.metrics_registry import Registry

Handler = Callable[[dict[str, object]], Mapping[str, object]]

LONGEST_ID: Final = 128
_LONGEST_QUOTE: Final = 100

_log = logging.getLogger(__name__)


class Commands:
    """The handlers of one bot, by command type, with counters in `registry`.

    Handlers run in the control socket's thread while the engine works: they must be quick and must not wait
    for a lock that the engine holds through a cycle.
    """

    def __init__(self, handlers: Mapping[str, Handler], registry: Registry) -> None:
        self._handlers = dict(handlers)
        self._taken = registry.counter("control_socket_commands")
        self._failed = registry.counter("control_socket_commands_failed")
        self._malformed = {
            reason: registry.counter(f"control_socket_malformed_{reason}")
            for reason in messages.MALFORMED_REASONS
        }

    def malformed(self, reason: str) -> None:
        """Count a line that was no message."""
        self._malformed[reason].inc()

    def answer(self, line: bytes) -> bytes | None:
        """Carry out the command in a line and return its answer; a malformed line does nothing, None."""
        try:
            request = messages.decode(line, keep_non_finite=True)
        except messages.MalformedMessage as exc:
            self.malformed(exc.reason)
            return None
        self._taken.inc()
        command, identity = str(request["type"]), request.get("id")
        echoed = {"id": identity} if _is_id(identity) else {}
        try:
            return messages.encode(self._reply(command, request) | echoed)
        except messages.UnsendableMessage as exc:
            failed = {"type": messages.ack_type(command), "ok": False, "error": str(exc)}
            return messages.encode(failed | echoed)

    def _reply(self, command: str, request: dict[str, object]) -> dict[str, object]:
        handler = self._handlers.get(command)
        if handler is None and command in messages.BASE_COMMANDS:
            return {"type": messages.ack_type(command), "ok": False, "error": "no handler"}
        if handler is None:
            return {"type": messages.ERROR, "error": f"unknown type: {command[:_LONGEST_QUOTE]}"}
        try:
            fields = {name: field for name, field in handler(request).items() if name != "type"}
        except Exception as exc:  # noqa: BLE001 - the boundary between a bot's handlers and the wire
            _log.exception("the handler of %s failed", command)
            self._failed.inc()
            fields = {"ok": False, "error": str(exc) or type(exc).__name__}
        return {"type": messages.ack_type(command)} | fields


def _is_id(identity: object) -> bool:
    """Tell whether this may be echoed: text or a whole number, short, so that answers cost no memory."""
    return isinstance(identity, str | int) and len(str(identity)) <= LONGEST_ID


def update_config(store: SettingsStore[object]) -> Handler:
    """Return the handler that answers `update_config` from a store, as the base protocol documents it."""

    def handle(request: dict[str, object]) -> dict[str, object]:
        key = request.get("key")
        if not key:
            return {"ok": False, "error": "missing key"}
        if "value" not in request:
            return {"key": key, "ok": False, "error": "missing value"}
        try:
            change = store.update(key, request["value"])
        except Refused as exc:
            return {"key": key, "ok": False, "error": str(exc)}
        return {"key": key, "ok": True, "old": change.old, "new": request["value"]}

    return handle
