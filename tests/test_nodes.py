"""Two nodes on one PostgreSQL: both serve, events reach both, jobs run once."""
import shutil

import cairn as lib
import pytest
from cairn import Client, mail, wait_for

websocket = pytest.importorskip('websocket')


@pytest.fixture
def nodes(empty):
    if empty.kind != 'postgresql':
        pytest.skip('SQLite has one node')
    empty.setup().make_token()
    folder = lib.temporary_folder()
    second = lib.Cairn('postgresql', folder.name, empty.database)
    second.token = empty.token
    shutil.copytree(empty.data, second.data, ignore=shutil.ignore_patterns('cairn.lock', 'cairn.sock'))     # the same secret.key
    empty.start()
    second.start('--blobs', empty.data + '/blobs')
    yield empty, second
    if second.process:
        second.stop()
    folder.cleanup()


def test_both_serve_and_both_hear(nodes):
    from test_stream import Stream, head
    one, two = nodes
    a, b = one.client(), Client(two.port, two.token)
    start = head(a)
    streams = [Stream(one, start), Stream(two, start)]
    made = [(a if n % 2 else b).ticket('Node %d' % n) for n in range(20)]
    assert {t['number'] for t in made} == {made[0]['number'] + n for n in range(20)} or len({t['number'] for t in made}) == 20
    assert {t['id'] for t in a.all('/api/v1/tickets')} == {t['id'] for t in b.all('/api/v1/tickets')} == {t['id'] for t in made}
    end = head(a)
    for s in streams:
        assert [e['seq'] for e in s.until(end)] == list(range(start + 1, end + 1))
        s.close()


def test_jobs_run_once(nodes):
    one, two = nodes
    for n in range(30):
        assert (one if n % 2 else two).deliver(mail('job%d' % n, subject='Job %d' % n)) == 0
    a, b = one.client(), Client(two.port, two.token)
    wait_for(lambda: len(a.all('/api/v1/tickets')) >= 30, 60, 'all tickets')
    subjects = sorted(t['subject'] for t in b.all('/api/v1/tickets'))
    assert subjects == sorted('Job %d' % n for n in range(30))


def test_one_goes_the_other_goes_on(nodes):
    one, two = nodes
    one.kill()
    b = Client(two.port, two.token)
    b.ticket('Alone')
    assert two.deliver(mail('alone', subject='By mail')) == 0
    wait_for(lambda: len(b.all('/api/v1/tickets')) == 2, 60, 'the ticket of the mail')
    one.start()
    assert len(one.client().all('/api/v1/tickets')) == 2
