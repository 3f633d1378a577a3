"""The page as text: everything is there, nothing of the program's text is markup, nothing is fetched."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser

import pytest

from tests.rendering.fixture import LINES, explanation
from tracer.explanation.model import Explanation, Formula, Graph, GraphNode, Line, Part, ProgramInfo
from tracer.explanation.summary import rows
from tracer.rendering.html import to_html

VOID = {"meta", "input", "path", "rect", "mspace", "br"}


class Page(HTMLParser):
    """A page taken apart; fails on tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.code: list[str] = []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)
        if tag == "li" and "nav" in self.stack:
            self.code.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "nav" in self.stack and "code" in self.stack:
            self.code[-1] += data

    def with_tag(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(to_html(explanation()))


def test_the_first_table_links_every_backward_line_to_its_explanation(page: Page) -> None:
    links = {a.get("href") for a in page.with_tag("a")}
    targets = {section.get("id") for section in page.with_tag("section")}
    for row in rows(explanation()):
        assert f"#L{row.line.line}" in links
        assert f"L{row.line.line}" in targets


def test_no_link_leads_nowhere(page: Page) -> None:
    identities = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(identities) == len(set(identities))
    for a in page.with_tag("a"):
        href = a["href"]
        assert href is not None
        assert href.startswith("#")
        assert href[1:] in identities


def test_the_code_is_the_program_character_for_character(page: Page) -> None:
    assert page.code[: len(LINES)] == LINES


def test_text_of_the_program_is_never_markup(page: Page) -> None:
    assert len(page.with_tag("script")) == 1
    assert page.with_tag("img") == []
    assert page.with_tag("b") != []  # our own
    assert '<script>alert("이름")</script>' in page.text
    assert not [
        attributes for _, attributes in page.tags if any(name.startswith("on") for name in attributes)
    ]


HOSTILE = '"><svg onload=alert(1)></style></script><!--&amp;'


def hostile() -> Explanation:
    """The same hostile text wherever a text can stand; formulas have no MathML, so that theirs is escaped too."""
    formula = Formula(HOSTILE, HOSTILE, "")
    found = explanation()
    part = found.lines[10].parts[0]
    part = dataclasses.replace(
        part, source=HOSTILE, target=HOSTILE, wrt=HOSTILE, of=HOSTILE, scale=HOSTILE, names=(HOSTILE,)
    )
    part = dataclasses.replace(
        part, remark=HOSTILE, contribution=HOSTILE, numpy=HOSTILE, axes=(HOSTILE,), optimiser=HOSTILE
    )
    part = dataclasses.replace(
        part, formula=dataclasses.replace(part.formula, matrix=formula, index=formula, loops=HOSTILE)
    )  # type: ignore[type-var]
    diagnosis = next(p.diagnosis for line in found.lines for p in line.parts if p.diagnosis)
    part = dataclasses.replace(
        part,
        diagnosis=dataclasses.replace(diagnosis, kind=HOSTILE, says=HOSTILE, fix=HOSTILE, should_be=formula),
    )
    return dataclasses.replace(
        found,
        program=ProgramInfo(HOSTILE, True, HOSTILE),
        notices=tuple(dataclasses.replace(note, what=HOSTILE) for note in found.notices),
        losses=tuple(dataclasses.replace(loss, name=HOSTILE, formula=formula) for loss in found.losses),
        lines=(Line(1, 1, HOSTILE, (part, dataclasses.replace(part, whole=False))),),
        graph=Graph((GraphNode(0, 1, HOSTILE, (2,)),), ()),
    )


def test_hostile_text_stays_text_in_every_field() -> None:
    page = Page(to_html(hostile()))
    assert page.text.count(HOSTILE) > 15
    assert len(page.with_tag("script")) == len(page.with_tag("style")) == 1
    assert all("onload" not in attributes for _, attributes in page.tags)


def test_the_policy_names_exactly_the_style_and_the_script_of_the_page() -> None:
    text = to_html(explanation())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;")
    for tag in ("style", "script"):
        body = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert body is not None
        digest = base64.b64encode(hashlib.sha256(body[1].encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{digest}&#39;" in policy[1]


def test_nothing_is_fetched(page: Page) -> None:
    for tag, attributes in page.tags:
        assert not {"src", "srcset", "data", "poster", "action"} & set(attributes), tag
        assert (attributes.get("href") or "#").startswith("#")
    style = re.search(r"<style>(.*?)</style>", to_html(explanation()), re.DOTALL)
    assert style is not None
    assert "@import" not in style[1]
    assert all(url.startswith("data:") for url in re.findall(r"url\(([^)]+)", style[1]))


def test_no_element_has_a_style_of_its_own_which_the_policy_would_forbid(page: Page) -> None:
    assert [tag for tag, attributes in page.tags if "style" in attributes] == []


def test_a_report_of_this_size_stays_small() -> None:
    assert len(to_html(explanation()).encode()) < 400_000


def test_the_same_explanation_gives_the_same_page() -> None:
    assert to_html(explanation()) == to_html(explanation())


def test_every_fact_of_a_gradient_is_on_the_page(page: Page) -> None:
    text = " ".join(page.text.split())
    for fact in (
        "∂loss/∂W2",
        "shape N × K = 300 × 3",
        "for k in range(K):",
        "292 more products: −1791",
        "Finite difference: 0.06",
        "The Kronecker delta keeps one term of the sum: put j = i.",
        "Equal at 3 random points",
        "This relies on: rows of T sum to 1.",
        "Line 28 changes W2 before line 29 uses it.",
        "At exactly 0 the derivative of max is taken to be 0.",
        "matplotlib is missing and was replaced by a stub.",
        "= 1.099 in the explained iteration",
        "by gradient descent",
        "Not recognised",
    ):
        assert fact in text


def test_the_correction_is_a_diff(page: Page) -> None:
    assert len(page.with_tag("ins")) == len(page.with_tag("del")) == 1


def test_without_backward_lines_the_page_says_so() -> None:
    forward = tuple(line for line in explanation().lines if line.line < 21)
    text = to_html(dataclasses.replace(explanation(), lines=forward))
    assert "only the forward pass is explained" in text


def test_an_empty_explanation_is_still_a_page() -> None:
    empty = Explanation(ProgramInfo("x.py", False), (), (), (), Graph((), ()))
    assert "Nothing was recorded" in Page(to_html(empty)).text


def test_a_python_2_program_is_announced() -> None:
    old = dataclasses.replace(explanation(), program=ProgramInfo("old.py", True, "print 'x'"))
    assert "Python 2" in to_html(old)


def test_a_part_with_nothing_but_its_place_is_shown() -> None:
    bare = Part((1, 0, 1, 5), "x = 1", "x", True, "other")
    found = dataclasses.replace(explanation(), lines=(Line(1, 1, "x = 1", (bare,)),))
    assert "Not part of the network" in Page(to_html(found)).text
