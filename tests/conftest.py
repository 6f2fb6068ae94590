"""Fixtures: `cairn` is a fresh installation, once on SQLite and once on PostgreSQL."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cairn as lib  # noqa: E402

KINDS = ['sqlite', 'postgresql']


def make_installation(kind):
    folder = lib.temporary_folder()
    database = None
    if kind == 'postgresql':
        if 'CAIRN_TEST_POSTGRES' not in os.environ:
            pytest.skip('no PostgreSQL: run under tools/with-postgres')
        database = lib.PostgresDatabase()
    return folder, database, lib.Cairn(kind, folder.name, database.url if database else None)


def clean_up(folder, database, installation):
    if installation.process and installation.process.poll() is None:
        installation.kill()
    if database:
        database.drop()
    folder.cleanup()


@pytest.fixture(params=KINDS)
def empty(request):
    """Nothing there yet."""
    folder, database, installation = make_installation(request.param)
    yield installation
    clean_up(folder, database, installation)


@pytest.fixture
def cairn(empty):
    """Set up and running; fresh for each test."""
    empty.setup().start()
    yield empty
    if empty.process:
        empty.stop()


@pytest.fixture(scope='module', params=KINDS)
def shared(request):
    """Set up and running, one for all tests of a file: for tests that do not disturb each other."""
    folder, database, installation = make_installation(request.param)
    installation.setup().start()
    yield installation
    installation.stop()
    clean_up(folder, database, installation)


@pytest.fixture
def api(shared):
    client = shared.client()
    yield client
    client.close()
