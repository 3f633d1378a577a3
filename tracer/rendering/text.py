"""An explanation, or some parts of it, as plain Unicode text for a terminal.

In comes an `Explanation`, out goes a string; nothing in it needs colour, and every formula is on lines of its
own, broken at spaces where it is too long.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable
from pathlib import PurePath

from tracer.explanation.model import Explanation, Part
from tracer.explanation.stages import Stage, left_side, told_once
from tracer.explanation.summary import TOLD, Row, findings, rows, statement
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

_WIDTH = 100


def to_text(explanation: Explanation) -> str:
    """The table of all backward lines, the losses, the notices, then every part with a verdict in full."""
    blocks = [f"{printable(explanation.program.path)}: {summary(explanation)}", _table(explanation)]
    for found in findings(explanation):
        blocks.append("\n".join([f"✗ Wrong gradient, {places(found)}", *wrapped(found.says)]))
    if explanation.losses:
        blocks.append("\n".join(_loss_lines(explanation)))
    if explanation.notices:
        blocks.append(
            "\n".join(
                f"note{f', line {note.line}' if note.line else ''}: {printable(note.what)}"
                for note in explanation.notices
            )
        )
    parts = [row.part for row in rows(explanation) if row.group in TOLD or row.part.formula]
    blocks.append(parts_to_text(explanation, parts))
    return "\n\n".join(block for block in blocks if block.strip()) + "\n"


def parts_to_text(explanation: Explanation, parts: Iterable[Part]) -> str:
    """Some parts in full, one after the other, with an empty line between them."""
    shown = list(parts)
    told = told_once(shown)
    return "\n\n".join("\n".join(_part_lines(explanation, part, told.get(id(part), ()))) for part in shown)


def printable(text: str) -> str:
    """Text without control characters, which could change what a terminal shows."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char)[0] != "C" else "\N{REPLACEMENT CHARACTER}"
        for char in text
    )


def _table(explanation: Explanation) -> str:
    found = [row for row in rows(explanation) if row.group == "backward"]
    width = max((len(_first_line(row)) for row in found), default=0)
    width = min(width, 48)
    return "\n".join(_table_line(row, width) for row in found)


def _table_line(row: Row, width: int) -> str:
    mark, word = VERDICTS.get(row.part.verdict or "", (" ", ""))
    code = _first_line(row)
    code = code if len(code) <= width else code[: width - 1] + "…"
    return f"{row.line.line:>5}  {code:<{width}}  {mark} {word:<9}  {printable(row_title(row))}".rstrip()


def _first_line(row: Row) -> str:
    return printable(row.code.replace("\n", " "))


def _loss_lines(explanation: Explanation) -> list[str]:
    lines = []
    for loss in explanation.losses:
        value = "" if loss.value is None else f", value {number(loss.value)}"
        inferred = ", inferred from the backward lines" if loss.inferred else f", line {loss.line}"
        lines.append(f"loss {printable(loss.name)}{inferred}{value}")
        if loss.formula:
            lines += formula_lines(loss.formula.text)
    return lines


def _own_place(explanation: Explanation, line: int) -> str:
    """The place of a line in a module of the program, which has other numbers there."""
    path, own = explanation.program.place(line)
    return f" ({printable(PurePath(path).name)}:{own})" if path != explanation.program.path else ""


def _part_lines(explanation: Explanation, part: Part, told: tuple[Stage, ...]) -> list[str]:
    lines = [
        f"line {part.span[0]}{_own_place(explanation, part.span[0])}: {printable(statement(explanation, part))}",
        f"    {printable(title(part))}",
    ]
    if words := in_words(part):
        lines += wrapped(words)
    if part.formula and part.formula.matrix:
        lines += ["", "  Formula", *formula_lines(part.formula.matrix.text)]
        if part.formula.index:
            lines += formula_lines(part.formula.index.text)
    if shape := shape_text(part):
        sizes = sizes_text(part)
        lines.append(f"    shape {shape}" + (f" = {sizes}" if sizes != shape else ""))
    if part.numpy:
        lines += ["", "  As NumPy", *indented(part.numpy)]
    if part.formula and part.formula.loops:
        lines += ["", "  As plain Python loops", *indented(part.formula.loops)]
    if told:
        lines += ["", "  Derivation", *_derivation(part, told)]
    if entry := worked(part):
        lines += ["", "  One entry in numbers", *wrapped(printable(entry.text))]
        if entry.finite_difference is not None:
            lines.append(f"    finite difference: {entry.finite_difference}")
    if sentence := verdict_sentence(part):
        lines += ["", f"  {VERDICTS[part.verdict or 'unexplained'][0]} {sentence}"]
        for observation in evidence_sentences(part):
            lines += wrapped(observation)
    if part.remark:
        lines += wrapped(f"Remark: {part.remark}")
    if part.diagnosis:
        lines += ["", f"  Why: {printable(part.diagnosis.kind)}", *wrapped(part.diagnosis.says)]
        if part.diagnosis.should_be:
            lines += formula_lines(part.diagnosis.should_be.text, "    should be: ")
        for change in diff(explanation, part.diagnosis.edits):
            lines.append(f"    {change.sign} {change.number or '':>4} {printable(change.text)}")
    return lines


def _derivation(part: Part, told: tuple[Stage, ...]) -> list[str]:
    """Stage by stage, each under what it computes; a formula that is just the one before is not repeated."""
    lines: list[str] = []
    for stage in told:
        if stage.as_in is not None:
            lines += ["", f"    {reference(stage, part)}"]
            continue
        if len(told) > 1:
            lines += ["", f"    {printable(left_side(stage.steps[0].text))}, {stage.numbers}"]
        before = ""
        for count, step in enumerate(stage.steps, stage.first):
            if step.text != before:
                lines += formula_lines(step.text, f"    {count:>2}. ")
                lines += wrapped(f"{step.rule}: {step.why}", "        ")
            else:
                lines += wrapped(f"{step.rule}: {step.why}", "        ", f"    {count:>2}. ")
            before = step.text
    return lines


def formula_lines(text: str, first: str = "    ") -> list[str]:
    """A formula on as many lines as it needs; what it calls t₁ is explained on lines of its own."""
    indent = " " * len(first)
    main, *explained = printable(text).split("  where  ")
    lines = wrapped(main, indent + "    ", first)
    clauses = [clause for part in explained for clause in part.split(" ,  ")]
    for word, clause in zip(["where", *["  and"] * len(clauses)], clauses):
        lines += wrapped(f"{word} {clause}", indent + "      ", indent + "  ")
    return lines


def wrapped(text: str, indent: str = "    ", first: str | None = None) -> list[str]:
    return textwrap.wrap(
        printable(text),
        _WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def indented(code: str) -> list[str]:
    return [f"      {printable(line)}".rstrip() for line in code.rstrip("\n").split("\n")]
