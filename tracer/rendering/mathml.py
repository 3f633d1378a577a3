"""Formulas in MathML, made fit for a page that holds hundreds of them.

In comes a ``<math>`` element as ``tracer.formula`` writes it, out go the same or its parts.  Invariant: what
comes out is well-formed and shows the same symbols in the same order; a text that is no such element is
given back as it came.
"""

from __future__ import annotations

import re
from collections.abc import Container

_MATH = re.compile(r"<math\b([^>]*)>(.*)</math>", re.DOTALL)
_ANNOTATION = re.compile(r"<annotation\b.*?</annotation>", re.DOTALL)
_SEMANTICS = re.compile(r"</?semantics>")
_ROW = re.compile(r"<mrow>(.*)</mrow>", re.DOTALL)
_SINGLE = re.compile(r"<mrow>(<(m[ino])\b[^>]*>[^<]*</\2>)</mrow>")
_DOUBLE = re.compile(r"<mrow><mrow>((?:(?!</?mrow).)*)</mrow></mrow>")
_TAG = re.compile(r"<(/?)[a-z]+\b[^>]*?(/?)>")
_VARIABLE = re.compile(r' data-s="(\w+)"')
_TIGHT = ' lspace="0" rspace="0"'
_WHERE = "<mtext> where </mtext>"
_EQUALS = "<mo>=</mo>"
_COMMAS = ("<mtext>, </mtext>", "<mo>,</mo>")


def lean(mathml: str, variables: Container[str]) -> str:
    """For HTML: without its LaTeX, its spoken text and marks that change nothing here, half the size.

    MathML is accessible by itself; only formulas that can be copied keep what they carry along.  Of the symbols
    only the ``variables`` keep their mark ``data-s``: the others occur nowhere else.
    """
    match = _MATH.fullmatch(mathml)
    if match is None:
        return mathml
    bare = _VARIABLE.sub(lambda mark: f" data-s={mark[1]}" if mark[1] in variables else "", _bare(match[2]))
    return f"<math display=block>{bare.replace(_TIGHT, ' lspace=0 rspace=0')}</math>"


def clauses(mathml: str) -> tuple[str, ...]:
    """The formula, and each of its explanations ``where t₁ = …``, as elements that may stand on lines of their own.

    The first one keeps what the whole carries along (the text that is copied).
    """
    match = _MATH.fullmatch(mathml)
    children = _children(_bare(match[2])) if match else None
    if match is None or children is None or _WHERE not in children:
        return (mathml,)
    at = children.index(_WHERE)
    pieces: list[list[str]] = [[]]
    for child in children[at + 1 :]:
        if child in _COMMAS:
            pieces.append([])
        else:
            pieces[-1].append(child)
    annotation = _ANNOTATION.search(match[2])
    head = f"<mrow>{''.join(children[:at])}</mrow>"
    if annotation:
        head = f"<semantics>{head}{annotation[0]}</semantics>"
    # The spoken text says the whole; its parts are read by themselves.
    tail = [f"<mtext>where&#xa0;</mtext>{''.join(pieces[0])}", *("".join(piece) for piece in pieces[1:])]
    return tuple(
        f'<math display="block">{part}</math>' for part in (head, *(f"<mrow>{t}</mrow>" for t in tail))
    )


def sides(mathml: str) -> tuple[str, str]:
    """The left side as inner MathML, and the rest with its sign: ``("…", "= …")``; ``("", …)`` without a sign."""
    match = _MATH.fullmatch(mathml)
    children = _children(_bare(match[2])) if match else None
    if match is None or children is None or _EQUALS not in children:
        return "", mathml
    at = children.index(_EQUALS)
    return "".join(children[:at]), f'<math display="block"><mrow>{"".join(children[at:])}</mrow></math>'


def left_alone(mathml: str) -> str:
    """The left side as an element of its own; empty if there is none."""
    left = sides(mathml)[0]
    return f'<math display="block"><mrow>{left}</mrow></math>' if left else ""


def _bare(inner: str) -> str:
    """Without what is said twice: rows of one element, brackets that are fences anyway, classes beside ``data-s``."""
    bare = (
        _SEMANTICS.sub("", _ANNOTATION.sub("", inner)).replace(' class="s"', "").replace(' fence="true"', "")
    )
    return _DOUBLE.sub(r"<mrow>\1</mrow>", _SINGLE.sub(r"\1", bare))


def _children(element: str) -> list[str] | None:
    """The elements in an ``<mrow>``, or None if the element is no row."""
    row = _ROW.fullmatch(element)
    if row is None:
        return None
    inner, depth, start = row[1], 0, 0
    found: list[str] = []
    for tag in _TAG.finditer(inner):
        if not tag[1] and not tag[2]:
            depth += 1
        elif tag[1]:
            depth -= 1
        if depth < 0:
            return None  # two rows side by side, not one
        if depth == 0:
            found.append(inner[start : tag.end()])
            start = tag.end()
    return found if depth == 0 else None
