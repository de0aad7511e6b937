"""Logins: the OAuth flows at one token endpoint, and the SOAP login that older clients use.

Rules: "OAuth Tokens and Scopes" and "OAuth 2.0 ... Flow" in Salesforce Help, "login()" in the SOAP API Developer Guide.
"""

from __future__ import annotations

import base64
import binascii
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import jwt
from starlette.responses import JSONResponse, Response

from airflow_reverse_etl.destinations.salesforce.sandbox import faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from airflow_reverse_etl.destinations.salesforce.sandbox.org import Org

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SHARED_HOSTS = frozenset({"login.salesforce.com", "test.salesforce.com"})
_LONGEST_JWT_SECONDS = 300


class LoginError(Exception):
    """A login is refused; `error` and `description` are the vendor's."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


def _refused() -> LoginError:
    return LoginError("invalid_grant", "authentication failure")


class OAuth:
    """The OAuth endpoints of one org."""

    def __init__(self, org: Org) -> None:
        self._org = org

    async def token(self, request: Request) -> Response:
        """Answer `POST /services/oauth2/token`."""
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        try:
            token = self._opened(form, request)
        except LoginError as error:
            if error.error in {"unsupported_grant_type", "invalid_request"}:
                self._org.violated("POST", request.url.path, 400, str(error))
            return JSONResponse({"error": error.error, "error_description": error.description}, 400)
        return JSONResponse(self._granted(token), headers={"Cache-Control": "no-store"})

    def _opened(self, form: Mapping[str, str], request: Request) -> str:
        if faults.before_login(request.scope.get("sandbox.fault")):
            raise _refused()
        self._check(form, request)
        token = self._org.sessions.open()
        if token is None:
            raise LoginError("invalid_grant", "login rate exceeded")
        return token

    def _granted(self, token: str) -> dict[str, str]:
        org = self._org
        return {
            "access_token": token,
            "signature": base64.b64encode(token[-32:].encode()).decode(),
            "scope": "api",
            "instance_url": f"https://{org.sessions.host}",
            "id": f"https://login.salesforce.com/id/{org.store.org_id}/{org.store.user_id}",
            "token_type": "Bearer",
            "issued_at": str(int(time.time() * 1000)),
        }

    def _check(self, form: Mapping[str, str], request: Request) -> None:
        grant = form.get("grant_type", "")
        if grant == "client_credentials":
            self._check_client_credentials(form, request)
        elif grant == "password":
            self._check_password(form, request)
        elif grant == _JWT_GRANT:
            self._check_assertion(form.get("assertion", ""))
        elif grant == "refresh_token":
            # None of the flows above hands out a refresh token, so there is none that could be good.
            raise LoginError("invalid_grant", "expired access/refresh token")
        else:
            raise LoginError("unsupported_grant_type", "grant type not supported")

    def _check_client(self, form: Mapping[str, str], request: Request) -> None:
        settings = self._org.settings
        given = _basic(request.headers.get("authorization", ""))
        client_id, secret = given or (form.get("client_id"), form.get("client_secret"))
        if client_id != settings.consumer_key:
            raise LoginError("invalid_client_id", "client identifier invalid")
        if secret != settings.consumer_secret:
            raise LoginError("invalid_client", "invalid client credentials")

    def _check_client_credentials(self, form: Mapping[str, str], request: Request) -> None:
        if request.headers.get("x-original-host") in _SHARED_HOSTS:
            raise LoginError("invalid_grant", "request not supported on this domain")
        self._check_client(form, request)
        if not self._org.settings.run_as_user:
            raise LoginError("invalid_grant", "no client credentials user enabled")

    def _check_password(self, form: Mapping[str, str], request: Request) -> None:
        settings = self._org.settings
        self._check_client(form, request)
        good = {settings.password, settings.password + settings.security_token}
        if not settings.password_grant or form.get("username") != settings.username or form.get("password") not in good:
            raise _refused()

    def _check_assertion(self, assertion: str) -> None:
        settings = self._org.settings
        if settings.jwt_public_key is None:
            raise LoginError("invalid_grant", "user hasn't approved this consumer")
        audiences = [f"https://{host}" for host in (*_SHARED_HOSTS, self._org.sessions.host)]
        try:
            claims: Mapping[str, Any] = jwt.decode(
                assertion,
                settings.jwt_public_key,
                algorithms=["RS256"],
                audience=audiences,
                options={"require": ["exp", "iss", "sub", "aud"]},
            )
        except jwt.InvalidAudienceError as error:
            raise LoginError("invalid_grant", "Audience validation failed") from error
        except jwt.ExpiredSignatureError as error:
            raise LoginError("invalid_grant", "expired authorization code") from error
        except jwt.InvalidTokenError as error:
            raise LoginError("invalid_grant", "invalid assertion") from error
        if claims["iss"] != settings.consumer_key:
            raise LoginError("invalid_client_id", "client identifier invalid")
        if claims["sub"] != settings.username:
            raise LoginError("invalid_grant", "user hasn't approved this consumer")
        if int(claims["exp"]) > time.time() + _LONGEST_JWT_SECONDS:
            raise LoginError("invalid_grant", "invalid assertion")

    async def user_info(self, request: Request) -> Response:
        """Answer `GET /services/oauth2/userinfo`: whose token it is, and of which org."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not self._org.sessions.accept(token, request.headers.get("x-original-host")):
            return Response("Bad_OAuth_Token", 403, media_type="text/html")
        org = self._org
        found = {
            "sub": f"https://login.salesforce.com/id/{org.store.org_id}/{org.store.user_id}",
            "user_id": org.store.user_id,
            "organization_id": org.store.org_id,
            "preferred_username": org.settings.username,
            "active": True,
        }
        return JSONResponse(found)

    async def revoke(self, request: Request) -> Response:
        """Answer `POST /services/oauth2/revoke`: end the session of a token."""
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        self._org.sessions.close(form.get("token", ""))
        return Response(None, 200)


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, coded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(coded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return client_id, secret
