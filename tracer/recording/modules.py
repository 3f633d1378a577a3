"""The import of the program's own modules: they are recorded like the program itself.

In: the siblings' rewritten code.  Out: while the block runs, an import of one of them carries that code out.
Invariant: afterwards the modules are gone from ``sys.modules``, and what was there before is there again.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import linecache
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

from tracer.program.program import Program
from tracer.recording.python2 import built_in


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the siblings and runs their recorded version."""

    def __init__(self, modules: Mapping[str, tuple[Program, types.CodeType]]) -> None:
        self.modules = modules

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in self.modules:
            return None
        program, _ = self.modules[name]
        package = program.path.endswith("__init__.py")
        spec = importlib.machinery.ModuleSpec(name, self, origin=program.path, is_package=package)
        spec.has_location = True
        if package:
            spec.submodule_search_locations = [program.path.rpartition("__init__.py")[0].rstrip("/\\")]
        return spec

    def create_module(self, spec: Any) -> types.ModuleType | None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        program, code = self.modules[module.__name__]
        linecache.cache[program.path] = (len(program.text), None, program.text.splitlines(True), program.path)
        module.__dict__["__builtins__"] = built_in(program)
        exec(code, module.__dict__)


@contextlib.contextmanager
def own_modules(modules: Mapping[str, tuple[Program, types.CodeType]]) -> Iterator[None]:
    """Imports of these modules carry out this code, as long as the block runs."""
    before = {name: sys.modules.pop(name) for name in modules if name in sys.modules}
    finder = _Finder(modules)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name, (program, _) in modules.items():
            sys.modules.pop(name, None)
            linecache.cache.pop(program.path, None)
        sys.modules.update(before)
