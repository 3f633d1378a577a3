"""What is meant as a gradient and is not one, and the smallest edit that mends it."""

from tracer.diagnosis.finding import Finding, Kind
from tracer.diagnosis.growth import find_grown, grown_parameters
from tracer.diagnosis.intent import targets
from tracer.diagnosis.search import find_faults
from tracer.diagnosis.stale import find_stale_operands
from tracer.diagnosis.target import Target

__all__ = ["Finding", "Kind", "Target", "find_faults", "find_grown", "find_stale_operands", "grown_parameters", "targets"]
