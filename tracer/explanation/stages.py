"""A derivation in stages: the steps from one use of the chain rule to the next.

In comes a `Derivation`, or many parts that are told one after the other; out go `Stage`s.  Invariant: the
stages of a part cover its steps in order, each once; one that stands word for word in an earlier part names
the line of that part, so that a document may refer to it instead of repeating it.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from tracer.explanation.model import Derivation, Part, Step

#: A derivation of more steps is folded, or refers to an earlier one, as far as its last stage.
LONG = 12


class Stage(Struct, frozen=True):
    """Steps ``first`` to ``last``; ``as_in`` is the line where the very same steps have been told already."""

    first: int
    steps: tuple[Step, ...]
    as_in: int | None = None

    @property
    def last(self) -> int:
        return self.first + len(self.steps) - 1

    @property
    def numbers(self) -> str:
        """``step 3`` or ``steps 3–9``."""
        return f"step {self.first}" if len(self.steps) == 1 else f"steps {self.first}–{self.last}"

    @property
    def conclusion(self) -> Step:
        return self.steps[-1]


def stages(derivation: Derivation) -> tuple[Stage, ...]:
    """The stages of one derivation; none if it has no steps."""
    starts = [k for k, step in enumerate(derivation.steps) if step.rule == "chain rule" or k == 0]
    ends = [*starts[1:], len(derivation.steps)]
    return tuple(Stage(start + 1, derivation.steps[start:end]) for start, end in zip(starts, ends))


def told_once(parts: Iterable[Part]) -> dict[int, tuple[Stage, ...]]:
    """The stages of parts told in this order, by ``id(part)``.

    A stage that an earlier part had is marked with its line, except for the last stage, which leads to the
    part's own formula, unless the whole of a long derivation was told before.  Marked neighbours are joined.
    """
    told: dict[tuple[Step, ...], int] = {}
    found: dict[int, tuple[Stage, ...]] = {}
    for part in parts:
        if part.derivation is None or id(part) in found:
            continue
        marked = [replace(stage, as_in=told.get(stage.steps)) for stage in stages(part.derivation)]
        long = len(part.derivation.steps) > LONG
        if marked and not (long and all(stage.as_in is not None for stage in marked)):
            marked[-1] = replace(marked[-1], as_in=None)
        for stage in marked:
            told.setdefault(stage.steps, part.span[0])
        found[id(part)] = _joined(marked)
    return found


def left_side(text: str) -> str:
    """What a formula in Unicode is about: ``∂loss/∂W₂[i,j]`` of ``∂loss/∂W₂[i,j] = Σ_k …``."""
    return text.partition(" = ")[0]


def _joined(marked: list[Stage]) -> tuple[Stage, ...]:
    joined: list[Stage] = []
    for stage in marked:
        if joined and stage.as_in is not None and joined[-1].as_in == stage.as_in:
            joined[-1] = replace(joined[-1], steps=joined[-1].steps + stage.steps)
        else:
            joined.append(stage)
    return tuple(joined)
