"""The harness of the recorder's laws: a piece of program, run natively and recorded, in several settings.

In: a body that makes ``out`` from ``x`` (3×4), ``w`` (4×2), ``s`` (a float) and ``n`` (3).  Out: a `Finding`:
what the recorder did to it.  A dependency counts as followed only if the tape of a run with inputs A, given
nothing but the *inputs* of B, evaluates to what a native run with B gives; every other leaf keeps A's value, so
a value that silently became a leaf is a loss.
"""

from __future__ import annotations

import collections
import contextlib
import gc
import io
import sys
import types
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tracer.program import parse
from tracer.recording import Recording, record_source
from tracer.recording.box import same
from tracer.tape import Kind, ReplayError, replay, storage

HEAD = "import numpy as np, math, functools, operator, itertools, copy, collections\nfrom functools import reduce\n"
#: The last line: everything the program leaves behind, for the test to compare.
TAIL = "import sys as _sys; _sys.left_behind = dict(globals())\n"
SETTINGS = ("module", "function", "loop")


def inputs(factor: float = 1.0) -> dict[str, str]:
    """The inputs as Python expressions; another ``factor`` moves every number but ``n``."""
    random = np.random.default_rng(1)
    x = np.round(random.standard_normal((3, 4)), 3) * factor
    w = np.round(random.standard_normal((4, 2)), 3) * factor
    return {
        "x": f"np.array({x.tolist()})", "w": f"np.array({w.tolist()})", "s": repr(0.7541 * factor), "n": "3",
    }  # fmt: skip


def source_of(body: str, setting: str) -> tuple[str, int | None]:
    """The whole program in one of `SETTINGS`, and the line of the loop to record."""
    if setting == "module":
        return f"{HEAD}{body}\nresult = out * 1\n{TAIL}", None
    indented = "".join(f"    {line}\n" for line in body.split("\n"))
    if setting == "function":
        return f"{HEAD}def main():\n{indented}    return out\nresult = main() * 1\n{TAIL}", None
    return f"{HEAD}for step in range(3):\n{indented}    result = out * 1\n{TAIL}", 3


@dataclass
class Run:
    """What a native or recorded run left behind."""

    space: dict[str, Any]
    stdout: str
    recording: Recording | None = None


@dataclass
class Finding:
    """What the recorder did: `silent` is the fault that must not be."""

    altered: list[str] = field(default_factory=list)
    not_reproduced: list[str] = field(default_factory=list)
    followed: bool = False
    moved: bool = False
    notices: list[str] = field(default_factory=list)
    why: str = ""

    @property
    def verdict(self) -> str:
        if self.altered:
            return "altered: " + "; ".join(self.altered)
        if self.not_reproduced:
            return "not reproduced: " + "; ".join(self.not_reproduced[:3])
        if self.followed:
            return "followed" if self.moved else "followed (nothing moved)"
        return "noticed" if self.notices else f"silent loss: {self.why}"


def natively(source: str, given: dict[str, str], path: str = "trap.py") -> Run:
    module = types.ModuleType("__main__")
    module.__file__ = path
    module.__dict__.update({name: eval(value, {"np": np}) for name, value in given.items()})
    out = io.StringIO()
    before, argv = sys.modules["__main__"], sys.argv
    sys.modules["__main__"], sys.argv = module, [path]
    try:
        with contextlib.redirect_stdout(out), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(source, path, "exec"), module.__dict__)
    finally:
        sys.modules["__main__"], sys.argv = before, argv
    return Run(sys.__dict__.pop("left_behind"), out.getvalue())


def recorded(source: str, given: dict[str, str], loop: int | None) -> Run:
    gc.freeze()  # A window looks through all objects; so only through those of the small program.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        recording = record_source(parse(source, "trap.py"), loop=loop, define=given, run_on=True)
    return Run(sys.__dict__.pop("left_behind"), recording.stdout, recording)


def examine(body: str, setting: str = "module") -> Finding:
    """Run ``body`` natively with A and B, record it with A, and say what came of it."""
    source, loop = source_of(body, setting)
    native, other = natively(source, inputs()), natively(source, inputs(1.01))
    mine = recorded(source, inputs(), loop)
    recording = mine.recording
    assert recording is not None
    finding = Finding(altered=differences(native, mine))
    finding.notices = [f"{n.line}:{n.column} {n.what}" for n in recording.notices if n.line]
    storage.write(recording.tape, io.BytesIO())
    again = replay(recording.tape)
    finding.not_reproduced = [
        f"{n.op or n.kind} {n.site.text if n.site else ''!r}"
        for n in recording.tape.window_nodes()
        if not same(n.value, again[n.id])
    ]
    found = [b.node for b in recording.tape.bindings if b.name == "result"]
    if not found:
        finding.why = "the result has no node"
        return finding
    try:
        value = replay(recording.tape, moved_inputs(recording, native, other))[found[-1]]
    except ReplayError as error:
        finding.why = str(error)
        return finding
    expected = other.space["result"]
    finding.followed = agrees(value, expected)
    finding.moved = not agrees(native.space["result"], expected)
    finding.why = f"the replay gives {value!r}, the program {expected!r}"
    return finding


def moved_inputs(recording: Recording, native: Run, other: Run) -> dict[int, Any]:
    """The leaves that hold an input, with the other run's input; nothing else."""
    before, after = ({k: eval(v, {"np": np}) for k, v in inputs(f).items()} for f in (1.0, 1.01))
    return {
        node.id: after[name]
        for node in recording.tape.window_nodes()
        if node.kind is Kind.LEAF
        for name in ("x", "w", "s")
        if same(node.value, before[name])
    }


def agrees(a: Any, b: Any) -> bool:
    """Whether two numbers or arrays are equal but for rounding."""
    if np.shape(a) != np.shape(b):
        return False
    return bool(np.allclose(np.asarray(a), np.asarray(b), rtol=1e-9, atol=1e-12, equal_nan=True))


def differences(native: Run, mine: Run) -> list[str]:
    """How a recorded run differs from the native one: its prints, its globals, their types."""
    found = [] if native.stdout == mine.stdout else [f"printed {mine.stdout!r}, not {native.stdout!r}"]
    names = {k for k in native.space if not k.startswith("__")}
    extra = {k for k in mine.space if not k.startswith("__")} - names
    found += [f"{name} was left behind" for name in sorted(extra)]
    for name in sorted(names):
        if name not in mine.space:
            found.append(f"{name} is missing")
        elif not alike(native.space[name], mine.space[name]):
            found.append(f"{name} is {mine.space[name]!r}, not {native.space[name]!r}")
    return found


def alike(a: Any, b: Any, depth: int = 0) -> bool:
    """Whether two values of two runs of one program are the same, types included."""
    if type(a).__name__ != type(b).__name__ or depth > 8:
        return depth > 8
    if isinstance(a, np.ndarray):
        if a.dtype == object:
            return a.shape == b.shape and all(alike(p, q, depth + 1) for p, q in zip(a.flat, b.flat))
        return (
            a.dtype == b.dtype
            and a.shape == b.shape
            and a.flags.c_contiguous == b.flags.c_contiguous
            and a.tobytes() == b.tobytes()
        )
    if isinstance(a, (np.generic, int, float, complex, str, bytes, type(None), range)):
        return bool(a == b or (a != a and b != b))
    if isinstance(a, dict):
        return list(map(str, a)) == list(map(str, b)) and all(
            alike(p, q, depth + 1) for p, q in zip(a.values(), b.values())
        )
    if isinstance(a, (list, tuple, collections.deque)):
        return len(a) == len(b) and all(alike(p, q, depth + 1) for p, q in zip(a, b))
    if isinstance(a, (types.FunctionType, type, types.ModuleType)):
        return a.__name__ == b.__name__
    if hasattr(a, "__dict__"):
        return alike(vars(a), vars(b), depth + 1)
    return True
