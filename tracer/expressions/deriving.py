"""The front door of the room: expression and shapes in, `Gradients` out.

Invariant: what has code has been compared with finite differences, at the sizes it was derived at and at others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from tracer.calculus import NoDerivative, TooLarge
from tracer.calculus.printing import NoForm
from tracer.explanation.model import Derivation, Verdict
from tracer.expressions.differences import Comparison, compare
from tracer.expressions.errors import CannotDerive
from tracer.expressions.formulas import value_formula
from tracer.expressions.inputs import MASK, Inputs, check_kind, find_inputs, longer_sizes, other_sizes
from tracer.expressions.model import Gradient, Gradients
from tracer.expressions.proving import proved
from tracer.expressions.reading import Expression, read_expression
from tracer.expressions.recorded import Recorded, free_name, record
from tracer.expressions.shapes import Axes, ShapesGiven, read_shapes
from tracer.expressions.writing import Written, write
from tracer.ops import STEP_FUNCTIONS


def derive(
    expression: str,
    wrt: str | Iterable[str] | None = None,
    shapes: ShapesGiven = (),
    complex_arrays: str | Iterable[str] = (),
) -> Gradients:
    """Derive ∂⟨G, expression⟩/∂wrt.

    Arguments:
        expression: a NumPy expression, ``np.maximum(0, X @ W + b)``.
        wrt: an array, or several; every array of numbers that are no positions by default.
        shapes: the axes of the arrays: ``{"X": "N,D"}``, ``{"X": ("N", 3)}`` or ``["X=N,D"]``.  A mapping may hold
            those of arrays for other expressions too; of a list each must occur.
        complex_arrays: the arrays that hold complex numbers.  By them the gradient is ∂/∂Re − i ∂/∂Im.

    Raises:
        CannotDerive: what is wrong, where in the expression, and what to do.
    """
    given = read_shapes(shapes)
    read = read_expression(expression, given)
    if not isinstance(shapes, Mapping):
        _check_used(read, given)
    asked = _asked(wrt, read.arrays, read.text)
    inputs = find_inputs(read, given, frozenset(_asked(complex_arrays, read.arrays, read.text)))
    check_kind(inputs)
    whole = [name for name in read.arrays if name not in inputs.differentiable()]
    for name in asked:
        if name in whole:
            raise CannotDerive(
                f"{name} holds {_held(inputs, name)}, so there is no derivative by it.",
                read.text,
                hint="Ask for another array.",
            )
    recorded = record(inputs)
    found, refused = _gradients(recorded, asked or inputs.differentiable())
    if refused and (asked or not any(g.code for g in found)):
        raise refused[0]
    notices = [f"{n} holds {_held(inputs, n)}: there is no derivative by it." for n in whole if not asked]
    notices += [error.told() for error in refused]
    axes = tuple(recorded.graph.axis_text(a) for a in recorded.graph.axes(recorded.output))
    shown = {name: tuple(str(a) for a in given[name]) for name in read.arrays}
    return Gradients(
        read.text,
        recorded.value,
        recorded.upstream,
        recorded.loss,
        axes,
        shown,
        value_formula(recorded),
        tuple(found),
        tuple(notices),
    )


def _held(inputs: Inputs, name: str) -> str:
    return "truth values" if inputs.kinds[name] == MASK else "positions"


def _check_used(read: Expression, given: Mapping[str, Axes]) -> None:
    """Refuse a shape of an array that does not occur."""
    for name in given:
        if name not in read.arrays:
            known = ", ".join(read.arrays) or "none"
            raise CannotDerive(
                f"{name} has a shape, and does not stand in the expression.",
                read.text,
                hint=f"Leave out --shape {name}=…, or use {name}. The arrays in the expression: {known}.",
            )


def _gradients(recorded: Recorded, names: Iterable[str]) -> tuple[list[Gradient], list[CannotDerive]]:
    """The gradients by some arrays, and why there are none by others."""
    longer: Recorded | None = None
    found: list[Gradient] = []
    refused: list[CannotDerive] = []
    for name in names:
        try:
            try:
                found.append(_gradient(recorded, name))
            except CannotDerive:
                # An axis may be of size one only because those of the inputs are short: np.diff(x, n=2) of three numbers.
                longer = longer or record(replace(recorded.inputs, sizes=longer_sizes(recorded.inputs)))
                found.append(_gradient(longer, name))
        except CannotDerive as error:
            refused.append(error)
    return found, refused


def read_names(names: str | Iterable[str]) -> tuple[str, ...]:
    """One name, or several."""
    return tuple(dict.fromkeys([names] if isinstance(names, str) else names))


def _asked(wrt: str | Iterable[str] | None, arrays: tuple[str, ...], text: str) -> tuple[str, ...]:
    """The arrays that were asked for by name, all of which must occur."""
    names = () if wrt is None else read_names(wrt)
    for name in names:
        if name not in arrays:
            known = ", ".join(arrays)
            raise CannotDerive(f"{name} does not stand in the expression.", text, hint=f"The arrays in it: {known}.")
    return names


def _gradient(recorded: Recorded, wrt: str) -> Gradient:
    _check_rules(recorded, wrt)
    inputs = recorded.inputs
    taken = {*inputs.shapes, *inputs.sizes, *inputs.expression.modules, recorded.value, recorded.upstream}
    result = free_name((f"d{wrt}", f"grad_{wrt}"), taken)
    shape = tuple(str(a) for a in inputs.shapes[wrt])
    problem = ""
    checked: Gradient | None = None
    seen: set[str] = set()
    for written in _ways(recorded, wrt, result):
        if isinstance(written, str):
            problem = problem or written
            continue
        if written.code in seen:
            continue
        seen.add(written.code)
        outcome = _compared(inputs, written, result, recorded.upstream, wrt)
        if outcome.agrees is False:
            problem = problem or outcome.why
            continue
        if outcome.agrees is None:
            remark = f"Not compared with finite differences: {outcome.why}."
            without = replace(written, code="")
            return _made(recorded, wrt, result, shape, without, "unexplained", outcome, remark)
        why_not = proved(recorded, wrt, written.code, result)
        if why_not is None and not outcome.why:
            return _made(
                recorded, wrt, result, shape, written, "proved", outcome, _caution(recorded, written)
            )
        why_not = outcome.why or f"Not proved: {why_not}."
        if checked is None:
            checked = _made(recorded, wrt, result, shape, written, "checked", outcome, why_not)
    if checked is not None:
        return checked
    raise CannotDerive(
        f"The gradient by {wrt} could not be written as code that holds up"
        + (f" ({problem})" if problem else "")
        + ".",
        inputs.expression.text,
        hint="Split the expression, and derive its parts one by one.",
    )


def _caution(recorded: Recorded, written: Written) -> str | None:
    """What code asks of its inputs that the expression does not."""
    inverts = "linalg.inv" in written.code and "linalg.inv" not in recorded.inputs.expression.text
    return "The code inverts a matrix, which must be regular." if inverts else None


def _ways(recorded: Recorded, wrt: str, result: str) -> Iterator[Written | str]:
    """The ways to write a gradient, and at last, if there was none, the reason."""
    try:
        yield from write(recorded, wrt, result)
    except KeyError:
        yield "an axis in it is not known"
    except (NoForm, NoDerivative, TooLarge, ValueError) as reason:
        yield str(reason)


def _compared(inputs: Inputs, written: Written, result: str, upstream: str, wrt: str) -> Comparison:
    """The worse of the comparisons at two sets of sizes."""
    first = compare(written.code, result, inputs, upstream, wrt)
    if not first.agrees:
        return first
    other = replace(inputs, sizes=other_sizes(inputs))
    try:
        other.value(other.draw(1))  # positions stay below what they were: the axes are longer
    except Exception:
        return first  # the expression itself allows no other sizes
    second = compare(written.code, result, other, upstream, wrt)
    if second.agrees is False:
        return second
    errors = [e for e in (first.error, second.error) if e is not None]
    return Comparison(True, first.points + second.points, max(errors, default=None), first.why or second.why)


def _check_rules(recorded: Recorded, wrt: str) -> None:
    """Refuse what the calculus has no formula for, at its place."""
    graph = recorded.graph
    way = recorded.smooth_way(wrt)
    moving = set(map(graph.representative, way))
    for number in way[1:]:
        node = recorded.tape.nodes[number]
        if graph.unfollowed.get(graph.representative(number), frozenset()).intersection(moving):
            raise recorded.error(
                f"{node.site.text if node.site else node.op} is not differentiated by a number that is given by keyword.",
                node,
                f"Derive by other arrays than {wrt}.",
            )
        if node.op in STEP_FUNCTIONS:
            continue  # constant between jumps: nothing passes through it
        if graph.representative(number) not in graph.definitions:
            what = node.site.text if node.site else node.op
            reason = graph.reasons.get(number, "its value could not be followed")
            raise recorded.error(
                f"{what} cannot be differentiated: {reason}.",
                node,
                "Write it with other operations, or derive by arrays that do not go through it.",
            )


def _made(
    recorded: Recorded,
    wrt: str,
    result: str,
    axes: tuple[str, ...],
    written: Written,
    verdict: Verdict,
    outcome: Comparison,
    remark: str | None,
) -> Gradient:
    return Gradient(
        wrt=wrt,
        upstream=recorded.upstream,
        code=written.code or None,
        result=result,
        axes=axes,
        matrix=written.matrix,
        index=written.index,
        verdict=verdict,
        derivation=written.derivation if written.derivation is not None else Derivation({}, ()),
        points=outcome.points,
        error=outcome.error,
        remark=remark,
    )
