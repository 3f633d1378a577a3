"""Stand-ins for packages that only show things: plotting and progress bars.

A program of a forward and a backward pass often plots its data.  When matplotlib, seaborn or tqdm are
not installed, an object that accepts everything takes their place, with a notice; plots are never shown
in any case.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Iterator, Sequence
from typing import Any

from tracer.program.program import Program
from tracer.tape.node import Notice

STUBBED = ("matplotlib", "mpl_toolkits", "seaborn", "tqdm", "pylab")


class Anything(types.ModuleType):
    """Accepts any attribute, call, item and iteration; figures and axes come in pairs and grids."""

    def __init__(self, name: str = "anything") -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if name == "subplots":
            return _subplots
        return Anything(f"{self.__name__}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return Anything(self.__name__)

    def __getitem__(self, key: Any) -> Any:
        return Anything(self.__name__)

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        return iter((Anything(self.__name__),))

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *details: Any) -> None:
        return None

    def __len__(self) -> int:
        return 1

    def __bool__(self) -> bool:
        return True


def _subplots(rows: int = 1, columns: int = 1, *args: Any, **kwargs: Any) -> Any:
    import numpy as np

    rows, columns = kwargs.get("nrows", rows), kwargs.get("ncols", columns)
    axes = np.empty((rows, columns), dtype=object)
    for at in np.ndindex(rows, columns):
        axes[at] = Anything("axes")
    if rows == columns == 1:
        return Anything("figure"), axes[0, 0]
    return Anything("figure"), axes.reshape(-1) if 1 in (rows, columns) else axes


def _progress(iterable: Any = (), *args: Any, **kwargs: Any) -> Any:
    return iterable


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the packages that are missing, at every depth."""

    def __init__(self, missing: Sequence[str]) -> None:
        self.missing, self.used = tuple(missing), set[str]()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.split(".")[0] in self.missing:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        package = spec.name.split(".")[0]
        self.used.add(package)
        module = Anything(spec.name)
        if package == "tqdm":
            module.__dict__.update({"tqdm": _progress, "trange": lambda n, *a, **k: range(n)})
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        pass


@contextlib.contextmanager
def missing_packages_stubbed(program: Program, notices: list[Notice]) -> Iterator[None]:
    """Stand-ins for what is missing, as long as the program runs; says afterwards which were used."""
    missing = [name for name in STUBBED if name not in sys.modules and importlib.util.find_spec(name) is None]
    finder = _Finder(missing)
    sys.meta_path.insert(0, finder)
    try:
        with _nothing_shown():
            yield
    finally:
        sys.meta_path.remove(finder)
        for name in [n for n in sys.modules if n.split(".")[0] in missing]:
            del sys.modules[name]
        for package in sorted(finder.used):
            line = _import_line(program, package)
            notices.append(Notice(line, 0, f"{package} is not installed; its calls do nothing here."))


@contextlib.contextmanager
def _nothing_shown() -> Iterator[None]:
    """``plt.show`` and ``plt.pause`` do nothing, when matplotlib is there."""
    if importlib.util.find_spec("matplotlib") is None or isinstance(sys.modules.get("matplotlib"), Anything):
        yield
        return
    finder = _Quiet()
    sys.meta_path.insert(0, finder)
    quiet = sys.modules.get("matplotlib.pyplot")
    if quiet is not None:
        _silence(quiet)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _silence(pyplot: types.ModuleType) -> None:
    for name in ("show", "pause", "draw"):
        setattr(pyplot, name, lambda *args, **kwargs: None)


class _Quiet(importlib.abc.MetaPathFinder):
    """Silences matplotlib.pyplot as soon as it is imported."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "matplotlib.pyplot":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def run(module: types.ModuleType) -> None:
            execute(module)
            _silence(module)

        spec.loader.exec_module = run  # type: ignore[method-assign]
        return spec


def _import_line(program: Program, package: str) -> int:
    for at, line in enumerate(program.lines, 1):
        if "import" in line and package in line:
            return at
    return 0
