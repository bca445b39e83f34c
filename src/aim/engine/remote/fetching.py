"""
Runs of a server, brought into a folder: `aim sync aim://host/project FOLDER`.

    archive of a run  ->  unpacked on this machine  ->  delivered to the receiver of the folder

The receiver writes only what is not there yet, so it may be repeated while runs are recorded, and interrupted at any
time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from aim.core.errors import AimError, NotFound
from aim.engine.remote.archives import unpacked_run
from aim.engine.remote.door import ServerRepository
from aim.engine.repository import Repository
from aim.engine.sealing import seal_soon
from aim.engine.syncing import SyncReport
from aim.storage.shipping.delivery import deliver
from aim.storage.store import folder_name


def fetch_runs(
    source: ServerRepository, target: Repository, run_hashes: Collection[str], show: Callable[[int, int], object]
) -> SyncReport:
    """
    Bring runs of a server into a folder, with what they have by now.

    Args:
        show: told how many runs are done, and how many there are.

    Raises:
        ServerUnreachable, ServerRefused: see `ServerConnection`.

    Cost: each run travels whole, packed.
    """
    receiver = target.backend.files.receiver(seal_soon)
    failures: list[str] = []
    try:
        for done, run_hash in enumerate(run_hashes, 1):
            try:
                with unpacked_run(source.project, run_hash) as root:
                    deliver(root / folder_name() / "runs" / run_hash, receiver)
            except NotFound:  # it was deleted there meanwhile
                pass
            except ConnectionError:
                raise
            except AimError as error:
                failures.append(str(error))
            show(done, len(run_hashes))
    finally:
        receiver.close()
    return SyncReport(target.address, len(run_hashes), len(failures), 0, " ".join(failures[:3]))
