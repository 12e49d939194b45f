"""The one exception that bad input raises, and the sentences shared by several modules."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST = 1200
"""Characters of a sentence; of a longer one the middle is left out."""


class InputError(ValueError):
    """What a user gave cannot be used; the message is one sentence: what, got, allowed.

    The command line prints the sentence and ends with exit code 2.
    """

    def __init__(self, sentence: str):
        super().__init__(one_line(sentence))


def one_line(sentence: str) -> str:
    """The sentence on one line, without control characters, however long a value in it is."""
    if len(sentence) > LONGEST:
        sentence = f"{sentence[: LONGEST // 2]} ... {sentence[-LONGEST // 2 :]}"
    words = " ".join(sentence.split())
    return printable(words)


def require(condition: bool, sentence: str) -> None:
    """Raise `InputError(sentence)` unless `condition` holds."""
    if not condition:
        raise InputError(sentence)


def unknown(kind: str, name: str, allowed: Iterable[str]) -> InputError:
    """The error for a wrong name: names the nearest right one and lists all of them."""
    names = sorted(allowed)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return InputError(f"Unknown {kind} {name!r}.{hint} Allowed: {', '.join(names)}.")


def printable(text: str) -> str:
    """Text whose characters do nothing to a terminal but show: all others appear as escapes."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
