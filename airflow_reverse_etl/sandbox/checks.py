"""What makes no sense about a fault is said when it is set, not when it strikes."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from airflow_reverse_etl.sandbox.modes import MODES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def check_arguments(mode: str, arguments: Mapping[str, object]) -> None:
    """Check the arguments of a generic mode.

    :raises ValueError: the mode does not take one, or its value makes no sense.
    """
    known = list(inspect.signature(MODES[mode]).parameters)[1:]
    unknown = [name for name in arguments if name not in known]
    if unknown:
        message = f"the fault {mode!r} takes {', '.join(known) or 'no arguments'}; not {', '.join(unknown)}"
        raise ValueError(message)
    for name, value in arguments.items():
        is_right, expected = _CHECKS.get(name, (None, ""))
        if is_right and not is_right(value):
            message = f"{name} of the fault {mode!r} is {expected}, not {value!r}"
            raise ValueError(message)


def checked_matching(
    *,
    path: str | None = None,
    method: str | None = None,
    nth: int | Sequence[int] | None = None,
    times: int | None = None,
    probability: float | None = None,
    seed: int = 0,
) -> dict[str, object]:
    """Return the fields of a `Fault` that say which requests it strikes.

    :raises ValueError: one of them makes no sense.
    """
    counts = [nth] if isinstance(nth, int) else nth
    _require(counts is None or _are_counts(counts), "nth", "1 or more, or a list of such", nth)
    _require(times is None or _is_count(times), "times", "a whole number, 1 or more", times)
    in_range = probability is None or (_is_number(probability) and 0 <= probability <= 1)
    _require(in_range, "probability", "a number from 0 to 1", probability)
    _require(_is_whole(seed), "seed", "a whole number", seed)
    return {
        "path": _compiled(path),
        "method": None if method is None else str(method).upper(),
        "nth": None if counts is None else frozenset(counts),
        "times": times,
        "probability": probability,
        "seed": seed,
    }


def _compiled(path: str | None) -> re.Pattern[str] | None:
    try:
        return None if path is None else re.compile(str(path))
    except re.error as error:
        message = f"path is a regular expression, and {path!r} is none: {error}"
        raise ValueError(message) from error


def _require(is_right: bool, name: str, expected: str, value: object) -> None:  # noqa: FBT001  the check itself
    if not is_right:
        message = f"{name} of a fault is {expected}; not {value!r}"
        raise ValueError(message)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _are_counts(value: object) -> bool:
    return isinstance(value, list | tuple | set | frozenset | range) and len(value) > 0 and all(map(_is_count, value))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_header(value: object) -> bool:
    return isinstance(value, str | int) and str(value).isascii() and str(value).isprintable()


_CHECKS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "seconds": (lambda value: _is_number(value) and value >= 0, "a number of seconds, 0 or more"),  # type: ignore[operator]
    "status": (lambda value: _is_whole(value) and 200 <= value <= 599, "an HTTP status from 200 to 599"),  # type: ignore[operator]
    "commit": (lambda value: isinstance(value, bool), "true or false"),
    "when": (lambda value: value in ("idle", "next"), "'idle' or 'next'"),
    "location": (_is_header, "an address on one line"),
    "headers": (
        lambda value: value is None or (isinstance(value, dict) and all(map(_is_header, [*value, *value.values()]))),
        "a mapping of header names to texts or numbers",
    ),
}
