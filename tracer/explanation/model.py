"""The one model that all output is made from: frozen dataclasses, in the shape of their JSON.

Lines count from 1, columns from 0, in characters of the file as written.  NaN and infinities become
null in JSON.  The README of this room says what each field means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["data", "parameter", "forward", "loss", "gradient", "local derivative", "update", "other"]
Verdict = Literal["proved", "checked", "wrong", "unexplained"]


@dataclass(frozen=True, slots=True)
class Formula:
    """One formula, three ways of writing it."""

    latex: str
    text: str
    mathml: str


@dataclass(frozen=True, slots=True)
class Formulas:
    """A quantity in matrix form, in index form, and as plain Python loops."""

    matrix: Formula | None
    index: Formula | None
    loops: str | None


@dataclass(frozen=True, slots=True)
class Input:
    """An array or scalar that the code of a derivation starts from.

    ``kind`` is ``real``, ``positive``, ``integer`` (then ``below`` names the axis, or is the number,
    that bounds it), ``one-hot``, ``mask``, ``scalar`` or ``complex``.  ``axes`` has a name for each axis; ``"1"``
    is an axis of size one.
    """

    source: str
    axes: tuple[str, ...]
    kind: str
    below: str | int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a derivation: ``left`` = the formula, by ``rule``, because ``why``.

    ``code`` is NumPy that leaves the right-hand side in ``result``.
    """

    rule: str
    why: str
    left: str
    latex: str
    text: str
    mathml: str
    code: str


@dataclass(frozen=True, slots=True)
class Derivation:
    inputs: dict[str, Input]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict rests on: normal forms of both sides, random points, finite differences."""

    normal_forms: tuple[Formula, Formula] | None
    points: int
    max_error: float | None
    finite_difference: float | None
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry worked out in the program's own numbers: ``value`` = Σ over ``terms`` of their products."""

    index: tuple[int, ...]
    value: float
    terms: tuple[tuple[float, ...], ...]
    finite_difference: float | None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the lines ``line`` to ``end_line`` by ``new``."""

    line: int
    end_line: int
    new: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    kind: str
    says: str
    should_be: Formula | None
    fix: str | None
    edits: tuple[Edit, ...] = ()
    closest: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A statement or a sub-expression with one identity; the README of this room explains each field."""

    span: tuple[int, int, int, int]
    source: str
    target: str | None
    whole: bool
    role: Role
    of: str | None = None
    of_line: int | None = None
    wrt: str | None = None
    names: tuple[str, ...] = ()
    scale: str = "1"
    contribution: str | None = None
    conjugate: bool = False
    occurrences: int = 1
    given: tuple[int, ...] | None = None
    optimiser: str | None = None
    verdict: Verdict | None = None
    remark: str | None = None
    evidence: Evidence | None = None
    shape: tuple[int, ...] | None = None
    axes: tuple[str, ...] | None = None
    sample: Any = None
    formula: Formulas | None = None
    numpy: str | None = None
    derivation: Derivation | None = None
    entry: Entry | None = None
    diagnosis: Diagnosis | None = None


@dataclass(frozen=True, slots=True)
class Line:
    line: int
    end_line: int
    source: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Loss:
    name: str
    line: int
    value: float | None
    inferred: bool
    formula: Formula | None


@dataclass(frozen=True, slots=True)
class Note:
    line: int
    column: int
    what: str


@dataclass(frozen=True, slots=True)
class GraphNode:
    id: int
    line: int
    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: tuple[GraphNode, ...]
    edges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that are those of one of the program's own modules, put below the program."""

    path: str
    line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class ProgramInfo:
    path: str
    python2: bool
    source: str = ""
    modules: tuple[Section, ...] = ()

    def place(self, line: int) -> tuple[str, int]:
        """The file that a line is in, and its number there."""
        for section in self.modules:
            if section.line <= line <= section.end_line:
                return section.path, line - section.line + 1
        return self.path, line


@dataclass(frozen=True, slots=True)
class Explanation:
    program: ProgramInfo
    notices: tuple[Note, ...]
    losses: tuple[Loss, ...]
    lines: tuple[Line, ...]
    graph: Graph
    schema: int = 1
