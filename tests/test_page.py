"""The page: whole in itself, the result's numbers, fit for a browser, a phone, paper and keys."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser

import pytest
from made_results import arm, comparison, constraint, curve
from test_deck import folders, lines_of

import simulator
from simulator.errors import DataError
from simulator.report.page import html, make
from simulator.report.page.svg import chart, said, ticks
from simulator.report.saved import read
from simulator.report.story import tell
from simulator.report.story.spec import Bars, Fall, Lines

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VOID = {"meta", "link", "img", "path", "rect", "circle", "br"}


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    return tell(read(folders(tmp_path_factory.mktemp("results"))))


@pytest.fixture(scope="module")
def page(story):
    return html(story)


class Tree(HTMLParser):
    """Tags that open and close, texts, and what is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.fetched += [v for k, v in attrs if k in ("src", "href", "srcset", "action") and v]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)


def test_it_needs_nothing_else(page):
    tree = Tree()
    tree.feed(page)
    assert not tree.open
    assert all(v.startswith(("data:", "#")) for v in tree.fetched)
    assert "@import" not in page
    assert "url(" not in page
    assert "default-src 'none'" in page


def test_it_says_what_the_slides_say(page, story):
    tree = Tree()
    tree.feed(page)
    told = " ".join(tree.texts)
    for slide in story.slides:
        assert slide.title.text in told
        assert slide.source.text in told
        for line in lines_of(slide):
            if line is not slide.alt and not isinstance(slide.show, Bars | Fall):
                assert line.text in told


def test_every_mark_has_its_number(story):
    for slide in story.slides:
        show = slide.show
        if isinstance(show, Lines):
            drawn = chart(show, "x")
            points = sum(d is not None and d.known for s in show.series for d in s.values)
            assert drawn.count("<circle") == drawn.count("<title>") == points
        if isinstance(show, Fall):
            assert chart(show, "x").count("<title>") == len(show.steps)


def test_bars_are_as_long_as_their_numbers(story):
    show = next(s.show for s in story.slides if isinstance(s.show, Bars))
    widths = [
        float(w) for w in re.findall(r'<rect [^>]*width="([\d.]+)" height="28"', chart(show, "x"))
    ]
    values = [abs(s.values[k].value) for k in range(len(show.names)) for s in show.series
              if s.values[k] is not None]  # fmt: skip
    assert widths == pytest.approx([widths[0] * v / values[0] for v in values], abs=0.2)


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (-3.0, 17.0), (2.0, 2.0), (0.0, 1e7), (-1e-4, 0)]
)
def test_ticks_hold_the_ends(low, high):
    marks = ticks(low, high)
    assert marks[0] <= low
    assert marks[-1] >= high
    assert 2 <= len(marks) <= 12


def test_words_on_axes():
    assert said(0.123, "share") == "12.3%"
    assert said(2.5e6, "money") == "2.5 M".replace(" ", "\u00a0")
    assert said(-1.5, "ratio") == "−1.50"


def test_names_of_strangers_are_text(tmp_path):
    evil = "<script>alert(1)</script>"
    arms = [arm(), arm(evil, "push", mean=5e5), arm('" onload="x', "fix", mean=8e5)]
    told = html(tell(read(folders(tmp_path, arms=arms))))
    assert evil not in told
    assert 'onload="x"' not in told
    assert "&lt;script&gt;alert(1)" in told


def test_the_file(tmp_path):
    results = folders(tmp_path / "r")
    made = make(results, tmp_path / "page.html")
    first = made.path.read_bytes()
    assert made.to_json()["sections"]
    make(results, tmp_path / "page.html")
    assert made.path.read_bytes() == first
    with pytest.raises(DataError, match=r"ends in \.html"):
        make(results, tmp_path / "page.txt")


@pytest.mark.parametrize("result", [comparison(), curve(), constraint()])
def test_a_result_shows_itself(result):
    shown = result._repr_html_()
    assert "<svg" in shown
    assert "<script" not in shown
    assert shown == simulator.as_html(result)


def test_a_result_without_charts_shows_its_sentences():
    class Plain:
        kind = "fit"
        sentences = ("a < b",)

        def to_json(self):
            return {}

    assert simulator.as_html(Plain()) == '<div class="growthsim"><p>a &lt; b</p></div>'


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, where it is installed."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next((p for name in BROWSERS if (p := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser is installed here: {', '.join(BROWSERS)}")
    with sync_api.sync_playwright() as driver:
        try:
            started = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except sync_api.Error as error:
            pytest.skip(f"{found} does not start here: {str(error).splitlines()[0]}")
        yield started
        started.close()


@pytest.fixture
def shown(browser, page, tmp_path):
    """Open the page at a width; what the console said, and what was asked of a network."""
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")

    def open_(width: int):
        tab = browser.new_page(viewport={"width": width, "height": 800})
        said: list[str] = []
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on(
            "request",
            lambda r: said.append(r.url) if not r.url.startswith(("file:", "data:")) else None,
        )
        tab.goto(path.as_uri())
        return tab, said

    return open_


@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_shows_it(shown, width):
    tab, complaints = shown(width)
    assert complaints == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.locator("svg.chart").first.bounding_box()["height"] > 100
    assert not tab.evaluate(
        "[...document.querySelectorAll('h1,h2,p,svg,table,img')].filter(e => !e.closest('details'))"
        ".filter(e => e.getBoundingClientRect().width === 0).length"
    )
    assert tab.evaluate(
        "[...document.images].every(i => i.complete && i.naturalWidth > 0 && i.alt)"
    )
    assert tab.evaluate(
        "[...document.querySelectorAll('svg.chart')].every(s => s.getAttribute('aria-label'))"
    )
    tab.close()


def test_keys_reach_everything_and_sort_tables(shown, story):
    tab, complaints = shown(1280)
    everything = "[...document.querySelectorAll('a,button,summary,[tabindex]')]"
    tab.evaluate(f"{everything}.forEach(e => e.onfocus = () => e.dataset.seen = 1)")
    for _ in range(tab.evaluate(f"{everything}.length")):
        tab.keyboard.press("Tab")
    assert tab.evaluate(f"{everything}.filter(e => !e.dataset.seen).length") == 0
    head = tab.locator("#queues th button").nth(0)
    head.focus()
    column = "[...document.querySelectorAll('#queues tbody tr')].map(r => r.cells[0].textContent)"
    tab.keyboard.press("Enter")
    names = tab.evaluate(column)
    assert names == sorted(names)
    tab.keyboard.press("Enter")
    assert tab.evaluate(column) == names[::-1]
    assert tab.locator("#queues th").nth(0).get_attribute("aria-sort") == "descending"
    assert complaints == []
    tab.close()


def test_it_prints_on_two_to_four_pages(shown):
    tab, _ = shown(1280)
    printed = tab.pdf(prefer_css_page_size=True)
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) <= 4
    tab.close()
