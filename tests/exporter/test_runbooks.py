"""The runbooks as pages: what stands in them is text, every link leads somewhere, a phone can read them."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from exporter.page import runbooks
from exporter.page.markdown import render
from exporter.page.wall import POLICY
from tests.doubles.bots import OwnBot
from tests.exporter.api.office import Office
from tests.stack.processes import ROOT

GRAFANA = "http://localhost:3000"
COMMITTED = runbooks.read()
VOID = {"meta", "link"}


class Outline(HTMLParser):
    """The tags that are open at each moment, and everything that is text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href" and tag == "a"]
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", COMMITTED)
def test_each_runbook_is_a_page_with_its_sections_and_links_that_lead_somewhere(name: str) -> None:
    outline = Outline(runbooks.page(name, COMMITTED, GRAFANA))
    assert outline.open == []
    assert outline.tags & {"script", "style", "img", "iframe", "form"} == set()
    for section in ("Meaning", "Impact", "Diagnosis", "Mitigation"):
        assert section in outline.text
    assert "**" not in outline.text.replace("**/", "")
    assert "](" not in outline.text
    for link in outline.links:
        if link.startswith("/runbooks/"):
            assert link.removeprefix("/runbooks/") in COMMITTED
        else:
            assert link in {"/", "/runbooks"} or re.match(rf"{GRAFANA}/d/tradebot-|https?://", link), link


def test_the_runbooks_of_the_checkout_are_found() -> None:
    assert COMMITTED.keys() == {path.stem for path in (ROOT / "prometheus" / "runbooks").glob("*.md")}


def test_the_folder_of_an_installed_program_comes_first_and_none_at_all_is_no_fault(tmp_path: Path) -> None:
    installed, checkout = tmp_path / "installed", tmp_path / "checkout"
    for folder, text in ((installed, "# New"), (checkout, "# Old")):
        folder.mkdir()
        (folder / "TradebotX.md").write_text(text)
    (installed / "odd name.md").write_text("x")
    (installed / "README.txt").write_text("x")
    assert runbooks.read([installed, checkout]) == {"TradebotX": "# New"}
    assert runbooks.read([tmp_path / "nowhere", checkout]) == {"TradebotX": "# Old"}
    (checkout / "TradebotX.md").write_bytes(b"\xff\xfe")
    assert runbooks.read([checkout]) == {}


def test_lists_paragraphs_and_code_come_out_as_they_were_meant() -> None:
    html = render(
        "# A\n\n## B ##\nOne line\nand one more.\n\n1. First, in\n   two lines:\n\n"
        '       up{bot="arb"} < 1\n       up > 0\n\n2. Second\n* bullet\n* other\n\n'
        "```\nraw *text*\n\n  kept\n```\nend"
    )
    assert html.splitlines() == [
        "<h1>A</h1>",
        "<h2>B</h2>",
        "<p>One line",
        "and one more.</p>",
        "<ol>",
        "<li><p>First, in",
        "two lines:</p>",
        "<pre><code>up{bot=&quot;arb&quot;} &lt; 1",
        "up &gt; 0</code></pre></li>",
        "<li>Second</li>",
        "</ol>",
        "<ul>",
        "<li>bullet</li>",
        "<li>other</li>",
        "</ul>",
        "<pre><code>raw *text*",
        "",
        "  kept</code></pre>",
        "<p>end</p>",
    ]


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "`<script>alert(1)</script>`",
        "**<b onclick=x>**",
        "[x](javascript:alert(1))",
        '[x](https://e.test/"onmouseover=alert(1))',
        "[<img src=x onerror=alert(1)>](https://e.test/)",
        "# <svg onload=alert(1)>",
        "* <style>*{}</style>",
        "    <script>",
        "```\n<script>\n```",
        "```\n<script>",
        "[x](//e.test)",
        "[x](data:text/html,y)",
        "**[x](javascript:alert(1))**",
        "`" * 50 + "[" * 50,
        "1. " * 60,
    ],
)
def test_text_stays_text_whatever_it_says(evil: str) -> None:
    outline = Outline(runbooks.page("X", {"X": evil}, GRAFANA))
    assert outline.tags & {"script", "style", "img", "svg", "b"} == set()
    assert all(link.startswith(("/", "https://e.test/", GRAFANA)) for link in outline.links)
    assert not any(link.startswith("//") for link in outline.links)


def test_names_of_alerts_and_pages_are_links_and_what_is_unknown_is_none() -> None:
    texts = {
        "TradebotA": "",
        "TradebotB": "TradebotA, `TradebotA`, [it](TradebotA.md), TradebotC, **Live**, **Not**",
    }
    links = Outline(runbooks.page("TradebotB", texts, GRAFANA)).links
    assert links[2:] == ["/runbooks/TradebotA"] * 3 + [f"{GRAFANA}/d/tradebot-live"]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path, {"arb": OwnBot()})
    async with made.client:
        yield made


async def test_a_link_on_a_phone_opens_without_a_login(office: Office) -> None:
    answer = await office.client.get("/runbooks/TradebotKillNotVerified")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"] == POLICY
    assert "width=device-width" in answer.text
    assert "<h2>Meaning</h2>" in answer.text


@pytest.mark.parametrize("name", ["TradebotNothing", "x", "%3Cscript%3E", "a%00b", "x" * 5000])
async def test_a_runbook_that_is_not_there_leads_to_those_that_are(office: Office, name: str) -> None:
    answer = await office.client.get(f"/runbooks/{name}")
    assert answer.status_code == 404
    assert '<a href="/runbooks/TradebotKillNotVerified">' in answer.text
    assert "<script" not in answer.text


@pytest.mark.parametrize("path", ["/runbooks/../exporter.yml", "/runbooks/%2e%2e/alerts", "/runbooks/a%2fb"])
async def test_no_path_leads_to_another_file(office: Office, path: str) -> None:
    assert (await office.client.get(path)).status_code == 404


async def test_all_runbooks_are_listed(office: Office) -> None:
    answer = await office.client.get("/runbooks")
    assert re.findall(r'href="/runbooks/(\w+)"', answer.text) == ["TradebotKillNotVerified"]
