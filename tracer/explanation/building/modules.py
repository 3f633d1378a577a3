"""A recording with the program's own modules put below the program, as far as any of their lines were carried out.

In: a `Recording`.  Out: one whose program is the whole text and whose places are in it, and what says which lines are
whose.
"""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from tracer.program import ProgramError, load
from tracer.program.joined import Joined, join
from tracer.program.program import as_python2
from tracer.recording import Recording
from tracer.tape.node import Binding, Call, Site
from tracer.tape.tape import Tape


def with_modules(recording: Recording) -> tuple[Recording, Joined]:
    """The recording of the program and its modules as one."""
    program, tape = recording.program, recording.tape
    sites = [node.site for node in tape.nodes if node.site is not None]
    paths = dict.fromkeys(site.path for site in sites if site.path not in ("", program.path))
    given, modules = {module.path: module for module in recording.modules}, []
    for path in paths:
        try:
            module = given.get(path) or load(path)
            modules.append(as_python2(module) if program.python2 else module)
        except (ProgramError, OSError):
            continue  # It is there no more: its lines are not shown.
    joined = join(program, modules)
    if not joined.sections:
        return recording, joined
    known: dict[Site, Site] = {}

    def moved(site: Site) -> Site:
        if site not in known:
            span = joined.moved(site.path, site.span)
            known[site] = site if span is None else Site(span, site.text, program.path)
        return known[site]

    nodes = [
        structs.replace(
            node,
            site=None if node.site is None else moved(node.site),
            calls=tuple(Call(call.function, moved(call.site)) for call in node.calls),
        )
        for node in tape.nodes
    ]
    bindings = [Binding(b.name, b.node, b.time, moved(b.site), b.scope) for b in tape.bindings]
    placed = Tape(nodes, bindings, tape.windows, tape.notices)
    return replace(recording, program=joined.program, tape=placed), joined
