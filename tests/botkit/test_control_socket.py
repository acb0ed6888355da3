"""The control socket over real connections: what each side gets, and that no client harms another."""

import gc
import logging
import socket
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from botkit import messages
from botkit.control_socket import STATES_TO_ENCODE, ControlSocket, ControlSocketError, PortTaken
from botkit.heartbeat import Pulse
from botkit.kill_switch import KillSwitch
from botkit.link import COMMAND_LIMIT, Limits
from botkit.metrics_registry import Registry

from .conftest import Dial, Peer, Serve, wait_until

UNLIMITED = Limits(commands=(1e9, 1e9), bytes_in=(1e12, 1e12))


def echo(request: dict[str, object]) -> dict[str, object]:
    return {"ok": True, "n": request.get("n")}


def value(registry: Registry, name: str) -> float:
    return next(sample["value"] for sample in registry.snapshot() if sample["name"] == name)


def test_states_go_to_everyone_byte_for_byte_the_same(serve: Serve, dial: Dial) -> None:
    console = serve()
    peers = [dial(console) for _ in range(3)]
    console.publish({"type": "state", "cycle": 1, "pnl": float("nan")})
    lines = {peer.line() for peer in peers}
    assert lines == {b'{"type": "state", "cycle": 1, "pnl": null}'}


def test_nothing_is_encoded_while_nobody_listens(serve: Serve, dial: Dial) -> None:
    class Unencodable(dict[str, object]):
        def items(self) -> Any:
            raise AssertionError("was encoded")

    registry = Registry()
    console = serve(registry=registry)
    console.publish(Unencodable(type="state"))
    peer = dial(console)
    console.publish({"type": "state", "cycle": 2})
    assert peer.next() == {"type": "state", "cycle": 2}
    assert value(registry, "control_socket_faults") == 0


def test_a_new_client_gets_no_old_state_but_the_engine_is_told_to_publish(serve: Serve, dial: Dial) -> None:
    called = threading.Event()
    console = serve(on_connect=called.set)
    first = dial(console)
    console.publish({"type": "state", "cycle": 1})
    assert first.next() == {"type": "state", "cycle": 1}
    called.clear()
    second = dial(console)
    assert called.wait(20)
    console.publish({"type": "state", "cycle": 2})
    assert second.next() == {"type": "state", "cycle": 2}


def test_commands_of_one_client_are_answered_in_order_to_it_alone(serve: Serve, dial: Dial) -> None:
    console = serve(handlers={"echo": echo})
    asker, other = dial(console), dial(console)
    asker.send(*({"type": "echo", "n": n, "id": f"a{n}"} for n in range(300)))
    for n in range(300):
        assert asker.next() == {"type": "echo_ack", "ok": True, "n": n, "id": f"a{n}"}
    console.publish({"type": "state", "cycle": 1})
    assert other.next() == {"type": "state", "cycle": 1}


def test_simple_clients_of_the_base_protocol_are_served(serve: Serve, dial: Dial) -> None:
    console = serve(handlers={"kill_switch": lambda r: {"active": r.get("activate"), "ok": True}})
    peer = dial(console)
    peer.send(b'{"type":"kill_switch","activate":true}\r\n\r\n\n{"type":"kill_switch","activate":false}')
    assert peer.next() == {"type": "kill_switch_ack", "active": True, "ok": True}
    peer.socket.shutdown(socket.SHUT_WR)
    assert peer.rest() == [{"type": "kill_switch_ack", "active": False, "ok": True}]
    wait_until(lambda: console.clients == 0)


def test_what_a_client_said_before_it_vanished_is_carried_out(serve: Serve, dial: Dial) -> None:
    heard: list[object] = []
    console = serve(handlers={"kill_switch": lambda r: heard.append(r["n"]) or {}})
    for n in range(20):
        peer = dial(console)
        peer.send({"type": "kill_switch", "n": n})
        peer.close()
        wait_until(lambda: console.clients == 0)
    assert heard == list(range(20))


def test_a_hung_engine_still_beats_and_takes_a_kill(serve: Serve, dial: Dial, tmp_path: Path) -> None:
    switch = KillSwitch(tmp_path / ".kill_switch", environ={})
    pulse, let_go = Pulse(), threading.Event()

    def kill(_request: dict[str, object]) -> dict[str, object]:
        return {"active": switch.activate("peer").active, "ok": True}

    def hang() -> None:
        pulse.beat("quotes", cycle=7, within=0.0)
        while not let_go.is_set():
            pass

    engine = threading.Thread(target=hang)
    console = serve(handlers={"kill_switch": kill}, heartbeat=pulse.read)
    peer = dial(console)
    engine.start()
    try:
        beats = [peer.next(heartbeats=True) for _ in range(3)]
        peer.send({"type": "kill_switch", "activate": True})
        while (ack := peer.next()) and ack["type"] != "kill_switch_ack":
            pass
        assert engine.is_alive()
    finally:
        let_go.set()
        engine.join()
    assert ack == {"type": "kill_switch_ack", "active": True, "ok": True}
    assert switch.check().halted
    assert all(beat and (beat["phase"], beat["cycle"]) == ("quotes", 7) for beat in beats[1:])
    lags = [beat["loop_lag_seconds"] for beat in beats[1:] if beat]
    assert 0 < lags[0] < lags[1]


def test_a_clean_stop_sends_the_last_state_then_goodbye_to_everyone(serve: Serve, dial: Dial) -> None:
    console = serve()
    peers = [dial(console) for _ in range(3)]
    console.publish({"type": "state", "cycle": 9})
    console.stop("SIGTERM")
    for peer in peers:
        assert peer.rest() == [{"type": "state", "cycle": 9}, {"type": "goodbye", "reason": "SIGTERM"}]
    console.stop("again")
    console.publish({"type": "state", "cycle": 10})
    with pytest.raises(OSError, match="refused"):
        Peer(console.port)


def test_a_client_that_does_not_read_holds_up_no_stop(serve: Serve, dial: Dial) -> None:
    console = serve()
    stuck = dial(console, receive_buffer=4096)
    block(console)
    reader = dial(console)
    console.stop("SIGTERM")
    assert reader.rest()[-1] == {"type": "goodbye", "reason": "SIGTERM"}
    assert console.clients == 0
    stuck.close()


def test_a_taken_port_is_told_in_one_sentence(serve: Serve) -> None:
    console = serve()
    with pytest.raises(PortTaken) as taken:
        serve(port=console.port)
    assert str(taken.value) == (
        f"control socket: cannot listen on 127.0.0.1:{console.port}: another program listens there"
    )


@pytest.mark.parametrize("where", [{"port": 70_000}, {"host": "203.0.113.7"}, {"host": "no such host"}])
def test_a_place_where_nobody_can_listen_is_told_in_one_sentence(serve: Serve, where: dict[str, Any]) -> None:
    with pytest.raises(ControlSocketError, match=r"^control socket: cannot listen on [^\n]+$"):
        serve(**where)


GARBAGE = [
    b"{\n",
    b"[1]\nnull\n5\n",
    b'"x"\n',
    b"\xff\xfe\x00\n",
    '{"type":"echo"}'.encode("utf-16") + b"\n",
    b"[" * 50_000 + b"\n",
    b"\x00" * 3000 + b"\n",
    b"x" * (COMMAND_LIMIT + 1) + b"\n",
]


@pytest.mark.parametrize("junk", GARBAGE, ids=lambda junk: repr(junk[:8]))
def test_malformed_input_is_counted_and_the_same_client_goes_on(
    serve: Serve, dial: Dial, junk: bytes
) -> None:
    registry = Registry()
    console = serve(handlers={"echo": echo}, registry=registry)
    peer, other = dial(console), dial(console)
    peer.send(junk, {"type": "echo", "n": 1})
    while (answer := peer.next()) and answer["type"] == "error":
        assert answer["error"] == f"a command may have at most {COMMAND_LIMIT} bytes"
    assert answer == {"type": "echo_ack", "ok": True, "n": 1}
    other.send({"type": "echo", "n": 2})
    assert other.next() == {"type": "echo_ack", "ok": True, "n": 2}
    malformed = {s["name"]: s["value"] for s in registry.snapshot() if "_malformed_" in s["name"]}
    assert sum(malformed.values()) == (3 if junk.startswith(b"[1]") else 1)


@pytest.mark.parametrize(
    ("junk", "reason"), [(b"x", "endless_line"), (b"junk\n", "garbage"), (b"\xff\xff\n", "garbage")]
)
def test_ten_megabytes_of_garbage_cost_the_sender_its_connection_and_nobody_else_anything(
    serve: Serve, dial: Dial, junk: bytes, reason: str
) -> None:
    registry = Registry()
    console = serve(handlers={"echo": echo}, registry=registry)
    hostile, good = dial(console), dial(console)
    with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):
        for _ in range(100):  # ten megabytes, and more until the end of the link has come through
            hostile.send(junk * (1024 * 1024 // len(junk)))
    good.send({"type": "echo", "n": 1})
    assert good.next() == {"type": "echo_ack", "ok": True, "n": 1}
    console.publish({"type": "state", "cycle": 1})
    assert good.next() == {"type": "state", "cycle": 1}
    assert value(registry, f"control_socket_clients_dropped_{reason}") == 1
    assert console.clients == 1


def block(console: ControlSocket) -> None:
    """Publish until a client that does not read has lost states."""
    lost, state = console.dropped_states, {"type": "state", "padding": "x" * 100_000}

    def publish_one_more() -> bool:
        console.publish(state)
        return console.dropped_states > lost

    wait_until(publish_one_more)


def test_a_client_that_never_reads_loses_states_and_the_others_get_every_one(
    serve: Serve, dial: Dial
) -> None:
    console = serve()
    dial(console, receive_buffer=4096)
    block(console)
    good = dial(console)
    console.publish({"type": "state", "cycle": 0})
    while good.next() != {"type": "state", "cycle": 0}:
        pass  # what was published to block the other
    for cycle in range(1, 200):
        console.publish({"type": "state", "cycle": cycle})
        assert good.next() == {"type": "state", "cycle": cycle}


def test_a_client_that_never_reads_is_dropped_after_its_patience_and_one_that_reads_is_not(
    serve: Serve, dial: Dial
) -> None:
    registry = Registry()
    console = serve(registry=registry, limits=Limits(patience=0.1))
    good, stuck = dial(console), dial(console, receive_buffer=4096)
    reader = threading.Thread(target=good.rest)
    reader.start()
    block(console)
    wait_until(lambda: console.clients == 1)
    assert value(registry, "control_socket_clients_dropped_not_reading") == 1
    console.stop("the test is over")
    reader.join()
    stuck.close()


def test_after_a_stall_a_client_gets_the_newest_states_in_order(serve: Serve, dial: Dial) -> None:
    console = serve(limits=Limits(waiting_states=4))
    slow = dial(console, receive_buffer=4096)
    block(console)
    delivered = console.dropped_states
    for cycle in range(50):
        console.publish({"type": "state", "cycle": cycle})
        wait_until(lambda before=delivered: console.dropped_states > before)
        delivered = console.dropped_states
    cycles = []
    while not cycles or cycles[-1] != 49:
        state = slow.next()
        assert state
        if "cycle" in state:
            cycles.append(state["cycle"])
    assert cycles == [46, 47, 48, 49]


def flood(peer: Peer, requests: int) -> threading.Thread:
    """Send commands without reading any answer, from a thread of its own."""

    def send_all() -> None:
        for n in range(requests):
            peer.send({"type": "echo", "n": n, "padding": "x" * 400})

    thread = threading.Thread(target=send_all)
    thread.start()
    return thread


def test_a_flood_without_reading_is_held_up_in_bounded_memory_and_loses_no_answer(
    serve: Serve, dial: Dial
) -> None:
    console = serve(handlers={"echo": lambda r: {"n": r["n"], "padding": r["padding"]}}, limits=UNLIMITED)
    flooding, good = dial(console, receive_buffer=4096), dial(console)
    (link,) = [
        link
        for link in console._links
        if link._transport.get_extra_info("peername") == flooding.socket.getsockname()
    ]
    sender = flood(flooding, 20_000)
    wait_until(lambda: link._outbox.crowded and link._blocked)
    good.send({"type": "echo", "n": 1, "padding": ""})
    assert good.next() == {"type": "echo_ack", "n": 1, "padding": ""}
    assert sender.is_alive()
    waiting = sum(len(line) for _, line in link._outbox._lines)
    assert waiting < 512 * 1024
    assert len(link._inbox) <= 64
    assert link._transport.get_write_buffer_size() < 512 * 1024
    for n in range(20_000):
        answer = flooding.next()
        assert answer
        assert answer["n"] == n
    sender.join()


def test_a_flood_is_taken_at_a_fair_rate_while_others_are_served_at_once(serve: Serve, dial: Dial) -> None:
    taken: list[object] = []
    console = serve(
        handlers={"echo": lambda r: taken.append(r["n"]) or {}, "kill_switch": lambda _r: {"ok": True}},
        limits=Limits(commands=(1.0, 50.0)),
    )
    flooding, good = dial(console), dial(console)
    flooding.send(*({"type": "echo", "n": n} for n in range(5_000)))
    wait_until(lambda: len(taken) >= 50)
    good.send({"type": "kill_switch", "activate": True})
    assert good.next() == {"type": "kill_switch_ack", "ok": True}
    assert taken == list(range(len(taken)))
    assert len(taken) < 200


def test_fifty_clients_that_vanish_leave_nothing_behind(serve: Serve, dial: Dial) -> None:
    console = serve()
    good = dial(console)
    for wave in range(5):
        crowd = [Peer(console.port) for _ in range(50)]
        console.publish({"type": "state", "cycle": wave})
        for peer in crowd:
            peer.close()
        assert good.next() == {"type": "state", "cycle": wave}
        wait_until(lambda: console.clients == 1)


def test_more_clients_than_allowed_are_refused_with_a_sentence_until_one_leaves(
    serve: Serve, dial: Dial
) -> None:
    registry = Registry()
    console = serve(limits=Limits(clients=2), registry=registry)
    first = dial(console)
    dial(console)
    refused = Peer(console.port)
    assert refused.rest() == [{"type": "error", "error": "too many clients: 2 are connected already"}]
    refused.close()
    assert value(registry, "control_socket_clients") == 2
    assert value(registry, "control_socket_clients_refused") == 1
    first.close()
    wait_until(lambda: console.clients == 1)
    dial(console)


def test_memory_stays_where_it_was_through_floods_and_stalls(serve: Serve, dial: Dial) -> None:
    console = serve(limits=Limits(waiting_states=8))
    for _ in range(5):
        dial(console, receive_buffer=4096)
    block(console)
    state = {"type": "state", "padding": "x" * 100_000}
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(300):
            console.publish(dict(state))
            wait_until(lambda: len(console._mailbox) < STATES_TO_ENCODE)
        wait_until(lambda: not console._mailbox)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 20 * 100_000  # 8 states wait, shared by all five; 300 were published


def test_a_state_that_cannot_be_sent_is_told_in_the_log_and_the_next_one_goes_out(
    serve: Serve, dial: Dial, caplog: pytest.LogCaptureFixture
) -> None:
    registry = Registry()
    console = serve(registry=registry)
    peer = dial(console)
    console.publish({"type": "state", ("a", "b"): 1})
    console.publish({"type": "state", "padding": "x" * (messages.LINE_LIMIT + 1)})
    console.publish({"type": "state", "cycle": 2})
    assert peer.next() == {"type": "state", "cycle": 2}
    assert value(registry, "control_socket_faults") == 2
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


def test_a_socket_that_fails_ends_its_links_without_a_goodbye_and_leaves_the_engine_alone(
    serve: Serve, dial: Dial, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry()
    console = serve(registry=registry)
    peer = dial(console)
    monkeypatch.setattr(console, "_send_heartbeat", boom)
    assert peer.rest() == []
    wait_until(lambda: value(registry, "control_socket_faults") == 1)
    for _ in range(100):
        console.publish({"type": "state"})
    assert "the control socket has ended" in caplog.text


def test_an_error_inside_the_loop_is_logged_and_counted(
    serve: Serve, dial: Dial, caplog: pytest.LogCaptureFixture
) -> None:
    registry = Registry()
    console = serve(registry=registry)
    console._loop.call_soon_threadsafe(boom)
    wait_until(lambda: value(registry, "control_socket_faults") == 1)
    assert "the bot's own code failed" in caplog.text
    console.publish({"type": "state"})
    peer = dial(console)
    console.publish({"type": "state", "cycle": 1})
    assert peer.next() == {"type": "state", "cycle": 1}


def boom() -> Any:
    raise RuntimeError("the bot's own code failed")


@pytest.mark.parametrize("broken", [{"heartbeat": boom}, {"on_connect": boom}])
def test_a_fault_in_the_bots_own_callbacks_is_counted_and_the_link_lives(
    serve: Serve, dial: Dial, broken: dict[str, Callable[[], Any]]
) -> None:
    registry = Registry()
    console = serve(registry=registry, **broken)
    peer = dial(console)
    wait_until(lambda: value(registry, "control_socket_faults") > 0)
    console.publish({"type": "state", "cycle": 1})
    assert peer.next() == {"type": "state", "cycle": 1}


def test_publishing_waits_for_nothing_even_while_the_sockets_thread_is_stuck(
    serve: Serve, dial: Dial
) -> None:
    entered, let_go = threading.Event(), threading.Event()

    def stick(_request: dict[str, object]) -> dict[str, object]:
        entered.set()
        let_go.wait()
        return {"ok": True}

    console = serve(handlers={"stick": stick})
    peer = dial(console)
    peer.send({"type": "stick"})
    assert entered.wait(20)
    for cycle in range(1000):
        console.publish({"type": "state", "cycle": cycle})
    assert len(console._mailbox) <= STATES_TO_ENCODE
    let_go.set()
    assert peer.next() == {"type": "stick_ack", "ok": True}
    cycles = []
    while not cycles or cycles[-1] != 999:
        state = peer.next()
        assert state
        cycles.append(state["cycle"])
    assert cycles == sorted(cycles)
    assert len(cycles) + console.dropped_states == 1000


def test_heartbeats_come_every_second_with_the_bots_own_clock(serve: Serve, dial: Dial) -> None:
    pulse = Pulse()
    pulse.beat("idle", cycle=3, within=60)
    peer = dial(serve(heartbeat=pulse.read, clock=lambda: 1763.5))
    beats = [peer.next(heartbeats=True) for _ in range(2)]
    assert (
        beats
        == [{"type": "heartbeat", "ts": 1763.5, "phase": "idle", "cycle": 3, "loop_lag_seconds": 0.0}] * 2
    )
