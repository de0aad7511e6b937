"""The values of the rows beside DuckDB: it holds row groups of 122,880 rows in memory, however much a row weighs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

GROUP_BYTES = 8 * 2**20
GROUP_ROWS = 10_000
"""A row group ends with whichever comes first; one at a time is in memory."""


class Writer:
    """Writes batches to a Parquet file in row groups of bounded weight."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = pq.ParquetWriter(path, schema, compression="lz4")
        self._waiting: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        self._waiting.append(batch)
        rows, weight = (sum(of(b) for b in self._waiting) for of in (len, _weight))
        if rows >= GROUP_ROWS or weight >= GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._file.write_table(pa.Table.from_batches(self._waiting))
            self._waiting = []

    def close(self) -> None:
        """Write what waits and close the file."""
        self._flush()
        self._file.close()


def _weight(batch: pa.RecordBatch) -> int:
    return int(batch.get_total_buffer_size())


def read(path: Path, columns: list[str] | None = None) -> Iterator[pa.Table]:
    """Read a file that `Writer` made, a row group at a time."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, columns=columns)


def beside(path: Path, heads: Iterable[pa.Table]) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Put the values of chosen rows beside what else is known of them, a piece at a time.

    :param heads: tables whose column `n` holds the ordinals of the rows, ascending over all tables.
    """
    first, end, groups, group = 0, 0, read(path), pa.table({})
    for table in heads:
        head = table
        while head.num_rows:
            while end <= head["n"][0].as_py():
                group = next(groups)
                first, end = end, end + group.num_rows
            inside = pc.sum(pc.less(head["n"], end)).as_py()
            yield head.slice(0, inside), group.take(pc.subtract(head["n"].slice(0, inside), first))
            head = head.slice(inside)
