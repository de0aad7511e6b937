"""What every reader hands over: the columns, known before the first row, and the rows as Arrow record batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

Parameters = Mapping[str, Any] | Sequence[Any]

BATCH_BYTES = 8 * 2**20
"""Rows are gathered until there are enough of them, or until they weigh so much: whichever comes first."""


class Stream:
    """Rows that can be read once; the `Rows` of `model`.

    :param schema: one field per column, in the order and under the names of the query.
    :param batches: the rows.
    """

    def __init__(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        self.schema = schema
        self._batches: Iterator[pa.RecordBatch] | None = batches

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Return the batches.

        :raises RuntimeError: they were asked for before; a second look would find no rows and look like a success.
        """
        if self._batches is None:
            message = "these rows have been read already: a stream is read once"
            raise RuntimeError(message)
        batches, self._batches = self._batches, None
        return batches
