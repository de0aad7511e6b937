"""What the tests of the Salesforce hook share: a hook on the sandbox, and one step from rows to outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from salesforce_batches import Rows, run_batch

from airflow_reverse_etl.model import RecordOutcome

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.salesforce.hook import SalesforceSyncHook
    from airflow_reverse_etl.sandbox import Sandbox


@pytest.fixture
def hook(box: Sandbox) -> Iterator[SalesforceSyncHook]:
    """Give a hook on the sandbox's default connection; whatever a test makes it do, no request may be malformed."""
    from airflow_reverse_etl.destinations.salesforce.hook import SalesforceSyncHook

    yield SalesforceSyncHook()
    assert box.violations("salesforce") == []


@pytest.fixture
def sync(hook: SalesforceSyncHook) -> Callable[..., list[RecordOutcome]]:
    """Return `sync(job_type, object, rows, key=..., **options)`: check and send, as the engine does.

    `rows` is key -> field -> value; the outcomes come in the order of the keys.
    """

    def run(job: str, object: str, rows: Rows, key: str | None = None, **options: Any) -> list[RecordOutcome]:
        return run_batch(hook, job, object, rows, key=key, options=options)

    return run
