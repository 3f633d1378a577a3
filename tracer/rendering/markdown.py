"""An explanation, or some parts of it, as Markdown with LaTeX between dollar signs.

In comes an `Explanation`, out goes GitHub's Markdown.  Invariant: text of the user's program stands in code
spans or code blocks only, whose fences it cannot close, or is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tracer.explanation.model import Explanation, Formula, Part
from tracer.explanation.stages import Stage, told_once
from tracer.explanation.summary import TOLD, findings, rows, statement
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
from tracer.rendering.diff import diff
from tracer.rendering.worked import worked


def to_markdown(explanation: Explanation) -> str:
    """The table of all lines, the losses, the notices, then every backward and update line in full."""
    table = rows(explanation)
    blocks = [f"# {escape(explanation.program.path)}", escape(summary(explanation)) + "."]
    lines = ["| line | code | formula | verdict |", "|--:|---|---|---|"]
    for row in table:
        part = row.part
        matrix = part.formula.matrix if part.formula else None
        if part.diagnosis and part.diagnosis.should_be:
            cell = f"should be {_inline(part.diagnosis.should_be)}"
        elif matrix and part.verdict != "wrong":
            cell = _inline(matrix)
        else:
            cell = escape(row_title(row))
        verdict = " ".join(VERDICTS[part.verdict]) if part.verdict else ""
        source = code_span(row.code).replace("|", "\\|")
        lines.append(f"| {row.line.line} | {source} | {cell} | {verdict} |")
    blocks.append("\n".join(lines))
    for found in findings(explanation):
        blocks.append(f"**Wrong gradient**, {places(found)}: {escape(found.says)}")
    for loss in explanation.losses:
        where = "inferred from the backward lines" if loss.inferred else f"line {loss.line}"
        value = "" if loss.value is None else f", {number(loss.value)} in the explained iteration"
        blocks.append(f"Loss: {code_span(loss.name)}, {where}{value}.")
        if loss.formula:
            blocks.append(_display(loss.formula))
    if explanation.notices:
        said = [
            f"- {f'line {note.line}: ' if note.line else ''}{escape(note.what)}" for note in explanation.notices
        ]
        blocks.append("\n".join(said))
    blocks.append(parts_to_markdown(explanation, [row.part for row in table if row.group in TOLD]))
    return "\n\n".join(blocks).rstrip() + "\n"


def parts_to_markdown(explanation: Explanation, parts: Iterable[Part]) -> str:
    """Some parts in full, each under a heading."""
    shown = list(parts)
    told = told_once(shown)
    blocks = (_part_blocks(explanation, part, told.get(id(part), ())) for part in shown)
    return "\n\n".join("\n\n".join(block) for block in blocks)


def escape(text: str) -> str:
    """Text that Markdown prints as it is, on one line."""
    flat = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]()#+!|$~-])", r"\\\1", flat).replace("&", "&amp;").replace("<", "&lt;")


def code_span(text: str) -> str:
    """Code on one line between as many back quotes as it needs."""
    flat = " ".join(text.split("\n"))
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", flat)), default=0))
    pad = " " if flat.startswith("`") or flat.endswith("`") or not flat.strip() else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def code_block(text: str, language: str = "python") -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    ending = text.rstrip("\n")
    return f"{fence}{language}\n{ending}\n{fence}"


def _part_blocks(explanation: Explanation, part: Part, told: tuple[Stage, ...]) -> list[str]:
    blocks = [
        f"## Line {part.span[0]}: {escape(title(part))}",
        code_block(statement(explanation, part)),
    ]
    if part.formula and part.formula.matrix and not (part.diagnosis and part.diagnosis.should_be):
        blocks.append(_display(part.formula.matrix))
    if words := in_words(part):
        blocks.append(escape(words))
    if part.diagnosis:
        blocks.append(f"**What is wrong: {escape(part.diagnosis.kind)}.** {escape(part.diagnosis.says)}")
        if part.diagnosis.should_be:
            blocks += ["It should be", _display(part.diagnosis.should_be)]
        changes = diff(explanation, part.diagnosis.edits)
        if changes:
            blocks.append(code_block("\n".join(f"{change.sign} {change.text}" for change in changes), "diff"))
        elif part.diagnosis.fix:
            blocks.append(code_block(part.diagnosis.fix))
    if part.formula and part.formula.index:
        blocks += ["Entry by entry:", _display(part.formula.index)]
    if shape := shape_text(part):
        sizes = sizes_text(part)
        blocks.append(f"Shape: {escape(shape)}" + (f" = {sizes}" if sizes != shape else ""))
    if part.numpy:
        blocks += ["As NumPy:", code_block(part.numpy)]
    if part.formula and part.formula.loops:
        blocks += ["As plain Python loops:", code_block(part.formula.loops)]
    if told:
        blocks.append("Where it comes from:")
        for stage in told:
            if stage.as_in is not None:
                blocks.append(f"*{escape(reference(stage, part))}.*")
                continue
            for count, step in enumerate(stage.steps, stage.first):
                blocks.append(f"{count}. *{escape(step.rule)}*: {escape(step.why)}")
                blocks.append(f"   $${one_line(step.latex)}$$")
    if entry := worked(part):
        blocks += ["In numbers:", code_block(entry.text, "text")]
    if sentence := verdict_sentence(part):
        blocks.append(" ".join(map(escape, (sentence, *evidence_sentences(part)))))
    if part.remark:
        blocks.append(f"Remark: {escape(part.remark)}")
    return blocks


def _inline(formula: Formula) -> str:
    return f"${one_line(formula.latex)}$".replace("|", "\\vert ")


def _display(formula: Formula) -> str:
    return f"$$\n{one_line(formula.latex)}\n$$"


def one_line(latex: str) -> str:
    return " ".join(latex.split())
