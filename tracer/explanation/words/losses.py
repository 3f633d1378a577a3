"""What is said of a loss that the program does not compute as the explanation reads it."""

from __future__ import annotations

from typing import Literal


def inferred(
    says: str,
    how: Literal["fits", "moved", "restored", "added", "layer", "begun", "meant"],
    reported: str = "",
    aside: Literal["absolute", "other samples", "broadcast", "samples"] | None = None,
) -> str:
    """How the loss of a report was found out.

    Arguments:
        says: the loss in words, or its name.
        how, reported, aside: see `tracer.matching.losses.written.Inferred`.
    """
    if how == "moved":
        return f"{says} is computed of other values than the explained step starts from; its gradient is taken at these."
    if how == "restored":
        return (
            f"{says} is computed from an array that the backward pass has changed in place by then, so that what this line "
            "gives is not the loss. Its gradient is taken at the values from before the change; compute it before the "
            "backward pass, or let that work on a copy."
        )
    if how == "added":
        return f"{says} are never added up; the backward pass fits their sum."
    if how == "layer":
        return (
            "No loss is computed behind these layers: the array that a backward pass starts from stands for the gradient of "
            f"some loss by a layer's output. What follows is the gradient of {says}, which is that of every such loss: "
            "⟨G, X⟩ is the sum of the products of G and X, entry by entry."
        )
    if aside == "other samples":
        return (
            f"{reported} is computed of other values than the explained step reads; the step goes down {says} of its own, "
            "which was inferred."
        )
    if aside == "broadcast":
        return (
            f"{reported} compares every output with every target, by NumPy's broadcasting. The backward pass does not: it "
            f"goes down {says}, each output with its own target, which was inferred."
        )
    if aside == "absolute":
        return (
            f"{reported} adds up how far off the outputs are, without their signs: it tells how the training goes. The "
            f"backward pass is not its gradient, but that of {says}, which was inferred."
        )
    if aside == "samples":
        return (
            f"{reported} tells how far what is drawn is from the data. No step goes down it; they go down {says}, which was "
            "inferred."
        )
    if how == "begun":
        return (
            "No loss is computed, and what the backward pass starts from is the gradient of none that is known here: it is "
            f"not judged. What follows is judged given it, as the gradient of {says}, which is that of every loss with this "
            "start: ⟨G, X⟩ is the sum of the products of G and X, entry by entry."
        )
    if how == "meant":
        return (
            "No loss is computed. The backward pass starts from errors times a function of the output, as that of "
            f"{says} does; it is judged by this loss, though it does not fit it."
        )
    return f"No loss of these outputs is computed; the backward pass fits {says}, which was inferred."


def not_judged() -> str:
    """What is said of the value that a backward pass starts from, if no loss is known for it."""
    return "The backward pass starts from this; it is the gradient of no loss that is known here, and is not judged."


def none_found() -> str:
    """Where parameters are moved, and no loss is computed or fits."""
    return (
        "No loss is computed that these steps could go down, and none of the usual ones fits what they go along: lines "
        "before them that may be gradients are not known. A line that computes the loss in the iteration lets them be "
        "compared."
    )


def came_back(text: str) -> str:
    """What is not judged because of a value that was somewhere else in between."""
    return f"{text} came back from where it could not be followed: no gradient by what it was computed from is judged."


def not_the_way_down(source: str) -> str:
    """That a step goes along the gradient by complex numbers, instead of its conjugate."""
    return (
        "This is ∂/∂Re − i ∂/∂Im, and the step uses it as it is: in the imaginary parts that goes up the loss. The way "
        f"down is along its conjugate, np.conj({source})."
    )


def truncated(steps: int) -> str:
    """What a gradient is that goes back over a limited number of time steps."""
    return (
        f"This is the truncated gradient: what an output owes to more than {counted_steps(steps)} before it is left out, "
        "on purpose."
    )


def first_order(moved: str, parameter: str) -> str:
    """What is said of a step along the gradient by what a parameter was moved to."""
    return (
        f"This step goes along the gradient by {moved}, and not by {parameter}: the first-order approximation, which leaves "
        f"out how the step from {parameter} to {moved} depends on {parameter}. It is not called wrong."
    )


def counted_steps(steps: int) -> str:
    """A number of time steps."""
    return f"{steps} step{'' if steps == 1 else 's'}"


def no_number(name: str, value: str, index: tuple[int, ...], count: int, drawn: bool) -> str:
    """What is said of an array that holds NaN or infinities when the explained iteration starts.

    Arguments:
        drawn: whether the gradients were compared at other values of it.
    """
    place = f"{name}[{', '.join(map(str, index))}]" if index else name
    others = f" (and {count - 1} more of its entries)" if count > 1 else ""
    if drawn:
        return (
            f"{place} is {value}{others} when the explained iteration starts: the training has diverged. "
            "The gradients are compared at other values of it."
        )
    return (
        f"{place} is {value}{others}: the loss that is computed from it is no number, and has no gradient. "
        "No line that rests on it is called right or wrong."
    )


def every_one_with_every_other(text: str, one: tuple[int, ...], other: tuple[int, ...]) -> str:
    """What is said of a difference of a column and a vector, which NumPy broadcasts to a matrix."""
    count = max(*one, *other)
    return (
        f"{text} takes the difference of shapes {one} and {other}: NumPy broadcasts them to ({count}, {count}), every "
        "output with every target. If each output is meant with its own target, give both the same shape."
    )


def never_moves(name: str) -> str:
    """What is said of a loss whose gradient is 0 everywhere, such as the cross-entropy of a single class."""
    return f"{name} is the same whatever the parameters are: its gradient is 0, and no line can be told to be it."
