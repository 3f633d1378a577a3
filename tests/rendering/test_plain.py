"""Plain text and Markdown: every fact, and nothing that acts."""

from __future__ import annotations

import dataclasses
import re

import pytest

from tests.rendering.fixture import explanation
from tests.rendering.test_html import HOSTILE, hostile
from tracer.explanation.model import Edit, Note
from tracer.rendering import to_json, to_markdown, to_text
from tracer.rendering.diff import DiffLine, diff
from tracer.rendering.markdown import code_block, code_span, escape
from tracer.rendering.text import parts_to_text, printable
from tracer.rendering.worked import worked

FACTS = (
    "dhidden[hidden <= 0] = 0",
    "total += dscores[i, k] * W2[a, k]",
    "dscores @ W2.T",
    "Line 28 changes W2 before line 29 uses it.",
    "stale operand",
    "292 more terms: −1791",
)


@pytest.mark.parametrize("write", [to_text, to_markdown])
@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_is_in_the_document(write, fact: str) -> None:  # type: ignore[no-untyped-def]
    assert fact in " ".join(write(explanation()).split())


def test_the_text_starts_with_the_table_of_backward_lines() -> None:
    lines = to_text(explanation()).split("\n")
    assert (
        lines[0]
        == "two_<layer>_net.py: 10 backward lines: 6 proved, 1 checked, 1 wrong, 1 not known, 1 on the way"
    )
    assert re.fullmatch(r" +26  dW2 = np.dot\(hidden.T, dscores\) +✓ proved +∂loss/∂W2", lines[5])


def test_an_answer_has_code_formula_derivation_and_verdict() -> None:
    part = next(part for line in explanation().lines for part in line.parts if line.line == 26)
    text = parts_to_text(explanation(), [part])
    for said in (
        "line 26: dW2 = np.dot(hidden.T, dscores)",
        "∂L/∂W₂ = Hᵀ∂L/∂S",
        "1. ∂L/∂H[i,a]",
        "chain rule:",
        "✓ Proved",
    ):
        assert said in text


def test_control_characters_never_reach_the_terminal() -> None:
    evil = dataclasses.replace(explanation(), notices=(Note(1, 0, "\x1b[2J\x07\u202e"),))
    assert not set("\x1b\x07\u202e") & set(to_text(evil))
    assert printable("a\tb\nc") == "a\tb\nc"


def test_hostile_text_stays_text_in_markdown() -> None:
    outside = re.sub(
        r"(?m)^(`{3,}).*?^\1$|(`+)[^`]*\2|\$\$.*?\$\$|\$[^$]*\$", "", to_markdown(hostile()), flags=re.DOTALL
    )
    assert "<svg" not in outside
    assert "<script" not in outside


def test_markdown_code_cannot_be_closed_from_inside() -> None:
    assert code_span("a `` b") == "```a `` b```"
    assert code_span("`") == "`` ` ``"
    assert code_block("```\nx").startswith("````python\n")
    assert escape("*a* [b](c) <i>") == r"\*a\* \[b\]\(c\) &lt;i>"


def test_every_table_row_has_four_cells() -> None:
    rows = [line for line in to_markdown(explanation()).split("\n") if line.startswith("|")]
    assert len(rows) > 15
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


def test_json_is_the_model(tmp_path) -> None:  # type: ignore[no-untyped-def]
    assert to_json(explanation()).startswith('{\n "schema": 1,')


def test_hostile_text_does_not_break_the_plain_formats() -> None:
    assert HOSTILE in to_text(hostile())


def test_a_correction_keeps_what_it_does_not_change() -> None:
    changes = diff(
        explanation(), (Edit(28, 29, "    dhidden = np.dot(dscores, W2.T)\n    W2 += -rate * dW2"),)
    )
    assert [(change.sign, change.number) for change in changes] == [("+", None), (" ", 28), ("-", 29)]
    kept = [change.text for change in changes if change.sign != "+"]
    assert kept == ["    W2 += -rate * dW2", "    dhidden = np.dot(dscores, W2.T)"]


def test_a_line_may_be_taken_away() -> None:
    assert diff(explanation(), (Edit(30, 30, ""),)) == (DiffLine("-", 30, "    dhidden[hidden <= 0] = 0"),)


def test_shown_terms_and_the_rest_add_up_to_the_entry() -> None:
    part = next(part for line in explanation().lines for part in line.parts if line.line == 26)
    found = worked(part)
    assert found is not None
    assert len(found.products) + found.more == 300
    assert found.text.endswith("+ (292 more terms: −1791) = 0.5")


def test_negative_factors_are_bracketed() -> None:
    part = next(part for line in explanation().lines for part in line.parts if line.line == 29)
    found = worked(part)
    assert found is not None
    assert found.text == "dhidden[0, 3] = 0.1 × (−0.89) + (−0.14) × (−0.29) + 0.14 × 0.88 = 0.06"
