"""What an edit does to the source, as data: the place, and what is to be done there.

The explanation turns these into text; here nothing is known of how a program is written.
"""

from __future__ import annotations

from typing import TypeAlias, Union

from msgspec import Struct

from tracer.tape.node import Span


class Negate(Struct, frozen=True):
    """The expression with the other sign."""

    span: Span


class Operator(Struct, frozen=True):
    """Another operation between the same operands: ``add``, ``subtract``, ``less_equal``…"""

    span: Span
    op: str


class Transposed(Struct, frozen=True):
    """A product with some operands transposed, and perhaps in the other order."""

    span: Span
    flipped: tuple[bool, bool]
    swapped: bool


class Drop(Struct, frozen=True):
    """Only one operand of the expression; ``further`` times more, the first one of it: ``d`` of ``d * a * (1 - a)``."""

    span: Span
    kept: int
    further: int = 0


class Reduction(Struct, frozen=True):
    """A sum or mean over another axis, or the other one of the two."""

    span: Span
    op: str
    axis: int | None
    keepdims: bool


class SumOperand(Struct, frozen=True):
    """One operand of the expression summed over axes; over all if there are none."""

    span: Span
    operand: int
    axes: tuple[int, ...]
    keepdims: bool


class Overwrite(Struct, frozen=True):
    """``x = v`` for ``x += v``."""

    span: Span


class Accumulate(Struct, frozen=True):
    """``x += v`` for ``x = v``."""

    span: Span


class AddUp(Struct, frozen=True):
    """What is kept of the last run of a place, added to what was kept before: ``[t + d for t, d in zip(totals, ds)]``."""

    span: Span


class AddAt(Struct, frozen=True):
    """``np.add.at(x, index, v)`` for ``x[index] += v``."""

    span: Span


class Scale(Struct, frozen=True):
    """The expression times a number or a named scalar."""

    span: Span
    text: str


class ScaleOperand(Struct, frozen=True):
    """One operand of the expression times a number."""

    span: Span
    operand: int
    text: str


class Operand(Struct, frozen=True):
    """Another variable in place of one, within a statement."""

    span: Span
    old: int
    new: int
    transposed: bool = False
    previous: int = 0


class BeforeTheFirst(Struct, frozen=True):
    """Another value where an index counts back behind the first item: ``hs[t - 1] if t > 0 else h0``."""

    span: Span
    old: int
    new: int


class WithoutCall(Struct, frozen=True):
    """A value as it is, wherever a statement calls a function with it: ``a`` for ``np.tanh(a)``."""

    span: Span
    value: int


class WithCall(Struct, frozen=True):
    """What the function that made ``of`` of a value makes of it, wherever a statement reads the value: ``np.tanh(z)``."""

    span: Span
    value: int
    of: int


class OneOperand(Struct, frozen=True):
    """Another variable as one operand of an expression, of which both are the same."""

    span: Span
    operand: int
    new: int


class OnlyPart(Struct, frozen=True):
    """A variable with zeros outside of a part of it, of which ``part`` is a reading.

    Attributes:
        edges: how many places at the beginning and at the end of each axis are 0; of one axis, at one end.
    """

    span: Span
    whole: int
    part: int
    edges: tuple[tuple[int, int], ...]


class OtherIndex(Struct, frozen=True):
    """The index that a place reads or changes an array at, as that of another place, the one that computed ``of``."""

    span: Span
    of: int


class ExchangedNames(Struct, frozen=True):
    """Two variables of an index exchanged, or only the other one in place of the first."""

    span: Span
    one: str
    other: str
    both: bool = True


class Reshaped(Struct, frozen=True):
    """One operand of the expression as a column, or as an array of one axis."""

    span: Span
    operand: int
    column: bool


class StoreSum(Struct, frozen=True):
    """``x[index] = v`` with minus the sum of ``x`` along an axis for ``v``, or ``x[index] -= v`` with that sum."""

    span: Span
    axis: int


class WholeArrays(Struct, frozen=True):
    """A statement that changes a part of an array and reads a part of others, all by one slice, without that slice."""

    span: Span
    arrays: tuple[int, ...]


class OtherArray(Struct, frozen=True):
    """A statement that changes an array in place, changing another one, of which ``array`` is a version."""

    span: Span
    array: int


class Exchanged(Struct, frozen=True):
    """Two items of the list that a call joins, exchanged."""

    span: Span
    one: int
    other: int


class OtherCache(Struct, frozen=True):
    """A call with what another call of the same function returned in place of one of its arguments."""

    span: Span


class ForwardAgain(Struct, frozen=True):
    """A call of the backward pass right after the forward call that it belongs to, and the last forward call after it."""

    span: Span
    forward: Span
    last: Span


class TimesDerivative(Struct, frozen=True):
    """The expression times the local derivative ∂of/∂wrt."""

    span: Span
    of: int
    wrt: int


class MaskInstead(Struct, frozen=True):
    """1 where the expression is positive and 0 elsewhere, instead of the expression."""

    span: Span


class OperandTimesDerivative(Struct, frozen=True):
    """One operand of a product, times the local derivative ∂of/∂wrt."""

    span: Span
    operand: int
    of: int
    wrt: int


class DerivativeInstead(Struct, frozen=True):
    """The local derivative ∂of/∂wrt in place of one operand."""

    span: Span
    operand: int
    of: int
    wrt: int


class AddTerm(Struct, frozen=True):
    """The expression plus a multiple of a value, or of ∂root/∂value, along one path if ``via`` is given."""

    span: Span
    value: int
    factor: str
    root: int | None
    via: int | None = None


class AddName(Struct, frozen=True):
    """The expression plus a variable."""

    span: Span
    name: str


class Gradient(Struct, frozen=True):
    """The whole value as ∂root/∂wrt, times a factor that is 1 if the text is ``"1"``."""

    span: Span
    node: int
    root: int
    wrt: int
    factors: tuple[float, ...]


class OfSoftmax(Struct, frozen=True):
    """The whole value as the gradient by the scores of a softmax: p (g − Σ g p), summed along an axis.

    Attributes:
        shares: p, what the softmax gave.
        gradient: g, the gradient by it.
        axis: along which the shares sum to 1; None if they are one row.
    """

    span: Span
    shares: int
    gradient: int
    axis: int | None


class ThroughStatistics(Struct, frozen=True):
    """The value and what goes back through the mean and the deviation that were taken for constants.

    Attributes:
        axes: the axes that the mean was taken over.
        normalised: the centred values divided by their deviation.
    """

    span: Span
    axes: tuple[int, ...]
    keepdims: bool
    normalised: int


Rewrite: TypeAlias = Union[
    Negate,
    Operator,
    Transposed,
    Drop,
    Reduction,
    SumOperand,
    Overwrite,
    Accumulate,
    AddUp,
    AddAt,
    Scale,
    ScaleOperand,
    Operand,
    BeforeTheFirst,
    WithCall,
    WithoutCall,
    OneOperand,
    OnlyPart,
    OtherIndex,
    ExchangedNames,
    Reshaped,
    StoreSum,
    WholeArrays,
    OtherArray,
    Exchanged,
    OtherCache,
    ForwardAgain,
    TimesDerivative,
    DerivativeInstead,
    OperandTimesDerivative,
    MaskInstead,
    AddTerm,
    AddName,
    Gradient,
    OfSoftmax,
    ThroughStatistics,
]
