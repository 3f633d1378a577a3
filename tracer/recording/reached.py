"""The functions that a function of a running session can reach, and their recorded versions.

In: a function, as it was imported or typed into a cell.  Out: its own functions, methods and closures with those of the
same folder and of the other cells; and the programs that they stand in.  Invariant: when `exchanged` ends, every function
has the code that it had.
"""

from __future__ import annotations

import contextlib
import inspect
import linecache
import site
import sysconfig
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tracer.program.errors import ProgramError
from tracer.program.notebook import is_cell
from tracer.program.program import Program, parse

#: Objects and containers that are looked into for classes of the program.
_MOST = 2000
_METHODS = (types.FunctionType, property, staticmethod, classmethod)


def functions_reached(function: types.FunctionType, given: Sequence[Any] = ()) -> list[types.FunctionType]:
    """The function, and the functions, methods and closures of the program that it can reach.

    Arguments:
        given: what it is called with.
    """
    found: dict[int, types.FunctionType] = {}
    seen: set[int] = set()
    todo: list[Any] = [function, *given]
    while todo and len(seen) < _MOST:
        item = todo.pop()
        item = getattr(item, "__func__", item) if isinstance(item, (types.MethodType, staticmethod, classmethod)) else item
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, property):
            todo += [f for f in (item.fget, item.fset) if f is not None]
        elif isinstance(item, types.FunctionType):
            if is_own(item.__code__.co_filename, function.__code__.co_filename):
                found[id(item)] = item
                todo += _of_function(item)
        else:
            todo += _held(item, function)
    return list(found.values())


def _of_function(function: types.FunctionType) -> Iterator[Any]:
    """What a function can reach by name, through its closure, and below its decorators."""
    names = {name for code in (function.__code__, *_all_codes(function.__code__)) for name in code.co_names}
    yield from (value for name, value in function.__globals__.items() if name in names)
    yield from (cell.cell_contents for cell in function.__closure__ or () if _filled(cell))
    yield from (function.__defaults__ or ())
    wrapped = getattr(function, "__wrapped__", None)
    if wrapped is not None:
        yield wrapped


def _held(item: Any, function: types.FunctionType) -> Iterator[Any]:
    """What a class, a module, a container or an object of the program holds."""
    if isinstance(item, type):
        if item.__module__ not in ("builtins", "numpy"):
            yield from item.__mro__[1:]
            yield from (value for value in vars(item).values() if isinstance(value, _METHODS))
    elif isinstance(item, types.ModuleType):
        if is_own(getattr(item, "__file__", None) or "", function.__code__.co_filename):
            yield from (v for v in vars(item).values() if isinstance(v, (types.FunctionType, type)))
    elif isinstance(item, (list, tuple, set)):
        yield from item
    elif isinstance(item, dict):
        yield from item.values()
    elif type(getattr(item, "__dict__", None)) is dict:
        yield type(item)
        yield from vars(item).values()


def is_own(path: str, main: str) -> bool:
    """Whether a file is one of the program: in the folder of its main file or below it, or a cell of the same session."""
    if path == main:
        return True
    if not path or not linecache.getlines(path):
        return False
    if is_cell(path):
        return is_cell(main)
    home = Path.cwd() if is_cell(main) else Path(main).resolve().parent
    return home in Path(path).resolve().parents and not _is_installed(path)


@cache
def _is_installed(path: str) -> bool:
    if {"site-packages", "dist-packages"} & set(Path(path).parts):
        return True
    homes = [*sysconfig.get_paths().values(), *site.getsitepackages(), str(Path(__file__).resolve().parents[1])]
    return any(Path(home).resolve() in Path(path).resolve().parents for home in homes)


def own_files(main: Program, functions: Sequence[types.FunctionType]) -> tuple[Program, ...]:
    """The other files that functions stand in; one that cannot be parsed is left out, and runs as it is."""
    found: dict[str, Program] = {}
    for function in functions:
        path = function.__code__.co_filename
        if path not in found and path != main.path:
            with contextlib.suppress(ProgramError, OSError, TypeError):
                found[path] = parse("".join(inspect.findsource(function)[0]), path)
    return tuple(found.values())


@contextlib.contextmanager
def exchanged(functions: Sequence[types.FunctionType], codes: Mapping[str, types.CodeType]) -> Iterator[None]:
    """The recorded code in the place of the functions', as long as the block runs.

    Arguments:
        codes: the recorded version of each file.
    """
    recorded = {
        (path, c.co_firstlineno, c.co_name): c for path, code in codes.items() for c in _all_codes(code)
    }
    changed: list[tuple[types.FunctionType, types.CodeType]] = []
    for each in functions:
        old = each.__code__
        new = recorded.get((old.co_filename, old.co_firstlineno, old.co_name))
        if new is not None and new.co_freevars == old.co_freevars:
            changed.append((each, old))
            each.__code__ = new
    try:
        yield
    finally:
        for each, old in changed:
            each.__code__ = old


def _all_codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _all_codes(constant)


def _filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False
