"""Faults that are planted in right programs, and what must be said of them."""

from __future__ import annotations

from typing import NamedTuple

from tests.building.explained import judged_source
from tracer.explanation.model import Part


class Planted(NamedTuple):
    """A fault: the program, its right text, the wrong one, the kind, and the line as it should be; None if none is offered."""

    program: str
    right: str
    wrong: str
    kind: str
    fix: str | None


def wrong(source: str) -> list[tuple[int, Part]]:
    """What is called wrong in a program, with its lines."""
    return [(line.line, p) for line in judged_source(source).lines for p in line.parts if p.verdict == "wrong"]


def assert_told(planted: Planted, at_its_line: bool = True) -> None:
    """The fault is told by its kind and mended; at its line, unless that is not where it shows."""
    assert planted.program.count(planted.right) == 1
    found = wrong(planted.program.replace(planted.right, planted.wrong))
    told = [p.diagnosis for _, p in found if p.diagnosis is not None]
    assert {d.kind for d in told} == {planted.kind}
    assert {d.fix for d in told} == {planted.fix}
    line = planted.program[: planted.program.index(planted.right)].count("\n") + 1
    assert not at_its_line or {number for number, _ in found} == {line}
