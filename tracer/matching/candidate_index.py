"""The index of candidates by their values: what a line may be, ready to be looked up.

Comes in: the sweeps of a root, or the values and slopes of the forward pass.  Goes out: the candidates that have the
values of a node, up to a factor.  Invariant: each candidate is put in as it is and, if it is a matrix, transposed; a
complex gradient as ∂/∂Re − i ∂/∂Im and as its conjugate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from msgspec.structs import replace

from tracer.gradients.adjoints import Adjoints, Contribution
from tracer.matching.candidates import GRADIENTS, Candidate, Hit, Sort
from tracer.matching.fingerprint import TOLERANCE, Fingerprint, FingerprintIndex, OnDemand, fingerprint


class CandidateIndex:
    """The candidates, found by their fingerprints."""

    def __init__(self) -> None:
        self._prints = FingerprintIndex[Candidate]()

    def find(self, wanted: Fingerprint, sizes: Iterable[float]) -> list[Hit]:
        """The candidates that are equal up to a factor; a number only up to one of these ``sizes``."""
        return self._prints.find(wanted, sizes)

    def add(self, candidate: Candidate, values: Sequence[Any]) -> None:
        """Add what a candidate is on each replay."""
        shape = np.shape(values[0])
        is_matrix = len(shape) >= 2 and min(shape[-2:]) >= 2
        has_conjugate = np.iscomplexobj(values[0]) and candidate.sort in GRADIENTS
        for transposed in (False, True) if is_matrix else (False,):
            for conjugate in (False, True) if has_conjugate else (False,):
                given = OnDemand(len(values), partial(_conjugate, values)) if conjugate else values
                found = fingerprint(given, transposed)
                if found is not None:
                    self._prints.add(found, replace(candidate, transposed=transposed, conjugate=conjugate))

    def add_paths(self, root: int, sweeps: Sequence[Adjoints]) -> None:
        """Add what single paths contribute to gradients that have several, and the sums of the first or last of them."""
        totals = [{c.wrt: c.so_far for c in sweep.contributions} for sweep in sweeps]
        several = Counter(c.wrt for c in sweeps[0].contributions)
        seen: Counter[int] = Counter()
        for position, contribution in enumerate(sweeps[0].contributions):
            wrt = contribution.wrt
            seen[wrt] += 1
            if several[wrt] < 2:
                continue
            via = contribution.consumer
            parallel = [s.contributions[position] for s in sweeps]
            self.add(Candidate(Sort.PATH, root, wrt, False, via), [c.value for c in parallel])
            if 1 < seen[wrt] < several[wrt] and _adds_something(contribution):
                partial_sum = Candidate(Sort.PARTIAL, root, wrt, False, via)
                self.add(partial_sum, [c.so_far for c in parallel])
                self.add(partial_sum, OnDemand(len(sweeps), partial(_rest, totals, parallel)))  # a loop may run either way


def _adds_something(contribution: Contribution) -> bool:
    """Whether a sum differs from the one before it: far back in time hardly anything is added, and many sums are one."""
    added = float(np.max(np.abs(contribution.value), initial=0.0))
    return not added <= TOLERANCE / 10 * float(np.max(np.abs(contribution.so_far), initial=0.0))


def _conjugate(values: Sequence[Any], replay: int) -> Any:
    return np.conj(values[replay])


def _rest(totals: Sequence[dict[int, Any]], parallel: Sequence[Contribution], replay: int) -> Any:
    """What a sum has from one contribution on."""
    contribution = parallel[replay]
    return totals[replay][contribution.wrt] - contribution.so_far + contribution.value
