"""LaTeX: compiled with both engines, read back as text, and unable to run what a program's text says."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import need
from tests.rendering.fixture import explanation
from tests.rendering.test_html import hostile
from tracer.explanation.model import Explanation, Formula
from tracer.rendering import tex
from tracer.rendering.latex import parts_to_latex, to_latex

FRAME = "\\documentclass{article}\\usepackage{amsmath,amssymb}\\begin{document}\n%s\n\\end{document}\n"


def compiled(engine: str, source: str, folder: Path) -> tuple[str, str]:
    """The log and the text of the PDF; fails if LaTeX stops at anything."""
    (folder / "report.tex").write_text(source, encoding="utf-8")
    command = [engine, "-halt-on-error", "-interaction=nonstopmode", "-no-shell-escape", "report.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, timeout=120)
    log = (folder / "report.log").read_text("utf-8", "replace")
    assert run.returncode == 0, log[-3000:]
    text = subprocess.run(
        [need("pdftotext"), "-layout", "report.pdf", "-"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return log, text.stdout


def with_long_formulas() -> Explanation:
    """Sums that can be broken, products that can be broken between factors, and a fraction that cannot."""
    term = r"\frac{\partial L}{\partial S_{ik}}\,W_{ak}"
    longs = (
        "X = " + " + ".join([term] * 12),
        r"\sum_{k=1}^{K}" + term * 14,
        rf"\frac{{{' + '.join([term] * 9)}}}{{N}}",
        r"\left( " + " + ".join([term] * 9) + r" \right)",
    )
    found = explanation()
    part = next(part for line in found.lines for part in line.parts if part.derivation)
    assert part.derivation is not None
    steps = tuple(dataclasses.replace(part.derivation.steps[0], latex=latex) for latex in longs)
    part = dataclasses.replace(part, derivation=dataclasses.replace(part.derivation, steps=steps))
    assert part.formula is not None
    part = dataclasses.replace(
        part, formula=dataclasses.replace(part.formula, matrix=Formula(longs[0], "", ""))
    )
    lines = tuple(
        dataclasses.replace(line, parts=(part,)) if line.line == 26 else line for line in found.lines
    )
    return dataclasses.replace(found, lines=lines)


@pytest.mark.latex
@pytest.mark.parametrize("engine", ["pdflatex", "xelatex"])
def test_the_document_compiles_with_its_chinese_and_korean_comments(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    log, text = compiled(request.getfixturevalue(engine), to_latex(explanation()), tmp_path)
    assert "Overfull \\hbox" not in log
    for said in (
        "双层网络",
        "역전파",
        "<script>alert",
        "100% _x_ $y$",
        "stale operand".capitalize(),
        "Which line is which formula",
    ):
        assert said in text


@pytest.mark.latex
@pytest.mark.parametrize("engine", ["pdflatex", "xelatex"])
def test_long_formulas_stay_on_the_page(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    log, _ = compiled(request.getfixturevalue(engine), to_latex(with_long_formulas()), tmp_path)
    assert "Overfull \\hbox" not in log


@pytest.mark.latex
def test_hostile_text_compiles(pdflatex: str, tmp_path: Path) -> None:
    evil = dataclasses.replace(hostile(), lines=explanation().lines)
    evil = dataclasses.replace(
        evil, losses=(), notices=tuple(dataclasses.replace(n, what=ALL_ASCII) for n in evil.notices)
    )
    _, text = compiled(pdflatex, to_latex(evil), tmp_path)
    assert "\\end{document}" in text  # printed, not obeyed
    assert text.count("\\input") == len(evil.notices)


@pytest.mark.latex
def test_a_fragment_compiles_inside_another_document(pdflatex: str, tmp_path: Path) -> None:
    fragment = to_latex(explanation(), fragment=True)
    assert "\\documentclass" not in fragment
    assert "\\begin{document}" not in fragment
    _, text = compiled(pdflatex, FRAME % fragment, tmp_path)
    assert "Line 26" in text


@pytest.mark.latex
def test_the_compiler_would_notice_a_mistake(pdflatex: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        compiled(pdflatex, FRAME % "\\frac{a}{", tmp_path)


ALL_ASCII = "".join(map(chr, range(32, 127))) + " \\input{/etc/passwd} \\end{document} %"


def test_every_ascii_character_is_escaped() -> None:
    escaped = tex.escape(ALL_ASCII)
    commands = set(re.findall(r"\\([a-zA-Z]+)", escaped))
    assert commands == {
        "textbackslash", "textasciicircum", "textasciitilde", "textless", "textgreater", "textbar", "char",
        "textquotesingle", "textasciigrave",
    }  # fmt: skip
    assert re.sub(r"\\[{}]", "", escaped).count("{") == re.sub(r"\\[{}]", "", escaped).count("}")


@pytest.mark.parametrize(
    "text,latex",
    [
        ("é", r"{\'{e}}"),
        ("∂L", r"\ensuremath{\partial}L"),
        ("层", r"\tracerchinese{层}"),
        ("層", r"\tracertraditional{層}"),
        ("층", r"\tracerkorean{층}"),
        ("😀", r"{\scriptsize U+1F600}"),
        ("\x1b", r"{\scriptsize U+001B}"),
        ("a\nb", "a b"),
        ("--", "{-}{-}"),
    ],
)
def test_a_character_beyond_ascii_has_a_font_or_a_name(text: str, latex: str) -> None:
    assert tex.escape(text) == latex


def test_code_keeps_its_indentation() -> None:
    assert tex.code("    x").startswith(r"\hspace*{2em}")
    assert tex.code("\tx").startswith(r"\hspace*{2em}")
    assert not tex.code("x").startswith("\\")


def test_a_letter_of_the_program_in_a_formula_is_set_as_text() -> None:
    assert tex.formula("名_{1}") == r"\text{\tracerchinese{名}}_{1}"


@pytest.mark.parametrize(
    "latex,found",
    [
        ("a = b", True),
        (r"\frac{a = b}{c}", False),
        (r"\left( a + b \right)", False),
        (r"\begin{cases} a = b & c \end{cases}", False),
        (r"x \odot y", True),
    ],
)
def test_a_formula_is_broken_at_its_outer_operators_only(latex: str, found: bool) -> None:
    assert tex.breakable(latex) is found


def test_a_long_product_may_be_broken_before_a_factor_and_nowhere_inside_one() -> None:
    assert tex.formula(r"a\frac{\frac{b}{c}}{d}") == r"a\penalty900{}\frac{\frac{b}{c}}{d}"
    assert tex.formula(r"a^\frac{b}{c}") == r"a^\frac{b}{c}"


def test_code_and_formulas_link_to_each_other() -> None:
    document = to_latex(explanation())
    targets = set(re.findall(r"\\hypertarget\{([a-z]+\.\d+)\}", document)) | {
        f"code.{n}" for n in re.findall(r"\\tracercode\{(\d+)\}", document)
    }
    links = set(re.findall(r"\\hyperlink\{([a-z]+\.\d+)\}", document))
    assert {"line.26", "code.26"} <= links <= targets


def test_single_parts_are_a_fragment() -> None:
    part = explanation().lines[0].parts[0]
    assert parts_to_latex(explanation(), [part]).count(r"\paragraph") == 1
