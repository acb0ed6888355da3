"""The runner of the benchmarks: which there are, what it answers."""

from collections.abc import Iterator

import pytest

import benchmarks.__main__ as runner
from benchmarks.figure import Figure, at_most


def doubles() -> Iterator[tuple[str, runner.Benchmark]]:
    def reached(small: bool) -> list[Figure]:
        return [at_most("reached", 1.0 if small else 2.0, "s", 2)]

    def missed(small: bool) -> list[Figure]:
        return [at_most("missed", 3.0, "s", 2)]

    yield "reached", reached
    yield "missed", missed


def test_every_figure_that_the_project_promises_has_its_benchmark() -> None:
    promised = {"publish", "ingest", "scrape", "disconnect", "queries", "reporting"}
    assert promised <= {name for name, _ in runner.discovered()}


def test_one_table_and_success_when_every_target_is_reached(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "discovered", doubles)
    assert runner.main(["reached"]) == 0
    assert "MISSED" not in capsys.readouterr().out


def test_a_missed_target_is_named_and_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "discovered", doubles)
    assert runner.main([]) == 1
    said = capsys.readouterr().out
    assert said.count("MISSED") == 1
    assert "reached" in said


def test_the_long_form_is_asked_for_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "discovered", doubles)
    runner.main(["reached", "--long"])
    assert "2 s" in capsys.readouterr().out


def test_an_unknown_benchmark_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "discovered", doubles)
    with pytest.raises(SystemExit, match="2"):
        runner.main(["nothing"])
