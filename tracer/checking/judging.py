"""From an `Explanation` to one `Judged` a gradient.

Invariant: every wrong part of the explanation is told, in a line of its own or within a larger part that is.
"""

from __future__ import annotations

from dataclasses import replace

from tracer.checking.model import Judged
from tracer.explanation.model import Explanation, Part, ProgramInfo
from tracer.explanation.summary import collapsed, findings, rows
from tracer.explanation.words.report import row_title, title


def judged(explanation: Explanation) -> tuple[Judged, ...]:
    """The gradients of an explanation, in the order of the program."""
    own = [
        (row.part, row_title(row))
        for row in rows(explanation)
        if row.part.verdict is not None and row.group == "backward"
    ]
    told = {id(part) for part, _ in own}
    others = [part for found in findings(explanation) for part in found.parts if id(part) not in told]
    found = [_judged(part, what) for part, what in own] + [_judged(part, title(part)) for part in others]
    placed = [_in_its_file(j, explanation.program) for j in sorted(found, key=lambda j: (j.line, j.column))]
    return tuple(dict.fromkeys(placed))


def _in_its_file(judged: Judged, program: ProgramInfo) -> Judged:
    path, line = program.place(judged.line)
    if path == program.path:
        return judged
    by = line - judged.line
    edits = tuple(replace(e, line=e.line + by, end_line=e.end_line + by) for e in judged.edits)
    return replace(judged, line=line, end_line=judged.end_line + by, edits=edits, module=path)


def _judged(part: Part, what: str) -> Judged:
    line, column, end_line, end_column = part.span
    code = collapsed(part.target or part.source)
    judged = Judged(
        line, column, end_line, end_column, code, what, part.verdict or "unexplained", remark=part.remark
    )
    if part.verdict != "wrong":
        return judged
    found = part.diagnosis
    if found is None:
        return replace(judged, says="This is not the gradient it is used as.")
    return replace(judged, kind=found.kind, says=found.says, fix=found.fix, edits=found.edits)
