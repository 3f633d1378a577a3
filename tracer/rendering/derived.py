"""The gradients of an expression as text, Markdown, LaTeX and JSON.

In come `Gradients`, out goes a document.  Invariant: as for a report, no text of the user can start a command,
close a fence, or change what a terminal shows.
"""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct

from tracer.explanation.model import Formula, Step
from tracer.explanation.stages import left_side, stages
from tracer.explanation.words.derivatives import given, shape_words, verdict_words
from tracer.explanation.words.report import VERDICTS
from tracer.expressions.model import Gradient, Gradients
from tracer.rendering import tex
from tracer.rendering.latex import FRAGMENT_HEAD, display
from tracer.rendering.markdown import code_block, code_span, escape, one_line
from tracer.rendering.templates import latex_environment
from tracer.rendering.text import formula_lines, indented, printable, wrapped


class _Told(Struct, frozen=True):
    """Steps from ``first`` on; ``as_for`` is the array with which they were told before."""

    first: int
    steps: tuple[Step, ...]
    as_for: str | None


def _told(gradients: Gradients) -> dict[str, list[_Told]]:
    """The stages of every derivation, each told once."""
    before: dict[tuple[Step, ...], str] = {}
    found: dict[str, list[_Told]] = {}
    for gradient in gradients:
        found[gradient.wrt] = [
            _Told(stage.first, stage.steps, before.get(stage.steps)) for stage in stages(gradient.derivation)
        ]
        for stage in stages(gradient.derivation):
            before.setdefault(stage.steps, gradient.wrt)
    return found


def _reference(told: _Told) -> str:
    last = told.first + len(told.steps) - 1
    return f"Steps {told.first}–{last}: as for {told.as_for}"


def to_text(gradients: Gradients) -> str:
    """Plain text for a terminal."""
    lines = _heading_lines(gradients)
    told = _told(gradients)
    for gradient in gradients:
        lines += ["", *_text_of(gradient, gradients.loss, told[gradient.wrt])]
    return "\n".join(lines) + "\n"


def _heading_lines(gradients: Gradients) -> list[str]:
    lines = [printable(gradients.expression)]
    if gradients.formula:
        lines += formula_lines(gradients.formula.text)
    shapes = [f"{name} is {shape_words(axes)}" for name, axes in gradients.shapes.items()]
    lines += wrapped("; ".join(shapes) + ".")
    lines += wrapped(given(gradients.name, gradients.upstream, gradients.loss, gradients.axes))
    return [*lines, *(line for notice in gradients.notices for line in wrapped(f"Note: {notice}"))]


def _text_of(gradient: Gradient, loss: str, told: list[_Told]) -> list[str]:
    mark = VERDICTS[gradient.verdict][0]
    lines = [f"∂{loss}/∂{gradient.wrt}, {shape_words(gradient.axes)}"]
    if gradient.matrix:
        lines += ["", "  Formula", *formula_lines(gradient.matrix.text)]
    if gradient.index and gradient.index != gradient.matrix:
        lines += formula_lines(gradient.index.text)
    if gradient.code:
        lines += ["", "  As NumPy", *indented(gradient.code)]
    if told:
        lines += ["", "  Derivation"]
    for stage in told:
        if stage.as_for is not None:
            lines += ["", f"    {_reference(stage)}"]
            continue
        if len(told) > 1:
            lines += ["", f"    {printable(left_side(stage.steps[0].text))}"]
        for count, step in enumerate(stage.steps, stage.first):
            lines += formula_lines(step.text, f"    {count:>2}. ")
            lines += wrapped(f"{step.rule}: {step.why}", "        ")
    lines += ["", *wrapped(f"{mark} {_sure(gradient)}", "    ", "  ")]
    return [*lines, *(wrapped(gradient.remark) if gradient.remark else [])]


def _sure(gradient: Gradient) -> str:
    return verdict_words(gradient.verdict, gradient.points, gradient.error)


def to_markdown(gradients: Gradients) -> str:
    """Markdown with LaTeX between dollar signs."""
    blocks = [f"# {code_span(gradients.expression)}"]
    if gradients.formula:
        blocks.append(_display(gradients.formula))
    shapes = [f"{code_span(name)} is {escape(shape_words(axes))}" for name, axes in gradients.shapes.items()]
    blocks += ["; ".join(shapes) + "."]
    blocks.append(escape(given(gradients.name, gradients.upstream, gradients.loss, gradients.axes)))
    blocks += [escape(f"Note: {notice}") for notice in gradients.notices]
    told = _told(gradients)
    for gradient in gradients:
        blocks += _markdown_of(gradient, gradients.loss, told[gradient.wrt])
    return "\n\n".join(blocks) + "\n"


def _markdown_of(gradient: Gradient, loss: str, told: list[_Told]) -> list[str]:
    blocks = [f"## {escape(f'∂{loss}/∂{gradient.wrt}')}, {escape(shape_words(gradient.axes))}"]
    if gradient.matrix:
        blocks.append(_display(gradient.matrix))
    if gradient.index and gradient.index != gradient.matrix:
        blocks += ["Entry by entry:", _display(gradient.index)]
    if gradient.code:
        blocks += ["As NumPy:", code_block(gradient.code)]
    if told:
        blocks.append("Where it comes from:")
    for stage in told:
        if stage.as_for is not None:
            blocks.append(f"*{escape(_reference(stage))}.*")
            continue
        for count, step in enumerate(stage.steps, stage.first):
            blocks.append(f"{count}. *{escape(step.rule)}*: {escape(step.why)}")
            blocks.append(f"   $${one_line(step.latex)}$$")
    blocks.append(escape(_sure(gradient)))
    return [*blocks, *([escape(gradient.remark)] if gradient.remark else [])]


def _display(formula: Formula) -> str:
    return f"$$\n{one_line(formula.latex)}\n$$"


def to_latex(gradients: Gradients, fragment: bool = False) -> str:
    """A LaTeX document, or its body without a preamble."""
    lines = [rf"\paragraph{{\texttt{{{tex.escape(gradients.expression, breakable=True)}}}}}"]
    lines.append(display(gradients.formula))
    shapes = [
        rf"\texttt{{{tex.escape(name)}}} is {tex.escape(shape_words(axes))}"
        for name, axes in gradients.shapes.items()
    ]
    lines += ["; ".join(shapes) + "."]
    lines.append(tex.escape(given(gradients.name, gradients.upstream, gradients.loss, gradients.axes)))
    lines += [r"\par Note: " + tex.escape(notice) for notice in gradients.notices]
    told = _told(gradients)
    for gradient in gradients:
        lines += _latex_of(gradient, gradients.loss, told[gradient.wrt])
    body = "\n".join(line for line in lines if line.strip())
    if fragment:
        return FRAGMENT_HEAD + body + "\n"
    return latex_environment().get_template("derivation.tex").render(body=body)


def _latex_of(gradient: Gradient, loss: str, told: list[_Told]) -> list[str]:
    title = tex.escape(f"∂{loss}/∂{gradient.wrt}, {shape_words(gradient.axes)}.")
    lines = ["", rf"\paragraph{{{title}}}", display(gradient.matrix)]
    if gradient.index and gradient.index != gradient.matrix:
        lines += ["Entry by entry:", display(gradient.index)]
    if gradient.code:
        lines.append(r"\par As NumPy:\par{\raggedright")
        lines += [
            rf"\noindent\hspace*{{1em}}\texttt{{{tex.code(line)}}}\par" for line in gradient.code.split("\n")
        ]
        lines.append("}")
    for stage in told:
        if stage.as_for is not None:
            lines.append(rf"\par {tex.escape(_reference(stage))}.\par")
            continue
        lines += [r"\begin{enumerate}", rf"\setcounter{{enumi}}{{{stage.first - 1}}}"]
        for step in stage.steps:
            rule = step.rule[:1].upper() + step.rule[1:]
            lines.append(rf"\item \textit{{{tex.escape(rule)}.}} {tex.escape(step.why)}")
            lines.append(display(Formula(step.latex, step.text, "")))
        lines.append(r"\end{enumerate}")
    lines.append(r"\par " + tex.escape(_sure(gradient)))
    return [*lines, *([r"\par " + tex.escape(gradient.remark)] if gradient.remark else [])]


def to_data(gradients: Gradients) -> list[dict[str, Any]]:
    """What `to_json` writes, as plain data."""
    return [
        {
            "wrt": gradient.wrt,
            "upstream": gradient.upstream,
            "code": gradient.code,
            "result": gradient.result,
            "latex": gradient.matrix.latex if gradient.matrix else None,
            "text": gradient.matrix.text if gradient.matrix else None,
            "verdict": gradient.verdict,
            "derivation": [_step(step) for step in gradient.derivation.steps],
        }
        for gradient in gradients
    ]


def _step(step: Step) -> dict[str, str]:
    return {
        "rule": step.rule,
        "why": step.why,
        "left": step.left,
        "latex": step.latex,
        "text": step.text,
        "mathml": step.mathml,
        "code": step.code,
    }


def to_json(gradients: Gradients) -> str:
    """A list with one object for each array; ``tracer/expressions/README.md`` says what is in it."""
    return json.dumps(to_data(gradients), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
