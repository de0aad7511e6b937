"""What a cell can hold, and how a value from a request becomes one."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import ApiError, invalid

EXACT = 2**53  # beyond this a double no longer tells neighbouring integers apart


class CellError(Enum):
    """An error that a formula shows instead of a value: how it looks, and what ErrorValue calls it."""

    LOADING = "Loading..."
    DIVIDE_BY_ZERO = "#DIV/0!"
    ERROR = "#ERROR!"


class Formula:
    """A cell that computes: what was typed, and what it shows."""

    __slots__ = ("shows", "text")

    def __init__(self, text: str, shows: Scalar | CellError) -> None:
        self.text = text
        self.shows = shows

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Formula) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


class Skip(Enum):
    """The mark of a cell that a write leaves as it is (null in a request)."""

    CELL = None


SKIP: Final = Skip.CELL

Scalar = str | int | float | bool
Cell = Scalar | Formula | None
Row = tuple[Cell, ...]
Patch = Cell | Skip  # what a write says of one cell


def number(value: float) -> int | float:
    """A number as a sheet keeps it: a double, shown as an integer where it is one."""
    if type(value) is int:
        return value if -EXACT <= value <= EXACT else float(value)
    return int(value) if value.is_integer() and -EXACT <= value <= EXACT else value


def text(value: str, limit: int) -> str | None:
    """Text as a sheet keeps it: an empty string is an empty cell.

    :raises ApiError: 400 if it is longer than a cell may be.
    """
    if len(value) > limit:
        raise too_long(limit)
    return value or None


def too_long(limit: int) -> ApiError:
    """The refusal of a text that fits no cell."""
    return invalid(f"Your input contains more than the maximum of {limit} characters in a single cell.")


def raw(values: Sequence[object], limit: int) -> list[Patch]:
    """One row or column of a request with `valueInputOption=RAW`: nothing is parsed, null skips, "" clears.

    :raises BadValue: at a value that is no scalar.
    :raises ApiError: 400 at a text that is too long.
    """
    patches: list[Patch] = []
    add = patches.append
    for position, value in enumerate(values):
        kind = type(value)
        if kind is str:
            add(text(value, limit))  # type: ignore[arg-type]
        elif kind is int or kind is float:
            add(number(value))  # type: ignore[arg-type]
        elif value is None:
            add(SKIP)
        elif kind is bool:
            add(value)  # type: ignore[arg-type]
        else:
            raise BadValueError(position, value)
    return patches


class BadValueError(Exception):
    """A list or an object where a cell's value belongs."""

    def __init__(self, position: int, value: object) -> None:
        super().__init__(position)
        self.position = position
        self.value = value

    def dump(self) -> str:
        """The value in protobuf's text form, as Google prints it."""
        return _dump(self.value, "")


def _dump(value: object, indent: str) -> str:
    deeper = indent + "  "
    if isinstance(value, dict):
        inner = "".join(
            f'{deeper}fields {{\n{deeper}  key: "{key}"\n{deeper}  value {{\n{_dump(item, deeper + "    ")}'
            f"{deeper}  }}\n{deeper}}}\n"
            for key, item in value.items()
        )
        return f"{indent}struct_value {{\n{inner}{indent}}}\n"
    if isinstance(value, list):
        inner = "".join(f"{deeper}values {{\n{_dump(item, deeper + '  ')}{deeper}}}\n" for item in value)
        return f"{indent}list_value {{\n{inner}{indent}}}\n"
    if isinstance(value, bool):
        return f"{indent}bool_value: {str(value).lower()}\n"
    if isinstance(value, int | float):
        return f"{indent}number_value: {float(value)}\n"
    if value is None:
        return f"{indent}null_value: NULL_VALUE\n"
    return f'{indent}string_value: "{value}"\n'
