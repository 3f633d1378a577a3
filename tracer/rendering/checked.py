"""Checked programs as text, one line a gradient, and as one JSON document.

Comes in: `Checked` programs.  Goes out: lines, a table, a document.  Invariant: a gradient is on one line, which
begins with its place, as editors and other programs read it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tracer.checking.model import VERDICTS as JUDGED
from tracer.checking.model import Checked, Failure, Judged
from tracer.checking.storage import SCHEMA_VERSION, to_data
from tracer.explanation.words.report import VERDICTS, plural
from tracer.rendering.text import printable

_OUTCOMES = {
    "right": "✓ right",
    "nothing found": "? no gradient found",
    "not known": "? not all known",
    "wrong": "✗ wrong",
    "failed": "! not checked",
}


def program_lines(checked: Checked) -> list[str]:
    """What is known of one program: a line for each gradient, or why it could not be checked."""
    lines = []
    if checked.failure is not None:
        lines.append(_failure(checked.path, checked.failure))
    said: dict[str, int] = {}
    for gradient in checked.gradients:
        lines.append(_gradient(gradient.module or checked.path, gradient, said.get(gradient.says or "")))
        said.setdefault(gradient.says or "", gradient.line)
    if checked.outcome == "nothing found":
        lines.append(f"{checked.path}: no gradient was found; nothing is claimed.")
    return [" ".join(printable(line).split("\n")) for line in lines]


def _failure(path: str, failure: Failure) -> str:
    place = f":{failure.line}:{failure.column}" if failure.line else ""
    hint = f" {failure.hint}" if failure.hint else ""
    return f"{path}{place}: not checked: {failure.message}{hint}"


def _gradient(path: str, gradient: Judged, told: int | None) -> str:
    """One gradient; ``told`` is the line that has told its cause already."""
    word = VERDICTS[gradient.verdict][1]
    line = f"{path}:{gradient.line}:{gradient.column}: {word}: {gradient.code}: {gradient.what}"
    if not gradient.says:
        return line
    if told is not None:
        return f"{line}. The same cause as in line {told}."
    kind = f"{gradient.kind}: " if gradient.kind else ""
    fix = (gradient.fix or "").strip()
    corrected = f" Corrected: {fix}" if fix and "\n" not in fix else ""
    return f"{line}. {kind[:1].upper()}{kind[1:]}{gradient.says}{corrected}"


def table(programs: Sequence[Checked]) -> str:
    """All programs with how many gradients have each verdict, and the sums."""
    names = [printable(checked.path).replace("\n", " ") for checked in programs]
    width = min(max((len(name) for name in [*names, "program"]), default=0), 60)
    head = f"{'program':<{width}}  {'proved':>6} {'checked':>7} {'wrong':>5} {'not known':>9}  outcome"
    lines = [head]
    for name, checked in zip(names, programs):
        shown = name if len(name) <= width else "…" + name[-width + 1 :]
        lines.append(f"{shown:<{width}}  {_numbers(checked)}  {_OUTCOMES[checked.outcome]}")
    return "\n".join(lines)


def _numbers(checked: Checked) -> str:
    if checked.failure is not None:
        return f"{'':>6} {'':>7} {'':>5} {'':>9}"
    proved, fine, wrong, unknown = (checked.count(v) for v in JUDGED)
    return f"{proved:>6} {fine:>7} {wrong:>5} {unknown:>9}"


def summary(programs: Sequence[Checked]) -> str:
    """``3 programs, 21 gradients: 19 proved, 2 wrong; 1 program not checked``."""
    counted = [
        (sum(checked.count(verdict) for checked in programs), VERDICTS[verdict][1]) for verdict in JUDGED
    ]
    told = ", ".join(f"{count} {word}" for count, word in counted if count)
    failed = sum(1 for checked in programs if checked.failure is not None)
    gradients = plural(sum(count for count, _ in counted), "gradient")
    text = f"{plural(len(programs), 'program')}, {gradients}" + (f": {told}" if told else "")
    return text + (f"; {plural(failed, 'program')} not checked" if failed else "")


def to_json(programs: Iterable[Checked]) -> str:
    """One document; ``tracer/checking/README.md`` says what is in it."""
    found = list(programs)
    outcomes = {outcome: sum(1 for c in found if c.outcome == outcome) for outcome in _OUTCOMES}
    counts = {v: sum(c.count(v) for c in found) for v in JUDGED}
    document: dict[str, Any] = {
        "schema": SCHEMA_VERSION,
        "summary": {"programs": len(found), "outcomes": outcomes, "gradients": counts},
        "programs": [to_data(checked) for checked in found],
    }
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
