"""How many planted faults are detected, named and mended.

``python -m benchmarks.faults [--limit N] [PROGRAM…]`` plants one fault after the other in the backward passes of the right
programs of ``tests/corpus`` and ``examples``, keeps those that change a step of some parameter, and prints a table:
how many were detected, how many causes were named as planted, for how many a corrected program was found.
Every corrected program was run, and its gradients judged, before it was counted.
"""

from __future__ import annotations

import argparse
import ast
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

import tracer
from tracer.diagnosis import targets
from tracer.explanation.model import Explanation
from tracer.matching.analysing import analyse
from tracer.matching.analysis import Analysis
from tracer.program import parse
from tracer.recording import RecordingError, record_in_child

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = [*sorted((ROOT / "tests" / "corpus").glob("*.py")), ROOT / "examples" / "two_layer_net.py"]


class Mutant(NamedTuple):
    """A program with one fault: its source, the line, what was planted, and the names that would be right for it."""

    source: str
    line: int
    planted: str
    names: tuple[str, ...]


def mutants(source: str, lines: set[int]) -> Iterator[Mutant]:
    """Every fault that can be planted in these lines."""
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if getattr(node, "lineno", 0) not in lines:
            continue
        for new, planted, names in _changes(node, parents.get(node), source):
            yield Mutant(_spliced(source, node, new), node.lineno, planted, names)  # type: ignore[attr-defined]


def _changes(
    node: ast.AST, parent: ast.AST | None, source: str
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    def text(inner: ast.AST) -> str:
        return ast.get_source_segment(source, inner) or ""

    any_operand = ("wrong operand", "missing derivative", "missing mask", "stale operand", "unknown")
    match node:
        case ast.Attribute(value=value, attr="T") if isinstance(node.ctx, ast.Load):
            yield text(value), "transpose", ("transpose",)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield f"({text(left)} - {text(right)})", "sign", ("sign",)
            yield text(left), "term dropped", ("missing term",)
            yield text(right), "term dropped", ("missing term",)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            yield f"({text(left)} + {text(right)})", "sign", ("sign",)
            yield f"({text(right)} - ({text(left)}))", "sign", ("sign",)
            yield (
                text(left),
                "term dropped",
                ("missing term", "constant statistics", "missing derivative", *any_operand),
            )
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            kinds = (
                "missing derivative",
                "missing mask",
                "factor",
                "softmax jacobian",
                "missing term",
                *any_operand,
            )
            yield text(left), "factor dropped", kinds
            yield text(right), "factor dropped", kinds
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            yield text(left), "divisor dropped", ("factor", "missing derivative")
            yield f"({text(left)} * {text(right)})", "divisor multiplied", ("factor", "missing derivative")
        case ast.AugAssign(target=target, op=ast.Add(), value=value):
            yield f"{text(target)} -= {text(value)}", "sign", ("sign",)
            yield f"{text(target)} = {text(value)}", "overwritten", ("accumulation", "missing term")
            yield "pass", "statement dropped", ("missing term", "accumulation")
        case ast.AugAssign(target=target, op=ast.Sub(), value=value):
            yield f"{text(target)} += {text(value)}", "sign", ("sign",)
        case ast.AugAssign(target=target, op=ast.Div(), value=value):
            yield "pass", "divisor dropped", ("factor",)
        case ast.Compare(left=left, ops=[ast.Gt()], comparators=[right]):
            yield f"({text(left)} <= {text(right)})", "mask inverted", ("missing mask",)
        case ast.keyword(arg="axis", value=ast.Constant(value=int() as axis)):
            yield f"axis={1 - axis}", "axis", ("axis",)
            yield "axis=None", "axis", ("axis",)
        case ast.Call(func=ast.Attribute(attr="sum" | "mean" as name)) if parent is not None:
            other = "mean" if name == "sum" else "sum"
            yield text(node).replace(f".{name}(", f".{other}(", 1), "sum for mean", ("factor",)
        case ast.Name(id=name) if isinstance(node.ctx, ast.Load) and not isinstance(
            parent, ast.Call | ast.Attribute
        ):
            for other in sorted(_variables(source) - {name}):
                yield other, "another variable", any_operand
        case _:
            return


def _variables(source: str) -> set[str]:
    """The variables that a program binds to a value by plain assignment."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                found |= {
                    n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
                }
    return found


def _spliced(source: str, node: ast.AST, new: str) -> str:
    lines = source.split("\n")
    first, last = node.lineno - 1, node.end_lineno - 1  # type: ignore[attr-defined]
    start = len(lines[first].encode()[: node.col_offset].decode())  # type: ignore[attr-defined]
    stop = len(lines[last].encode()[: node.end_col_offset].decode())  # type: ignore[attr-defined]
    lines[first : last + 1] = [lines[first][:start] + new + lines[last][stop:]]
    return "\n".join(lines)


def backward_lines(explanation: Explanation) -> set[int]:
    """The lines in which gradients are computed."""
    found: set[int] = set()
    for line in explanation.lines:
        roles = {p.role for p in line.parts}
        if roles & {"gradient", "local derivative"} and "loss" not in roles and "update" not in roles:
            found |= set(range(line.line, line.end_line + 1))
    return found


def steps(analysis: Analysis) -> list[np.ndarray]:
    """What the steps of the first recorded iteration add to each parameter; later ones start from elsewhere."""
    tape = analysis.tape
    first = min((tape.nodes[u].window for u in analysis.updates), default=0)
    return [
        np.asarray(tape.nodes[u.change].value, dtype=float) * u.sign
        for u in analysis.updates.values()
        if tape.nodes[u.node].window == first
    ]


def is_equivalent(right: list[np.ndarray], other: list[np.ndarray]) -> bool:
    """Whether a mutant takes the same steps, all of them up to one positive factor."""
    if len(right) != len(other):
        return False
    factors = []
    for one, two in zip(right, other, strict=True):
        if one.shape != two.shape:
            return False
        square = float(np.sum(one * one))
        factor = float(np.sum(one * two)) / square if square else 1.0
        if not np.allclose(two, factor * one, rtol=1e-6, atol=1e-12):
            return False
        factors.append(factor)
    return all(f > 0 and abs(f - factors[0]) < 1e-6 * abs(f) for f in factors)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=12, help="mutants a program, drawn at random")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("programs", nargs="*", type=Path)
    chosen = parser.parse_args()
    table: dict[str, Counter[str]] = {}
    total: Counter[str] = Counter()
    for path in chosen.programs or PROGRAMS:
        source = path.read_text("utf-8")
        right = steps(analyse(record_in_child(parse(source, str(path))).tape))
        drawn = list(mutants(source, backward_lines(tracer.explain(path))))
        random.Random(path.name).shuffle(drawn)
        kept = 0
        for mutant in drawn:
            if kept >= chosen.limit:
                break
            result = _judged(mutant, right)
            if result is None:
                continue
            kept += 1
            counted = table.setdefault(path.stem, Counter())
            counted.update(result)
            total.update(result)
            if chosen.verbose and {"detected", "named", "mended"} - set(result):
                missing = ", ".join(sorted({"detected", "named", "mended"} - set(result)))
                line = mutant.source.split("\n")[mutant.line - 1].strip()
                print(
                    f"  {path.stem}:{mutant.line}: {mutant.planted}: {line}   not {missing} {result[-1]}",
                    flush=True,
                )
        print(_row(path.stem, table.get(path.stem, Counter())), flush=True)
    print(_row("all", total))
    return 0


def _judged(mutant: Mutant, right: list[np.ndarray]) -> list[str] | None:
    """What was found out of a mutant; None if it does not run, or is no fault."""
    try:
        with np.errstate(all="ignore"):
            recording = record_in_child(parse(mutant.source, "mutant.py"), timeout=20)
            other = steps(analyse(recording.tape))
    except (RecordingError, tracer.program.ProgramError, SyntaxError):
        return None
    if not other or not all(np.all(np.isfinite(s)) for s in other) or is_equivalent(right, other):
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mutant.py"
        file.write_text(mutant.source, "utf-8")
        start = time.perf_counter()
        explanation = tracer.explain(file, timeout=20)
        seconds = time.perf_counter() - start
    wrong = [p for line in explanation.lines for p in line.parts if p.verdict == "wrong"]
    result = ["faults"]
    if wrong:
        result.append("detected")
    kinds = {p.diagnosis.kind for p in wrong if p.diagnosis}
    if kinds & set(mutant.names):
        result.append("named")
    if any(p.diagnosis and p.diagnosis.edits for p in wrong):
        result.append("mended")
    if seconds > 10:
        result.append("slow")
    return [*result, str(sorted(kinds))]


def _row(name: str, counted: Counter[str]) -> str:
    cells = "  ".join(
        f"{what} {counted[what]:3d}" for what in ("faults", "detected", "named", "mended", "slow")
    )
    return f"{name:35s} {cells}"


__all__ = ["main", "mutants", "targets"]

if __name__ == "__main__":
    sys.exit(main())
