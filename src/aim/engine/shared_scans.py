"""
One `Scan` for a repository and process, however often the repository is opened.

    Repository(path).questions()      the folder's real path, device and inode   ->  the Scan of that folder

The catalogue of a repository with a thousand runs takes some 30 ms to open, and that of a long live run seconds. The
scans used last stay in memory when nobody uses them any more; others only as long as somebody does.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable

from aim.core import forks
from aim.core.params import Restore
from aim.core.recent import Recent
from aim.engine.live_catalogue import LiveCatalogue
from aim.engine.run_readers import RunReaders
from aim.engine.scan import Scan
from aim.storage.backend import Backend
from aim.storage.folder import FolderBackend

IDLE_MAX = 4  # repositories that nobody uses and that stay open

_used: weakref.WeakValueDictionary[Hashable, Scan] = weakref.WeakValueDictionary()
_recent: Recent[Hashable, Scan] = Recent(IDLE_MAX)
_lock = forks.ForkedLock()


def shared_scan(backend: FolderBackend, restore: Restore | None) -> Scan:
    """
    Return the scan of a repository.

    Args:
        backend: the repository; for the same folder and the same calls of the disk the scan is the same.
        restore: makes the objects of params.
    """
    folder = backend.files.path.resolve()
    try:
        stat = folder.stat()
    except OSError:  # the disk is away: the first question says so
        return new_scan(backend, restore)
    key = (str(folder), stat.st_dev, stat.st_ino, backend.files.disk, restore)
    with _lock:
        scan = _used.get(key)
        if scan is None:
            scan = _used[key] = new_scan(backend, restore)
        return _recent.put(key, None, scan)


def new_scan(backend: Backend, restore: Restore | None) -> Scan:
    """Return a scan that nobody else uses."""
    # weakly, so that the readers do not hold the scan that holds them
    scans: list[weakref.ref[Scan]] = []

    def sole_writer(run_hash: str) -> tuple[str, int] | None:
        scan = scans[0]() if scans else None
        return None if scan is None else scan.catalogue.sole_writer(run_hash)

    scan = Scan(LiveCatalogue(RunReaders(backend, restore, sole_writer)))
    scans.append(weakref.ref(scan))
    return scan
