"""What is meant as a gradient and is not one, and the smallest edit that mends it."""

from tracer.diagnosis.finding import Finding, Kind
from tracer.diagnosis.stale import find_stale_operands

__all__ = ["Finding", "Kind", "find_stale_operands"]
