"""Every limit and switch of the sandbox org in one place, so that a test can move any of them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Settings:
    """Limits and switches; the defaults are the vendor's own where the vendor publishes one."""

    # Time that a call takes, and what each record of it adds, in seconds.
    latency_seconds: float = 0.0
    row_seconds: float = 0.0

    # API versions that are served; below is 410 GONE, above is 404. The SOAP login ends earlier than REST does.
    oldest_version: float = 31.0
    newest_version: float = 68.0
    newest_soap_login: float = 64.0

    # Who may log in. `jwt_public_key` is the PEM text of the app's certificate key; None refuses every assertion.
    consumer_key: str = "3MVG9sandbox.consumer.key"
    consumer_secret: str = "sandbox-consumer-secret"
    username: str = "integration@sandbox.example"
    password: str = "sandbox-password"
    security_token: str = "sandboxtoken"
    jwt_public_key: str | None = None
    # The My Domain name: https://<my_domain>.my.salesforce.com.
    my_domain: str = "acme"
    # The client credentials flow needs a user to run as; new orgs forbid the two password logins.
    run_as_user: bool = True
    password_grant: bool = True
    soap_login: bool = True
    logins_per_hour: int = 3600

    # A session ends after so many idle seconds, and after so many requests if that is set.
    session_seconds: float = 7200.0
    session_requests: int | None = None

    # API requests in 24 hours. The default is the allocation of a full sandbox.
    daily_api_requests: int = 5_000_000
    # So many requests may run for longer than `long_request_seconds` at one time.
    long_requests: int = 25
    long_request_seconds: float = 20.0

    # sObject Collections: records in one write, ids in one read, runs of one type, updates of one record.
    records_per_call: int = 200
    ids_per_read: int = 2000
    chunks_per_call: int = 10
    updates_of_one_record: int = 12

    # Queries: rows of a page, life of a locator, longest statement and longest string in it (characters).
    query_page: int = 2000
    locator_seconds: float = 172_800.0
    query_length: int = 100_000
    query_string_length: int = 4000
    # The longest request line, and line and headers together, in bytes.
    uri_bytes: int = 16_384
    gzip_replies: bool = True

    # A wrong JSON type fails the whole call; True tries the other theory, one failed record.
    per_record_type_errors: bool = False
    # Object -> field: a duplicate rule that reports records which agree in that field with a live one.
    duplicate_rules: dict[str, str] = field(default_factory=dict)
