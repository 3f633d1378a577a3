"""What recording costs: an operation against autograd's tape, code outside the window, memory, time steps.

``python -m benchmarks.recording`` prints each number with its limit and exits with 1 if one is passed.  The figures
against autograd need autograd (``pip install '.[bench]'``).

Both sides of a comparison use memory that the process has already (`keep_memory`), and no run leaves garbage to the
next one: a page that the machine hands out for the first time costs many times what is measured here.  Matrix products
have one thread: the processor time of threads that wait for each other would be counted too.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np

from tracer.program import parse
from tracer.recording import record_source

CHAIN = """\
import numpy as np
x = np.random.randn({shape})
w = np.random.randn({shape})
for step in range(2):
    for k in range({count}):
        a = x * w
        b = a + x
        c = np.absolute(b)
        d = c - a
    w -= 0.01 * d
"""
NETWORK = """\
import numpy as np
np.random.seed(0)
X, y = np.random.randn(200, 60), np.random.randn(200, 10)
W1, W2 = np.random.randn(60, 100) * 0.1, np.random.randn(100, 10) * 0.1
for step in range({steps}):
    h = np.maximum(0, X.dot(W1))
    out = h.dot(W2)
    loss = 0.5 * np.mean((out - y) ** 2)
    d = (out - y) / out.size
    dW2 = h.T.dot(d)
    dh = d.dot(W2.T)
    dh[h <= 0] = 0
    dW1 = X.T.dot(dh)
    W1 -= 0.1 * dW1
    W2 -= 0.1 * dW2
"""
UNROLLED = """\
import numpy as np
np.random.seed(0)
W, U, x = np.random.randn(20, 20) * 0.1, np.random.randn(20, 20) * 0.1, np.random.randn({steps}, 20)
for it in range(2):
    hs = {{-1: np.zeros(20)}}
    for t in range({steps}):
        hs[t] = np.tanh(W @ hs[t - 1] + U @ x[t])
    dW, dh = np.zeros_like(W), np.ones(20)
    for t in reversed(range({steps})):
        dz = dh * (1 - hs[t] ** 2)
        dW += np.outer(dz, hs[t - 1])
        dh = W.T @ dz
    W -= 0.01 * dW
"""


@dataclass(frozen=True)
class Figure:
    what: str
    value: float
    limit: float
    unit: str

    @property
    def kept(self) -> bool:
        return self.value <= self.limit

    def __str__(self) -> str:
        return f"{'ok ' if self.kept else 'NOT'} {self.what}: {self.value:.2f} {self.unit} (at most {self.limit:g})"


def keep_memory() -> None:
    """Memory that was freed stays with the process (where its C library is glibc)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        most_mapped, trim_threshold = -4, -1  # Their numbers in malloc.h.
        mallopt(most_mapped, 0)
        mallopt(trim_threshold, 2**31 - 1)


def seconds(run: Callable[[], object], runs: int = 5) -> float:
    """The least processor time of several runs: whatever else the machine does only adds to it."""
    times = []
    for _ in range(runs):
        gc.collect()  # A tape that is done with is one large circle.
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def record(source: str, **options: Any) -> Any:
    return record_source(parse(source), **options)


def native(source: str) -> None:
    exec(compile(source, "native", "exec"), {"__name__": "__main__"})


def least(*runs: Callable[[], object], times: int = 25) -> list[float]:
    """`seconds` of several runs, taken in turn, so that what disturbs the machine meets them all."""
    return [min(column) for column in zip(*([seconds(run, 1) for run in runs] for _ in range(times)))]


def per_operation(shape: str, count: int = 220) -> float:
    """Microseconds that one recorded operation costs more than a native one whose result is kept too."""
    few, many = (CHAIN.format(shape=shape, count=each) for each in (20, count))
    record_loop = functools.partial(record, loop=4, iteration=1)  # None is looked for: this is run once.
    nodes = len(record_loop(many).tape.nodes) - len(record_loop(few).tape.nodes)
    kept = [
        source.replace("d = c - a\n", "d = c - a\n        kept += [a, b, c, d]\n") for source in (few, many)
    ]
    few_kept, many_kept = (source.replace("w = np", "kept = []\nw = np") for source in kept)
    long, short, long_plain, short_plain = least(
        lambda: record_loop(many), lambda: record_loop(few), lambda: native(many_kept), lambda: native(few_kept)
    )
    return (long - short - long_plain + short_plain) / nodes * 1e6


def autograds_tape(shape: str, count: int = 400) -> float:
    """The same of autograd's forward pass on a tape.  Here, too, both runs keep every value, as a tape must."""
    from autograd import numpy as anp
    from autograd.core import VJPNode
    from autograd.tracer import new_box, trace_stack

    dims = tuple(int(n) for n in shape.split(","))
    x, w = np.random.randn(*dims), np.random.randn(*dims)

    def chain(x: Any, w: Any, numpy: Any) -> None:
        kept = []
        for _ in range(count):
            a = x * w
            b = a + x
            c = numpy.absolute(b)
            kept += [a, b, c, c - a]

    def traced() -> None:
        with trace_stack.new_trace() as number:
            chain(*(new_box(v, number, VJPNode.new_root()) for v in (x, w)), anp)

    long, plain = least(traced, lambda: chain(x, w, np))
    return (long - plain) / (4 * count) * 1e6


def run_on(steps: int = 3000) -> float:
    """The run with one iteration explained, against the native run."""
    source = NETWORK.format(steps=steps)
    pairs = [
        (seconds(lambda: record(source, run_on=True), 1), seconds(lambda: native(source), 1))
        for _ in range(3)
    ]
    return statistics.median(a / b for a, b in pairs)


def outside(steps: int = 2000) -> float:
    """An iteration outside the window against a native one: two runs that differ in the number of iterations."""
    few, many = NETWORK.format(steps=200), NETWORK.format(steps=200 + steps)
    ratios = []
    for _ in range(3):
        mine = seconds(lambda: record(many, run_on=True), 1) - seconds(lambda: record(few, run_on=True), 1)
        plain = seconds(lambda: native(many), 1) - seconds(lambda: native(few), 1)
        ratios.append(mine / plain)
    return statistics.median(ratios)


def memory() -> float:
    """The most that recording takes at one time, against the bytes of the values in the windows."""
    source = NETWORK.format(steps=2).replace("200", "2000")
    record(source)
    tracemalloc.start()
    tape = record(source).tape
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    values = sum(n.value.nbytes for n in tape.window_nodes() if isinstance(n.value, np.ndarray))
    return peak / values


def per_time_step() -> float:
    """The cost of a step of an unrolled network of 300 steps against one of 10."""
    sources = [UNROLLED.format(steps=steps) for steps in (10, 110, 300)]
    few, some, many = least(*(functools.partial(record, source) for source in sources), times=9)
    return ((many - some) / 190) / ((some - few) / 100)


def main() -> int:
    keep_memory()
    gc.freeze()  # As the child process does that records programs.
    gc.set_threshold(100_000, 50, 50)
    figures = [Figure("a recorded operation on 2×2 arrays", per_operation("2, 2"), 8.0, "µs")]
    large = per_operation("300, 100", count=60)
    try:
        figures.append(
            Figure("the same against autograd's tape", figures[0].value / autograds_tape("2,2"), 1.6, "×")
        )
        figures.append(Figure("a recorded operation on 300×100 arrays against autograd's tape",
                              large / autograds_tape("300,100", count=80), 1.5, "×"))  # fmt: skip
    except ImportError:
        print(f"a recorded operation on 300×100 arrays: {large:.2f} µs (autograd is not installed)")
    figures += [
        Figure("an iteration outside the window", outside(), 1.05, "× native"),
        Figure("3000 iterations with one explained", run_on(), 1.05, "× native"),
        Figure("memory at its most", memory(), 2.5, "× the values"),
        Figure("a time step of 300 against one of 10", per_time_step(), 1.5, "×"),
    ]
    print(*figures, sep="\n")
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
