"""Warehouses know infinity, years beyond 1 to 9999 and the hour 24, applications do not: dates travel as text."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from airflow_reverse_etl.warehouse.canonical import FIRST_MICROSECOND, LAST_MICROSECOND

FIRST_DAY, LAST_DAY = ((day - dt.date(1970, 1, 1)).days for day in (dt.date.min, dt.date.max))
DAY = 24 * 60 * 60 * 1_000_000
PER_MICROSECOND = {"s": (1_000_000, 1), "ms": (1_000, 1), "us": (1, 1), "ns": (1, 1_000)}
"""By what a count in a unit is multiplied and divided to give microseconds."""
OUT_OF_RANGE = "!range"


def text_of(array: pa.Array) -> pa.Array:
    """Return the canonical text of dates, times of day or timestamps; what is finer than a microsecond is cut off."""
    if kinds.is_date(array.type):
        return _dates(array)
    if kinds.is_time(array.type):
        return _times(array)
    return instants(_microseconds(array), "t" if array.type.tz else "l")


def instants(microseconds: pa.Array, tag: str) -> pa.Array:
    """Return the canonical text of microseconds since 1970."""
    text = pc.binary_join_element_wise(pa.scalar(tag), microseconds.cast(pa.string()), pa.scalar(""))
    return _within(microseconds, FIRST_MICROSECOND, LAST_MICROSECOND, text)


def _microseconds(array: pa.Array) -> pa.Array:
    """Return integers; a count that would overflow becomes the largest one, which no calendar reaches either."""
    times, divisor = PER_MICROSECOND[array.type.unit]
    count = array.cast(pa.int64())
    if divisor > 1:
        return _floor(count, divisor)
    if times == 1:
        return count
    largest = (2**63 - 1) // times
    capped = pc.max_element_wise(pc.min_element_wise(count, largest, skip_nulls=False), -largest, skip_nulls=False)
    return pc.multiply(capped, times)


def _floor(count: pa.Array, divisor: int) -> pa.Array:
    """Divide towards the past, so that what is cut off is cut off alike before and after 1970."""
    quotient = pc.divide(count, divisor)
    remainder = pc.subtract(count, pc.multiply(quotient, divisor))
    return pc.subtract(quotient, pc.less(remainder, 0).cast(pa.int64()))


def _dates(array: pa.Array) -> pa.Array:
    days = array.cast(pa.date32()).cast(pa.int32())
    kept = pc.if_else(_inside(days, FIRST_DAY, LAST_DAY), days, None)
    text = pc.binary_join_element_wise(pa.scalar("d"), kept.cast(pa.date32()).cast(pa.string()), pa.scalar(""))
    return _within(days, FIRST_DAY, LAST_DAY, text)


def _times(array: pa.Array) -> pa.Array:
    times, divisor = PER_MICROSECOND[array.type.unit]
    storage = pa.int32() if array.type.bit_width == pa.int32().bit_width else pa.int64()
    count = pc.divide(pc.multiply(array.cast(storage).cast(pa.int64()), times), divisor)
    kept = pc.if_else(_inside(count, 0, DAY - 1), count, None)
    # Arrow writes all six decimals; as few as the value needs are canonical.
    clock = pc.ascii_rtrim(pc.ascii_rtrim(kept.cast(pa.time64("us")).cast(pa.string()), "0"), ".")
    return _within(count, 0, DAY - 1, pc.binary_join_element_wise(pa.scalar("h"), clock, pa.scalar("")))


def _within(count: pa.Array, first: int, last: int, text: pa.Array) -> pa.Array:
    """Return the text where the count lies between the two, and the mark of the unreadable where it does not."""
    return pc.if_else(_inside(count, first, last), text, OUT_OF_RANGE)


def _inside(count: pa.Array, first: int, last: int) -> pa.Array:
    return pc.and_(pc.greater_equal(count, first), pc.less_equal(count, last))
