"""The literal transcription of an index formula: every index is an open grid, every sum is `np.sum`.

In: an expression and the axes of its result.  Out: statements that leave the value in ``result``:

    i, j, k = np.ogrid[:dscores.shape[0], :W2.shape[0], :dscores.shape[1]]
    result = np.sum(dscores[i, k] * W2[j, k], axis=2)

Invariant: works for every expression whose arrays and sizes have names, and the result has exactly
the axes that were asked for, those of size one included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tracer.calculus.complex_values import as_real_part
from tracer.calculus.printing.code import Code, call, total
from tracer.calculus.printing.entries import EntryWriter, in_brackets
from tracer.calculus.printing.letters import Letters
from tracer.calculus.printing.names import Names, identifiers_in
from tracer.calculus.printing.reading import indices_of
from tracer.calculus.terms import Axis, Condition, Expr, Index, Term


def open_code(expr: Expr, free: tuple[Index | int, ...], names: Names, letters: Letters | None = None) -> str:
    """Statements that compute an expression over open grids and leave it in ``result``.

    Args:
        expr: the expression; its indices are those of ``free`` and its bound ones.
        free: the axes of the result; an integer stands for an axis of size one.
        names: Python texts of arrays and sizes.
        letters: letters of the indices, so that several steps can share them.

    Raises:
        NoForm: a scalar function is not in NumPy, or a size has no name.
    """
    part = as_real_part(expr)
    if part is not None:
        return f"{_open_code(part, free, names, letters)}\nresult = np.real(result)"
    return _open_code(expr, free, names, letters)


def _open_code(expr: Expr, free: tuple[Index | int, ...], names: Names, letters: Letters | None) -> str:
    read = identifiers_in(expr, free, names)
    running = next(word for word in ("result", "partial", "sum_so_far") if word not in read)
    known = (letters or Letters()).extended(free, expr, avoid=read | {"result", running})
    real = tuple(index for index in free if isinstance(index, Index))
    lines: list[str] = []
    grid = ""
    value = total([])
    missing = set(real)
    for number, members in enumerate(_groups(expr)):
        if number:
            lines.append(f"{running} = {value.text}")
        first = members[0]
        wanted = _grid((*real, *first.bound), EntryWriter(names, known))
        if wanted and wanted != grid:
            lines.append(wanted)
            grid = wanted
        parts: list[tuple[int, Code]] = []
        for member in members:
            writer = EntryWriter(names, _renamed(known, member.bound, first.bound), guarded=member.guarded)
            parts.append((-1 if member.term.coefficient < 0 else 1, _summed(member, len(real), writer)))
            missing -= set(member.used)
        parts.sort(key=lambda part: part[0] < 0)
        value = total([(1, Code(running)), *parts] if number else parts)
    lines.append(f"result = {_with_axes(value, free, bool(missing), EntryWriter(names, known))}")
    return "\n".join(lines)


@dataclass(frozen=True)
class _Member:
    """A term with the indices it uses; ``bound`` are those it is summed over, in the order of the grid."""

    term: Term
    used: tuple[Index, ...]
    bound: tuple[Index, ...]

    @classmethod
    def of(cls, term: Term) -> _Member:
        used = tuple(dict.fromkeys(index for factor, _ in term.factors for index in indices_of(factor)))
        bound = sorted((index for index in term.bound if index in used), key=lambda index: index.axis.name)
        return cls(term, used, tuple(bound))

    @property
    def guarded(self) -> bool:
        """Whether a condition says where the entries may be looked up at all."""
        return any(isinstance(factor, Condition) for factor, _ in self.term.factors)


def _groups(expr: Expr) -> list[list[_Member]]:
    """Terms that are summed over the same axes share a grid; smaller grids first."""
    grouped: dict[tuple[Axis, ...], list[_Member]] = {}
    for term in expr:
        member = _Member.of(term)
        grouped.setdefault(tuple(index.axis for index in member.bound), []).append(member)
    return [members for _, members in sorted(grouped.items(), key=lambda item: len(item[0]))]


def _renamed(letters: Letters, bound: Sequence[Index], first: Sequence[Index]) -> Letters:
    """Letters for one term of a group: its bound indices are called as those of the group's first term."""
    return replace(
        letters, given={**letters.given, **{i: letters[j] for i, j in zip(bound, first, strict=True)}}
    )


def _grid(indices: Sequence[Index], writer: EntryWriter) -> str:
    if not indices:
        return ""
    sizes = [writer.size(index.axis).text for index in indices]
    if len(indices) == 1:
        return f"{writer.letters[indices[0]]} = np.arange({sizes[0]})"
    variables = ", ".join(writer.letters[index] for index in indices)
    return f"{variables} = np.ogrid[{', '.join(f':{size}' for size in sizes)}]"


def _summed(member: _Member, first: int, writer: EntryWriter) -> Code:
    """A term without its sign; ``first`` is the position of the first bound axis in the grid."""
    term = member.term
    unused = [index.axis for index in term.bound if index not in member.bound]
    if not member.guarded:
        summand = writer.product(abs(term.coefficient), term.factors, unused)
    else:  # outside of the conditions an entry may not exist, or be infinite: zero times it will not do
        others = [(factor, power) for factor, power in term.factors if not isinstance(factor, Condition)]
        tests = [writer.factor(factor).text for factor, _ in term.factors if isinstance(factor, Condition)]
        value = writer.product(abs(term.coefficient), others, unused)
        summand = call("np.where", " & ".join(tests), value.text, "0.0")
    if not member.bound:
        return summand
    if first == 0:
        return call("np.sum", summand.text)
    axes = tuple(range(first, first + len(member.bound)))
    return call("np.sum", summand.text, f"axis={axes[0] if len(axes) == 1 else axes}")


def _with_axes(value: Code, free: tuple[Index | int, ...], incomplete: bool, writer: EntryWriter) -> str:
    """The value with exactly the axes ``free``: repeated along axes it lacks, with its axes of size one."""
    real = [index for index in free if isinstance(index, Index)]
    text = value.text
    if not real:
        return call("np.reshape", text, in_brackets([Code("1")] * len(free))).text if free else text
    if incomplete:
        text = call("np.broadcast_to", text, in_brackets([writer.size(index.axis) for index in real])).text
    if len(real) < len(free):
        places = ", ".join(":" if isinstance(index, Index) else "None" for index in free)
        text = f"({text})[{places}]" if not incomplete else f"{text}[{places}]"
    return text
