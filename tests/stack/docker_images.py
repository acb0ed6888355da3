"""Stand-ins for the images that the stack names, with Debian's programs, for machines that cannot pull any.

They carry the names and tags that Dockerfile and docker-compose.yml use, and keep to what those rely on:
paths, users, entry points. Python, Prometheus and Alertmanager are Debian's. Grafana is the real one where it
is installed, otherwise `grafana_stand_in.py`, which is no Grafana; a label on the image says which.
"""

import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.programs import LEDGER_PLUGIN, grafana_home, plugin_folder
from tests.stack.docker_engine import Engine, NoEngineError

ROOT = Path(__file__).parents[2]
BASE = "tradebot-stand-in:bookworm"
GRAFANA_LABEL = "tradebot.grafana"
PACKAGES = "bash,busybox,ca-certificates,prometheus,prometheus-alertmanager,python3,python3-pip,python3-venv"

PYTHON = f"""
FROM {BASE}
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY pip.conf /etc/pip.conf
RUN ln -s /usr/bin/python3 /usr/local/bin/python && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
"""
PROMETHEUS = f"""
FROM {BASE}
RUN install -d -o 65534 -g 65534 /prometheus /etc/prometheus
USER 65534:65534
WORKDIR /prometheus
VOLUME /prometheus
ENTRYPOINT ["/bin/prometheus"]
"""
ALERTMANAGER = f"""
FROM {BASE}
RUN install -d -o 65534 -g 65534 /alertmanager /etc/alertmanager \\
 && ln -s prometheus-alertmanager /usr/bin/alertmanager
USER 65534:65534
WORKDIR /alertmanager
VOLUME /alertmanager
ENTRYPOINT ["/bin/alertmanager"]
"""
GRAFANA = f"""
FROM {BASE}
RUN install -d -o 472 -g 0 /etc/grafana /var/lib/grafana /var/log/grafana && ln -s busybox /usr/bin/wget
{{program}}
COPY run.sh /run.sh
USER 472:0
VOLUME /var/lib/grafana
ENTRYPOINT ["/run.sh"]
"""
REAL_GRAFANA_RUN = """#!/bin/bash
for name in ${!GF_@}; do
    case $name in *__FILE) export "${name%__FILE}=$(cat "${!name}")"; unset "$name" ;; esac
done
paths=cfg:default.paths
exec /usr/share/grafana/bin/grafana server --homepath=/usr/share/grafana cfg:default.log.mode=console \\
    $paths.data=/var/lib/grafana $paths.logs=/var/log/grafana \\
    $paths.plugins=/var/lib/grafana/plugins $paths.provisioning=/etc/grafana/provisioning \\
    cfg:default.plugins.allow_loading_unsigned_plugins=frser-sqlite-datasource
"""
STAND_IN_RUN = "#!/bin/sh\nexec python3 /grafana_stand_in.py\n"


def image_names() -> dict[str, str]:
    """The images that the stack is built on, as its files name them, by repository."""
    text = (ROOT / "Dockerfile").read_text() + (ROOT / "docker-compose.yml").read_text()
    names = re.findall(r"^(?:FROM|\s+image:) (python:\S+|prom/\S+|grafana/\S+)", text, re.MULTILINE)
    return {name.partition(":")[0]: name for name in names}


def make_stand_ins(engine: Engine) -> None:
    """Make every image that the stack is built on. Raises NoEngineError where Debian cannot be had."""
    if not engine.has_image(BASE):
        _import_base(engine)
    names = image_names()
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        shutil.copy(os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().openssl_cafile, context)
        next(context.iterdir()).rename(context / "ca-certificates.crt")
        (context / "pip.conf").write_text(_pip_configuration())
        _build(engine, names["python"], PYTHON, context)
        _build(engine, names["prom/prometheus"], PROMETHEUS, context)
        _build(engine, names["prom/alertmanager"], ALERTMANAGER, context)
        _build(engine, names["grafana/grafana"], *_grafana(context))


def _grafana(context: Path) -> tuple[str, Path]:
    """The Dockerfile and the build context of Grafana's image: the real program where it is installed."""
    home = grafana_home(os.environ)
    if home is None:
        shutil.copy(Path(__file__).with_name("grafana_stand_in.py"), context)
        (context / "run.sh").write_text(STAND_IN_RUN)
        program = f"LABEL {GRAFANA_LABEL}=stand-in\nCOPY grafana_stand_in.py /grafana_stand_in.py"
    else:
        # Somebody's own settings stay out: the stack has to bring all that it needs.
        own_settings = shutil.ignore_patterns("custom.ini")
        for part in ("bin", "conf", "public"):
            shutil.copytree(home / part, context / "grafana" / part, ignore=own_settings)
        (context / "run.sh").write_text(REAL_GRAFANA_RUN)
        program = f"LABEL {GRAFANA_LABEL}=real\nCOPY grafana /usr/share/grafana"
        if plugins := plugin_folder(home):
            # No network here: the version that Compose names is there already, signed or not.
            shutil.copytree(plugins / LEDGER_PLUGIN, context / "plugins" / LEDGER_PLUGIN)
            program += "\nCOPY --chown=472:0 plugins /var/lib/grafana/plugins"
    (context / "run.sh").chmod(0o755)
    return GRAFANA.format(program=program), context


def _build(engine: Engine, name: str, dockerfile: str, context: Path) -> None:
    engine.docker("build", "--tag", name, "--file", "-", str(context), input=dockerfile)


def _import_base(engine: Engine) -> None:
    """A small Debian with the packages that all stand-ins share, imported as one image."""
    with tempfile.TemporaryDirectory(prefix="tradebot-debian-") as folder:
        options = ["--variant=minbase", f"--include={PACKAGES}"]
        made = subprocess.run(
            ["debootstrap", *options, "bookworm", folder, _debian_mirror()],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise NoEngineError(f"debootstrap: {(made.stdout + made.stderr).strip().splitlines()[-1]}")
        command = [
            "tar",
            "--directory",
            folder,
            "--exclude=./var/cache/apt",
            "--exclude=./var/lib/apt",
            "-c",
            ".",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as archive:
            engine.docker("import", "-", BASE, stdin=archive.stdout)


def _debian_mirror() -> str:
    """Where this machine gets Debian's packages from; no address stands in the project."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    for line in listed:
        uri, _, codename = line.partition(" ")
        if codename == "bookworm":
            return uri
    raise NoEngineError("this machine's apt knows no Debian bookworm")


def _pip_configuration() -> str:
    """How this machine's pip reaches its registry, for pip in the build containers."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    found = dict(re.findall(r"^(?:global|:env:)\.([\w-]+)='(.*)'$", listed, re.MULTILINE))
    found["cert"] = "/etc/ssl/certs/ca-certificates.crt"
    found.pop("find-links", None)
    return "\n".join(
        ["[global]", *(f"{key.removeprefix('default-')} = {value}" for key, value in found.items()), ""]
    )
