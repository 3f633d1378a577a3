"""Code for what decompositions and norms are described with: vectors, gaps between values, slopes.

Comes in: the name of such an array, the function it belongs to, and its operands as they are written.  Goes out: NumPy
code, or None if there is none.  The names are those of `tracer.ops`: ``<out>.vectors``, ``<out>.gaps``, ….
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def linear_algebra_code(
    what: str, function: str, operands: Sequence[str], given: Mapping[str, str], part: int
) -> str | None:
    """Code for the array called ``what``.

    Arguments:
        function: the last part of the function's name, ``eigh``.
        operands, given: its arguments by place and by keyword.
        part: which of the arrays that it gives.
    """
    a = operands[0]
    if function in ("eigh", "eigvalsh"):
        return _of_eigh(what, a, given.get("UPLO") or (operands[1] if len(operands) > 1 else ""))
    if function in ("eig", "eigvals"):
        return _of_eig(what, a)
    if function in ("svd", "svdvals"):
        return _of_svd(what, a, part)
    if function == "qr":
        q = f"np.linalg.qr({a})[0]"
        return {"q": q, "solved": f"np.linalg.inv(np.linalg.qr({a})[1])", "rest": _rest(q)}.get(what)
    if function == "lstsq" and len(operands) > 1:
        b = operands[1]
        found = {
            "pseudo": f"np.linalg.pinv({a})",
            "gram": f"np.linalg.inv({_turned(a)} @ ({a}))",
            "residual": f"{b} - ({a}) @ (np.linalg.pinv({a}) @ ({b}))",
        }
        return found.get(what)
    if function == "pinv":
        inverse = f"np.linalg.pinv({a})"
        found = {
            "left": f"np.eye(np.shape({a})[-2]) - ({a}) @ {inverse}",
            "right": f"np.eye(np.shape({a})[-1]) - {inverse} @ ({a})",
        }
        return found.get(what)
    if function == "norm" and what == "slopes":
        names = ("ord", "axis")
        return _slopes_of_norm(a, {**dict(zip(names, operands[1:], strict=False)), **given})
    return None


def _turned(a: str) -> str:
    return f"np.conj(np.swapaxes({a}, -1, -2))"


def _rest(q: str) -> str:
    """1 − Q Q̄ᵀ."""
    return f"np.eye(np.shape({q})[-2]) - {q} @ {_turned(q)}"


def _gaps(w: str, power: str = "") -> str:
    """1 / (w[k] − w[m]) at [m, k], and 0 on the diagonal."""
    one = f"np.eye(np.shape({w})[-1])"
    return f"(1 - {one}) / ({w}[..., None, :]{power} - {w}[..., :, None]{power} + {one})"


def _of_eigh(what: str, a: str, triangle: str) -> str | None:
    more = f", {triangle}" if triangle else ""
    if what == "vectors":
        return f"np.linalg.eigh({a}{more})[1]"
    return _gaps(f"np.linalg.eigvalsh({a}{more})") if what == "gaps" else None


def _of_eig(what: str, a: str) -> str | None:
    v = f"np.linalg.eig({a})[1]"
    along = f"np.swapaxes({_turned(v)} @ {v}, -1, -2)"
    outside = f"({v}[..., :, :, None] - {v}[..., :, None, :] * {along}[..., None, :, :])"
    turns = f"{outside} * ({_gaps(f'np.linalg.eigvals({a})')})[..., None, :, :]"
    return {"vectors": v, "left": f"np.linalg.inv({v})", "turns": turns}.get(what)


def _of_svd(what: str, a: str, part: int) -> str | None:
    u, v = (f"np.linalg.svd({a}, full_matrices=False)[{k}]" for k in (0, 2))
    s = f"np.linalg.svd({a}, compute_uv=False)"
    rest = _rest(u if part == 0 else _turned(v))
    return {"left": u, "right": v, "singular": s, "gaps": _gaps(s, " ** 2"), "rest": rest}.get(what)


def _slopes_of_norm(a: str, given: Mapping[str, str]) -> str | None:
    """The slopes of the norms that are not the root of a sum of squares; of matrices the nuclear and the spectral one."""
    order, axis = given.get("ord", "None"), given.get("axis", "None")
    u, v = (f"np.linalg.svd({a}, full_matrices=False)[{k}]" for k in (0, 2))
    if order == "'nuc'" and axis == "None":
        return f"{u} @ {v}"
    if order == "2":  # that of a vector is a root and has no slopes
        return f"{u}[:, :1] @ {v}[:1]" if axis == "None" else None
    if order == "1":
        return f"np.sign({a}) * (np.arange(np.shape({a})[1]) == np.argmax(np.sum(np.abs({a}), axis=0)))"
    along = f", axis={axis}, keepdims=True" if axis != "None" else ""
    if order in ("np.inf", "-np.inf") and (axis == "None" or axis.lstrip("-").isdigit()):
        place = "np.argmax" if order == "np.inf" else "np.argmin"
        where = f"np.expand_dims({place}(np.abs({a}), axis={axis}), {axis})" if along else f"{place}(np.abs({a}))"
        places = f"np.arange(np.shape({a})[{axis if along else 0}])"
        if along and axis not in ("-1",):
            places = f"np.expand_dims({places}, tuple(range(1, np.ndim({a}) - {axis} % np.ndim({a}))))"
        return f"np.sign({a}) * ({places} == {where})"
    if order.replace(".", "").isdigit():
        size = f"(np.sum(np.abs({a}) ** {order}{along}) ** (1 / {order}))"
        return f"np.sign({a}) * (np.abs({a}) / {size}) ** ({order} - 1)"
    return None
