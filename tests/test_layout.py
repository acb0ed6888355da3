"""What the project promises about its own shape: who imports whom, sizes, programs, locks."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("arb_bot", "benchmarks", "botkit", "deploy", "exporter", "grafana", "tests")
# Of the project, each package may import these beside itself. Tests and benchmarks may import everything.
ALLOWED = {
    "botkit": set(),
    "arb_bot": {"botkit"},
    "exporter": {"botkit.messages"},
    "grafana": set(),
    "deploy": set(),
}
STANDARD_LIBRARY_ONLY = (
    "arb_bot",
    "botkit",
    "deploy/first_start.py",
    "deploy/welcome.py",
    "deploy/keep_running.py",
    "deploy/receivers.py",
    "deploy/receiver_kinds.py",
    "deploy/receiver_texts.py",
)
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
# Pages of panels and tables of test cases are looked things up in, not read through: they may be longer.
LINES = {"grafana": 500, "tests": 600}
LINES_OF_A_MODULE = 350


def modules(place: str) -> Iterator[Path]:
    """Every Python file of a folder, or the one file."""
    path = ROOT / place
    yield from [path] if path.suffix else sorted(path.rglob("*.py"))


def imports(module: Path) -> Iterator[str]:
    """The full names that a module imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import hides where it leads"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def committed() -> list[Path]:
    """The files of this checkout as git sees them."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def within(name: str, allowed: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in allowed)


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_of_the_project_only_what_it_may(package: str) -> None:
    foreign = {
        f"{module.relative_to(ROOT)}: {name}"
        for module in modules(package)
        for name in imports(module)
        if name.split(".")[0] in PACKAGES and not within(name, ALLOWED[package] | {package})
    }
    assert foreign == set()


@pytest.mark.parametrize("place", STANDARD_LIBRARY_ONLY)
def test_what_runs_without_an_environment_needs_only_the_standard_library(place: str) -> None:
    own = {place.split("/", maxsplit=1)[0], *(name.split(".")[0] for name in ALLOWED.get(place, ()))}
    needed = {name.split(".")[0] for module in modules(place) for name in imports(module)}
    assert needed - set(sys.stdlib_module_names) - own == set()


def test_the_walk_over_imports_sees_every_form(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("import a.b as c\nfrom d import e\n\ndef f():\n    from g.h import i\n    import j\n")
    assert sorted(imports(module)) == ["a.b", "d.e", "g.h.i", "j"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_by_hash_and_names_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|@ file:", text)
    requirements = [line for line in text.splitlines() if re.match(r"\S", line) and not line.startswith("#")]
    assert requirements
    assert all("==" in line and line.endswith("\\") for line in requirements)


def test_the_locks_hold_the_versions_that_the_project_file_pins() -> None:
    pinned = set(
        re.findall(r'^\s+"([a-z0-9-]+==[^"]+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    )
    locked = set(
        re.findall(r"^([a-z0-9-]+==\S+)", (ROOT / "requirements" / "dev.lock").read_text(), re.MULTILINE)
    )
    assert pinned
    assert pinned - locked == set()


def test_no_file_names_a_machines_own_folders_or_a_registry() -> None:
    traces = re.compile(
        rb"/(?:work|root|home/\w+)/|/opt/(?:grafana|wheels)|pypi\.org|pythonhosted|deb\.debian\.org"
    )
    found = {
        f"{file.relative_to(ROOT)}: {trace.decode()}"
        for file in committed()
        if file != Path(__file__)
        for trace in traces.findall(file.read_bytes())
    }
    assert found == set()


def test_every_module_fits_on_a_few_screens_and_says_its_job() -> None:
    long, silent = set(), set()
    for package in PACKAGES:
        for module in modules(package):
            text = module.read_text()
            if len(text.splitlines()) > LINES.get(package, LINES_OF_A_MODULE):
                long.add(str(module.relative_to(ROOT)))
            if text.strip() and ast.get_docstring(ast.parse(text)) is None:
                silent.add(str(module.relative_to(ROOT)))
    assert (long, silent) == (set(), set())


@pytest.mark.parametrize("program", ["arb_bot", "exporter", "benchmarks", "grafana", "deploy.first_start"])
def test_a_program_explains_itself(program: str) -> None:
    said = subprocess.run(
        [sys.executable, "-m", program, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("usage:")


def test_the_version_stands_the_same_everywhere() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    images = re.findall(r"image: tradebot/\S+:(\S+)", (ROOT / "docker-compose.yml").read_text())
    assert set(images) == {version[1]}
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_link_from_one_document_to_another_file_leads_somewhere() -> None:
    documents = [file for file in committed() if file.suffix == ".md"]
    links = {
        (document, target.partition("#")[0])
        for document in documents
        for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text())
        if not re.match(r"\w+:|#", target)
    }
    assert links
    assert [
        f"{doc.relative_to(ROOT)}: {to}" for doc, to in sorted(links) if not (doc.parent / to).exists()
    ] == []
