"""Stand-ins for packages that only show things: plotting, progress bars, what a notebook displays.

A program of a forward and a backward pass often plots its data.  When matplotlib, tqdm or IPython are not installed, an
object that accepts everything takes their place, with a notice; plots are never shown in any case.  What numba compiles
is left as it is, whether it is installed or not.
"""

from __future__ import annotations

import ast
import contextlib
import dis
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Iterator, Sequence
from typing import Any

from tracer.program.program import Program
from tracer.recording.uncompiled import COMPILER, names_of
from tracer.tape.node import Notice

STUBBED = (
    "matplotlib", "mpl_toolkits", "seaborn", "tqdm", "pylab", "plotly", "bokeh", "livelossplot", "wandb", "tensorboardX",
    "IPython", "ipywidgets", "google.colab", "colorama", "termcolor", "prettytable", "tabulate", "rich", "progressbar",
    "alive_progress", "graphviz", "visdom", "tensorboard", "mlflow", "icecream",
)  # fmt: skip
PROGRESS_BARS = ("tqdm",)
_PLAIN = "The functions that numba would compile run as plain Python here: what is compiled cannot be recorded."
#: What a notebook has without an import.
IN_NOTEBOOKS = ("get_ipython", "display")
_UNPACKING = (dis.opmap["UNPACK_SEQUENCE"], dis.opmap["UNPACK_EX"])


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
        return iter(self.parts(_wanted(sys._getframe(1))))

    def parts(self, count: int) -> list[Any]:
        """What it is unpacked into: ``counts, edges, bars = plt.hist(x)``."""
        return [Anything(self.__name__) for _ in range(count)]

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


def _wanted(frame: types.FrameType) -> int:
    """Into how many variables a statement unpacks what is being iterated; 1 if it does something else."""
    code = frame.f_code.co_code
    return code[frame.f_lasti + 1] if code[frame.f_lasti] in _UNPACKING else 1


class Progress:
    """``tqdm(iterable)``: its items, and a bar that is never shown."""

    def __init__(self, iterable: Any = (), *args: Any, **kwargs: Any) -> None:
        self.iterable, self.n, self.total = iterable, 0, kwargs.get("total")

    def __iter__(self) -> Iterator[Any]:
        return iter(self.iterable)

    def __len__(self) -> int:
        return len(self.iterable)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *details: Any) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _nothing

    @staticmethod
    def write(text: str, *args: Any, **kwargs: Any) -> None:
        print(text)


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None


def _steps(*args: int, **kwargs: Any) -> Progress:
    return Progress(range(*args))


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the packages that are missing, at every depth."""

    def __init__(self, missing: Sequence[str]) -> None:
        self.missing, self.used = tuple(missing), set[str]()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        package = self._package(name)
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if package else None

    def _package(self, name: str) -> str:
        """The missing package that a module belongs to; a part of another one may be missing alone."""
        inside = (m for m in self.missing if name == m or name.startswith(m + ".") or m.startswith(name + "."))
        return next(inside, "")

    def create_module(self, spec: Any) -> types.ModuleType:
        package = self._package(spec.name)
        self.used.add(package)
        module = Anything(spec.name)
        if package in PROGRESS_BARS:
            module.__dict__.update({"tqdm": Progress, "trange": _steps, "tqdm_notebook": Progress})
        module.__dict__.update(names_of(spec.name))
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        pass


@contextlib.contextmanager
def missing_packages_stubbed(program: Program, notices: list[Notice]) -> Iterator[None]:
    """Stand-ins for what is missing, as long as the program runs; says afterwards which were used."""
    missing = [name for name in STUBBED if _is_missing(name)]
    finder = _Finder([*missing, COMPILER])
    there = {name: sys.modules.pop(name) for name in [*sys.modules] if name.split(".")[0] == COMPILER}
    sys.meta_path.insert(0, finder)
    try:
        with _nothing_shown():
            yield
    finally:
        sys.meta_path.remove(finder)
        for name in [n for n, module in sys.modules.items() if isinstance(module, Anything)]:
            del sys.modules[name]
        sys.modules.update(there)
        for package in sorted(finder.used):
            line = _import_line(program, package)
            what = _PLAIN if package == COMPILER else f"{package} is not installed; its calls do nothing here."
            notices.append(Notice(line, 0, what))


def _is_missing(name: str) -> bool:
    if name in sys.modules:
        return False
    try:
        return importlib.util.find_spec(name) is None
    except ModuleNotFoundError:  # that of which it is a part
        return True


def of_notebooks(program: Program) -> dict[str, Any]:
    """What a program uses that only a notebook has, and does not define: ``display(x)``, ``get_ipython()``."""
    names = [node for node in ast.walk(program.tree) if isinstance(node, ast.Name)]
    given = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    for node in ast.walk(program.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            given |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef):
            given.add(node.name)
    used = {node.id for node in names} - given
    return {name: Anything(name) for name in IN_NOTEBOOKS if name in used}


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
