"""The names of the rules that a derivation takes its steps by."""

from __future__ import annotations

from tracer.gradients.derived import DerivationStep

_NAMES = {
    "matrix": "matrix form",
    "insert": "insert what was found above",
    "fold": "in the program's own names",
    "delta": "use the deltas",
    "in the output": "local derivative, in the output",
    "definition": "forward formula",
    "scale": "times the factor",
    "spell out": "write out what has no name",
    "own words": "as the program writes it",
    "conjugate": "conjugate",
    "entry": "the entry that changes",
}


def rule_name(step: DerivationStep) -> str:
    """What the reader calls the rule of a step."""
    if step.rule == "definition" and step.form == "matrix":
        return "as the code computes it"
    return _NAMES.get(step.rule, step.rule)
