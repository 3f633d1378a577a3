"""Comparisons, what is reckoned with truth values, and choosing by them: 1 stands for true, 0 for false."""

from __future__ import annotations

from tracer.ops.table import elementwise
from tracer.ops.writing import Form, NoFormula, form, mask


@elementwise("greater")
def greater(a: Form, b: Form) -> Form:
    """out[i] = [a[i] > b[i]]"""
    return mask(">", a, b)


@elementwise("less")
def less(a: Form, b: Form) -> Form:
    """out[i] = [b[i] > a[i]]"""
    return mask(">", b, a)


@elementwise("greater_equal")
def greater_equal(a: Form, b: Form) -> Form:
    """out[i] = 1 − [b[i] > a[i]]"""
    return 1 - mask(">", b, a)


@elementwise("less_equal")
def less_equal(a: Form, b: Form) -> Form:
    """out[i] = 1 − [a[i] > b[i]]"""
    return 1 - mask(">", a, b)


@elementwise("equal")
def equal(a: Form, b: Form) -> Form:
    """out[i] = [a[i] = b[i]]"""
    return mask("==", a, b)


@elementwise("not_equal")
def not_equal(a: Form, b: Form) -> Form:
    """out[i] = 1 − [a[i] = b[i]]"""
    return 1 - mask("==", a, b)


def truth(a: Form) -> Form:
    """1 where a value counts as true, else 0."""
    return a if a.boolean else 1 - mask("==", a, form(0))


@elementwise("bool")
def as_bool(a: Form) -> Form:
    """out[i] = 1 − [a[i] = 0]"""
    return truth(a)


@elementwise("logical_and")
def logical_and(a: Form, b: Form) -> Form:
    """out[i] = a[i] · b[i], of truth values"""
    return truth(a) * truth(b)


@elementwise("logical_or")
def logical_or(a: Form, b: Form) -> Form:
    """out[i] = a[i] + b[i] − a[i] · b[i], of truth values"""
    return truth(a) + truth(b) - truth(a) * truth(b)


@elementwise("logical_not")
def logical_not(a: Form) -> Form:
    """out[i] = 1 − a[i], of truth values"""
    return 1 - truth(a)


@elementwise("where")
def where(c: Form, a: Form, b: Form) -> Form:
    """out[i] = c[i] · a[i] + (1 − c[i]) · b[i]"""
    chosen = truth(c)
    return chosen * a + (1 - chosen) * b


@elementwise("bitwise_and")
def bitwise_and(a: Form, b: Form) -> Form:
    """out[i] = a[i] · b[i], of truth values"""
    return logical_and(_only_boolean(a), _only_boolean(b))


@elementwise("bitwise_or")
def bitwise_or(a: Form, b: Form) -> Form:
    """out[i] = a[i] + b[i] − a[i] · b[i], of truth values"""
    return logical_or(_only_boolean(a), _only_boolean(b))


@elementwise("invert")
def invert(a: Form) -> Form:
    """out[i] = 1 − a[i], of truth values"""
    return logical_not(_only_boolean(a))


def _only_boolean(a: Form) -> Form:
    if not a.boolean:
        raise NoFormula("bitwise", "the bits of whole numbers have no index formula")
    return a
