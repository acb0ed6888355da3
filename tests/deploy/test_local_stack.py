"""What a run without Docker starts, with which files, on which ports."""

import shutil
import socket
import subprocess
from dataclasses import astuple, replace
from pathlib import Path

import pytest
import yaml

from deploy.local_stack import ROOT, LocalStack, LocalStackError, Ports
from deploy.programs import LEDGER_PLUGIN, LEDGER_PLUGIN_VERSION, Programs, find_programs
from exporter.config import load

ALL = Programs(
    prometheus=Path("/bin/prometheus"), alertmanager=Path("/bin/alertmanager"), grafana=Path("/grafana")
)
NONE = Programs(prometheus=None, alertmanager=None, grafana=None)
PORTS = Ports(bot=19120, exporter=19121, prometheus=19090, alertmanager=19093, grafana=13000)


def stack(data: Path, programs: Programs = ALL) -> LocalStack:
    return LocalStack(programs, PORTS, data)


def test_ports_are_the_variables_that_compose_takes() -> None:
    environ = {"EXPORTER_PORT": "1", "GRAFANA_PORT": "2", "PROMETHEUS_PORT": "3", "ALERTMANAGER_PORT": ""}
    assert astuple(Ports.from_environ(environ)) == (9120, 1, 3, 9093, 2)


@pytest.mark.parametrize("value", ["0", "65536", "-1", "http", "9e3", "²"])
def test_what_is_no_port_is_refused_in_one_sentence(value: str) -> None:
    with pytest.raises(LocalStackError, match=r"^GRAFANA_PORT=.* is no port"):
        Ports.from_environ({"GRAFANA_PORT": value})


def test_a_taken_port_is_named_with_its_program_and_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = Ports(bot=port, exporter=0, prometheus=0, alertmanager=0, grafana=0)
        with pytest.raises(
            LocalStackError, match=rf"^port {port} for the bot is taken: .*ARB_CONTROL_SOCKET_PORT="
        ):
            LocalStack(NONE, ports, Path("unused")).check_ports()


def test_a_port_of_a_program_that_is_not_installed_is_not_asked_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        LocalStack(
            NONE, Ports(bot=0, exporter=0, prometheus=port, alertmanager=port, grafana=port), Path()
        ).check_ports()


def test_the_exporters_settings_are_composes_with_everything_on_loopback_and_under_the_data_folder(
    tmp_path: Path,
) -> None:
    stack(tmp_path).write_files()
    config, compose = load(tmp_path / "exporter.yml"), load(ROOT / "exporter.yml")
    assert (config.listen.host, config.listen.port) == ("127.0.0.1", 19121)
    assert [bot.name for bot in config.bots] == [bot.name for bot in compose.bots]
    (bot,) = config.bots
    assert (bot.host, bot.port) == ("127.0.0.1", 19120)
    for path in (*bot.stores.values(), bot.kill_file, config.reporting_db):
        assert path is not None
        assert tmp_path in path.parents


def test_prometheus_is_told_loopback_targets_and_keeps_every_rule(tmp_path: Path) -> None:
    stack(tmp_path).write_files()
    configuration = tmp_path / "prometheus" / "configuration"
    targets = {file.stem: file.read_text() for file in (configuration / "targets").iterdir()}
    assert set(targets) == {file.stem for file in (ROOT / "prometheus" / "targets").iterdir()}
    assert '"127.0.0.1:19121"' in targets["exporter"]
    assert [p.name for p in sorted((configuration / "rules").iterdir())] == [
        p.name for p in sorted((ROOT / "prometheus" / "rules").iterdir())
    ]
    if shutil.which("promtool"):
        subprocess.run(["promtool", "check", "config", configuration / "prometheus.yml"], check=True)


def test_a_second_start_replaces_the_files_and_keeps_the_data(tmp_path: Path) -> None:
    stack(tmp_path).write_files()
    password = (tmp_path / "secrets" / "grafana_admin_password").read_text()
    (tmp_path / "prometheus" / "series").mkdir()
    (tmp_path / "prometheus" / "configuration" / "rules" / "gone.yml").write_text("")
    stack(tmp_path).write_files()
    assert (tmp_path / "secrets" / "grafana_admin_password").read_text() == password
    assert (tmp_path / "prometheus" / "series").is_dir()
    assert not (tmp_path / "prometheus" / "configuration" / "rules" / "gone.yml").exists()


def test_every_program_that_is_installed_listens_on_loopback_and_no_other_starts(tmp_path: Path) -> None:
    commands = {command.name: command for command in stack(tmp_path).commands()}
    assert list(commands) == ["bot", "exporter", "prometheus", "alertmanager", "grafana"]
    assert "--web.listen-address=127.0.0.1:19090" in commands["prometheus"].arguments
    assert "--web.listen-address=127.0.0.1:19093" in commands["alertmanager"].arguments
    assert commands["grafana"].environ["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    assert [command.name for command in stack(tmp_path, NONE).commands()] == ["bot", "exporter"]


def test_grafana_gets_composes_settings_with_nothing_left_to_fill_in(tmp_path: Path) -> None:
    grafana = next(command for command in stack(tmp_path).commands() if command.name == "grafana")
    assert grafana.environ["GF_USERS_HOME_PAGE"] == "/d/tradebot-live/live"
    assert grafana.environ["GF_SERVER_ROOT_URL"] == "http://localhost:13000"
    assert not [value for value in grafana.environ.values() if "${" in str(value).replace("$__file{", "")]
    assert all(isinstance(value, str) for value in grafana.environ.values())


def test_addresses_name_only_what_runs(tmp_path: Path) -> None:
    assert stack(tmp_path, NONE).addresses == {
        "EXPORTER_URL": "http://127.0.0.1:19121",
        "EXPORTER_PUBLIC_URL": "http://localhost:19121",
    }
    assert stack(tmp_path).addresses["PUBLIC_URL"] == "http://localhost:13000"


def test_each_missing_program_has_a_sentence_and_an_installed_one_none() -> None:
    assert [sentence.split()[0] for sentence in NONE.missing()] == ["Prometheus", "Alertmanager", "Grafana"]
    assert ALL.missing() == []


def test_programs_are_found_on_the_path_under_debians_names_too_and_grafana_by_its_home(
    tmp_path: Path,
) -> None:
    for name in ("prometheus", "prometheus-alertmanager"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    for name in ("bin/grafana", "conf/defaults.ini"):
        (tmp_path / "home" / name).parent.mkdir(parents=True)
        (tmp_path / "home" / name).write_text("")
    found = find_programs({"PATH": str(tmp_path), "GRAFANA_HOME": str(tmp_path / "home")})
    assert (found.prometheus, found.alertmanager) == (
        tmp_path / "prometheus",
        tmp_path / "prometheus-alertmanager",
    )
    assert found.grafana == tmp_path / "home"


def grafana_with_plugin(folder: Path) -> Path:
    """A home of Grafana that has the plugin."""
    plugin = folder / "plugins" / LEDGER_PLUGIN
    plugin.mkdir(parents=True)
    (plugin / "plugin.json").write_text("{}")
    return folder


def grafanas_settings(stack: LocalStack) -> dict[str, str]:
    (found,) = [command for command in stack.commands() if command.name == "grafana"]
    return dict(found.environ)


def test_grafana_reads_the_reporting_database_that_the_exporter_writes(tmp_path: Path) -> None:
    local = stack(tmp_path)
    local.write_files()
    assert grafanas_settings(local)["REPORTING_DB"] == str(load(tmp_path / "exporter.yml").reporting_db)


def test_grafana_reads_its_token_for_the_exporter_from_the_file_and_is_given_it_nowhere_else(
    tmp_path: Path,
) -> None:
    local = stack(tmp_path)
    local.write_files()
    token = tmp_path / "secrets" / "grafana_token"
    assert load(tmp_path / "exporter.yml").tokens.grafana == token
    settings = grafanas_settings(local)
    assert settings["ADMIN_URL"] == "http://127.0.0.1:19121"
    sources = Path(settings["GF_PATHS_PROVISIONING"]) / "datasources" / "tradebot.yml"
    assert f"httpHeaderValue1: $__file{{{token}}}" in sources.read_text()
    assert token.read_text() not in sources.read_text()
    assert token.read_text() not in " ".join(settings.values())


def test_a_plugin_folder_that_has_what_the_pages_need_is_used(tmp_path: Path) -> None:
    home = grafana_with_plugin(tmp_path / "grafana-home")
    local = stack(tmp_path / "data", replace(ALL, grafana=home))
    assert grafanas_settings(local)["GF_PATHS_PLUGINS"] == str(home / "plugins")
    assert local.missing() == []


def test_without_the_plugin_one_sentence_says_what_is_blind_and_how_to_install_it(tmp_path: Path) -> None:
    local = stack(tmp_path)
    own = tmp_path / "grafana" / "plugins"
    assert grafanas_settings(local)["GF_PATHS_PLUGINS"] == str(own)
    (sentence,) = local.missing()
    assert "BLIND" in sentence
    assert sentence.endswith(f"--pluginsDir {own} plugins install {LEDGER_PLUGIN} {LEDGER_PLUGIN_VERSION}")
    assert stack(tmp_path, NONE).missing() == NONE.missing(), "without Grafana nobody asks for its plugin"


def test_a_plugin_that_was_installed_as_the_sentence_says_is_found(tmp_path: Path) -> None:
    grafana_with_plugin(tmp_path / "grafana")
    assert stack(tmp_path).missing() == []


def test_a_run_without_docker_never_asks_the_network_for_a_plugin(tmp_path: Path) -> None:
    settings = grafanas_settings(stack(tmp_path))
    assert "GF_PLUGINS_PREINSTALL_SYNC" not in settings
    assert settings["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"


def test_compose_installs_the_same_version_before_grafana_starts() -> None:
    grafana = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]
    wanted = f"{LEDGER_PLUGIN}@{LEDGER_PLUGIN_VERSION}"
    assert grafana["environment"]["GF_PLUGINS_PREINSTALL_SYNC"] == wanted
    assert "GF_PLUGINS_PREINSTALL_DISABLED" not in grafana["environment"], "it would turn that off, too"
    assert "exporter-data:/var/lib/tradebot:ro" in grafana["volumes"]
    assert grafana["environment"]["REPORTING_DB"] == str(load(ROOT / "exporter.yml").reporting_db)


def test_alertmanager_is_told_what_the_environment_and_the_secret_files_say(tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "slack_url").write_text("https://hooks.slack.example/x")
    local = LocalStack(ALL, PORTS, tmp_path / "data", {"DEAD_MAN_URL": "https://alive.example/1"}, given)
    local.write_files()
    (alertmanager,) = [command for command in local.commands() if command.name == "alertmanager"]
    (named,) = [
        part.partition("=")[2] for part in alertmanager.arguments if part.startswith("--config.file=")
    ]
    receivers = {each["name"]: each for each in yaml.safe_load(Path(named).read_text())["receivers"]}
    assert set(receivers["page"]) == {"name", "webhook_configs", "slack_configs"}
    exporter, switch = receivers["watchdog"]["webhook_configs"]
    assert (exporter["url"], switch["url"]) == (
        "http://127.0.0.1:19121/api/alerts",
        "https://alive.example/1",
    )
    addresses = (Path(named).parent / "templates" / "addresses.tmpl").read_text()
    assert "}}http://localhost:13000{{" in addresses
    assert "}}http://localhost:19121{{" in addresses
    assert (
        local.receivers / "receivers.txt"
    ).read_text() == "Alerts are told to Slack.\nThe dead-man's switch is on.\n"


def test_the_addresses_that_people_open_can_be_others_than_localhost(tmp_path: Path) -> None:
    public = {"PUBLIC_URL": "https://wall.example", "EXPORTER_PUBLIC_URL": "https://desk.example"}
    local = LocalStack(ALL, PORTS, tmp_path, public)
    assert public.items() <= local.addresses.items()
    settings = grafanas_settings(local)
    assert settings["GF_SERVER_ROOT_URL"] == "https://wall.example"
    assert settings["GF_SERVER_DOMAIN"] == "wall.example"
