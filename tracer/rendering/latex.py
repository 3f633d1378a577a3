"""An explanation as a LaTeX document, or as a fragment to be put into one.

In comes an `Explanation`, out goes LaTeX that pdflatex and xelatex both compile.  Lines of code and their
formulas refer to each other by hyperlinks.  Invariant: no text of the user's program can start a command.
"""

from __future__ import annotations

from collections.abc import Iterable

from tracer.explanation.model import Explanation, Formula, Part
from tracer.explanation.stages import Stage, told_once
from tracer.explanation.summary import TOLD, Row, findings, is_plain_number, own_parts, rows, statement
from tracer.explanation.words.report import (
    VERDICTS,
    evidence_sentences,
    in_words,
    number,
    places,
    reference,
    row_title,
    shape_text,
    sizes_text,
    summary,
    title,
    verdict_sentence,
)
from tracer.rendering import tex
from tracer.rendering.diff import diff, source_lines
from tracer.rendering.templates import latex_environment
from tracer.rendering.worked import worked

FRAGMENT_HEAD = r"""% Put this into a document with \usepackage{amsmath,amssymb}.
\providecommand{\tracerformula}[1]{\[#1\]}
\providecommand{\tracerwide}[1]{\[#1\]}
% Chinese, Japanese and Korean need XeTeX, LuaTeX or the package CJKutf8.
\providecommand{\tracercjk}[1]{\ifdefined\XeTeXversion#1\else\ifdefined\directlua#1\else
  \ifdefined\CJKfamily#1\else\textit{[CJK]}\fi\fi\fi}
\providecommand{\tracerkorean}[1]{\tracercjk{#1}}
\providecommand{\tracerchinese}[1]{\tracercjk{#1}}
\providecommand{\tracertraditional}[1]{\tracercjk{#1}}
"""


def to_latex(explanation: Explanation, fragment: bool = False) -> str:
    """The document as text; with ``fragment`` only the explanations of the lines, without a preamble."""
    table = rows(explanation)
    if fragment:
        return parts_to_latex(explanation, [row.part for row in table if row.group in TOLD])
    cards = [line for line in explanation.lines if not is_plain_number(line)]
    carded = {line.line for line in cards}
    told = told_once(part for line in cards for part in own_parts(line))
    return (
        latex_environment()
        .get_template("report.tex")
        .render(
            name=tex.escape(explanation.program.path, breakable=True),
            summary=tex.escape(summary(explanation)),
            groups=_groups(table),
            losses=[
                (tex.escape(loss.name), loss.line, loss.inferred, _value(loss.value), display(loss.formula))
                for loss in explanation.losses
            ],
            findings=[(tex.escape(places(found)), tex.escape(found.says)) for found in findings(explanation)],
            notices=[(note.line, tex.escape(note.what)) for note in explanation.notices],
            code=[(k, tex.code(text), k in carded) for k, text in enumerate(source_lines(explanation), 1)],
            lines=[
                (line.line, [_part(explanation, part, told.get(id(part), ())) for part in own_parts(line)])
                for line in cards
            ],
        )
    )


def parts_to_latex(explanation: Explanation, parts: Iterable[Part]) -> str:
    """Some parts as a fragment, which needs amsmath and amssymb and nothing else."""
    shown = list(parts)
    told = told_once(shown)
    blocks = [
        rf"\paragraph{{Line {part.span[0]}: \texttt{{{tex.escape(statement(explanation, part), breakable=True)}}}}}"
        + "\n"
        + _part(explanation, part, told.get(id(part), ()), linked=False)
        for part in shown
    ]
    return FRAGMENT_HEAD + "\n".join(blocks)


def _groups(table: tuple[Row, ...]) -> list[tuple[str, list[tuple[int, str, str, str]]]]:
    names = {"backward": "Backward pass", "update": "Updates", "forward": "Forward pass", "set-up": "Set-up"}
    found = []
    for group, name in names.items():
        members = [_row(row) for row in table if row.group == group]
        if members:
            found.append((name, members))
    return found


def _row(row: Row) -> tuple[int, str, str, str]:
    part = row.part
    matrix = part.formula.matrix if part.formula else None
    if part.diagnosis and part.diagnosis.should_be:
        cell = rf"\textit{{should be}} {_cell(part.diagnosis.should_be)}"
    elif matrix and part.verdict != "wrong":
        cell = _cell(matrix)
    else:
        cell = tex.escape(row_title(row))
    verdict = VERDICTS[part.verdict][1] if part.verdict else ""
    return row.line.line, tex.code(row.code.strip()), cell, verdict


def _cell(formula: Formula) -> str:
    """A formula in the table; what it calls t₁ is explained under it."""
    main, *explained = formula.latex.split(r" \text{ where } ")
    cells = [rf"\tracercell{{{tex.formula(main)}}}"]
    for clause in (clause for text in explained for clause in text.split(r" \text{, } ")):
        word = "where" if len(cells) == 1 else "and"
        cells.append(rf"{word} \tracercell{{{tex.formula(clause)}}}")
    return r"\par ".join(cells)


def _part(explanation: Explanation, part: Part, told: tuple[Stage, ...], linked: bool = True) -> str:
    lines = [rf"\textbf{{{tex.escape(title(part))}.}}", tex.escape(in_words(part))]
    matrix = part.formula.matrix if part.formula else None
    if part.diagnosis:
        lines += _diagnosis(explanation, part)
    if matrix and not (part.diagnosis and part.diagnosis.should_be):
        lines.append(display(matrix))
    if part.formula and part.formula.index:
        lines += ["Entry by entry:" if matrix else "", display(part.formula.index)]
    facts = []
    if shape := shape_text(part):
        sizes = sizes_text(part)
        facts.append(tex.escape(f"Shape: {shape}" + (f" = {sizes}" if sizes != shape else "") + "."))
    if part.numpy:
        facts.append(rf"As NumPy: \texttt{{{tex.escape(part.numpy, breakable=True)}}}.")
    lines.append(" ".join(facts))
    for stage in told:
        lines += _stage(stage, part, linked)
    if entry := worked(part):
        lines.append(r"\par In numbers: " + tex.escape(entry.text))
    if sentence := verdict_sentence(part):
        lines.append(r"\par " + tex.escape(" ".join((sentence, *evidence_sentences(part)))))
    if part.remark:
        lines.append(r"\par Remark: " + tex.escape(part.remark))
    return "\n".join(line for line in lines if line.strip()) + "\n\n"


def _stage(stage: Stage, part: Part, linked: bool) -> list[str]:
    if stage.as_in is not None:
        text = tex.escape(reference(stage, part))
        return [rf"\par\hyperlink{{line.{stage.as_in}}}{{{text}}}.\par" if linked else rf"\par {text}.\par"]
    lines = [r"\begin{enumerate}", rf"\setcounter{{enumi}}{{{stage.first - 1}}}"]
    for step in stage.steps:
        rule = step.rule[:1].upper() + step.rule[1:]
        lines.append(rf"\item \textit{{{tex.escape(rule)}.}} {tex.escape(step.why)}")
        lines.append(display(Formula(step.latex, step.text, "")))
    return [*lines, r"\end{enumerate}"]


def _diagnosis(explanation: Explanation, part: Part) -> list[str]:
    found = part.diagnosis
    assert found is not None
    lines = [
        rf"\par\textit{{{tex.escape(found.kind[:1].upper() + found.kind[1:])}.}} {tex.escape(found.says)}"
    ]
    if found.should_be:
        lines += ["It should be", display(found.should_be)]
    changes = diff(explanation, found.edits)
    if changes:
        lines.append(r"\par The correction:\par{\small\raggedright")
        for change in changes:
            sign = {"-": r"$-$", "+": "$+$"}.get(change.sign, "")
            place = "" if change.number is None else str(change.number)
            lines.append(
                rf"\noindent\makebox[1.6em][r]{{{place}}}\makebox[1.4em]{{{sign}}}\texttt{{{tex.code(change.text)}}}\par"
            )
        lines.append("}")
    elif found.fix:
        lines.append(rf"\par The corrected line: \texttt{{{tex.escape(found.fix, breakable=True)}}}")
    return lines


def display(formula: Formula | None) -> str:
    if formula is None or not formula.latex:
        return ""
    macro = "tracerformula" if tex.breakable(formula.latex) else "tracerwide"
    return rf"\{macro}{{{tex.formula(formula.latex)}}}"


def _value(value: float | None) -> str:
    return "" if value is None else tex.escape(number(value))
