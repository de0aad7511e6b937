"""What Salesforce says no with: to a whole call, or to one record of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOT_FOUND_TEXT = "The requested resource does not exist"
EXPIRED_TEXT = "Session expired or invalid"


class ApiError(Exception):
    """The whole call is refused.

    :param status: HTTP status of the answer.
    :param code: the vendor's `errorCode`.
    :param message: the vendor's words.
    :param fields: API names that the answer names; None leaves the key out, as most answers do.
    :param violation: True when the request itself was malformed, so that a correct client never sends it.
    :param headers: further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        fields: Sequence[str] | None = None,
        violation: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.violation = violation
        self.headers = dict(headers or {})

    def body(self) -> list[dict[str, object]]:
        """Give the answer's JSON: always an array, also for one error."""
        error: dict[str, object] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = list(self.fields)
        return [error]


class RowError(Exception):
    """One record is refused; the others of the call go on.

    :param code: the vendor's `statusCode`.
    :param message: the vendor's words.
    :param fields: API names of the fields to blame.
    """

    def __init__(self, code: str, message: str, fields: Sequence[str] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = tuple(fields)

    def body(self) -> dict[str, object]:
        """Give one element of the `errors` array of a collections answer."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}


class WrongTypeError(Exception):
    """A JSON value cannot become the field's type: Salesforce's parser gives up on the whole call.

    :param kind: the field's type as describe names it.
    :param value: what was sent.
    """

    def __init__(self, kind: str, value: object) -> None:
        super().__init__(f"{value!r} is no {kind}")
        self.kind = kind
        self.value = value


def malformed(message: str, code: str = "JSON_PARSER_ERROR") -> ApiError:
    """Refuse a request that no correct client sends."""
    return ApiError(400, code, message, violation=True)


def not_found(message: str = NOT_FOUND_TEXT, *, violation: bool = False) -> ApiError:
    """Answer 404: the path, the record or the external id field is not there."""
    return ApiError(404, "NOT_FOUND", message, violation=violation)


def wrong_verb(method: str, allowed: Sequence[str]) -> ApiError:
    """Answer 405: the path is right, the verb is not. An external id without a value in the path ends here too."""
    names = ",".join(allowed)
    message = f"HTTP Method '{method}' not allowed. Allowed are {names}"
    return ApiError(405, "METHOD_NOT_ALLOWED", message, violation=True, headers={"Allow": names})


def session_expired() -> ApiError:
    """Answer 401, which promises that nothing was executed."""
    return ApiError(401, "INVALID_SESSION_ID", EXPIRED_TEXT)
