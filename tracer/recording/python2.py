"""What Python 2 had under names that are gone, or mean something else now: ``cmp``, ``round``, ``string.letters``.

In: programs that were written in Python 2.  Out: the built-in names that they see, and a module ``string`` that has, as
long as they run, what it had.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import string
from collections.abc import Iterable, Iterator
from typing import Any

from tracer.program.modernise import SORTED_BY, TEXT, TEXT_OF, has_print_function
from tracer.program.program import Program
from tracer.recording.python2_text import PRINT, Text, format_text, print_text, text_of
from tracer.tape.functions import cmp, round_half_away

_STRING: dict[str, Any] = {
    "letters": string.ascii_letters,
    "lowercase": string.ascii_lowercase,
    "uppercase": string.ascii_uppercase,
    "maketrans": str.maketrans,
    "join": lambda words, sep=" ": sep.join(words),
    "joinfields": lambda words, sep=" ": sep.join(words),
    "split": lambda text, sep=None, most=-1: text.split(sep, most),
    "atoi": int,
    "atof": float,
    **{
        name: (lambda method: lambda text, *args: method(text, *args))(getattr(str, name))
        for name in ("strip", "lstrip", "rstrip", "lower", "upper", "replace", "find", "count", "zfill", "translate")
    },
}


def built_in(program: Program) -> Any:
    """What a program finds under ``__builtins__``."""
    if not program.python2:
        return builtins
    printing = print_text if has_print_function(program.source) else PRINT
    given = {"cmp": cmp, "round": round_half_away, "file": open, SORTED_BY: functools.cmp_to_key, "unichr": chr,
             "print": printing, "format": format_text, TEXT_OF: text_of, TEXT: Text}  # fmt: skip
    return {**vars(builtins), **given}


@contextlib.contextmanager
def python2_strings(programs: Iterable[Program]) -> Iterator[None]:
    """While programs in Python 2 run, the module ``string`` has what it had."""
    missing = [n for n in _STRING if not hasattr(string, n)] if any(p.python2 for p in programs) else []
    for name in missing:
        setattr(string, name, _STRING[name])
    try:
        yield
    finally:
        for name in missing:
            delattr(string, name)
