"""The page in a browser: from disk, offline, with and without JavaScript, wide and narrow, light and dark."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.rendering.fixture import explanation
from tracer.explanation.summary import rows
from tracer.rendering.html import to_html

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

BACKWARD = sorted({row.line.line for row in rows(explanation()) if row.group == "backward"})


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "two layer 网络.html"
    path.write_text(to_html(explanation()), encoding="utf-8")
    return path


@contextmanager
def opened(
    browser: Any, report: Path, hash_: str = "", width: int = 1440, height: int = 900, **options: Any
) -> Iterator[Any]:
    """A tab with the report; whatever it complains about or asks the network for fails the test."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    tab = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(report.as_uri() + hash_)
    yield tab
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    context.close()


def shown(tab: Any) -> list[int]:
    return tab.evaluate(
        "[...document.querySelectorAll('.card')].filter(c => c.firstElementChild.checkVisibility()).map(c => +c.dataset.line)"
    )  # type: ignore[no-any-return]


def test_the_table_comes_first_and_every_backward_line_leads_to_its_explanation(
    browser: Any, report: Path
) -> None:
    with opened(browser, report) as tab:
        assert tab.evaluate("document.querySelector('main').firstElementChild.id") == "lines"
        assert shown(tab) == []
        for line in BACKWARD:
            tab.click(f"#lines a[href='#L{line}'] >> nth=0")
            assert shown(tab) == [line]
            assert tab.evaluate("document.activeElement.id") == f"L{line}"
            tab.click("#all")
            assert tab.is_visible("#lines")


def test_without_javascript_everything_is_readable_and_links_jump(browser: Any, report: Path) -> None:
    with opened(browser, report, java_script_enabled=False) as tab:
        for line in BACKWARD:
            assert tab.is_visible(f"#L{line}")
        tab.click("#lines a[href='#L31']")
        assert tab.locator("#L31").bounding_box()["y"] < 100
        assert not tab.is_visible("#theme")
        assert tab.is_visible(".graph svg")


@pytest.mark.parametrize("hash_", ["", "#L26", "#L29", "#L30"])
@pytest.mark.parametrize("width,height", [(1440, 900), (1024, 768), (768, 1024), (390, 844), (320, 640)])
@pytest.mark.parametrize("script", [True, False])
def test_nothing_sticks_out_sideways(
    browser: Any, report: Path, hash_: str, width: int, height: int, script: bool
) -> None:
    with opened(browser, report, hash_, width, height, java_script_enabled=script) as tab:
        box = tab.locator("html").bounding_box()
        assert box["width"] <= width
        if script:
            assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_keys_lead_through_the_lines(browser: Any, report: Path) -> None:
    with opened(browser, report, "#L26") as tab:
        tab.keyboard.press("j")
        assert shown(tab) == [27]
        tab.keyboard.press("k")
        tab.keyboard.press("k")
        assert shown(tab) == [25]
        tab.keyboard.press("o")
        assert shown(tab) == []
        tab.go_back()
        assert shown(tab) == [25]


def test_the_search_finds_a_line_by_its_code_and_by_its_formula(browser: Any, report: Path) -> None:
    for asked, line in (("np.dot(X.T", 31), ("∂loss/∂b2", 27)):
        with opened(browser, report) as tab:
            tab.keyboard.press("/")
            tab.keyboard.type(asked)
            assert tab.locator("#hits li").count() == 1
            tab.keyboard.press("Enter")
            assert shown(tab) == [line]


def test_the_graph_leads_to_lines(browser: Any, report: Path) -> None:
    with opened(browser, report) as tab:
        tab.click(".node[data-s=hidden]")
        assert shown(tab) == [15]


def test_formulas_are_drawn_with_the_font_of_the_page(browser: Any, report: Path) -> None:
    with opened(browser, report, "#L26") as tab:
        assert tab.evaluate("document.fonts.ready.then(() => document.fonts.check('16px \"Report Math\"'))")
        size = tab.locator("#L26 math").first.bounding_box()
        assert size["height"] > 40


def test_the_latex_of_a_formula_is_copied(browser: Any, report: Path) -> None:
    with opened(browser, report, "#L26", permissions=["clipboard-read", "clipboard-write"]) as tab:
        tab.click("#L26 .copy")
        tab.wait_for_selector("#L26 .copy:text('Copied')")


def test_the_reader_can_choose_light_or_dark(browser: Any, report: Path) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, report, color_scheme="dark") as tab:
        dark = tab.evaluate(colour)
        tab.click("#theme")
        assert tab.evaluate(colour) != dark


CONTRAST = """() => {
  const parse = c => { const n = c.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, k) => sum + v * [.2126, .7152, .0722][k], 0);
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = walker.nextNode();) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest('script, svg, .vh, annotation') || !element.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) poor.push([node.data.trim().slice(0, 30), element.className, (a + .05) / (b + .05)]);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("hash_", ["", "#L26", "#L29"])
def test_text_stands_out_from_what_is_behind_it(browser: Any, report: Path, scheme: str, hash_: str) -> None:
    with opened(browser, report, hash_, color_scheme=scheme) as tab:
        assert tab.evaluate(CONTRAST) == []


def test_a_printed_page_has_every_explanation(browser: Any, report: Path) -> None:
    with opened(browser, report, "#L26") as tab:
        tab.emulate_media(media="print")
        assert shown(tab) == [line.line for line in explanation().lines]


@pytest.mark.parametrize("width", [760, 1440])
@pytest.mark.parametrize("hash_", ["", "#L26"])
def test_on_paper_nothing_covers_anything(browser: Any, report: Path, width: int, hash_: str) -> None:
    with opened(browser, report, hash_, width) as tab:
        tab.emulate_media(media="print")
        boxes = [tab.locator(pane).bounding_box() for pane in (".overview", ".code", ".explain", ".graph")]
        assert all(box["height"] > 100 for box in boxes)
        for above, below in itertools.pairwise(boxes):
            assert above["y"] + above["height"] <= below["y"] + 0.5


def test_landmarks_headings_and_names_are_there_for_a_screen_reader(browser: Any, report: Path) -> None:
    with opened(browser, report, "#L26") as tab:
        assert (
            tab.locator("main").count()
            == tab.locator("h1").count()
            == tab.locator("nav[aria-labelledby]").count()
            == 1
        )
        levels = tab.evaluate(
            "[...document.querySelectorAll('h1,h2,h3,h4')].filter(h => h.checkVisibility()).map(h => +h.tagName[1])"
        )
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        unnamed = "[...document.querySelectorAll('a, button, input')].filter(e => !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).length"
        assert tab.evaluate(unnamed) == 0


def test_an_injected_script_does_not_run(browser: Any, report: Path, tmp_path: Path) -> None:
    """The negative control of the policy: text that got into the page unescaped would still be dead."""
    broken = tmp_path / "broken.html"
    broken.write_text(
        report.read_text("utf-8").replace("</main>", "</main><script>window.ran = 1</script>"),
        encoding="utf-8",
    )
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(broken.as_uri())
    assert tab.evaluate("window.ran") is None
    context.close()
