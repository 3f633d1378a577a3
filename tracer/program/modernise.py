"""From a Python 2 program to the same program in Python 3, with the place of every token.

fissix (the maintained lib2to3) rewrites; leaves that it keeps know their old line and column, and the
others take the place of what they replaced.  ``xrange`` is renamed here, without a ``list(...)``
around it, because NumPy and loops take a range just as well.  Division is left as it stands: whoever
runs the program divides two integers as Python 2 did (`Modern.classic_division`).
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from tracer.program.errors import ProgramError
from tracer.program.positions import Position, PositionMap

_FIXERS = [
    "print",
    "raw_input",
    "input",
    "except",
    "exec",
    "ne",
    "long",
    "unicode",
    "basestring",
    "has_key",
    "dict",
    "itertools",
    "itertools_imports",
    "reduce",
    "repr",
    "numliterals",
    "raise",
    "tuple_params",
    "imports",
    "zip",
    "map",
    "filter",
    "next",
    "nonzero",
    "urllib",
    "types",
    "renames",
    "apply",
    "intern",
    "getcwdu",
    "standarderror",
    "metaclass",
    "methodattrs",
    "operator",
    "sys_exc",
    "throw",
    "xreadlines",
    "paren",
]
#: The name by which converted programs know `functools.cmp_to_key`.
SORTED_BY = "__cmp_to_key__"
#: The names by which they know ``str`` of Python 2, and texts with its ``%`` and ``format``.
TEXT_OF, TEXT = "__text_of__", "__text__"
_ONLY_PYTHON3 = (
    ast.JoinedStr, ast.NamedExpr, ast.Nonlocal, ast.AnnAssign, ast.AsyncFunctionDef, ast.Await, ast.YieldFrom,
    ast.Match,
)  # fmt: skip
_NAMES = {"xrange", "raw_input", "unicode", "unichr", "long", "basestring"}
_ATTRIBUTES = {"iteritems", "itervalues", "iterkeys", "has_key"}
_LIST_USE = (
    r"\b(?:shuffle\(\s*{0}\s*\)|{0}\s*\.\s*(?:append|remove|pop|sort|reverse|insert|extend)\b"
    r"|{0}\s*\+(?!=)|{0}\s*\[[^\]\n]*\]\s*=[^=])"
)


@dataclass(frozen=True)
class Modern:
    """A modernised program: ``changes`` names what was converted, in words."""

    text: str
    positions: PositionMap
    classic_division: bool
    changes: tuple[str, ...]


def looks_like_python2(tree: ast.Module) -> bool:
    """Whether a program that parses still uses names that only Python 2 has, and does not define them."""
    defined = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.alias):
            defined.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, ast.arg):
            defined.add(node.arg)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in _NAMES - defined:
            return True
        if isinstance(node, ast.Attribute) and node.attr in _ATTRIBUTES:
            return True
    return False


def says_python3(tree: ast.Module) -> bool:
    """Whether a program has what no Python 2 has: f-strings, ``@``, ``print(…, end="")``, ``super()``, annotations…"""
    for node in ast.walk(tree):
        if isinstance(node, _ONLY_PYTHON3):
            return True
        if isinstance(node, ast.arguments) and node.kwonlyargs:
            return True
        if isinstance(node, ast.arg) and node.annotation is not None:
            return True
        if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.MatMult):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            if name == "super" and not node.args:
                return True
            if name == "print" and node.keywords and not _has_future(tree, "print_function"):
                return True
    return False


def _has_future(tree: ast.Module, feature: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and node.module == "__future__" and alias.name == feature
        for node in tree.body
        for alias in getattr(node, "names", ())
    )


def modernise(source: str, path: str) -> Modern:
    """Convert ``source`` to Python 3.

    Raises:
        ProgramError: it is not Python 2 either; the line is the one that stopped the parser.
    """
    from fissix.pgen2 import parse as pgen
    from fissix.pgen2 import tokenize

    text = source if source.endswith("\n") else source + "\n"
    lines = text.split("\n")
    try:
        original = _tokens(_tree(text))
        tree = _refactor(text, path)
    except pgen.ParseError as error:
        line, column = error.context[1] if error.context else (0, 0)
        raise ProgramError(
            "This is neither Python 3 nor Python 2.", path, line, column, lines[line - 1] if line else ""
        ) from None
    except (tokenize.TokenError, IndentationError) as error:
        line = _line_of(error)
        shown = lines[line - 1] if 0 < line <= len(lines) else ""
        raise ProgramError(f"The program breaks off: {error.args[0]}.", path, line, 0, shown) from None
    changes = _rename_ranges(tree, text)
    if _sort_by_keys(tree):
        changes.append("cmp=")
    _write_as_before(tree)
    new_text = str(tree)
    if new_text.count("print(") > text.count("print(") or re.search(r"^\s*print\b(?!\s*\()", text, re.M):
        changes.append("print statements")
    classic = not re.search(r"^\s*from\s+__future__\s+import\s+[^#\n]*\bdivision\b", text, re.M)
    return Modern(new_text, _positions(tree, original), classic, tuple(changes) or ("Python 2 syntax",))


def has_print_function(text: str) -> bool:
    """Whether ``print`` is a function in a program in Python 2."""
    return re.search(r"^\s*from\s+__future__\s+import\s+[^#\n]*\bprint_function\b", text, re.M) is not None


def _has_fixer(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(f"fissix.fixes.fix_{name}") is not None


def _tree(text: str) -> Any:
    from fissix import pygram, pytree
    from fissix.pgen2 import driver

    grammar = pygram.python_grammar
    if has_print_function(text):
        grammar = pygram.python_grammar_no_print_statement
    return driver.Driver(grammar, convert=pytree.convert).parse_string(text)


@cache
def _tool() -> Any:
    from fissix import refactor

    return refactor.RefactoringTool([f"fissix.fixes.fix_{name}" for name in _FIXERS if _has_fixer(name)])


def _refactor(text: str, path: str) -> Any:
    from fissix import refactor

    tree = _tree(text)
    tree.future_features = refactor._detect_future_features(text)
    _tool().refactor_tree(tree, path)
    return tree


def _line_of(error: BaseException) -> int:
    for arg in error.args:
        if isinstance(arg, tuple) and arg and isinstance(arg[0], int):
            return arg[0]
        if isinstance(arg, tuple) and len(arg) > 1 and isinstance(arg[1], int):
            return arg[1]
    return 0


def _rename_ranges(tree: Any, text: str) -> list[str]:
    changes = []
    for leaf in tree.leaves():
        if leaf.value == "xrange":
            leaf.value = "range"
            if "xrange" not in changes:
                changes.append("xrange")
        elif leaf.value == "range":
            _keep_list(leaf, text)
    return changes


def _keep_list(leaf: Any, text: str) -> None:
    """``r = range(...)`` stays a list where the program goes on to treat ``r`` as one, or does so at once."""
    call = leaf.parent
    if call is None or str(call.children[0]) != str(leaf) or len(call.children) < 2:
        return
    last = call.children[1]
    if str(last.children[0] if last.children else last) != "(":
        return
    around = call.parent
    kind = _kind(around) if around is not None else ""
    listed = len(call.children) > 2 or kind in ("arith_expr", "term", "comparison", "return_stmt")
    if not listed and around is not None:
        holder = around if kind == "trailer" else around.parent
        listed = kind in ("trailer", "arglist") and str(holder.prev_sibling if holder is not None else "").strip() == "print"
    if not listed and around is not None and len(around.children) == 3 and str(around.children[1]).strip() == "=":
        target = str(around.children[0]).strip()
        use = _LIST_USE.format(re.escape(target)) + rf"|^\s*print\b.*\b{re.escape(target)}\s*$"
        listed = around.children[2] is call and re.search(use, text, re.M) is not None
    if listed:
        leaf.value = "list(range"
        last.children[-1].value = "))"


def _kind(node: Any) -> str:
    from fissix import pygram

    names: dict[int, str] = pygram.python_grammar.number2symbol
    return names.get(node.type, "")


def _sort_by_keys(tree: Any) -> bool:
    """``l.sort(cmp=f)``, ``sorted(l, f)`` and the like: by the key that compares by ``f``."""
    functions = {d.children[1].value for d in tree.pre_order() if _kind(d) == "funcdef"}
    found = False
    for node in tree.pre_order():
        if _kind(node) not in ("power", "factor") or len(node.children) < 2:
            continue
        called, given = node.children[-2], node.children[-1]
        method = _kind(called) == "trailer" and str(called) == ".sort"
        if not (method or str(called).strip() == "sorted") or _kind(given) != "trailer" or len(given.children) != 3:
            continue
        inside = given.children[1]
        arguments = inside.children[::2] if _kind(inside) == "arglist" else [inside]
        for at, argument in enumerate(arguments):
            leaves = list(argument.leaves())
            named = _kind(argument) == "argument" and leaves[0].value == "cmp"
            plain = leaves[0].value == "lambda" or len(leaves) == 1 and leaves[0].value in functions | {"cmp"}
            if named:
                leaves[0].value, first = "key", leaves[2]
            elif at == (0 if method else 1) and plain:
                first = leaves[0]
            else:
                continue
            first.value = ("" if named else "key=") + f"{SORTED_BY}({first.value}"
            leaves[-1].value += ")"
            found = True
    return found


def _write_as_before(tree: Any) -> None:
    """``str(x)``, ``"%s" % x`` and ``"{}".format(x)`` write a number with twelve digits."""
    leaves = list(tree.leaves())
    own = {leaf.next_sibling.value for leaf in leaves if leaf.value == "def" and _kind(leaf.parent) == "funcdef"}
    own |= {str(node.children[0]).strip() for node in tree.pre_order() if _kind(node) == "expr_stmt"}
    for leaf in leaves:
        if leaf.value == "str" and "str" not in own and _is_called(leaf):
            leaf.value = TEXT_OF
    for leaf in leaves:
        if _is_text(leaf) and not (leaf.prev_sibling is not None and _is_text(leaf.prev_sibling)):
            node, last = leaf, leaf
            if _kind(leaf.parent) == "atom" and all(map(_is_text, leaf.parent.children)):
                node, last = leaf.parent, leaf.parent.children[-1]
            if _is_filled_in(node):
                leaf.value = f"{TEXT}({leaf.value}"
                last.value += ")"


def _is_text(node: Any) -> bool:
    return not node.children and str(node.value)[-1:] in ("'", '"')


def _is_called(leaf: Any) -> bool:
    """Whether a name is that of a function that is called here, or by ``map``."""
    following, around = leaf.next_sibling, leaf.parent
    if _kind(around) == "power":
        return around.children[0] is leaf and str(following).startswith("(")
    holder = around.parent if _kind(around) == "arglist" and around.children[0] is leaf else None
    return holder is not None and str(holder.prev_sibling).strip() == "map"


def _is_filled_in(node: Any) -> bool:
    """Whether a text is followed by ``% values`` or ``.format(…)``, perhaps after a bracket around it."""
    while node.next_sibling is not None and str(node.next_sibling) == ")" and str(node.prev_sibling).strip() == "(":
        node = node.parent
    following = node.next_sibling
    return following is not None and (str(following).strip() == "%" or str(following).strip() == ".format")


def _tokens(tree: Any) -> list[tuple[Position, Position]]:
    """Start and end of every token with text of its own, in order."""
    found = []
    for leaf in tree.leaves():
        if leaf.value.strip() and leaf.lineno:
            found.append(((leaf.lineno, leaf.column), _after((leaf.lineno, leaf.column), leaf.value)))
    return found


def _after(position: Position, text: str) -> Position:
    line, column = position
    if "\n" in text:
        return (line + text.count("\n"), len(text) - text.rfind("\n") - 1)
    return (line, column + len(text))


def _positions(tree: Any, original: list[tuple[Position, Position]]) -> PositionMap:
    number = {start: at for at, (start, _) in enumerate(original)}
    here: Position = (1, 0)
    placed: list[tuple[Position, Position, int | None]] = []
    for leaf in tree.leaves():
        here = _after(here, leaf.prefix)
        start, here = here, _after(here, leaf.value)
        if leaf.value.strip():
            placed.append((start, here, number.get((leaf.lineno, leaf.column))))
    result = PositionMap()
    following: list[int] = [0] * len(placed)
    nearest = len(original)
    for at in range(len(placed) - 1, -1, -1):
        following[at] = nearest
        if placed[at][2] is not None:
            nearest = placed[at][2] or 0
    before = -1
    for at, (start, end, token) in enumerate(placed):
        if token is not None:
            first, last, before = token, token, token
        else:
            # A token of the new text only: it takes the place of what was removed here, or of its neighbour.
            first = min(before + 1, len(original) - 1)
            last = max(following[at] - 1, 0)
            if first > last:
                first, last = (last, last) if before >= 0 else (first, first)
        result.starts.append(start)
        result.ends.append(end)
        result.old_starts.append(original[first][0])
        result.old_ends.append(original[last][1])
    return result
