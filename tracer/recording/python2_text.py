"""How Python 2 wrote numbers: twelve digits where they are printed, put into a text or made a text, all of them in a list.

In: what a program in Python 2 prints or formats.  Out: the text that it gave there.  Numbers of NumPy are written as the
NumPy of today does, but without the names of their types.
"""

from __future__ import annotations

import builtins
import contextlib
import re
import string
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tracer.program.program import Program

_CONVERSION = re.compile(r"%(\(.*?\))?([-#0 +]*)(\*|\d*)(\.(?:\*|\d*))?[hlL]?([a-zA-Z%])")

_NAMED = re.compile(r"%\((.*?)\)([-#0 +]*\d*(?:\.\d*)?s)")
_MARK = "\0"


def text_of(*given: Any, **named: Any) -> str:
    """``str`` of Python 2."""
    [value] = given if len(given) == 1 and not named else [str(*given, **named)]
    if type(value) is float:
        short = f"{value:.12g}"
        digits = short.lstrip("-")
        if digits.isdigit() and len(digits) > 11:  # There would be no room for the point.
            significant, exponent = f"{value:.11e}".split("e")
            return f"{significant.rstrip('0').rstrip('.')}e{exponent}"
        return short + ".0" if digits.isdigit() else short
    if type(value) is complex:
        imaginary = f"{value.imag:.12g}j"
        if value.real == 0 and not str(value.real).startswith("-"):
            return imaginary
        return f"({value.real:.12g}{imaginary if imaginary[0] in '+-' else '+' + imaginary})"
    return str(value)


def format_text(value: Any, spec: str = "") -> str:
    """``format`` of Python 2."""
    return text_of(value) if not spec and _is_plain(value) else format(value, spec)


def print_text(*values: Any, **options: Any) -> None:
    """``print`` of Python 2, as a function."""
    builtins.print(*map(text_of, values), **options)


class PrintStatement:
    """``print a, b`` of Python 2: a comma at its end, here ``end=" "``, owes a space to whatever is printed next.

    Nothing is owed after a text that ends a line, or if something else was written since.
    """

    __module__ = __name__

    def __init__(self) -> None:
        self.owed: dict[int, tuple[Any, int]] = {}

    def __call__(self, *values: Any, end: str = "\n", file: Any = None) -> None:
        file = sys.stdout if file is None else file
        written, at = self.owed.pop(id(file), (None, 0))
        owed = written is file and at == _position(file)
        for value in values:
            text = text_of(value)
            file.write(" " * owed + text)
            owed = not text[-1:].isspace() or text.endswith(" ")
        if end == "\n":
            file.write(end)
        elif owed:
            self.owed[id(file)] = file, _position(file)


def _position(file: Any) -> int:
    """Where a file is; 0 if it cannot say so."""
    try:
        return int(file.tell())
    except (AttributeError, OSError, ValueError):
        return 0


class Text(str):
    """A text with ``%`` and ``format`` of Python 2; what they give is a plain one."""

    __slots__ = ()

    def __mod__(self, given: Any) -> str:
        if isinstance(given, dict):
            return _NAMED.sub(rf"%(\1{_MARK})\2", str(self)) % _Values(given)
        values = list(given) if isinstance(given, tuple) else [given]
        at = 0
        for _, _, width, precision, kind in _CONVERSION.findall(str(self)):
            if kind == "%":
                continue
            at += (width == "*") + (precision == ".*")
            if kind == "s" and at < len(values):
                values[at] = _written(values[at])
            at += 1
        return str(self) % (tuple(values) if isinstance(given, tuple) else values[0])

    def format(self, *given: Any, **named: Any) -> str:
        return _FORMATTER.vformat(str(self), given, named)


class _Values:
    """The values of ``"%(name)s %(other)d" % values``; what ``%s`` writes is asked for by a name with `_MARK`."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given

    def __getitem__(self, name: str) -> Any:
        return _written(self.given[name[:-1]]) if name.endswith(_MARK) else self.given[name]


class _Formatter(string.Formatter):
    def format_field(self, value: Any, spec: str) -> Any:
        return format_text(value, spec)

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        return text_of(value) if conversion == "s" else super().convert_field(value, conversion)


_FORMATTER = _Formatter()
PRINT = PrintStatement()
#: What of a program in Python 2 writes numbers.
WRITING = (Text, text_of, format_text, print_text, PRINT)


def _is_plain(value: Any) -> bool:
    return type(value) in (float, complex)


def _written(value: Any) -> Any:
    return text_of(value) if _is_plain(value) else value


@contextlib.contextmanager
def numbers_without_types(programs: Iterable[Program]) -> Iterator[None]:
    """While programs in Python 2 run, a list shows a number of NumPy as ``0.5``, not as ``np.float64(0.5)``."""
    if not any(p.python2 for p in programs) or np.lib.NumpyVersion(np.__version__) < "2.0.0":
        yield
        return
    with np.printoptions(legacy="1.25"):
        yield
