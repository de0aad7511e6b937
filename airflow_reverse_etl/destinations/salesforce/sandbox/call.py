"""One request to the data API as the endpoints see it, and the answer that they give."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_reverse_etl.destinations.salesforce.sandbox.errors import ApiError, WrongTypeError, malformed, not_found

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.salesforce.sandbox.fields import Field
    from airflow_reverse_etl.destinations.salesforce.sandbox.org import Org
    from airflow_reverse_etl.destinations.salesforce.sandbox.table import Table

Fault = Mapping[str, Any]

_FIRST_DUPLICATE_HEADER = 52.0


@dataclass(frozen=True)
class Reply:
    """An answer: JSON, or nothing where `body` is None. `rows` is how many records the call carried."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0


@dataclass(frozen=True)
class Call:
    """A request that has passed the gate.

    :param version: API version, for example 59.0.
    :param at: what the path names, for example `{"object": "Account"}`.
    :param query: the parameters after the question mark.
    :param headers: by names in lower case.
    :param fault: the fault that this request has to act out, or None.
    """

    org: Org
    version: float
    method: str
    at: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    fault: Fault | None = None

    @property
    def base(self) -> str:
        """The path of the API version, which every URL in an answer begins with."""
        return f"/services/data/v{self.version:.1f}"

    def table(self) -> Table:
        """Find the object that the path names.

        :raises ApiError: 404, there is none.
        """
        table = self.org.store.table(self.at["object"])
        if table is None:
            raise not_found()  # to ask for an object that is not there is how one finds out
        return table

    def key_field(self, table: Table) -> Field:
        """Find the external id field that the path names.

        :raises ApiError: 404, it is none.
        """
        field = table.field(self.at["field"])
        if field is None or not field.upsert_key:
            message = f"Provided external ID field does not exist or is not accessible: {self.at['field']}"
            raise not_found(message, violation=True)
        return field

    def at_id(self, row_id: str) -> Call:
        """Give the same call as if the path had named the record by its id."""
        return replace(self, at={**self.at, "id": row_id})

    @property
    def allows_duplicates(self) -> bool:
        """Whether the client saves records that a duplicate rule reports."""
        header = self.headers.get("sforce-duplicate-rule-header", "").replace(" ", "").lower()
        return self.version >= _FIRST_DUPLICATE_HEADER and "allowsave=true" in header

    def json(self) -> dict[str, Any]:
        """Read the body, which has to be a JSON object.

        :raises ApiError: 400 or 415, it is none.
        """
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not self.body:
            raise malformed("The HTTP entity body is required, but this request has no entity body.")
        if kind != "application/json":
            message = f"Content-Type header specified in HTTP request is not supported: {kind or 'none'}"
            raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message, violation=True)
        try:
            found = msgspec.json.decode(self.plain_body())
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            message = f"Unexpected character or end of the body: {error}"
            raise malformed(message) from error
        if not isinstance(found, dict):
            message = f"Can not deserialize SObject out of {_token(found)} token at [line:1, column:1]"
            raise malformed(message)
        return found

    def plain_body(self) -> bytes:
        """Give the body as it was before the client compressed it.

        :raises ApiError: 400, it is not what its Content-Encoding says.
        """
        encoding = self.headers.get("content-encoding", "identity").strip().lower()
        if encoding == "identity":
            return self.body
        if encoding != "gzip":
            raise ApiError(
                415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Encoding {encoding} is not supported", violation=True
            )
        try:
            return gzip.decompress(self.body)
        except (OSError, EOFError, zlib.error) as error:
            message = f"The body is not gzip: {error}"
            raise malformed(message) from error

    def parser_error(self, error: WrongTypeError) -> ApiError:
        """Make the answer to a value of the wrong JSON type, which blames the place of the value in the body."""
        return malformed(parser_message(error, self.plain_body()))


def parser_message(error: WrongTypeError, body: bytes) -> str:
    """Put a wrong JSON type into the words of Salesforce's parser; the column is that of the value's first mention."""
    written = msgspec.json.encode(error.value)
    shown = error.value
    if not isinstance(shown, str):
        # Of an array or an object the parser has seen the first character only.
        shown = written.decode()[: 1 if isinstance(shown, list | dict) else None]
    column = max(body.find(written), 0) + 1
    return (
        f"Cannot deserialize instance of {error.kind} from {_token(error.value)} value {shown} "
        f"or request may be missing a required field at [line:1, column:{column}]"
    )


def _token(value: object) -> str:
    if isinstance(value, bool):
        return "VALUE_TRUE" if value else "VALUE_FALSE"
    names = {
        str: "VALUE_STRING",
        int: "VALUE_NUMBER_INT",
        float: "VALUE_NUMBER_FLOAT",
        list: "START_ARRAY",
        dict: "START_OBJECT",
    }
    return names.get(type(value), "VALUE_NULL")
