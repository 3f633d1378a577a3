"""Nothing that a program does to numbers is lost, altered or kept silent: one small program for each way of doing it.

Each program runs natively and recorded, as a module, in a function and in a loop.  It must print and leave behind
the same; its tape must replay bit for bit; and given another run's inputs the tape must give that run's result, or
a notice must say what was not followed.
"""

from __future__ import annotations

import pytest

from tests.recording.following import SETTINGS, examine
from tests.recording.traps import arrays, entries, everyday, language, training, unseen_writes

TRAPS = language.TRAPS | arrays.TRAPS | entries.TRAPS | everyday.TRAPS | training.TRAPS | unseen_writes.TRAPS
#: What cannot be followed, or not yet: a notice says so.
NOTICED = {
    "exec", "eval", "ndarray subclass",
    "dtype view", "complex view", "float view write", "piecewise", "frompyfunc", "numerical gradient", "structured array", "masked array", "statistics", "math fsum prod dist", "math functions", "pickle",
    "json", "savetxt", "str to float", "tobytes frombuffer", "memoryview", "ctypes write", "interp", "int view", "save and load", "pickle file",
    "erf vectorize", "complex numbers", "hex float", "is_integer",
    "memoryview after", "memoryview two", "frombuffer bytearray", "array.array", "nditer external", "setattr shape", "eval write",
    "eval of fresh", "in with call", "byteswap", "structured", "frompyfunc callback", "vectorize writes", "fromfunction", "piecewise writes",
    "vectorize keeps a cache", "vectorize with a signature", "frompyfunc of several", "frompyfunc reduce", "records made of numbers",
    "masked arithmetic", "masked minus plain", "masked in place", "plain plus masked in place", "record written whole", "records seen as numbers",
}  # fmt: skip


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", TRAPS)
def test_a_program_is_followed_or_a_notice_says_what_was_not(name: str, setting: str) -> None:
    if "import *" in TRAPS[name]:
        setting = "module"  # Python allows it nowhere else.
    finding = examine(TRAPS[name], setting)
    assert finding.verdict in (("noticed", "followed") if name in NOTICED else ("followed",)), finding.notices


@pytest.mark.parametrize("name", everyday.TRAPS | training.TRAPS)
def test_what_is_followed_raises_no_false_alarm(name: str) -> None:
    assert name in NOTICED or examine(TRAPS[name]).notices == []
