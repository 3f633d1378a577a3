"""Scalar functions in NumPy: the text ``"1/(1 + exp(-x0))"`` with arguments put in.

In: the text of a SymPy expression in ``x0, x1, …`` and the code of each argument.  Out: `Code` that
works entry by entry.  Invariant: the text is read as it is written, term by term, so that the code
has the order of the formula.  SymPy is not needed for that: its texts are Python.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from fractions import Fraction
from functools import cache

from tracer.calculus.printing.code import Binding, Code, call, compare, number, power, quotient, source, total
from tracer.calculus.printing.names import NoForm
from tracer.calculus.terms import Factor, Function

#: NumPy's name of each SymPy function that is computed entry by entry.
NUMPY_FUNCTIONS = {
    "exp": "np.exp",
    "log": "np.log",
    "sqrt": "np.sqrt",
    "cbrt": "np.cbrt",
    "sin": "np.sin",
    "cos": "np.cos",
    "tan": "np.tan",
    "asin": "np.arcsin",
    "acos": "np.arccos",
    "atan": "np.arctan",
    "atan2": "np.arctan2",
    "sinh": "np.sinh",
    "cosh": "np.cosh",
    "tanh": "np.tanh",
    "asinh": "np.arcsinh",
    "acosh": "np.arccosh",
    "atanh": "np.arctanh",
    "Abs": "np.abs",
    "sign": "np.sign",
    "floor": "np.floor",
    "ceiling": "np.ceil",
    "Mod": "np.mod",
    "sinc": "np.sinc",
}
#: Functions of any number of arguments, folded from the left.
FOLDED_FUNCTIONS = {"Max": "np.maximum", "Min": "np.minimum"}
CONSTANTS = {"pi": "np.pi", "E": "np.e", "oo": "np.inf", "I": "1j"}
RELATIONS = {"Eq": "==", "Ne": "!=", "Gt": ">", "Ge": ">=", "Lt": "<", "Le": "<="}
OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


@cache
def parse(name: str) -> ast.expr:
    """The syntax tree of a function's text.

    Raises:
        NoForm: the text is not an expression.
    """
    try:
        return ast.parse(name, mode="eval").body
    except SyntaxError as error:
        raise NoForm(f"the scalar function {name!r} is not an expression") from error


def argument_number(node: ast.expr) -> int | None:
    """``3`` for the symbol ``x3``, else nothing."""
    if isinstance(node, ast.Name) and node.id[:1] == "x" and node.id[1:].isdigit():
        return int(node.id[1:])
    return None


def constant_value(node: ast.expr) -> Fraction | None:
    """The rational number that a node is, if it is one: ``-2``, ``1/2``, ``0.5``."""
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() | float() as value):
            return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = constant_value(operand)
            return None if inner is None else -inner
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            above, below = constant_value(left), constant_value(right)
            return above / below if above is not None and below else None
    return None


def as_written(factor: Factor, exponent: Fraction) -> tuple[Factor, Fraction]:
    """A factor with its exponent, as people write it: exp(x)⁻¹ is exp(-x)."""
    if not isinstance(factor, Function) or factor.name != "exp(x0)" or exponent == 1:
        return factor, exponent
    sign = "-" if exponent < 0 else ""
    top, bottom = abs(exponent.numerator), exponent.denominator
    text = f"exp({sign}{f'{top}*' if top > 1 else ''}x0{f'/{bottom}' if bottom > 1 else ''})"
    return Function(text, factor.arguments), Fraction(1)


def scalar_code(name: str, arguments: Sequence[Code]) -> Code:
    """The NumPy code of a scalar function.

    Args:
        name: text of the function in ``x0, x1, …``.
        arguments: the code of each argument.

    Raises:
        NoForm: NumPy has no such function.
    """
    return _code(parse(name), arguments)


def _code(node: ast.expr, arguments: Sequence[Code]) -> Code:
    position = argument_number(node)
    if position is not None:
        if position >= len(arguments):
            raise NoForm(f"the scalar function has no argument x{position}")
        return arguments[position]
    match node:
        case ast.Name(id=word) if word in CONSTANTS:
            return source(CONSTANTS[word])
        case ast.Constant(value=int() | float()):
            return source(ast.unparse(node))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Code(f"-{_code(operand, arguments).at_least(Binding.PRODUCT)}", Binding.SUM)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as operator, right=right):
            sign = 1 if isinstance(operator, ast.Add) else -1
            return total([(1, _code(left, arguments)), (sign, _code(right, arguments))])
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            above, below = _code(left, arguments), _code(right, arguments)
            return Code(
                f"{above.at_least(Binding.PRODUCT)} * {below.at_least(Binding.POWER)}", Binding.PRODUCT
            )
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            value = constant_value(node)
            return (
                number(value)
                if value is not None
                else quotient(_code(left, arguments), _code(right, arguments))
            )
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_code(left, arguments), right, arguments)
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in OPERATORS:
            return compare(_code(left, arguments), OPERATORS[type(operator)], _code(right, arguments))
        case ast.Call(func=ast.Name(id=function), args=inner):
            return _call(function, inner, arguments)
    raise NoForm(f"{ast.unparse(node)} cannot be written in NumPy")


def _power(base: Code, exponent: ast.expr, arguments: Sequence[Code]) -> Code:
    value = constant_value(exponent)
    if value is None:
        raised = _code(exponent, arguments).at_least(Binding.ATOM)
        return Code(f"{base.at_least(Binding.ATOM)}**{raised}", Binding.POWER)
    if value < 0:  # integers cannot be raised to a negative power in NumPy, but they can be divided by
        return quotient(Code("1"), power(base, -value))
    return power(base, value) if value else Code("1")


def _call(function: str, inner: list[ast.expr], arguments: Sequence[Code]) -> Code:
    if function in NUMPY_FUNCTIONS:
        return call(NUMPY_FUNCTIONS[function], *(_code(item, arguments).text for item in inner))
    if function in FOLDED_FUNCTIONS and inner:
        folded = _code(inner[0], arguments)
        for item in inner[1:]:
            folded = call(FOLDED_FUNCTIONS[function], folded.text, _code(item, arguments).text)
        return folded
    if function in RELATIONS and len(inner) == 2:
        return compare(_code(inner[0], arguments), RELATIONS[function], _code(inner[1], arguments))
    if function == "Heaviside":
        at_zero = _code(inner[1], arguments).text if len(inner) > 1 else "0.5"
        return call("np.heaviside", _code(inner[0], arguments).text, at_zero)
    if function == "Piecewise":
        return _piecewise(inner, arguments)
    raise NoForm(f"NumPy has no function {function}")


def _piecewise(pieces: list[ast.expr], arguments: Sequence[Code]) -> Code:
    result = Code("np.nan")
    for piece in reversed(pieces):
        if not isinstance(piece, ast.Tuple) or len(piece.elts) != 2:
            raise NoForm("a piece of a Piecewise is a pair of a value and a condition")
        value, condition = piece.elts
        if isinstance(condition, ast.Constant) and condition.value is True:
            result = _code(value, arguments)
        else:
            result = call(
                "np.where", _code(condition, arguments).text, _code(value, arguments).text, result.text
            )
    return result
