"""Code for what sequences are described with: neighbours, the known places around a point, orders.

Comes in: the name of such an array, the function it belongs to, and its operands as they are written.  Goes out: NumPy
code, or None if there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def sequence_code(what: str, function: str, operands: Sequence[str], given: Mapping[str, str]) -> str | None:
    """Code for the array called ``what``; arguments as in `linear_algebra_code`."""
    if function == "interp" and len(operands) == 3:
        return _of_interp(what, *operands)
    if function == "gradient":
        return _of_gradient(what, operands, given)
    if function == "partition" and what == "order" and len(operands) == 2:
        along = f", axis={given['axis']}" if "axis" in given else ""
        return f"np.argpartition({operands[0]}, {operands[1]}{along})"
    return None


def _of_interp(what: str, x: str, xp: str, fp: str) -> str | None:
    last = f"len({xp}) - 1"
    low = f"np.clip(np.searchsorted({xp}, {x}, side='right') - 1, 0, {last})"
    high = f"np.minimum({low} + 1, {last})"
    inside = f"(({x} >= ({xp})[0]) & ({x} <= ({xp})[-1]) & ({high} > {low}))"
    width = f"np.where({inside}, ({xp})[{high}] - ({xp})[{low}], 1.0)"
    found = {
        "low": low,
        "high": high,
        "share": f"np.where({inside}, ({x} - ({xp})[{low}]) / {width}, 0.0)",
        "slope": f"np.where({inside}, (({fp})[{high}] - ({fp})[{low}]) / {width}, 0.0)",
    }
    return found.get(what)


def _of_gradient(what: str, operands: Sequence[str], given: Mapping[str, str]) -> str | None:
    """The neighbours of each entry; at the ends it is one of them itself."""
    axis = given.get("axis", "0")
    if "edge_order" in given or not axis.lstrip("-").isdigit():
        return None
    size = f"np.shape({operands[0]})[{axis}]"
    low, high = f"np.maximum(np.arange({size}) - 1, 0)", f"np.minimum(np.arange({size}) + 1, {size} - 1)"
    return {"before": low, "after": high, "width": f"{high} - {low}"}.get(what)
