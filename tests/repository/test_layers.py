"""The rooms may import each other in one direction only; this is the whole rule."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: What each room may import, besides itself.
BASE = {"program", "tape", "recording", "calculus", "ops", "gradients", "matching", "diagnosis", "formula"}
ALLOWED: dict[str, set[str]] = {
    "program": set(),
    "tape": {"program"},
    "recording": {"program", "tape"},
    "calculus": set(),
    "ops": {"calculus"},
    "formula": {"calculus"},
    "gradients": {"program", "tape", "recording", "calculus", "ops"},
    "matching": {"program", "tape", "recording", "calculus", "ops", "gradients"},
    "diagnosis": {"program", "tape", "recording", "calculus", "ops", "gradients", "matching"},
    "explanation": BASE,
    "expressions": BASE | {"explanation"},
    "checking": {"program", "recording", "explanation", "front doors"},
    "rendering": {"explanation", "expressions", "checking"},
    "cli": BASE | {"explanation", "expressions", "checking", "rendering", "front doors"},
    "front doors": BASE | {"explanation", "expressions", "rendering", "cli"},
}


#: Plain data about places in a program, which the rooms on both sides of the tape speak in.
PLACES = {"tracer.tape.node.Site", "tracer.tape.node.Span", "tracer.tape.node.Notice"}


def room_of(module: str) -> str:
    """``tracer.tape.node`` → ``tape``; the modules at the top are the front doors."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ALLOWED else "front doors"


def imports_of(source: str, module: str, is_package: bool) -> set[str]:
    """The modules of ``tracer`` that a source text imports, at the top or inside functions."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                stem = package[: len(package) - node.level + 1]
                base = ".".join([*stem, base] if base else stem)
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return {name for name in found if name == "tracer" or name.startswith("tracer.")}


def forbidden(source: str, module: str, is_package: bool = False) -> set[str]:
    room = room_of(module)
    found = {
        name for name in imports_of(source, module, is_package) if room_of(name) not in ALLOWED[room] | {room}
    }
    return found - PLACES if room == "program" else found


SOURCES = sorted((ROOT / "tracer").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_what_stands_before_it(path: Path) -> None:
    parts = path.relative_to(ROOT).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    module = ".".join(parts[:-1] if is_package else parts)
    assert forbidden(path.read_text("utf-8"), module, is_package) == set()


@pytest.mark.parametrize(
    "source,module",
    [
        ("from tracer.recording import record_source", "tracer.tape.tape"),
        ("def f():\n    import tracer.matching", "tracer.gradients.reverse"),
        ("from ..rendering import html", "tracer.explanation.model"),
        ("from tracer import explain", "tracer.rendering.html"),
        ("from tracer.tape.node import Node", "tracer.calculus.terms"),
        ("from tracer.tape.node import Span", "tracer.calculus.terms"),
        ("from tracer.tape.node import Node", "tracer.program.loops"),
    ],
)
def test_an_import_that_goes_back_is_found(source: str, module: str) -> None:
    assert forbidden(source, module)


def test_the_data_that_the_program_shares_with_the_tape_depends_on_nothing() -> None:
    source = (ROOT / "tracer" / "tape" / "node.py").read_text("utf-8")
    assert imports_of(source, "tracer.tape.node", False) == set()


def test_every_room_has_its_rule() -> None:
    rooms = {
        path.name for path in (ROOT / "tracer").iterdir() if path.is_dir() and not path.name.startswith("_")
    }
    assert rooms <= set(ALLOWED)
