"""The whole command on the example against importing what it needs.

``python -m benchmarks.startup`` prints the medians and their ratio, and the size of the report; it exits with 1
if the ratio is above 3 or the report above 400 kB.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "two_layer_net.py"
MOST_RATIO, MOST_BYTES = 3.0, 400_000


def seconds(command: list[str], runs: int = 5) -> float:
    """The median wall time of a command; one run before that is not counted."""
    times = []
    for count in range(runs + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        if count:
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        imports = seconds([sys.executable, "-c", "import numpy, sympy, jinja2, pygments"])
        whole = seconds([sys.executable, "-m", "tracer.cli", "explain", str(EXAMPLE), "-o", str(report)])
        size = report.stat().st_size
    helped = seconds([sys.executable, "-m", "tracer.cli", "--help"])
    ratio = whole / imports
    print(f"imports {imports:.2f} s, explain {whole:.2f} s, ratio {ratio:.2f} (at most {MOST_RATIO:g})")
    print(f"report {size / 1000:.0f} kB (at most {MOST_BYTES / 1000:.0f} kB), --help {helped:.2f} s")
    return int(ratio > MOST_RATIO or size > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())
