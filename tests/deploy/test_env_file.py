"""Lines of a `.env`, read as Compose reads them."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.env_file import read_variables

TEXT = """\
# a comment, and a line that is none of ours
SLACK_CHANNEL=#bots
  TELEGRAM_CHAT_ID = -100123   # a group
SMTP_FROM="Bots of mine <bots@example.com>"
SMTP_TO='ann@example.com, bob@example.com' # both
export SMTP_USER=a#b
DEAD_MAN_URL=https://alive.example/ping?a=b&c=d
NOTIFY_WEBHOOK_URL=
"""
EXPECTED = {
    "SLACK_CHANNEL": "#bots",
    "TELEGRAM_CHAT_ID": "-100123",
    "SMTP_FROM": "Bots of mine <bots@example.com>",
    "SMTP_TO": "ann@example.com, bob@example.com",
    "SMTP_USER": "a#b",
    "DEAD_MAN_URL": "https://alive.example/ping?a=b&c=d",
    "NOTIFY_WEBHOOK_URL": "",
}


def test_values_quotes_and_comments_are_told_apart() -> None:
    assert read_variables(TEXT) == EXPECTED


def test_the_marks_of_other_editors_are_no_part_of_a_name_or_a_value() -> None:
    assert read_variables("\ufeffA=b\r\nC='d'\r\n") == {"A": "b", "C": "d"}


def test_what_is_no_assignment_is_passed_over() -> None:
    assert read_variables("nothing\n= x\n1A=b\n\n") == {}


@pytest.mark.skipif(shutil.which("docker") is None, reason="the docker client is not installed")
def test_compose_reads_the_same(tmp_path: Path) -> None:
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("the docker client has no compose plugin")
    (tmp_path / ".env").write_text(TEXT)
    lines = [f"      {name}: ${{{name}}}" for name in EXPECTED]
    (tmp_path / "docker-compose.yml").write_text(
        "\n".join(["services:", "  one:", "    image: x", "    environment:", *lines])
    )
    command = ["docker", "compose", "config", "--format", "json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["services"]["one"]["environment"] == EXPECTED
