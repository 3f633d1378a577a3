"""Python source as HTML, line by line, with every known variable marked.

In comes source text, out goes one `Markup` for each line; taking the tags away gives back the line exactly.
Source that no longer is Python 3 is coloured as far as it can be and never fails.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache

from markupsafe import Markup, escape
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType

_CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "tc"),
    (Keyword, "tk"),
    (Operator.Word, "tk"),
    (Number, "tn"),
    (String, "ts"),
)


def highlighted_lines(source: str, variables: Collection[str] = ()) -> list[Markup]:
    """The lines of ``source`` as HTML; tokens that are one of ``variables`` carry it as ``data-s``."""
    lines: list[list[str]] = [[]]
    for token, text in _tokens(source):
        for count, piece in enumerate(text.split("\n")):
            if count:
                lines.append([])
            if piece:
                lines[-1].append(_marked(token, piece, variables))
    return [Markup("").join(map(Markup, line)) for line in lines]


def highlighted(source: str, variables: Collection[str] = ()) -> Markup:
    """All of ``source`` as one piece of HTML."""
    return Markup("\n").join(highlighted_lines(source, variables))


def _tokens(source: str) -> Iterator[tuple[_TokenType, str]]:
    for _, token, text in _lexer().get_tokens_unprocessed(source):
        yield token, text


@cache
def _lexer() -> PythonLexer:
    # Without these three options the lexer changes white space, and positions drift.
    return PythonLexer(stripnl=False, ensurenl=False, stripall=False)


def _marked(token: _TokenType, text: str, variables: Collection[str]) -> str:
    if token in Name and text in variables:
        return str(Markup('<span data-s="{0}">{0}</span>').format(text))
    for kind, name in _CLASSES:
        if token in kind:
            return str(Markup('<span class="{}">{}</span>').format(name, text))
    return str(escape(text))
