"""The sentences of a report about one part: its title, what it is in words, what its verdict rests on.

In come parts of an `Explanation`, out go plain strings; nothing is decided here and nothing is escaped.
"""

from __future__ import annotations

from tracer.explanation.model import Explanation, Part
from tracer.explanation.stages import Stage
from tracer.explanation.summary import Finding, Row, counts

#: The mark and the word of each verdict; the mark never stands without the word.
VERDICTS: dict[str, tuple[str, str]] = {
    "proved": ("✓", "proved"),
    "checked": ("≈", "checked"),
    "wrong": ("✗", "wrong"),
    "unexplained": ("?", "not known"),
}

_ROLES = {
    "data": "Data",
    "parameter": "A parameter",
    "forward": "Forward pass",
    "loss": "The loss",
    "other": "Not part of the network",
}


def derivative(part: Part) -> str:
    """``∂loss/∂W2``, with its factor if it has one: ``N · ∂loss/∂scores``."""
    below = part.wrt or "?"
    below = below if below.isidentifier() else f"({below})"
    above = (part.of or "L") if (part.of or "L").isidentifier() else f"({part.of})"
    quotient = f"conj(∂{above}/∂{below})" if part.conjugate else f"∂{above}/∂{below}"
    if part.scale in ("1", ""):
        return quotient
    if part.scale == "-1":
        return f"−{quotient}"
    factor = part.scale if _is_atom(part.scale) else f"({part.scale})"
    return f"{factor} · {quotient}"


def title(part: Part) -> str:
    """What a part is, in a few words."""
    if part.verdict == "wrong" and part.wrt:
        return f"Meant as {derivative(part)}, and is not"
    if part.verdict == "wrong":
        return "Meant as a gradient, and is not one"
    if part.verdict == "unexplained" or (part.role == "gradient" and part.wrt is None):
        return "Not recognised"
    if part.role == "gradient":
        quotient = derivative(part)
        return f"{quotient}, one part of it" if part.contribution else quotient
    if part.role == "local derivative":
        return f"Local derivative with respect to {part.wrt}" if part.wrt else "Local derivative"
    if part.role == "update":
        return f"Update of {part.target or part.wrt or 'a parameter'}"
    if part.role == "forward" and part.target:
        return f"Forward pass: {part.target}"
    if part.role in ("data", "parameter") and part.target:
        return f"{part.target}: {_ROLES[part.role].lower()}"
    if part.role == "other" and part.wrt:
        return f"On the way to {derivative(part)}"
    return _ROLES.get(part.role, part.role)


def row_title(row: Row) -> str:
    """The title of a row in the table of all lines."""
    if row.group == "backward" and row.part.role == "forward":
        return "a forward value, which the next lines make into a gradient"
    return title(row.part)


def in_words(part: Part) -> str:
    """One or two sentences that a reader who fears formulas can start from; may be empty."""
    if part.verdict == "unexplained":
        return "No gradient of a loss was recognised in this line, so nothing is claimed about it."
    if part.role == "gradient" and part.wrt:
        words = _gradient_in_words(part)
        return f"It should say: {words[0].lower()}{words[1:]}" if part.verdict == "wrong" else words
    if part.role == "local derivative":
        of = f" of the operation that reads {part.wrt}" if part.wrt else ""
        return f"The slope{of}, entry by entry. The chain rule multiplies it by what comes from behind."
    if part.role == "update":
        how = f" by {part.optimiser}" if part.optimiser else ""
        return f"Changes {part.target or part.wrt or 'a parameter'}{how}; it is no part of the gradient."
    if part.role == "loss":
        return "The number whose gradients the backward pass computes."
    return ""


def verdict_sentence(part: Part) -> str:
    """What the verdict of a part means; empty for a part without one."""
    evidence = part.evidence
    if part.verdict == "proved":
        return "Proved: the line and the derived gradient have the same normal form, for all sizes."
    if part.verdict == "checked":
        return "Checked in numbers, not proved for all values."
    if part.verdict == "wrong":
        wrong = "Wrong: this is not the gradient it is used as."
        return (
            f"{wrong} The relative error is {number(evidence.max_error)}."
            if evidence and evidence.max_error
            else wrong
        )
    if part.verdict == "unexplained":
        return "Not known."
    return ""


def evidence_sentences(part: Part) -> tuple[str, ...]:
    """The single observations that a verdict rests on."""
    evidence = part.evidence
    if evidence is None or part.verdict == "wrong":
        return ()
    found = []
    if evidence.points:
        error = "" if evidence.max_error is None else f", largest relative error {number(evidence.max_error)}"
        found.append(f"Equal at {plural(evidence.points, 'random point')}{error}.")
    if evidence.finite_difference is not None:
        found.append(f"Finite differences agree to {number(evidence.finite_difference)}.")
    found.extend(f"This relies on: {assumption}." for assumption in evidence.assumptions)
    if part.given:
        found.append(f"It takes {_lines(part.given)} as it stands: right, if that is.")
    return tuple(found)


def summary(explanation: Explanation) -> str:
    """``12 backward lines: 9 proved, 1 checked, 1 wrong, 1 not known``."""
    count = counts(explanation)
    if not count.backward:
        return "no backward pass: only the forward pass is explained"
    tallies = {
        "proved": count.proved,
        "checked": count.checked,
        "wrong": count.wrong,
        "not known": count.unexplained,
        "on the way": count.other,
    }
    told = ", ".join(f"{tally} {word}" for word, tally in tallies.items() if tally)
    return f"{plural(count.backward, 'backward line')}: {told}"


def shape_text(part: Part) -> str:
    """``N × h`` where the axes have names, else ``300 × 100``; ``scalar``; empty if not known."""
    if part.shape is None:
        return ""
    if not part.shape:
        return "scalar"
    return " × ".join(part.axes or tuple(map(str, part.shape)))


def sizes_text(part: Part) -> str:
    """``300 × 100``; ``scalar`` for a number, empty if not known."""
    if part.shape is None:
        return ""
    return " × ".join(map(str, part.shape)) or "scalar"


def number(value: float) -> str:
    """A number in at most four significant digits, with a true minus sign."""
    if value != value:
        return "not a number"
    return f"{value + 0.0:.4g}".replace("-", "−")


def places(finding: Finding) -> str:
    """``lines 32, 38 and 81``: where a finding shows itself."""
    numbers = [str(line) for line in dict.fromkeys(part.span[0] for part in finding.parts)]
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    return f"lines {', '.join(numbers[:-1])} and {numbers[-1]}"


def reference(stage: Stage, part: Part) -> str:
    """Where steps stand that are not told again: ``Steps 1–42: as in line 43``."""
    numbers = f"{stage.numbers[0].upper()}{stage.numbers[1:]}"
    return f"{numbers}: as above" if stage.as_in == part.span[0] else f"{numbers}: as in line {stage.as_in}"


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _gradient_in_words(part: Part) -> str:
    of = part.of or "the loss"
    where = f" (line {part.of_line})" if part.of_line else ""
    size = shape_text(part)
    one = "it" if size == "scalar" else f"one entry of {part.wrt}"
    text = f"How much {of}{where} changes when {one} changes by a little"
    if size not in ("", "scalar"):
        text += f"; one number for each entry, so it has the shape of {part.wrt}, {size}"
    text += "."
    if part.scale == "-1":
        text += " The line holds the negative of it."
    elif part.scale not in ("1", ""):
        text += f" The line holds {part.scale} times that."
    if part.conjugate:
        text += " The line holds the conjugate of it, ∂/∂Re + i ∂/∂Im."
    if part.contribution:
        text += f" This line computes one contribution to it: {part.contribution}."
    if part.occurrences > 1:
        text += f" It happens {part.occurrences} times."
    if part.names:
        text += f" Also known as {', '.join(part.names)}."
    return text


def _lines(numbers: tuple[int, ...]) -> str:
    listed = ", ".join(map(str, numbers))
    return f"the value of line {listed}" if len(numbers) == 1 else f"the values of lines {listed}"


def _is_atom(text: str) -> bool:
    return text.replace(".", "", 1).replace("_", "").isalnum()
