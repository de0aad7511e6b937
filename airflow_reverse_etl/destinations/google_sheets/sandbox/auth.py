"""The service account of the sandbox: its key file, and the token endpoint that checks what the key signed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from functools import cache

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import bad_token, missing_scope, no_credentials
from airflow_reverse_etl.destinations.google_sheets.sandbox.settings import Settings

EMAIL = "reverse-etl@sandbox-project.iam.gserviceaccount.com"
KEY_ID = "5a4db0b0c3f04f6f8f6f0a5d2b1e7c9d00000000"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GOOGLE = "https://oauth2.googleapis.com/token"  # what Google's own library writes, wherever the request goes
SCOPES = "https://www.googleapis.com/auth/"
SHEET_SCOPES = frozenset({f"{SCOPES}spreadsheets", f"{SCOPES}drive", f"{SCOPES}drive.file"})
READ_SCOPES = frozenset({f"{SCOPES}spreadsheets.readonly", f"{SCOPES}drive.readonly"})
LONGEST = 3600  # seconds that an assertion may be good for
SKEW = 600  # seconds that the two clocks may differ

Reply = tuple[int, Mapping[str, object]]


@cache
def _private_key() -> rsa.RSAPrivateKey:
    """One key for the process: making one takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Accounts:
    """Access tokens given out, and what they are good for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.logins = 0
        self._tokens: dict[str, tuple[float, frozenset[str]]] = {}  # token: when it was given, its scopes

    def keyfile(self, token_uri: str) -> dict[str, str]:
        """The key file of the service account, as the Cloud console would hand it out."""
        pem = _private_key().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": "sandbox-project",
            "private_key_id": KEY_ID,
            "private_key": pem.decode(),
            "client_email": EMAIL,
            "client_id": "100000000000000000001",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        }

    def grant(self, form: Mapping[str, str], audience: str) -> Reply:
        """Answer the token endpoint.

        :param audience: the address that the request came to: the assertion is made out for it, or for Google's own.
        """
        if form.get("grant_type") != GRANT:
            return _refused("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")
        try:
            key = _private_key().public_key()
            options = {"verify_aud": False, "verify_iat": False, "verify_exp": False, "require": ["iss", "aud"]}
            claims = jwt.decode(form.get("assertion", ""), key, algorithms=["RS256"], options=options)  # type: ignore[arg-type]
        except jwt.MissingRequiredClaimError as error:
            return _refused("invalid_grant", f"Invalid JWT: {error}")
        except jwt.InvalidTokenError:
            return _refused("invalid_grant", "Invalid JWT Signature.")
        return self._judge(claims, audience)

    def check(self, header: str | None, *, write: bool) -> None:
        """Let an Authorization header in.

        :raises ApiError: 403 without one or without the scope, 401 if the token is unknown or expired.
        """
        if not header:
            raise no_credentials()
        kind, _, token = header.partition(" ")
        known = self._tokens.get(token.strip()) if kind.lower() == "bearer" else None
        if known is None:
            raise bad_token(expired=False)
        given, scopes = known
        if time.monotonic() - given > self.settings.token_seconds:
            raise bad_token(expired=True)
        if not scopes & (SHEET_SCOPES if write else SHEET_SCOPES | READ_SCOPES):
            raise missing_scope()

    def revoke(self) -> None:
        """End every token that was given out."""
        self._tokens.clear()

    def _judge(self, claims: Mapping[str, object], audience: str) -> Reply:
        now = time.time()
        issued, expires = claims.get("iat"), claims.get("exp")
        if claims["iss"] != EMAIL:
            return _refused("invalid_grant", "Invalid grant: account not found")
        if claims["aud"] not in (audience, GOOGLE):
            return _refused("invalid_grant", f"Invalid JWT: Failed audience check. The right audience is {GOOGLE}")
        if (
            not isinstance(issued, int | float)
            or not isinstance(expires, int | float)
            or not (issued <= now + SKEW and now < expires <= issued + LONGEST)
        ):
            return _refused(
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check "
                "your iat and exp values in the JWT claim.",
            )
        scopes = frozenset(str(claims.get("scope") or "").split())
        if not scopes or not all(scope.startswith(SCOPES) or scope == "openid" for scope in scopes):
            return _refused("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        token = f"ya29.sandbox.{secrets.token_urlsafe(48)}"
        self._tokens[token] = (time.monotonic(), scopes)
        self.logins += 1
        return 200, {"access_token": token, "expires_in": self.settings.expires_in, "token_type": "Bearer"}


def _refused(error: str, description: str) -> Reply:
    return 400, {"error": error, "error_description": description}
