"""Fixtures: a PostgreSQL for the session, and the binary on both engines for each test module."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.instance import ADMIN_KEY, CACHE, Instance
from harness.postgres import Postgres
from pymisp import PyMISP

LOGS = CACHE / "e2e"
ENGINES = ["sqlite", "postgres"]

NewInstance = Callable[[], Instance]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres.start() as server:
        yield server


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def new_instance(request: pytest.FixtureRequest, engine: str) -> Iterator[NewInstance]:
    """Makes installations on the engine of this run; all are stopped when the module ends.

    Their logs stay in .cache/e2e, one file for each installation, for when something failed.
    """
    made: list[Instance] = []
    module = request.module.__name__.rsplit(".", 1)[-1]
    root = Path(tempfile.mkdtemp(prefix=f"pisax-{module}-"))

    def make() -> Instance:
        name = f"{module}_{engine}_{len(made) + 1}"
        log = LOGS / f"{name}.log"
        log.unlink(missing_ok=True)
        database = None
        if engine == "postgres":
            database = request.getfixturevalue("postgres").create_database(name)
        made.append(Instance(root / name, database, log))
        return made[-1]

    yield make
    for instance in made:
        instance.close()
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="module")
def server(new_instance: NewInstance) -> Instance:
    """A running server that the tests of a module share: each makes what it needs."""
    return new_instance().start()


@pytest.fixture(scope="module")
def misp(server: Instance) -> PyMISP:
    """PyMISP, signed in as the site admin, answering in its own objects."""
    client = PyMISP(server.url, ADMIN_KEY, ssl=False)
    client.toggle_global_pythonify()
    return client
