"""From a path to the text of a file, exactly as written.

A byte-order mark and a PEP 263 coding line are honoured; everything else is UTF-8.  Line ends of any
kind become ``\\n``, because that is how Python counts lines.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from tracer.program.errors import ProgramError

_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


def read(path: str | Path) -> str:
    """The text of the file.

    Raises:
        ProgramError: there is no such file, it is a directory, cannot be opened, or is not in the
            encoding that it declares (UTF-8 without a declaration).
    """
    path = Path(path)
    name = str(path)
    if path.is_dir():
        raise ProgramError("This is a directory, not a program.", name, hint="Name a Python file in it.")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ProgramError("No such file.", name, hint="Check the path.") from None
    except OSError as error:
        raise ProgramError(f"The file cannot be read: {error.strerror or error}.", name) from None
    return decode(data, name)


def decode(data: bytes, path: str) -> str:
    """The text of ``data``; see `read` for what is raised."""
    encoding, declared = "utf-8", False
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
    else:
        for first in data.split(b"\n", 2)[:2]:
            found = _CODING.match(first)
            if found:
                encoding, declared = found.group(1).decode("ascii"), True
                break
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise ProgramError(
            f"The coding line names an unknown encoding, {encoding!r}.",
            path,
            1,
            hint="Save the file as UTF-8.",
        ) from None
    if b"\0" in data:
        at = data.index(b"\0")
        raise ProgramError(f"This is not a text file: byte {at} is zero.", path, data.count(b"\n", 0, at) + 1)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        start = data.rfind(b"\n", 0, error.start) + 1
        shown = data[start:].split(b"\n", 1)[0].decode(encoding, errors="replace")
        said = f"{encoding}, which it declares" if declared else "UTF-8"
        raise ProgramError(
            f"The file is not {said}: byte 0x{data[error.start]:02x} at position {error.start}.",
            path,
            line,
            len(data[start : error.start].decode(encoding, errors="replace")),
            shown,
            "Save it as UTF-8, or declare its encoding in a first line such as '# -*- coding: latin-1 -*-'.",
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
