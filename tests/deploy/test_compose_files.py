"""The Compose files as Compose reads them, with no engine; tests/stack/test_compose.py runs them in one."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.receiver_kinds import DEFAULTS
from deploy.receivers import PUBLIC

ROOT = Path(__file__).parents[2]
FILES = {"demo": ("docker-compose.yml",), "own bot": ("docker-compose.yml", "deploy/own-bot.yml")}


def variables(text: str) -> dict[str, str]:
    """Every variable that a Compose file takes from outside, with its default."""
    return dict(re.findall(r"(?<!\$)\$\{([A-Z_]+):-((?:[^{}]|\$\{[^}]*\})*)\}", text))


def config(files: tuple[str, ...], **environ: str) -> dict[str, Any]:
    """What Compose makes of the files with just these variables set."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("the docker client has no compose plugin")
    named = [part for file in files for part in ("--file", file)]
    command = ["docker", "compose", *named, "--env-file", os.devnull, "config", "--format", "json"]
    least = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(command, cwd=ROOT, env=least | environ, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return json.loads(done.stdout)


def published(parsed: dict[str, Any]) -> dict[str, set[str]]:
    """The addresses on which each service is published."""
    return {
        name: {port["host_ip"] for port in service["ports"]}
        for name, service in parsed["services"].items()
        if service.get("ports")
    }


def test_every_variable_is_explained_in_the_example_with_its_default_and_no_other_is() -> None:
    used: dict[str, str] = {}
    for file in FILES["own bot"]:
        text = (ROOT / file).read_text()
        used |= variables(text) | {
            k: v for inner in variables(text).values() for k, v in variables(inner).items()
        }
    explained = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert explained.pop("COMPOSE_FILE") == ":".join(FILES["own bot"])
    usual = {"PUBLIC_URL": "http://localhost:3000", "EXPORTER_PUBLIC_URL": "http://localhost:9121"}
    assert explained == used | usual


@pytest.mark.skipif(shutil.which("docker") is None, reason="the docker client is not installed")
class TestAsComposeReadsThem:
    @pytest.mark.parametrize("files", FILES.values(), ids=FILES)
    def test_nothing_has_to_be_set(self, files: tuple[str, ...]) -> None:
        assert config(files)["name"] == "tradebot"

    def test_without_settings_everything_is_on_loopback(self) -> None:
        ports = published(config(FILES["demo"]))
        assert set(ports) == {"exporter", "prometheus", "alertmanager", "grafana"}
        assert set.union(*ports.values()) == {"127.0.0.1"}

    def test_only_grafana_and_the_exporter_follow_the_bind_address(self) -> None:
        ports = published(config(FILES["demo"], BIND_ADDRESS="192.0.2.1"))
        assert [name for name, addresses in sorted(ports.items()) if addresses == {"192.0.2.1"}] == [
            "exporter",
            "grafana",
        ]
        assert ports["prometheus"] == ports["alertmanager"] == {"127.0.0.1"}

    def test_for_an_own_bot_prometheus_and_alertmanager_listen_on_loopback_whatever_is_bound(self) -> None:
        services = config(FILES["own bot"], BIND_ADDRESS="192.0.2.1")["services"]
        for name in ("prometheus", "alertmanager"):
            (listen,) = (
                part for part in services[name]["command"] if part.startswith("--web.listen-address")
            )
            assert "=127.0.0.1:" in listen
        assert services["grafana"]["environment"]["GF_SERVER_HTTP_ADDR"] == "192.0.2.1"
        assert "192.0.2.1:9121" in services["exporter"]["command"]
        assert "arb-bot" not in services

    def test_the_public_address_follows_grafanas_port_unless_it_is_set(self) -> None:
        def root_url(**environ: str) -> str:
            return config(FILES["demo"], **environ)["services"]["grafana"]["environment"][
                "GF_SERVER_ROOT_URL"
            ]

        assert root_url(GRAFANA_PORT="3300") == "http://localhost:3300"
        assert root_url(GRAFANA_PORT="3300", PUBLIC_URL="https://wall.example") == "https://wall.example"

    def test_no_secret_stands_in_the_files(self) -> None:
        for files in FILES.values():
            for service in config(files)["services"].values():
                for name, value in (service.get("environment") or {}).items():
                    assert not re.search("PASSWORD|TOKEN|SECRET", name) or name.endswith("__FILE"), value

    def test_every_service_has_limits_a_bounded_log_and_a_restart_policy(self) -> None:
        for name, service in config(FILES["demo"])["services"].items():
            assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}, name
            assert service["logging"]["options"] == {"max-file": "3", "max-size": "10m"}, name
            once = name in {"first-start", "receivers", "welcome"}
            assert service["restart"] == ("no" if once else "unless-stopped"), name

    def test_every_variable_of_the_receivers_reaches_what_writes_them(self) -> None:
        for files in FILES.values():
            services = config(files, SLACK_CHANNEL="#bots")["services"]
            given = services["receivers"]["environment"]
            assert given["SLACK_CHANNEL"] == "#bots"
            source = (ROOT / "deploy" / "receiver_kinds.py").read_text()
            assert set(given) == set(re.findall(r'"([A-Z]+_[A-Z_]+)"', source)) | set(PUBLIC)
            assert {name: given[name] for name in DEFAULTS} == DEFAULTS

    def test_the_exporter_knows_the_address_of_its_own_page_and_alertmanager_knows_the_exporters(
        self,
    ) -> None:
        services = config(FILES["own bot"], EXPORTER_PORT="9333")["services"]
        assert services["exporter"]["environment"]["EXPORTER_PUBLIC_URL"] == "http://localhost:9333"
        assert "--exporter=http://127.0.0.1:9333" in services["receivers"]["command"]
        assert "--exporter=http://exporter:9121" in config(FILES["demo"])["services"]["receivers"]["command"]
        assert "--config.file=/run/alertmanager/alertmanager.yml" in services["alertmanager"]["command"]
