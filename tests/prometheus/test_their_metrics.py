"""The metrics of Prometheus and Alertmanager that rules stand on exist, with those labels, and begin at 0."""

import re
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.prometheus.promtool import PROMETHEUS
from tests.prometheus.their_metrics import NEWER_LABELS, STARTED, THEIRS
from tests.stack.processes import HOST, Program, free_port

Samples = dict[str, list[tuple[dict[str, str], float]]]


def answered(port: int) -> Samples:
    """What a program says at /metrics, by name; nothing while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=5) as response:
            text = response.read().decode()
    except OSError:
        return {}
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Samples]]:
    """Both programs of this machine with the committed rules, once Prometheus has found Alertmanager."""
    prometheus, alertmanager = shutil.which("prometheus"), shutil.which("prometheus-alertmanager")
    if prometheus is None or alertmanager is None:
        pytest.skip("prometheus and prometheus-alertmanager are not installed")
    folder = tmp_path_factory.mktemp("theirs")
    ports = {"prometheus": free_port(), "alertmanager": free_port()}
    shutil.copytree(PROMETHEUS, folder / "prometheus")
    (folder / "prometheus" / "targets" / "alertmanager.yml").write_text(
        f'- targets: ["{HOST}:{ports["alertmanager"]}"]\n'
    )
    commands = {
        "alertmanager": [
            alertmanager,
            f"--config.file={folder}/prometheus/alertmanager.yml",
            f"--storage.path={folder}/alertmanager",
            f"--web.listen-address={HOST}:{ports['alertmanager']}",
            "--cluster.listen-address=",
        ],
        "prometheus": [
            prometheus,
            f"--config.file={folder}/prometheus/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address={HOST}:{ports['prometheus']}",
        ],
    }
    started = {name: Program(command, folder / f"{name}.log") for name, command in commands.items()}
    try:
        errors = "prometheus_notifications_errors_total"
        started["alertmanager"].wait_for(lambda: answered(ports["alertmanager"]))
        started["prometheus"].wait_for(lambda: errors in answered(ports["prometheus"]))
        yield {name: answered(port) for name, port in ports.items()}
    finally:
        for program in started.values():
            program.stop()


@pytest.mark.parametrize("name", THEIRS)
def test_a_metric_of_theirs_exists_with_its_labels(name: str, programs: dict[str, Samples]) -> None:
    whose, labels = THEIRS[name]
    samples = programs[whose][name]
    newer = NEWER_LABELS.get(name, frozenset())
    assert all(labels <= has.keys() <= labels | newer | {"alertmanager"} for has, _ in samples)


@pytest.mark.parametrize("name", [name for name in THEIRS if name.endswith("_total")])
def test_a_counter_of_theirs_is_there_before_it_has_counted(name: str, programs: dict[str, Samples]) -> None:
    """A counter born at 1 has no increase, so a first failure would go unseen."""
    values = [value for _, value in programs[THEIRS[name][0]][name]]
    assert values
    assert name.startswith("prometheus_notifications") or set(values) == {0.0}


def test_every_group_of_rules_is_counted_by_file_and_name(programs: dict[str, Samples]) -> None:
    said = programs["prometheus"]["prometheus_rule_evaluation_failures_total"]
    found = {re.sub(r".*/", "", labels["rule_group"]) for labels, _ in said}
    assert found == {f"{path.name};{path.stem}" for path in Path(PROMETHEUS / "rules").glob("*.yml")}


def test_each_says_when_it_started(programs: dict[str, Samples]) -> None:
    assert all(STARTED in samples for samples in programs.values())
