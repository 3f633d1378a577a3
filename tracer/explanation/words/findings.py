"""The sentences of a diagnosis, as a good teaching assistant would say them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from tracer.explanation.words.reasons import listed


def _lines(numbers: Sequence[int]) -> str:
    unique = list(dict.fromkeys(numbers))
    return (
        f"line {unique[0]}"
        if len(unique) == 1
        else f"lines {listed(map(str, unique))}"
        if unique
        else "another line"
    )


def stale_operand(
    parameter: str,
    line: int | None,
    spoiled: Sequence[str],
    spoiled_lines: Sequence[int],
    readers: Sequence[int],
    root: str,
    kept: str | None = None,
) -> str:
    """What a stale operand is, which line made it stale, and what to do.

    Arguments:
        kept: the line by which a corrected program keeps the old version, where no other order of the updates would do.
    """
    made = f"line {line}" if line is not None else "an earlier line"
    several = len(set(spoiled)) > 1
    names = listed(dict.fromkeys(spoiled)) or "later parameters"
    mend = f"move the update of {parameter} behind {'them' if several else 'it'}"
    if kept is not None:
        mend = f"keep the old value before the update of {parameter}: {kept}"
    return (
        f"{parameter} is updated in {made}, but the gradient{'s' if several else ''} of {names} "
        f"({_lines(spoiled_lines)}) still need{'' if several else 's'} the {parameter} that {root} was computed with: "
        f"{_lines(readers)} read{'s' if len(set(readers)) == 1 else ''} the new one. Compute all gradients first, then "
        f"update; or {mend}."
    )


class Told(Struct, frozen=True):
    """What a sentence about a fault may speak of.

    Attributes:
        kind: the kind of the fault.
        line: the line it is in.
        place: the same in words, with its own number where it is in a module of the program.
        old, new: the expression as it is and as it should be; empty if no edit of the source was found.
        mended: the line that is to be changed, if it is another one.
        derivative: what the value should be, such as ``∂loss/∂hidden``.
        spoiled: the parameters whose gradients are wrong because of it.
        grown: the shapes of a parameter, as text, before and after a step that gives it another one.
        penalised: the part of a parameter that the loss has a penalty on, where a line takes the parameter.
        how: what the line does to an array, where that says more than the kind: a key of `_DONE`.
    """

    kind: str
    line: int
    old: str = ""
    new: str = ""
    mended: int | None = None
    derivative: str | None = None
    spoiled: tuple[str, ...] = ()
    place: str = ""
    grown: tuple[str, str] | None = None
    penalised: str = ""
    how: str = ""


_LEADS = {
    "stale operand": "Line {line} reads a value after it was changed; the gradient needs the one from before.",
    "wrong operand": "Line {line} reads the wrong variable.",
    "transpose": (
        "A transpose is wrong in line {line}: in a product of matrices the index that is summed over must stand last "
        "on the left and first on the right."
    ),
    "sign": "The sign is wrong in line {line}.",
    "factor": "A factor is wrong in line {line}.",
    "missing mask": (
        "Line {line} does not carry the mask of the forward pass: where an entry was cut off there, it had no influence on "
        "the loss, so no gradient goes back through it."
    ),
    "missing derivative": (
        "Line {line} lacks the right local derivative: by the chain rule what comes from behind is multiplied by the "
        "slope of the operation that it goes back through."
    ),
    "extra derivative": "Line {line} has one factor too many: the chain rule takes each operation's slope once.",
    "missing term": (
        "A term is missing in line {line}: the loss depends on this value in one more way, and each way adds its part."
    ),
    "axis": (
        "Line {line} sums over the wrong axis: the gradient has the shape of the parameter, so exactly the axes go "
        "along which the parameter was repeated."
    ),
    "accumulation": (
        "Line {line} mixes up = and +=: what several steps contribute to one gradient is added up, and starts from zero."
    ),
    "fresh random numbers": "Line {line} draws new random numbers; the gradient needs the ones of the forward pass.",
    "softmax jacobian": (
        "Line {line} takes the softmax for a function of one entry: every output depends on every input of its row, so the "
        "derivative is no elementwise product."
    ),
    "constant statistics": (
        "Line {line} takes the mean and the variance for constants, but they depend on the inputs too, and that adds terms."
    ),
    "unknown": "Line {line} does not compute the gradient that the lines after it need.",
}


_DONE = {
    "changes": "Line {line} changes the wrong array in place.",
    "takes": "Line {line} takes another part of the array than the forward pass does.",
    "goes round": (
        "Line {line} reads the end of a list where it means what was before the first item: a negative index counts from "
        "the end."
    ),
    "applies again": (
        "Line {line} applies the activation once more to what is its output already, so that what it gives is no slope of "
        "it."
    ),
    "never applies": (
        "Line {line} has the slope of the activation as a function of its output, but it is given what goes into the "
        "activation."
    ),
    "adds": "Line {line} has one term too many.",
    "keeps": (
        "Line {line} adds to a gradient that still holds those of earlier steps, by which the parameter was moved already: "
        "before each step it has to start from zero."
    ),
    "repeats": (
        "Line {line} puts a column and an array of one axis together, so NumPy repeats both of them: each entry meets all "
        "of the other array."
    ),
    "stores": (
        "Line {line} stores one number in every row, but the gradient there is minus what the other entries of the row "
        "add up to."
    ),
}


_REPEATED = (
    "Line {line} adds by an index in which an entry may stand several times: x[index] += v reads all entries first, so "
    "of equal ones only the last is added."
)


def fault(told: Told) -> str:
    """What is wrong, what it should be, and what it spoils, in two or three sentences."""
    lead = _REPEATED if told.new.startswith("np.add.at(") else _LEADS.get(told.kind, _LEADS["unknown"])
    said = [lead.format(line=told.place or told.line)]
    if told.how:
        said = [_DONE[told.how].format(line=told.place or told.line)]
    if told.penalised:
        said = [f"Line {told.place or told.line} goes down a penalty that the loss only has on {_code(told.penalised)}."]
    if told.grown is not None:
        name, (old, new) = listed(told.spoiled) or "the parameter", told.grown
        said = [
            f"Line {told.place or told.line} makes {name} grow: it was made with shape {old}, and its step has shape {new}, "
            f"so NumPy repeats {name}, which has shape {new} from then on. The gradient has the shape of {name}: sum over "
            "the axes along which it was repeated."
        ]
    if told.new and told.old:
        where = "It" if told.mended is None else f"Line {told.mended}"
        if told.new == f"{told.old}.copy()":
            said.append(f"{where} only gives the array another name, under which it changes too.")
            where = "It"
        instead = f"should say {_code(told.new)} instead of {_code(told.old)}"
        said.append(f"{where} {'should be left out' if told.new == 'pass' else instead}.")
    elif told.new:
        said.append(f"What is missing is {_code(told.new)}.")
    elif told.derivative:
        said.append(f"Its value should be {told.derivative}.")
    if told.spoiled:
        gradients = "gradients" if len(told.spoiled) > 1 else "gradient"
        said.append(
            f"Because of it the {gradients} of {listed(told.spoiled)} {'are' if len(told.spoiled) > 1 else 'is'} wrong."
        )
    return " ".join(said)


def _code(text: str) -> str:
    return f"“{' '.join(text.split())}”"


_LEFT_OUT = {
    "proof": ("The time for proofs was used up", "compared in numbers only"),
    "fault": ("The time for finding what is wrong was used up", "not known, which may be because of that"),
    "correction": ("The time for running corrected programs was used up", "shown without a correction"),
    "derivation": ("The time for derivations was used up", "given without one"),
}


def left_out(task: str, lines: Iterable[int]) -> str:
    """What there was no time for, and where."""
    if task == "loss":
        return "The time for trying other losses was used up; lines that are not known may be gradients of one of them."
    why, what = _LEFT_OUT[task]
    at = sorted(lines)
    return f"{why}: {_lines(at)} {'is' if len(at) == 1 else 'are'} {what}."
