"""Which parts of an explanation a question is about.

In come an `Explanation` and a question as a person types it: a line number (``33``), a piece of code
(``dscores @ W2.T``), a variable (``dhidden``) or a derivative (``dL/dW2``, ``∂loss/∂W2``).  Out go the parts,
best first.  Nothing is guessed: what matches nothing gives no parts.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Callable, Iterator

from tracer.explanation.model import Explanation, Part
from tracer.explanation.summary import line_at, own_parts

_LINE = re.compile(r"(?:line\s*|l)?(\d+)", re.IGNORECASE)
_DERIVATIVE = re.compile(r"[d∂](?P<of>[^/]*?)\s*/\s*[d∂](?P<wrt>.+)")
#: Names that stand for "the loss" whatever the program calls it.
_ANY_LOSS = {"", "l", "loss", "j", "cost", "e", "c"}
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

#: Functions of NumPy that an operator or a method says as well; the method takes its object first.
_OPERATORS: dict[str, type[ast.operator]] = {
    "dot": ast.MatMult,
    "matmul": ast.MatMult,
    "add": ast.Add,
    "subtract": ast.Sub,
    "multiply": ast.Mult,
    "divide": ast.Div,
    "true_divide": ast.Div,
    "power": ast.Pow,
}
_METHODS = {"sum", "mean", "dot", "transpose", "max", "min", "reshape", "copy", "prod"}
_MODULES = {"np", "numpy"}


def answer(explanation: Explanation, question: str) -> tuple[Part, ...]:
    """The parts that a question is about, best first; empty if there are none."""
    asked = unicodedata.normalize("NFC", question.strip())
    if _LINE.fullmatch(asked) and asked[0] not in "lL":
        return _by_line(explanation, asked)  # a number is a line, and never a piece of code
    for find in (_by_line, _by_derivative, _by_name, _by_code):
        found = find(explanation, asked)
        if found:
            return found
    return ()


def _by_line(explanation: Explanation, asked: str) -> tuple[Part, ...]:
    match = _LINE.fullmatch(asked)
    line = line_at(explanation, int(match[1])) if match else None
    if line is None:
        return ()
    own = own_parts(line)
    return own + tuple(part for part in line.parts if part not in own and part.verdict is not None)


def _by_derivative(explanation: Explanation, asked: str) -> tuple[Part, ...]:
    match = _DERIVATIVE.fullmatch(asked.translate(_SUBSCRIPTS))
    if match is None:
        return ()
    of = _bare(match["of"])
    wrt = _bare(match["wrt"])

    def below_fits(part: Part, as_written: bool) -> bool:
        if part.wrt is None or part.role not in ("gradient", "local derivative"):
            return False
        named = {_bare(name) for name in (part.wrt, *part.names)}
        if as_written:
            return wrt in named or _same_code(wrt, part.wrt)
        return wrt.lower() in {name.lower() for name in named}

    # H and h may be two arrays: small letters stand for capitals only where nothing is called so.
    found = [part for part in _parts(explanation) if below_fits(part, True)]
    found = found or [part for part in _parts(explanation) if below_fits(part, False)]
    exact = [part for part in found if part.of is not None and _bare(part.of) == of]
    if exact or of.lower() not in _ANY_LOSS:
        return _best_first(exact)
    # "L" is the loss; a part of it, such as data_loss, comes after what is the gradient of the whole.
    return _best_first(sorted(found, key=lambda part: _bare(part.of or "").lower() not in _ANY_LOSS))


def _by_name(explanation: Explanation, asked: str) -> tuple[Part, ...]:
    """What is bound to the name; where it is only read, what it is."""
    wanted = _quotes(asked)
    bound = [
        part for part in _parts(explanation) if part.target is not None and _quotes(part.target) == wanted
    ]
    if bound:
        return _best_first(bound)
    alias = [part for part in _parts(explanation) if wanted in map(_quotes, part.names)]
    return _best_first(alias)


def _by_code(explanation: Explanation, asked: str) -> tuple[Part, ...]:
    wanted = _canonical(asked)
    found = [part for part in _parts(explanation) if wanted is not None and _canonical(part.source) == wanted]
    if not found:
        # ``dscores @ W2.T`` also means the statement that binds just that.
        found = [
            part for part in _parts(explanation) if wanted is not None and _right_side(part.source) == wanted
        ]
    if not found:
        bare = "".join(asked.split())
        found = [part for part in _parts(explanation) if bare and "".join(part.source.split()) == bare]
    if not found:
        bare = "".join(asked.split())
        found = [
            part for part in _parts(explanation) if len(bare) > 2 and bare in "".join(part.source.split())
        ]
        shortest = min((len(part.source) for part in found), default=0)
        found = [part for part in found if len(part.source) == shortest]
    return tuple(found)


def _parts(explanation: Explanation) -> Iterator[Part]:
    for line in explanation.lines:
        yield from line.parts


def _best_first(parts: Iterator[Part] | list[Part]) -> tuple[Part, ...]:
    """Unscaled gradients of whole statements first, else in the order of the program."""
    order: Callable[[Part], tuple[bool, bool, bool]] = lambda part: (  # noqa: E731
        part.verdict is None,
        not part.whole,
        part.scale != "1" or part.contribution is not None,
    )
    found: list[Part] = []
    for part in sorted(parts, key=order):
        if part not in found:
            found.append(part)
    # A piece says nothing new beside a whole statement that is the same gradient.
    whole = [part for part in found if part.whole]
    return tuple(whole or found)


def _bare(name: str) -> str:
    name = name.strip()
    while name.startswith("(") and name.endswith(")"):
        name = name[1:-1].strip()
    return _quotes(name.replace("\\", ""))


def _quotes(name: str) -> str:
    """``grads["W1"]`` and ``grads['W1']`` are one name."""
    return "".join(name.split()).replace('"', "'")


def _same_code(one: str, other: str) -> bool:
    first = _canonical(one)
    return first is not None and first == _canonical(other)


def _canonical(source: str) -> str | None:
    """The meaning of an expression or statement, as far as spelling goes; None if it is no Python."""
    try:
        tree = ast.parse(source.strip())
    except (SyntaxError, ValueError):
        return None
    return ast.dump(_Spelling().visit(tree)) if tree.body else None


def _right_side(source: str) -> str | None:
    try:
        tree = ast.parse(source.strip())
    except (SyntaxError, ValueError):
        return None
    statement = tree.body[0] if tree.body else None
    if not isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)) or statement.value is None:
        return None
    return _canonical(ast.unparse(statement.value))


class _Spelling(ast.NodeTransformer):
    """One spelling for each operation: operators for NumPy's functions, functions for methods."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.func, ast.Attribute):
            return node
        name, owner = node.func.attr, node.func.value
        from_module = isinstance(owner, ast.Name) and owner.id in _MODULES
        arguments = list(node.args) if from_module else [owner, *node.args]
        if (
            name in _OPERATORS
            and len(arguments) == 2
            and not node.keywords
            and (from_module or name == "dot")
        ):
            return ast.BinOp(arguments[0], _OPERATORS[name](), arguments[1])
        if name == "transpose" and len(arguments) == 1 and not node.keywords:
            return ast.Attribute(arguments[0], "T", ast.Load())
        if not from_module and name not in _METHODS:
            return node
        keywords = sorted(node.keywords, key=lambda keyword: keyword.arg or "")
        if name in ("sum", "mean", "max", "min", "prod") and len(arguments) == 2:
            keywords = sorted([ast.keyword("axis", arguments.pop()), *keywords], key=lambda k: k.arg or "")
        module = ast.Name("np", ast.Load())
        return ast.Call(ast.Attribute(module, name, ast.Load()), arguments, keywords)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(node.id, ast.Load())
