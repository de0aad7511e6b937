"""Salesforce ids: 15 characters that tell case apart, or 18 of which the last three say which letters are capital.

Rules: "ID Field Type" in the vendor's Object Reference.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHORT, _LONG, _GROUP = 15, 18, 5


@lru_cache(maxsize=1024)
def _suffix_letter(group: str) -> str:
    return _SUFFIX[sum(1 << place for place, letter in enumerate(group) if "A" <= letter <= "Z")]


def lengthen(short: str) -> str:
    """Turn a 15-character id into the 18 characters that the API returns."""
    return f"{short}{_suffix_letter(short[:5])}{_suffix_letter(short[5:10])}{_suffix_letter(short[10:15])}"


def sequence(prefix: str) -> Iterator[str]:
    """Give the ids of the first record of the object with this key prefix, of the second, and so on.

    Neighbouring ids differ only in the case of a letter now and then, as the vendor's do.
    """
    for number in itertools.count():
        digits = "".join(_DIGITS[number // 62**place % 62] for place in reversed(range(8)))
        start = f"{prefix}Fk0{digits}"
        suffix = _suffix_letter(start[:5]) + _suffix_letter(start[5:10])
        plain, capital = suffix + _suffix_letter(start[10:] + "0"), suffix + _suffix_letter(start[10:] + "A")
        for last in _DIGITS if number else _DIGITS[1:]:
            yield f"{start}{last}{capital if last.isupper() else plain}"


def first(prefix: str) -> str:
    """Give the id of the first record of the object with this key prefix."""
    return next(sequence(prefix))


def canonical(given: object) -> str | None:
    """Give the 18-character form of an id, or None for what cannot be one.

    A 15-character id is taken as it is. In an 18-character id the suffix restores the capitals, so that any spelling
    of the first 15 letters names the same record.
    """
    if not isinstance(given, str) or not given.isascii() or not given.isalnum():
        return None
    if len(given) == _SHORT:
        return lengthen(given)
    if len(given) != _LONG:
        return None
    letters = []
    for place, letter in enumerate(given[:_SHORT]):
        bits = _SUFFIX.find(given[_SHORT + place // _GROUP].upper())
        if bits < 0:
            return None
        capital = bits >> (place % _GROUP) & 1
        if capital and not letter.isalpha():
            return None
        letters.append(letter.upper() if capital else letter.lower())
    return "".join(letters) + given[_SHORT:].upper()
