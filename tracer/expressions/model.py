"""The gradients of an expression as data, in the shape of their JSON.

Comes out of `derive`; every document is made from it.  Invariant: ``code`` was run; it is None exactly if
``verdict`` is ``unexplained``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tracer.explanation.model import Derivation, Formula, Verdict


@dataclass(frozen=True, slots=True)
class Gradient:
    """⟨G, expression⟩ differentiated by one array.

    Attributes:
        wrt: the array.
        upstream: the variable that holds the upstream gradient; it has the shape of the expression.
        code: NumPy statements that leave the gradient in ``result``, given the inputs and the upstream gradient.
        result: the variable that holds the gradient after ``code``.
        axes: of the array; ``"1"`` for an axis of size one.
        matrix, index: the formula for the whole array, and for one entry.
        verdict: ``proved``, ``checked`` or ``unexplained``.
        derivation: the steps, whose code starts from the inputs and the upstream gradient.
        points, error: how many random points were compared with finite differences, and the largest relative error.
        remark: what to know about it, or None.
    """

    wrt: str
    upstream: str
    code: str | None
    result: str
    axes: tuple[str, ...]
    matrix: Formula | None
    index: Formula | None
    verdict: Verdict
    derivation: Derivation
    points: int = 0
    error: float | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Gradients:
    """The gradients of one expression.

    Attributes:
        expression: as it was given.
        name, upstream, loss: what formulas call its value, the gradient by it, and what is differentiated.
        axes: of its value.
        shapes: of the arrays in it.
        formula: what the expression is, as a formula.
        gradients: one for each array that was asked for.
    """

    expression: str
    name: str
    upstream: str
    loss: str
    axes: tuple[str, ...]
    shapes: dict[str, tuple[str, ...]]
    formula: Formula | None
    gradients: tuple[Gradient, ...]
    notices: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Gradient]:
        return iter(self.gradients)

    def __len__(self) -> int:
        return len(self.gradients)

    def __getitem__(self, wrt: str) -> Gradient:
        """The gradient by one array.

        Raises:
            KeyError: it was not asked for.
        """
        for gradient in self.gradients:
            if gradient.wrt == wrt:
                return gradient
        raise KeyError(f"the gradient by {wrt} was not asked for")
