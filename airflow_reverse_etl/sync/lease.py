"""Two runs of one sync are kept apart: whoever holds the lease sends, the other waits.

The lease is a file that must be renewed, so that a run that died lets go by itself. It is a courtesy between healthy
runs; what protects the state from a run that only seemed dead is the chain of manifests (`state`).
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from airflow_reverse_etl.errors import RetryableError
from airflow_reverse_etl.model import Log, StorePath
from airflow_reverse_etl.sync import folders

GOOD_FOR = 60.0
"""Seconds after which a lease that was not renewed is nobody's."""

RENEWED_EVERY = 15.0
LOOKED_AT_EVERY = 2.0


@contextmanager
def held(store: StorePath, sync_id: str, owner: str, patience: float, log: Log) -> Iterator[Lease]:
    """Hold the lease of a sync for the length of a `with` block.

    :param owner: the task instance; a later try of it takes over from an earlier one at once.
    :param patience: seconds to wait for another owner.
    :raises RetryableError: another run holds it, and did not let go in time; the message names it.
    """
    lease = Lease(store / folders.part(sync_id), owner)
    lease.take(patience, log)
    try:
        yield lease
    finally:
        lease.release()


class Lease:
    """One holder's side of the lease. `lost` is set when another has taken it."""

    def __init__(self, folder: StorePath, owner: str) -> None:
        self._folder = folder
        self._path = folder / "lease"
        self._owner = owner
        self._token = uuid.uuid4().hex
        self._over = threading.Event()
        self._renewer = threading.Thread(target=self._keep, name="reverse_etl_lease", daemon=True)
        self.lost = threading.Event()

    def take(self, patience: float, log: Log) -> None:
        """Become the holder; see `held`."""
        began, said = time.monotonic(), False
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        while not self._try():
            holder = str(folders.read_json(self._path).get("owner", "somebody"))
            waited = time.monotonic() - began
            if waited >= patience:
                message = f"the run {holder} of the same sync is still at work after {waited:,.0f} s of waiting for it"
                raise RetryableError(message, code="LEASED")
            if not said:
                log(f"waiting for the run {holder} of the same sync to end")
                said = True
            time.sleep(min(LOOKED_AT_EVERY, max(0.05, patience - waited)))
        self._renewer.start()

    def _try(self) -> bool:
        try:
            with self._path.open("xb") as file:
                file.write(self._content())
        except FileExistsError:
            found = folders.read_json(self._path)
            mine = found.get("owner") == self._owner
            if found and not mine and float(found.get("until", 0)) > time.time():
                return False
            self._path.write_bytes(self._content())
        return self._is_mine()

    def _content(self) -> bytes:
        return json.dumps({"owner": self._owner, "token": self._token, "until": time.time() + GOOD_FOR}).encode()

    def _is_mine(self) -> bool:
        return folders.read_json(self._path).get("token") == self._token

    def _keep(self) -> None:
        """Renew until the run is over; a store that does not answer now may answer next time."""
        while not self._over.wait(RENEWED_EVERY):
            with suppress(OSError):
                if not self._is_mine():
                    self.lost.set()
                    return
                self._path.write_bytes(self._content())

    def release(self) -> None:
        """Let go, so that the next run need not wait."""
        self._over.set()
        self._renewer.join()
        with suppress(OSError):
            if self._is_mine():
                self._path.unlink(missing_ok=True)
