"""``python -m tracer.cli``."""

from tracer.cli import main

main()
