"""The same index formula as plain Python loops, the way it is first written down.

In: an expression, the axes of its result and the name of the array to fill.  Out: statements:

    dhidden = np.zeros((N, h))
    for i in range(N):
        for j in range(h):
            total = 0.0
            for k in range(K):
                total += dscores[i, k] * W2[j, k]
            dhidden[i, j] = total

Invariant: masks, deltas and conditions become ``if``; nothing but one entry is computed at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracer.calculus.complex_values import as_real_part, holds_complex
from tracer.calculus.printing.code import Code, total
from tracer.calculus.printing.entries import EntryWriter, in_brackets, is_truth
from tracer.calculus.printing.letters import Letters
from tracer.calculus.printing.names import Names, identifiers, identifiers_in
from tracer.calculus.printing.reading import arrays_of, indices_of
from tracer.calculus.terms import Axis, Condition, Expr, Factor, Index, Term

_INDENT = "    "


def loops(
    expr: Expr,
    free: tuple[Index | int, ...],
    names: Names,
    target: str,
    letters: Letters | None = None,
) -> str:
    """Loops that compute an expression entry by entry and leave it in ``target``.

    Args:
        expr: the expression; its indices are those of ``free`` and its bound ones.
        free: the axes of the result; an integer stands for an axis of size one.
        names: Python texts of arrays and sizes.
        target: what the result is called; it may be one of the arrays that are read.
        letters: letters of the indices, as used in the other forms of the formula.

    Raises:
        NoForm: a scalar function is not in NumPy, or a size has no name.
    """
    part = as_real_part(expr)
    if part is not None:
        return f"{_loops(part, free, names, target, letters)}\n{target} = np.real({target})"
    return _loops(expr, free, names, target, letters)


def _loops(expr: Expr, free: tuple[Index | int, ...], names: Names, target: str, letters: Letters | None) -> str:
    taken = identifiers_in(expr, free, names) | identifiers([target])
    running = next(word for word in ("total", "running_total", "sum_so_far") if word not in taken)
    read = identifiers(names.array(name) for name in arrays_of(expr))
    output = target
    if identifiers([target]) & read:  # the array is filled before all of it has been read
        output = next(word for word in ("result", "new_values", "filled") if word not in taken)
    known = (letters or Letters()).extended(free, expr, avoid=taken | {running, output})
    writer = EntryWriter(names, known)
    real = [index for index in free if isinstance(index, Index)]
    lines: list[str] = []
    if free:
        sizes = [writer.size(index.axis) if isinstance(index, Index) else Code("1") for index in free]
        shape = sizes[0].text if len(sizes) == 1 else in_brackets(sizes)
        lines.append(f"{output} = np.zeros({shape}{', dtype=complex' if holds_complex(expr) else ''})")
    place = output
    if free:
        place += f"[{', '.join(known[index] if isinstance(index, Index) else '0' for index in free)}]"
    lines += _nested(real, _entry(expr, place, running, bool(free), writer), writer)
    if output != target:
        lines.append(f"{target} = {output}")
    return "\n".join(lines)


def _nested(indices: Sequence[Index], body: Sequence[str], writer: EntryWriter) -> list[str]:
    """``for`` loops around lines."""
    lines = list(body)
    for index in reversed(indices):
        head = f"for {writer.letters[index]} in range({writer.size(index.axis).text}):"
        lines = [head, *(_INDENT + line for line in lines)]
    return lines


def _entry(expr: Expr, place: str, running: str, is_zero_before: bool, writer: EntryWriter) -> list[str]:
    """The lines that compute one entry of the result."""
    plain = [term for term in expr if not term.bound and not _tests(term, writer)]
    others = [term for term in expr if term not in plain]
    if not others:
        return [f"{place} = {_sum_of(plain, writer).text}"]
    if len(expr) == 1 and not expr[0].bound and is_zero_before:
        value = _sum_of(expr, writer).text
        return [f"if {_condition(expr[0], writer)}:", f"{_INDENT}{place} = {value}"]
    lines = [f"{running} = {_sum_of(plain, writer).text}"]
    for term in others:
        lines += _accumulation(term, running, writer)
    return [*lines, f"{place} = {running}"]


def _accumulation(term: Term, running: str, writer: EntryWriter) -> list[str]:
    bound = [index for index in term.bound if _uses(term, index)]
    line = f"{running} {'-=' if term.coefficient < 0 else '+='} {_value(term, writer).text}"
    body = [f"if {_condition(term, writer)}:", _INDENT + line] if _tests(term, writer) else [line]
    return _nested(bound, body, writer)


def _uses(term: Term, index: Index) -> bool:
    return any(index in indices_of(factor) for factor, _ in term.factors)


def _tests(term: Term, writer: EntryWriter) -> list[Factor]:
    """The factors that are true or false; conditions on indices first, for they say which entries exist."""
    tests = [factor for factor, power in term.factors if power > 0 and is_truth(factor, writer.names)]
    return sorted(tests, key=lambda factor: not isinstance(factor, Condition))


def _condition(term: Term, writer: EntryWriter) -> str:
    texts = [writer.factor(factor).text for factor in _tests(term, writer)]
    return " and ".join(text[1:-1] if text.startswith("(") and text.endswith(")") else text for text in texts)


def _value(term: Term, writer: EntryWriter) -> Code:
    """A term without its sign, its sums and its tests."""
    tests = _tests(term, writer)
    factors = [(factor, power) for factor, power in term.factors if factor not in tests]
    unused: list[Axis] = [index.axis for index in term.bound if not _uses(term, index)]
    if not factors and not unused and term.coefficient.denominator == 1:
        return Code(f"{abs(term.coefficient.numerator)}.0")
    return writer.product(abs(term.coefficient), factors, unused)


def _sum_of(terms: Sequence[Term], writer: EntryWriter) -> Code:
    parts = [(-1 if term.coefficient < 0 else 1, _value(term, writer)) for term in terms]
    return total(sorted(parts, key=lambda part: part[0] < 0))
