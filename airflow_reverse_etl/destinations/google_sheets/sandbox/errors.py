"""Google's error envelope: one exception that carries all of it, and a constructor for each kind of refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

DEV_CONSOLE = "https://developers.google.com/identity/sign-in/web/devconsole-project"
SERVICE = "sheets.googleapis.com"
PROJECT_NUMBER = "498586711441"


class ApiError(Exception):
    """An answer other than 200, in the words of the Sheets API.

    :param code: HTTP status.
    :param status: name of the google.rpc.Code, for example ``INVALID_ARGUMENT``.
    :param message: the sentence Google writes.
    :param details: google.rpc details, for example an ErrorInfo.
    :param malformed: True if no sheet whatsoever would take this request: the client broke the contract.
    """

    def __init__(
        self,
        code: int,
        status: str,
        message: str,
        *,
        details: Sequence[Mapping[str, object]] = (),
        headers: Mapping[str, str] | None = None,
        malformed: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.details = details
        self.headers = dict(headers or {})
        self.malformed = malformed

    def body(self) -> dict[str, object]:
        """The JSON body."""
        error: dict[str, object] = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}

    def within(self, place: str) -> ApiError:
        """The same refusal with the part of the request it belongs to in front, as in ``Invalid requests[0].x: ``."""
        return ApiError(
            self.code,
            self.status,
            f"Invalid {place}: {self.message}",
            details=self.details,
            malformed=self.malformed,
        )


def invalid(message: str) -> ApiError:
    """A request that is well formed and cannot be done with this spreadsheet."""
    return ApiError(400, "INVALID_ARGUMENT", message)


def malformed(message: str, violations: Sequence[tuple[str, str]] = ()) -> ApiError:
    """A request that breaks the contract; ``violations`` are pairs of field path and description."""
    details: list[Mapping[str, object]] = []
    if violations:
        fields = [{"field": field, "description": text} for field, text in violations]
        details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": fields}]
    return ApiError(400, "INVALID_ARGUMENT", message, details=details, malformed=True)


def not_faked(what: str) -> ApiError:
    """What the real API offers and this sandbox does not: said plainly, in words Google would never use."""
    return ApiError(400, "INVALID_ARGUMENT", f"The sandbox does not fake {what}; docs/sandbox.md lists what it fakes.")


def not_found(message: str = "Requested entity was not found.") -> ApiError:
    """No such spreadsheet, or metadata."""
    return ApiError(404, "NOT_FOUND", message)


def no_permission() -> ApiError:
    """The spreadsheet exists and is not shared with the service account, or not for writing."""
    return ApiError(403, "PERMISSION_DENIED", "The caller does not have permission")


def _reason(reason: str, **metadata: str) -> dict[str, object]:
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": SERVICE, **metadata},
    }


def no_credentials() -> ApiError:
    """No Authorization header: Sheets takes API keys too, so it misses an identity rather than a login."""
    return ApiError(
        403,
        "PERMISSION_DENIED",
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
        "other form of API consumer identity to call this API.",
    )


def bad_token(*, expired: bool) -> ApiError:
    """A bearer token that was never given out, or is past its time."""
    return ApiError(
        401,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        f"authentication credential. See {DEV_CONSOLE}.",
        details=[_reason("ACCESS_TOKEN_EXPIRED" if expired else "ACCESS_TOKEN_TYPE_UNSUPPORTED")],
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'},
    )


def missing_scope() -> ApiError:
    """A good token that was not asked for with a scope of Sheets or Drive."""
    return ApiError(
        403,
        "PERMISSION_DENIED",
        "Request had insufficient authentication scopes.",
        details=[_reason("ACCESS_TOKEN_SCOPE_INSUFFICIENT")],
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="insufficient_scope"'},
    )


def api_disabled() -> ApiError:
    """The Sheets API is not switched on in the project of the service account."""
    page = f"https://console.developers.google.com/apis/api/{SERVICE}/overview?project={PROJECT_NUMBER}"
    return ApiError(
        403,
        "PERMISSION_DENIED",
        f"Google Sheets API has not been used in project {PROJECT_NUMBER} before or it is disabled. Enable it by "
        f"visiting {page} then retry. If you enabled this API recently, wait a few minutes for the action to "
        "propagate to our systems and retry.",
        details=[_reason("SERVICE_DISABLED", consumer=f"projects/{PROJECT_NUMBER}")],
    )


def too_many(*, write: bool, per_user: bool, limit: int) -> ApiError:
    """Quota spent. Google sends no Retry-After with it."""
    kind = "Write" if write else "Read"
    whose = "per user" if per_user else "per project"
    name = f"{kind} requests per minute" + (" per user" if per_user else "")
    info = _reason(
        "RATE_LIMIT_EXCEEDED",
        quota_limit=f"{kind}RequestsPerMinutePer{'User' if per_user else 'Project'}",
        quota_unit="1/min/{project}/{user}" if per_user else "1/min/{project}",
        quota_location="global",
        quota_limit_value=str(limit),
        consumer=f"projects/{PROJECT_NUMBER}",
        quota_metric=f"{SERVICE}/{kind.lower()}_requests",
    )
    help_page = {
        "@type": "type.googleapis.com/google.rpc.Help",
        "links": [
            {
                "description": f"Request a higher quota limit ({whose}).",
                "url": "https://cloud.google.com/docs/quotas/help/request_increase",
            }
        ],
    }
    return ApiError(
        429,
        "RESOURCE_EXHAUSTED",
        f"Quota exceeded for quota metric '{kind} requests' and limit '{name}' of service '{SERVICE}' for consumer "
        f"'project_number:{PROJECT_NUMBER}'.",
        details=[info, help_page],
    )


def protected() -> ApiError:
    """A cell that somebody protected against this user."""
    return invalid(
        "You are trying to edit a protected cell or object. Please contact the spreadsheet owner to remove "
        "protection if you need to edit."
    )
