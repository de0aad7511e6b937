"""A batch as the records of an sObject Collections call: JSON put together field by field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_reverse_etl.destinations.salesforce.encode import CannotEncodeError, Writer, quoted, writer
from airflow_reverse_etl.destinations.salesforce.paths import FieldPath, find_path
from airflow_reverse_etl.destinations.salesforce.shape import ObjectShape
from airflow_reverse_etl.model import RecordOutcome, rejected


@dataclass(frozen=True)
class Column:
    """How the values of one field are written.

    :param name: the field as the batch and the outcomes name it.
    :param field_type: in Salesforce, for messages.
    :param before: JSON before the value, `"Name":` or `"Account":{"Ext__c":`.
    :param after: JSON after it.
    :param cleared: JSON that empties the field; None for what cannot be empty.
    :param write: writes a value.
    """

    name: str
    field_type: str
    before: str
    after: str
    cleared: str | None
    write: Writer

    def fragment(self, value: Any) -> str:
        """Return the field and its value as JSON.

        :raises CannotEncodeError: the value is none of the field's type.
        """
        if value is None or (isinstance(value, str) and not value):
            if self.cleared is None:
                raise CannotEncodeError("a checkbox cannot be empty; give it a value in the query, or skip its NULLs")
            return self.cleared
        return self.before + self.write(value) + self.after


def columns(
    shape: ObjectShape, names: Sequence[str], zone: dt.tzinfo, describe: Callable[[str], ObjectShape]
) -> list[Column]:
    """Return how to write these fields.

    :param names: as `check` returned them.
    :param describe: describes a related object.
    """
    return [_column(find_path(name, shape, describe), zone) for name in names]


def _column(path: FieldPath, zone: dt.tzinfo) -> Column:
    field = path.field
    if path.lookup is None:
        before, after = f"{quoted(field.name)}:", ""
    else:
        kind = f'"attributes":{{"type":{quoted(path.parent)}}},' if path.polymorphic else ""
        before, after = f"{quoted(path.lookup.relationship)}:{{{kind}{quoted(field.name)}:", "}"
    # A lookup is emptied through its own field: a related record "without an external id" says nothing to Salesforce.
    owner = path.lookup or field
    cleared = None if owner.type == "boolean" else f"{quoted(owner.name)}:null"
    return Column(path.name, field.type, before, after, cleared, writer(field.type, zone))


def encode(
    object_name: str, columns: Sequence[Column], key: str, values: Mapping[str, Any], record_id: str | None
) -> bytes | RecordOutcome:
    """Return a record as JSON, or its rejection, which names every field that cannot be written.

    :param record_id: of the record to update, None where there is none yet.
    """
    parts = [f'"attributes":{{"type":{quoted(object_name)}}}']
    if record_id is not None:
        parts.append(f'"id":{quoted(record_id)}')
    wrong: dict[str, str] = {}
    for column in columns:
        if column.name in values:
            try:
                parts.append(column.fragment(values[column.name]))
            except CannotEncodeError as reason:
                wrong[column.name] = f"{column.name} ({column.field_type}): {reason}"
    if wrong:
        return rejected(key, "CANNOT_ENCODE", "; ".join(wrong.values()), tuple(wrong))
    try:
        return ("{" + ",".join(parts) + "}").encode()
    except UnicodeEncodeError:
        return rejected(key, "CANNOT_ENCODE", "a text holds half a character (a lone surrogate)")
