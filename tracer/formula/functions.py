"""Scalar functions as formula trees: the text ``"1/(1 + exp(-x0))"`` with arguments put in.

In: the text of a SymPy expression in ``x0, x1, …`` and a tree for each argument.  Out: a tree, in the
order in which the text is written.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from tracer.calculus.printing.names import NoForm
from tracer.calculus.printing.scalar import argument_number, constant_value, parse
from tracer.formula.building import Level, at_least, fraction, number, power, times
from tracer.formula.tree import Absolute, Apply, Bracket, Cases, Number, Plus, Relation, Root, Symbol, Tree

#: What a function is called in a formula, where that is not its SymPy name.
SHOWN = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arsinh",
    "acosh": "arcosh",
    "atanh": "artanh",
    "sign": "sgn",
    "Max": "max",
    "Min": "min",
    "ceiling": "ceil",
    "Mod": "mod",
    "Heaviside": "H",
}
CONSTANTS = {"pi": "π", "E": "e", "oo": "∞", "I": "i"}
_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Gt: ">",
    ast.GtE: "≥",
    ast.Lt: "<",
    ast.LtE: "≤",
    ast.Eq: "=",
    ast.NotEq: "≠",
}
_RELATIONS = {"Eq": "=", "Ne": "≠", "Gt": ">", "Ge": "≥", "Lt": "<", "Le": "≤"}


def function_tree(name: str, arguments: Sequence[Tree]) -> Tree:
    """The tree of a scalar function of arguments.

    Raises:
        NoForm: the text is not a formula.
    """
    return _tree(parse(name), arguments)


def _tree(node: ast.expr, arguments: Sequence[Tree]) -> Tree:
    position = argument_number(node)
    if position is not None:
        if position >= len(arguments):
            raise NoForm(f"the scalar function has no argument x{position}")
        return arguments[position]
    value = constant_value(node)
    if value is not None:
        return number(value)
    match node:
        case ast.Name(id=word):
            return Symbol("", CONSTANTS.get(word, word), upright=word in ("E", "I") or len(word) > 2)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Plus(((-1, at_least(_tree(operand, arguments), Level.REACHING)),))
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as operator, right=right):
            return _sum(
                _tree(left, arguments), -1 if isinstance(operator, ast.Sub) else 1, _tree(right, arguments)
            )
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return times([_tree(left, arguments), _tree(right, arguments)])
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return fraction(_tree(left, arguments), _tree(right, arguments))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(left, right, arguments)
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _SIGNS:
            return Relation(_tree(left, arguments), _SIGNS[type(operator)], _tree(right, arguments))
        case ast.Call(func=ast.Name(id=function), args=inner):
            return _call(function, inner, arguments)
    raise NoForm(f"{ast.unparse(node)} cannot be written as a formula")


def _sum(left: Tree, sign: int, right: Tree) -> Tree:
    """Parts in the order of the text: ``1 - y`` stays so, and ``-x + 1`` too."""
    parts = list(left.parts) if isinstance(left, Plus) else [(1, at_least(left, Level.REACHING))]
    return Plus((*parts, (sign, at_least(right, Level.REACHING))))


def _power(base: ast.expr, exponent: ast.expr, arguments: Sequence[Tree]) -> Tree:
    value = constant_value(exponent)
    if value is None:
        return power(_tree(base, arguments), _tree(exponent, arguments))
    positive = _tree(base, arguments)
    if abs(value) != 1:
        positive = Root(positive) if abs(value) * 2 == 1 else power(positive, number(abs(value)))
    return fraction(Number("1"), positive) if value < 0 else positive


def _call(function: str, inner: list[ast.expr], arguments: Sequence[Tree]) -> Tree:
    if function == "Piecewise":
        return _piecewise(inner, arguments)
    trees = tuple(_tree(item, arguments) for item in inner)
    if function == "exp" and isinstance(trees[0], Plus):
        return power(Symbol("", "e", upright=True), trees[0])
    if function == "sqrt":
        return Root(trees[0])
    if function == "Abs":
        return Absolute(trees[0])
    if function in _RELATIONS and len(trees) == 2:
        return Bracket(Relation(trees[0], _RELATIONS[function], trees[1]))
    return Apply(SHOWN.get(function, function), trees)


def _piecewise(pieces: list[ast.expr], arguments: Sequence[Tree]) -> Tree:
    found: list[tuple[Tree, Tree | None]] = []
    for piece in pieces:
        if not isinstance(piece, ast.Tuple) or len(piece.elts) != 2:
            raise NoForm("a piece of a Piecewise is a pair of a value and a condition")
        value, condition = piece.elts
        always = isinstance(condition, ast.Constant) and condition.value is True
        shown = None if always else _tree(condition, arguments)
        found.append((_tree(value, arguments), shown.body if isinstance(shown, Bracket) else shown))
    return Cases(tuple(found))
