"""The NumPy expression that a good teacher would write for an index formula.

In: an expression, the axes of its result, the names of arrays.  Out: one NumPy expression, such as
``dscores @ W2.T * (hidden > 0)``, whose value has exactly the axes that were asked for.  Invariant:
parentheses stand where Python needs them, and around a matrix product inside another product.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tracer.calculus.printing.array_form import array_form
from tracer.calculus.printing.array_tree import (
    Along,
    Applied,
    Comparison,
    Diagonal,
    Einsum,
    Expanded,
    Extent,
    Identity,
    Matmul,
    Named,
    Node,
    Number,
    OneHot,
    Picked,
    Place,
    Plus,
    Positions,
    Power,
    Product,
    Quotient,
    RealPart,
    Reduced,
    Repeated,
    Reshaped,
    Slice,
    Transformed,
    Transposed,
    Triangle,
    nested_transforms,
)
from tracer.calculus.printing.code import (
    Binding,
    Code,
    call,
    compare,
    number,
    power,
    product,
    quotient,
    source,
    subscript,
    total,
)
from tracer.calculus.printing.entries import in_brackets
from tracer.calculus.printing.names import Names, NoForm
from tracer.calculus.printing.scalar import scalar_code
from tracer.calculus.terms import Expr, Index

_EINSUM_LETTERS = "ijklmnopqrstuvwxyzabcdefgh"


def matrix_code(expr: Expr, free: tuple[Index | int, ...], names: Names) -> str:
    """One NumPy expression for an index formula.

    Args:
        expr: the expression; its indices are those of ``free`` and its bound ones.
        free: the axes of the result; an integer stands for an axis of size one.
        names: Python texts and declared axes of arrays, texts of sizes.

    Raises:
        NoForm: there is none; `open_code` always has one.
    """
    return ArrayWriter(names).write(array_form(expr, free, names)).text


class ArrayWriter:
    """Writes an array tree as NumPy code."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def write(self, node: Node) -> Code:
        """The code of a tree."""
        match node:
            case Named(name):
                return source(self.names.array(name))
            case RealPart(array):
                return call("np.real", self.write(array).text)
            case Transformed():
                return self._fourier(node)
            case Number(value):
                return number(value)
            case Extent(axis):
                return source(self.names.size(axis))
            case Positions(index):
                return call("np.arange", self.names.size(index.axis))
            case Picked(entry, places):
                texts = [self.place(place) for place in places]
                while texts[-1] == ":" and len(texts) > 1:
                    texts.pop()
                return subscript(self.names.array(entry.array), texts)
            case Reshaped(array, axes):
                sizes = self._sizes(axes)
                length = product([source(size) for size in sizes]).text
                return Code(
                    f"{self.write(array).at_least(Binding.ATOM)}[:{length}].reshape({', '.join(sizes)})"
                )
            case Diagonal(array):
                return call("np.diagonal", self.write(array).text)
            case Identity(axes) | Triangle(axes):
                sizes = list(dict.fromkeys(self._sizes(axes)))
                return call("np.eye" if isinstance(node, Identity) else "np.tri", *sizes)
            case OneHot(axis, at):
                place = str(at) if isinstance(at, int) else self.names.array(at.name)
                return Code(f"np.eye({self.names.size(axis)})[{place}]")
            case Comparison(relation, left, right):
                return compare(self.write(left), relation, self.write(right))
            case Applied(function, arguments):
                return scalar_code(function, [self.write(argument) for argument in arguments])
            case Product(factors):
                return self._product(factors)
            case Quotient(above, below):
                return quotient(self.write(above), self.write(below))
            case Power(base, exponent):
                return power(self.write(base), exponent)
            case Plus(parts):
                return total([(sign, self.write(part)) for sign, part in parts])
            case Matmul(left, right):
                texts = [self.write(left).at_least(Binding.MATMUL), self.write(right).at_least(Binding.POWER)]
                return Code(" @ ".join(texts), Binding.MATMUL)
            case Reduced():
                return self._sum(node)
            case Transposed():
                return self._transposed(node)
            case Expanded(array, places):
                return self._expanded(array, places)
            case Repeated():
                return self._repeated(node)
            case Einsum():
                return self._einsum(node)

    def _fourier(self, node: Transformed) -> Code:
        inner, places = nested_transforms(node)
        if len(places) > 1:
            in_front = places == [-2, -1] or places == [-1, -2]
            axes = "" if in_front else f", axes={tuple(sorted(places))}"
            norm = ', norm="ortho"' if node.ortho else ""
            return Code(f"np.fft.{node.function}{2 if in_front else 'n'}({self.write(inner).text}{axes}{norm})")
        arguments = [self.write(node.array).text]
        if node.length is not None:
            arguments.append(self.names.size(node.length.axis))
        if node.position != -1:
            arguments.append(f"axis={node.position}")
        if node.ortho:
            arguments.append('norm="ortho"')
        return call(f"np.fft.{node.function}", *arguments)

    def _sizes(self, axes: Along) -> list[str]:
        return ["1" if index is None else self.names.size(index.axis) for index in axes]

    def _shape(self, axes: Along) -> str:
        return in_brackets([source(size) for size in self._sizes(axes)])

    def _method(self, node: Node, method: str) -> Code:
        return Code(f"{self.write(node).at_least(Binding.ATOM)}.{method}")

    def _product(self, factors: Sequence[Node]) -> Code:
        codes = [self.write(factor) for factor in factors]
        first = factors[0]
        if isinstance(first, Number) and first.value == 1:  # makes numbers of truth values
            codes[0] = Code("1.0")
        return product(codes)

    def place(self, place: Place) -> str:
        """What stands between the brackets for one axis."""
        if place is None:
            return ":"
        if isinstance(place, int):
            return str(place)
        if not isinstance(place, Slice):
            return self.write(place).text
        if place.reverse:
            return "::-1"
        length = source(self.names.size(place.index.axis))
        if place.step != 1:
            length = product([number(Fraction(place.step)), length])
        suffix = f":{place.step}" if place.step != 1 else ""
        if place.start is None:
            return f":{length.text}{suffix}"
        start = self.write(place.start)
        return f"{start.text}:{total([(1, start), (1, length)]).text}{suffix}"

    def _sum(self, node: Reduced) -> Code:
        if isinstance(node.array, Diagonal) and not node.axes:
            return call("np.trace", self.write(node.array.array).text)
        arguments = [self.write(node.array).text]
        if len(node.positions) < len(node.array.axes):
            axis: int | tuple[int, ...] = node.positions[0] if len(node.positions) == 1 else node.positions
            arguments.append(f"axis={axis}")
        if node.keeps:
            arguments.append("keepdims=True")
        return call("np.sum", *arguments)

    def _transposed(self, node: Transposed) -> Code:
        order = node.order
        if order == (1, 0):
            return self._method(node.array, "T")
        if order == (*range(len(order) - 2), len(order) - 1, len(order) - 2):
            return call("np.swapaxes", self.write(node.array).text, "-1", "-2")
        return call("np.transpose", self.write(node.array).text, str(order))

    def _expanded(self, array: Node, places: Sequence[str | int | None]) -> Code:
        code = self.write(array)
        if not array.axes:
            return self._filled(code, (None,) * len(places))
        texts = ["None" if place is None else str(place) for place in places]
        while texts[-1] == ":":
            texts.pop()
        return Code(f"{code.at_least(Binding.ATOM)}[{', '.join(texts)}]")

    def _filled(self, code: Code, axes: Along) -> Code:
        value = f"{code.text}.0" if code.text.isdigit() else code.text
        return call("np.full", self._shape(axes), value)

    def _repeated(self, node: Repeated) -> Code:
        if node.array is None:
            return call("np.zeros", self._shape(node.axes)) if node.axes else Code("0.0")
        code = self.write(node.array)
        if not node.axes:
            places = ", ".join("0" for _ in node.array.axes)
            return Code(f"{code.at_least(Binding.ATOM)}[{places}]")
        if not node.array.axes:
            return self._filled(code, node.axes)
        return call("np.broadcast_to", code.text, self._shape(node.axes))

    def _einsum(self, node: Einsum) -> Code:
        letters: dict[Index, str] = {}
        inputs = []
        for operand in node.operands:
            for index in operand.axes:
                assert index is not None
                if index not in letters:
                    if len(letters) == len(_EINSUM_LETTERS):
                        raise NoForm("more indices than einsum has letters for")
                    letters[index] = _EINSUM_LETTERS[len(letters)]
            inputs.append("".join(letters[index] for index in operand.axes if index is not None))
        output = "".join(letters[index] for index in node.axes if index is not None)
        codes = [self.write(operand).text for operand in node.operands]
        return call("np.einsum", f'"{",".join(inputs)}->{output}"', *codes)
