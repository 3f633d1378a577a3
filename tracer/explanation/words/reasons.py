"""Why each step of a derivation is allowed, in words that name the actual variables and indices.

Comes in: a step as data, and what its arrays and indices are called.  Goes out: one or two sentences.
These answer what people ask: why a transpose, why a sum over the rows for a bias, why an elementwise
product here and a matrix product there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tracer.calculus.complex_values import is_complex
from tracer.calculus.printing import Letters
from tracer.calculus.terms import Entry, Index
from tracer.explanation.words.called import Called, letter_of
from tracer.explanation.words.matrix_reasons import why_matrix
from tracer.gradients.derived import DerivationStep


def listed(words: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    items = list(words)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def reason(rule: str, step: DerivationStep, names: Called, letters: Letters) -> str:
    """The reason for one step.

    Arguments:
        rule: the rule's identifier.
    """

    def called(array: str) -> str:
        name = names.array(array)
        return f"{name} (that is {names.source(array)})" if names.is_temporary(array) else names.source(array)

    arguments = step.arguments
    match rule:
        case "chain rule":
            return _chain_rule(step, called) + _of_complex(step, called)
        case "conjugate":
            return (
                "The line holds the conjugate, ∂/∂Re + i ∂/∂Im: a step against it is the steepest way down. Every rule "
                "above is that of ∂/∂Re − i ∂/∂Im, which needs no conjugates of its own."
            )
        case "definition":
            if step.form == "matrix":
                return f"The same for the whole array at once, as NumPy computes {called(arguments['of'])}."
            return f"This is what each entry of {called(arguments['of'])} is in the forward pass."
        case "local derivative" if "equation" in arguments:
            return (
                f"{called(arguments['of'])} is defined by an equation; differentiate the equation and solve it. "
                f"In letters of its own, {arguments['equation']}."
            )
        case "local derivative":
            functions = [_function(f) for f in arguments.get("functions", ())]
            by = (
                f"SymPy differentiates {listed(functions)}. " if functions else "Product rule, term by term. "
            )
            return (
                f"{by}An entry of {called(arguments['wrt'])} changes with itself only: that is what each δ says "
                "(1 where both indices are equal, else 0)."
            )
        case "slope":
            functions = [_function(f) for f in arguments.get("functions", ())]
            by = f"SymPy differentiates {listed(functions)}" if functions else "Product rule"
            return f"{by}. Every entry depends on the entry in the same place only, so one formula serves for all."
        case "in the output":
            return f"The same slope, written with {called(arguments['of'])}, which the forward pass has computed already."
        case "delta":
            return "Where a δ is 1 its two indices are equal, so one may stand for the other."
        case "substitute":
            return f"Put in the local derivative of {listed(called(c) for c in arguments['through'])}."
        case "contract":
            return _contract(step, letters)
        case "simplify":
            return "Collect equal terms."
        case "insert":
            return "Put in the derivatives found in the groups above."
        case "fold":
            new = [called(a) for a in arguments.get("names", ())]
            return f"Recognise {listed(new)} of the forward pass in it." if new else "Cancel what cancels."
        case "own words":
            new = [called(a) for a in arguments.get("names", ())]
            return f"The program writes it {f'with {listed(new)}' if new else 'so'}; both are proved equal."
        case "entry":
            whole = called(arguments["of"])
            entry = called(step.quantity.array)
            return f"{entry} is one entry of {whole}: the gradient by it is that entry of the gradient by {whole}."
        case "spell out":
            return "Write out what has no name of its own in the program."
        case "scale":
            return "The line holds this multiple of the derivative: a factor is put in here, and taken out elsewhere."
        case "every entry":
            return "The result for every entry."
        case "matrix":
            return " ".join(why_matrix(step.expr, step.free, names, letters)) or "The same for the whole array at once."
    return ""


def _chain_rule(step: DerivationStep, called: Callable[[str], str]) -> str:
    say = called
    through = [say(c) for c in step.arguments["through"]]
    loss = say(step.arguments["root"])
    inner = step.arguments.get("inner", ())
    of = say(step.arguments["of"])
    if inner and through:
        return (
            f"{of} reaches {loss} on two ways: through a part whose gradient is known already, and through "
            f"{listed(through)}. What comes over each is added."
        )
    if len(through) == 1:
        if step.arguments.get("root") == step.arguments["through"][0]:
            return f"{of} enters {loss} itself."
        several = step.arguments.get("summed", True)  # else it is a single number
        entries = f"Every entry of {through[0].partition(' (')[0]} counts, so there is a sum over all of them."
        return f"{of} reaches {loss} only through {through[0]}.{' ' + entries if several else ''}"
    return f"{of} reaches {loss} on {len(through)} ways, through {listed(through)}: what comes over each is added."


def _of_complex(step: DerivationStep, called: Callable[[str], str]) -> str:
    """What the gradient by complex numbers is, and what of complex numbers counts for real ones."""
    of, loss = called(step.arguments["of"]), called(step.arguments["root"])
    said = ""
    if step.arguments.get("first complex"):
        said += (
            f" {of} is complex: ∂{loss}/∂{of} stands for ∂/∂Re − i ∂/∂Im, so that d{loss} = Re(Σ ∂{loss}/∂{of} · d{of}), "
            "and where a formula has no conjugate the rules are those of real numbers."
        )
    if step.arguments.get("mirrored"):
        said += f" The conjugate of {of} counts too: what comes through it is conjugated."
    if step.arguments.get("complex") and not is_complex(step.arguments["of"]):
        said += f" {of} is real, and complex numbers lie in between: only the real part counts."
    return said


def _contract(step: DerivationStep, letters: Letters) -> str:
    told = []
    for index, replacement in step.arguments.get("substitutions", ()):
        old = letter_of(index, letters)
        if isinstance(replacement, Index):
            new = letter_of(replacement, letters)
        elif isinstance(replacement, Entry):
            new = "the looked-up position"
        else:
            new = str(replacement) if isinstance(replacement, int) else "the shifted position"
        if old != new:
            told.append(f"{old} = {new}")
    unique = list(dict.fromkeys(told))
    if not unique:
        return "Each sum over a δ has a single term that is not zero."
    return f"Each sum over a δ has a single term that is not zero: {', '.join(unique)}."


_FUNCTIONS = {
    "exp(x0)": "exp",
    "log(x0)": "log",
    "tanh(x0)": "tanh",
    "x0**x1": "the power",
    "sin(x0)": "sin",
    "cos(x0)": "cos",
}


def _function(name: str) -> str:
    return _FUNCTIONS.get(name, name.replace("x0", "x").replace("x1", "y"))
