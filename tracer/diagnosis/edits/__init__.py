"""The edits that are tried: each file has those of one subject, all give `Edit`s."""

from __future__ import annotations

from collections.abc import Iterator

from tracer.diagnosis.edits.activations import applied_again, never_applied
from tracer.diagnosis.edits.aliases import (
    meant_under_another_name,
    scaled_under_another_name,
    under_another_name,
)
from tracer.diagnosis.edits.broadcasts import reshaped_operands, sums_stored
from tracer.diagnosis.edits.caches import earlier_states, other_caches
from tracer.diagnosis.edits.changed_arrays import other_arrays
from tracer.diagnosis.edits.computed import computed_otherwise
from tracer.diagnosis.edits.derivatives import (
    derivatives,
    masks_instead,
    operands_times_slopes,
    slopes_alone,
    summed_times_variables,
    times_variables,
)
from tracer.diagnosis.edits.gradients import carried_terms, gradients_instead, never_filled
from tracer.diagnosis.edits.operands import met_by_itself, other_operands
from tracer.diagnosis.edits.order import exchanged_parts
from tracer.diagnosis.edits.overwritten import added_to_what_was_overwritten
from tracer.diagnosis.edits.penalties import all_that_is_penalised, only_what_is_penalised
from tracer.diagnosis.edits.statistics import constant_statistics
from tracer.diagnosis.edits.steps import turned_steps
from tracer.diagnosis.edits.windows import exchanged_in_an_index, other_in_an_index, other_windows
from tracer.diagnosis.trials import Edit, Trials

__all__ = ["carried_terms", "changed_code", "meant_values"]


def changed_code(trials: Trials) -> Iterator[Edit]:
    """All edits of what the code says, the plainest subjects first; `meant_values` has those of what it should give."""
    yield from never_filled(trials)
    yield from added_to_what_was_overwritten(trials)
    yield from applied_again(trials)
    yield from never_applied(trials)
    yield from turned_steps(trials)
    yield from computed_otherwise(trials)
    yield from other_arrays(trials)
    yield from other_windows(trials)
    yield from exchanged_in_an_index(trials)
    yield from other_in_an_index(trials)
    yield from reshaped_operands(trials)
    yield from sums_stored(trials)
    yield from exchanged_parts(trials)
    yield from only_what_is_penalised(trials)
    yield from all_that_is_penalised(trials)
    yield from other_operands(trials)
    yield from met_by_itself(trials)
    yield from other_caches(trials)
    yield from earlier_states(trials)
    yield from derivatives(trials)
    yield from operands_times_slopes(trials)
    yield from masks_instead(trials)
    yield from under_another_name(trials)
    yield from times_variables(trials)
    yield from summed_times_variables(trials)
    yield from scaled_under_another_name(trials)


def meant_values(trials: Trials) -> Iterator[Edit]:
    """All edits of what a value should be: a gradient, or itself and what is missing; but for `carried_terms`."""
    yield from constant_statistics(trials)
    yield from slopes_alone(trials)
    yield from meant_under_another_name(trials)
    yield from gradients_instead(trials)
