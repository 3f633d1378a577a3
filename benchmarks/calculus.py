"""How long the derivative of one operation takes: the vector-Jacobian product of every edge of the operation table.

``python -m benchmarks.calculus`` derives ∂L/∂operand for every operand of every case of ``tests/ops``, once cold (in a
fresh process, nothing derived before) and some times warm, prints medians and the slowest edges, and exits with 1 if
a median passes its limit.  Cold times hold what the edge itself needs: SymPy, say, for a scalar function of which no
derivative is stored.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "ops"))

from test_table import CASES, Prepared

from tracer.calculus import vector_jacobian
from tracer.calculus.adjoint import differentiable_operands

#: Milliseconds, in the median over all edges.
MOST_COLD, MOST_WARM = 5.0, 0.5
REPEATS = 5


def main() -> int:
    cold: list[tuple[float, str]] = []
    warm: list[tuple[float, str]] = []
    for case in CASES:
        prepared = Prepared(case)
        for operand in differentiable_operands(prepared.definition):
            shape = prepared.arrays[operand].shape
            axes = prepared.table.axes(operand, shape)
            times = []
            for _ in range(REPEATS + 1):
                start = time.perf_counter()
                vector_jacobian(prepared.definition, operand, "G", axes)
                times.append(1000 * (time.perf_counter() - start))
            cold.append((times[0], f"{case} by {operand}"))
            warm.append((statistics.median(times[1:]), f"{case} by {operand}"))
    failed = False
    for what, found, most in (("cold", cold, MOST_COLD), ("warm", warm, MOST_WARM)):
        median = statistics.median(t for t, _ in found)
        print(f"{what}: median {median:.3f} ms of {len(found)} edges (limit {most} ms)")
        for seconds, edge in sorted(found, reverse=True)[:5]:
            print(f"    {seconds:8.3f} ms  {edge}")
        failed = failed or median > most
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
