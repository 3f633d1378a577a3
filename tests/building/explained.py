"""The test programs and the examples, each recorded, analysed and explained once for all tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tracer.api import Explanation, _with_methods
from tracer.explanation.building.builder import build_explanation
from tracer.explanation.model import Part
from tracer.matching.analysing import analyse
from tracer.matching.analysis import Analysis
from tracer.program import load, parse
from tracer.program.errors import ProgramError
from tracer.recording import Recording, record_source
from tracer.recording.errors import RecordingError

ROOT = Path(__file__).resolve().parents[2]

#: Every program: its name and its path.
PROGRAMS = {
    path.stem: path for folder in ("tests/programs", "examples") for path in sorted((ROOT / folder).glob("*.py"))
}
NAMES = tuple(PROGRAMS)


@cache
def recording(name: str) -> Recording:
    return record_source(load(PROGRAMS[name]))


@cache
def analysis(name: str) -> Analysis:
    return analyse(recording(name).tape)


@cache
def explanation(name: str) -> Explanation:
    return explained(recording(name))


def explained(recorded: Recording, derivations: bool = True) -> Explanation:
    """The explanation of what was recorded; corrected programs are run in this process."""

    def rerun(text: str, modules: dict[str, str]) -> Recording | None:
        try:
            return record_source(parse(text, recorded.program.path), modules=modules)
        except (ProgramError, RecordingError):
            return None

    return _with_methods(build_explanation(recorded, None, rerun, derivations))


def explained_source(source: str) -> Explanation:
    """The explanation of a program that a test has written down."""
    return explained(record_source(parse(source, "program.py")))


@cache
def judged_source(source: str) -> Explanation:
    """The same without formulas and derivations: the verdicts and the faults."""
    return explained(record_source(parse(source, "program.py")), derivations=False)


def analysed_source(source: str) -> Analysis:
    return analyse(record_source(parse(source, "program.py")).tape)


def parts(found: Explanation) -> list[tuple[int, Part]]:
    """All parts with their lines."""
    return [(line.line, part) for line in found.lines for part in line.parts]


def derived_parts(name: str) -> list[tuple[int, Part]]:
    """The parts of a program that have a derivation."""
    return [(line, part) for line, part in parts(explanation(name)) if part.derivation is not None]
