"""What HubSpot says: answers and refusals in its own words, with no idea of HTTP or of the portal's state."""

from __future__ import annotations

from dataclasses import dataclass, field

VALIDATION_ERROR = "VALIDATION_ERROR"
OBJECT_NOT_FOUND = "OBJECT_NOT_FOUND"
CONFLICT = "CONFLICT"

AUTHENTICATION_MISSING = (
    "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at "
    "https://developers.hubspot.com/docs/methods/auth/oauth-overview"
)
AUTHENTICATION_EXPIRED = "The OAuth token used to make this call has expired."
SCOPES_PAGE = "https://developers.hubspot.com/scopes"


@dataclass(slots=True)
class Answer:
    """A status and a body that msgspec can encode (None: no body at all)."""

    status: int
    body: dict[str, object] | None = None


@dataclass
class Refusal(Exception):  # noqa: N818  an answer of HubSpot, not an error of the fake
    """An answer that is no success; the gate turns it into HTTP.

    :param category: None leaves the field out, as HubSpot does for JSON that it cannot read.
    :param extra: more members of the body (`errors`, `context`, `links`, ...).
    :param malformed: the client broke the contract; the request is recorded as a violation.
    :param rate: this is the portal's own rate limit speaking; "" where it is not.
    """

    status: int
    message: str
    category: str | None = VALIDATION_ERROR
    extra: dict[str, object] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    malformed: bool = False
    rate: str = ""

    def body(self, correlation_id: str) -> dict[str, object]:
        body: dict[str, object] = {"status": "error", "message": self.message, "correlationId": correlation_id}
        if self.category is not None:
            body["category"] = self.category
        return body | self.extra


def malformed(message: str, status: int = 400, category: str | None = VALIDATION_ERROR, **extra: object) -> Refusal:
    """A request that no correct client sends."""
    return Refusal(status, message, category, extra, malformed=True)


def not_found() -> Refusal:
    return Refusal(404, "resource not found", OBJECT_NOT_FOUND)


def unauthorized(*, expired: bool = False) -> Refusal:
    if expired:
        return Refusal(401, AUTHENTICATION_EXPIRED, "EXPIRED_AUTHENTICATION")
    return Refusal(401, AUTHENTICATION_MISSING, "INVALID_AUTHENTICATION")


def missing_scopes(*scopes: str) -> Refusal:
    message = (
        "This app hasn't been granted all required scopes to make this call. "
        f"Read more about required scopes here: {SCOPES_PAGE}."
    )
    errors = [
        {
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": list(scopes)},
        }
    ]
    return Refusal(403, message, "MISSING_SCOPES", {"errors": errors, "links": {"scopes": SCOPES_PAGE}})


_POLICIES = {"TEN_SECONDLY_ROLLING": "ten_secondly_rolling", "DAILY": "daily"}


def rate_limited(policy: str, request_id: str) -> Refusal:
    """HubSpot's 429. There is no Retry-After; only a search says `category` where others say `errorType`."""
    if policy == "SECONDLY":
        return Refusal(429, "You have reached your secondly limit.", "RATE_LIMITS", rate=policy)
    message = f"You have reached your {_POLICIES[policy]} limit."
    extra: dict[str, object] = {"errorType": "RATE_LIMIT", "policyName": policy, "requestId": request_id}
    return Refusal(429, message, None, extra, rate=policy)
