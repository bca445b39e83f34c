"""
What the tests of the catalogue share: a repository, and a catalogue of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.engine.repository import Repository
from aim.storage.catalogue.catalogue import Catalogue
from tests.storage.catalogue_histories import catalogue_of


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """
    An empty repository.
    """
    return Repository(tmp_path / "work", create=True)


@pytest.fixture(name="catalogue")
def _catalogue(repository: Repository, tmp_path: Path) -> Iterator[Catalogue]:
    """
    A catalogue of the repository.
    """
    catalogue = catalogue_of(repository, tmp_path / "cache")
    yield catalogue
    catalogue.close()
