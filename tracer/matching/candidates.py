"""What a line of a backward pass may be: the candidates, and a match of a recorded value with one.

For each root: the full gradient of every node, the contribution of one path, partial sums in backward order; local
derivatives of elementwise functions; plain forward values.  Plain data: which candidates there are is told by
`tracer.matching.candidate_index`, which of them a node is by `tracer.matching.matcher`.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tracer.matching.scale import NamedScale


class Sort(StrEnum):
    """What a candidate is."""

    FULL = "full gradient"
    PATH = "one path"
    PARTIAL = "partial sum"
    TRUNCATED = "gradient over a limited number of steps"
    LOCAL = "local derivative"
    VALUE = "forward value"


#: The sorts of candidates that are gradients, or parts of them.
GRADIENTS = (Sort.FULL, Sort.PATH, Sort.PARTIAL)


class Candidate(Struct, frozen=True):
    """∂root/∂wrt (for a local derivative: ∂root[i]/∂wrt[i]; for a value: the node itself).

    A truncated gradient goes back over at most ``steps`` steps of time.  Of complex numbers ``conjugate`` says that it is
    ∂/∂Re + i ∂/∂Im, the direction in which the root rises most, instead of ∂/∂Re − i ∂/∂Im.
    """

    sort: Sort
    root: int
    wrt: int
    transposed: bool
    via: int | None = None
    steps: int | None = None
    conjugate: bool = False


#: A candidate, the factor of a node over it on every replay, and the error.
Hit = tuple[Candidate, tuple[float, ...], float]


class Match(Struct, frozen=True):
    """A recorded node is ``scale`` × a candidate, on every replay, up to ``error``."""

    node: int
    candidate: Candidate
    scale: NamedScale
    error: float
