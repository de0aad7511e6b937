"""The SOAP `login()` call, with which a username, a password and a security token become a session.

Rules: "login()" and "API Fault Element" in the vendor's SOAP API Developer Guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from starlette.responses import Response

from airflow_reverse_etl.destinations.salesforce.sandbox import faults

if TYPE_CHECKING:
    from starlette.requests import Request

    from airflow_reverse_etl.destinations.salesforce.sandbox.org import Org

_ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>\
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" \
xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\
<soapenv:Body>{0}</soapenv:Body></soapenv:Envelope>"""
_FAULT = """<soapenv:Fault><faultcode>sf:{0}</faultcode><faultstring>{0}: {1}</faultstring><detail>\
<sf:{2} xsi:type="sf:{2}"><sf:exceptionCode>{0}</sf:exceptionCode><sf:exceptionMessage>{1}</sf:exceptionMessage>\
</sf:{2}></detail></soapenv:Fault>"""
_GRANTED = """<loginResponse><result><metadataServerUrl>https://{host}/services/Soap/m/{version}/{org}</metadataServerUrl>\
<passwordExpired>false</passwordExpired><sandbox>true</sandbox>\
<serverUrl>https://{host}/services/Soap/u/{version}/{org}</serverUrl><sessionId>{token}</sessionId>\
<userId>{user}</userId><userInfo><organizationId>{org}</organizationId>\
<sessionSecondsValid>{seconds}</sessionSecondsValid><userId>{user}</userId><userName>{name}</userName></userInfo>\
</result></loginResponse>"""


class _FaultError(Exception):
    def __init__(self, code: str, message: str, kind: str = "LoginFault") -> None:
        super().__init__(code)
        self.body = _FAULT.format(code, escape(message), kind)


class Soap:
    """The SOAP login of one org."""

    def __init__(self, org: Org) -> None:
        self._org = org

    async def login(self, request: Request) -> Response:
        """Answer `POST /services/Soap/u/{version}`."""
        body = await request.body()
        try:
            granted = self._granted(request, body)
        except _FaultError as error:
            return _xml(error.body, 500)
        return _xml(granted, 200)

    def _granted(self, request: Request, body: bytes) -> str:
        version = request.path_params["version"]
        self._check_version(version)
        self._check(request, _texts(body))
        org = self._org
        token = org.sessions.open()
        if token is None:
            raise _FaultError("LOGIN_RATE_EXCEEDED", "LOGIN_RATE_EXCEEDED: This user has logged in too many times.")
        return _GRANTED.format(
            host=org.sessions.host,
            version=version,
            org=org.store.org_id,
            token=token,
            user=org.store.user_id,
            seconds=int(org.settings.session_seconds),
            name=escape(org.settings.username),
        )

    def _check_version(self, version: str) -> None:
        settings = self._org.settings
        try:
            number = float(version)
        except ValueError:
            number = 0.0
        if not settings.oldest_version <= number <= settings.newest_soap_login:
            message = f"UNSUPPORTED_API_VERSION: login() is not in API version {version}"
            raise _FaultError("UNSUPPORTED_API_VERSION", message, "UnexpectedErrorFault")

    def _check(self, request: Request, given: dict[str, str]) -> None:
        settings = self._org.settings
        # A client that names the org logs in from a trusted address and needs no security token.
        trusted = given.get("organizationId", "")[:15] == self._org.store.org_id[:15]
        password = settings.password if trusted else settings.password + settings.security_token
        good = given.get("username") == settings.username and given.get("password") == password
        refused = faults.before_login(request.scope.get("sandbox.fault"))
        if refused or not settings.soap_login or not good:
            message = "INVALID_LOGIN: Invalid username, password, security token; or user locked out."
            raise _FaultError("INVALID_LOGIN", message)


def _texts(body: bytes) -> dict[str, str]:
    try:
        root = ET.fromstring(body)  # noqa: S314  the sandbox reads what its own user sends
    except ET.ParseError as error:
        raise _FaultError("INVALID_XML", f"INVALID_XML: {error}", "UnexpectedErrorFault") from error
    return {element.tag.rpartition("}")[2]: element.text or "" for element in root.iter()}


def _xml(body: str, status: int) -> Response:
    return Response(_ENVELOPE.format(body), status, media_type="text/xml;charset=UTF-8")
