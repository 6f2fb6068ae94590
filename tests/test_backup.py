"""Backup and restore: one file, hot, whole, and refused when it is damaged."""
import os

import cairn as lib
import pytest
from cairn import Client, PostgresDatabase, wait_for


@pytest.fixture
def second(empty):
    """Another place of the same kind to restore to."""
    database = PostgresDatabase() if empty.kind == 'postgresql' else None
    folder = lib.temporary_folder()
    other = lib.Cairn(empty.kind, folder.name, database.url if database else None)
    yield other
    if other.process:
        other.kill()
    if database:
        database.drop()
    folder.cleanup()


def fill(c):
    big = os.urandom(300_000)
    a = c.post('/api/v1/attachments?file_name=big.bin', raw=big, headers={'Content-Type': 'application/octet-stream'})
    assert a.status == 201, a
    ticket = c.ticket('Keep me')
    m = c.post('/api/v1/tickets/%s/messages' % ticket['id'], {'text': 'see file', 'visibility': 'internal', 'attachments': [a.json['id']]})
    assert m.status == 201, m
    for n in range(20):
        c.ticket('Ticket %d' % n, email='c%d@example.com' % n)
    return ticket, a.json['id'], big


def test_round_trip(empty, second):
    empty.setup().start()
    c = empty.client()
    ticket, attachment, big = fill(c)
    file = os.path.join(empty.folder, 'backup.tar')
    said = empty.run('backup', file).stdout
    assert b'read back and compared' in said
    assert os.stat(file).st_mode & 0o777 == 0o600
    assert empty.run('backup', file, check=False).returncode == 1      # never overwrites
    assert sorted(os.listdir(empty.folder)) == ['backup.tar', 'data', 'server.log']
    c.ticket('After the backup')
    second.run('restore', file)
    second.run('check')
    second.start()
    r = Client(second.port, empty.token)
    assert r.get('/api/v1/tickets/' + ticket['id']).json['subject'] == 'Keep me'
    assert r.get('/api/v1/attachments/%s/content' % attachment).body == big
    subjects = [t['subject'] for t in r.all('/api/v1/tickets')]
    assert len(subjects) == 21 and 'After the backup' not in subjects
    new = r.ticket('After the restore')
    assert int(new['number']) == 22
    wait_for(lambda: r.get('/api/v1/search?q=keep').json['items'], what='the search index of the restored data')


def test_hot_backup_is_consistent(empty, second):
    """While tickets are written, the copy holds a prefix: every ticket with its message and its event."""
    empty.setup().start()
    import threading
    stop = threading.Event()

    def write():
        mine = Client(empty.port, empty.token)
        n = 0
        while not stop.is_set():
            mine.ticket('Load %d' % n)
            n += 1
    empty.make_token()
    threads = [threading.Thread(target=write) for _ in range(4)]
    for t in threads:
        t.start()
    file = os.path.join(empty.folder, 'hot.tar')
    try:
        empty.run('backup', file)
    finally:
        stop.set()
        for t in threads:
            t.join()
    second.run('restore', file)
    second.run('check')
    second.start()
    r = Client(second.port, empty.token)
    tickets = r.all('/api/v1/tickets')
    assert sorted(int(t['number']) for t in tickets) == list(range(1, len(tickets) + 1))
    assert all(t['message_count'] == 1 for t in tickets)


def test_restore_refuses(empty, second):
    empty.setup()
    file = os.path.join(empty.folder, 'b.tar')
    empty.run('backup', file)
    done = empty.run('restore', file, check=False)
    assert done.returncode == 1 and b'not empty' in done.stderr
    content = open(file, 'rb').read()
    for name, bad in (('cut', content[:len(content) // 2]), ('text', b'hello\n' * 100), ('empty', b''),
                      ('flipped', content[:2000] + bytes([content[2000] ^ 1]) + content[2001:])):
        path = os.path.join(empty.folder, name)
        with open(path, 'wb') as f:
            f.write(bad)
        done = second.run('restore', path, check=False)
        assert done.returncode == 1, name
        assert os.listdir(second.folder) == [], name       # nothing is left behind
    done = second.run('restore', os.path.join(empty.folder, 'absent'), check=False)
    assert done.returncode == 1
    second.run('restore', file)
    second.run('check')
