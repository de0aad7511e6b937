"""The header of a tab: which column has which name; indexed, because every batch looks up all of its fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Header:
    """The texts of row 1, in order; empty ones belong to columns without a name."""

    texts: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def names(self) -> list[str]:
        """The texts that are names."""
        return [text for text in self.texts if text.strip()]

    def columns_of(self, name: str) -> list[int]:
        """Return the columns of this name, from 1: exactly, else whatever its case; white space around is nothing."""
        wanted = name.strip()
        return self._exact.get(wanted) or self._folded.get(wanted.casefold()) or []

    def column(self, name: str) -> int | None:
        """Return the one column of this name, or None."""
        found = self.columns_of(name)
        return found[0] if len(found) == 1 else None

    def spelled(self, name: str) -> str:
        """Return a name as it stands here, or as it will."""
        column = self.column(name)
        return self.texts[column - 1] if column else name.strip()

    def extended(self, new: Mapping[int, str]) -> Header:
        """Return the header with further columns at its right."""
        added = range(len(self) + 1, max(new, default=0) + 1)
        return Header((*self.texts, *(new.get(column, "") for column in added)))

    @cached_property
    def _exact(self) -> dict[str, list[int]]:
        return _index(text.strip() for text in self.texts)

    @cached_property
    def _folded(self) -> dict[str, list[int]]:
        return _index(text.strip().casefold() for text in self.texts)


def _index(texts: Iterable[str]) -> dict[str, list[int]]:
    columns: dict[str, list[int]] = {}
    for column, text in enumerate(texts, 1):
        if text:
            columns.setdefault(text, []).append(column)
    return columns
