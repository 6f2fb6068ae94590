"""Killed, starved, cut off: what was acknowledged is there exactly once, and all goes on by itself."""
import os
import signal
import subprocess
import threading
import time

import cairn as lib
import pytest
from cairn import Client, limit_file_size, mail, wait_for


class Load:
    """Threads that create tickets and deliver mail, and remember what was acknowledged."""

    def __init__(self, cairn, clients=6, senders=2):
        self.cairn, self.stop_flag = cairn, threading.Event()
        self.tickets, self.unsure, self.mails = [], [], []
        self.threads = [threading.Thread(target=self.create, args=(n,)) for n in range(clients)]
        self.threads += [threading.Thread(target=self.send, args=(n,)) for n in range(senders)]
        for t in self.threads:
            t.start()

    def create(self, number):
        c = Client(self.cairn.port, self.cairn.token, timeout=20)
        n = 0
        while not self.stop_flag.is_set():
            subject = 'Load %d-%d' % (number, n)
            n += 1
            try:
                answer = c.post('/api/v1/tickets', {'subject': subject, 'requester': {'email': 'load%d@example.com' % number},
                                                    'message': {'text': 'x'}})
                (self.tickets if answer.status == 201 else self.unsure).append(subject)
            except OSError:
                self.unsure.append(subject)
                c.close()
                time.sleep(0.02)
            except Exception:
                self.unsure.append(subject)
                c.close()

    def send(self, number):
        n = 0
        while not self.stop_flag.is_set():
            subject = 'Mail %d-%d' % (number, n)
            message = mail('load-%d-%d' % (number, n), subject=subject)
            n += 1
            if self.cairn.deliver(message, check=False) == 0:
                self.mails.append(subject)

    def stop(self):
        self.stop_flag.set()
        for t in self.threads:
            t.join()


def subjects_of(c):
    return [t['subject'] for t in c.all('/api/v1/tickets')]


def check_exactly_once(cairn, load):
    c = cairn.client()
    wait_for(lambda: set(load.mails) <= set(subjects_of(c)), 60, 'tickets of all acknowledged mails')
    found = subjects_of(c)
    assert len(found) == len(set(found))
    assert not set(load.tickets) - set(found)
    assert set(found) <= set(load.tickets) | set(load.unsure) | set(load.mails) | {s for s in found if s.startswith('Mail ')}
    numbers = sorted(int(t['number']) for t in c.all('/api/v1/tickets'))
    assert numbers == list(range(1, len(numbers) + 1))
    seqs = sorted(e['seq'] for e in c.all('/api/v1/events?after=0'))
    assert seqs == list(range(1, len(seqs) + 1))
    assert all(t['message_count'] == 1 for t in c.all('/api/v1/tickets'))
    assert b'all well' in cairn.run('check').stdout


def test_killed_under_load(cairn):
    cairn.make_token()
    load = Load(cairn)
    for _ in range(3):
        time.sleep(1.0)
        cairn.kill()
        cairn.start()
    load.stop()
    assert len(load.tickets) > 20 and load.mails
    check_exactly_once(cairn, load)


def test_drains_on_sigterm(cairn):
    """Every request that was begun is answered; new ones are refused; the exit status is 0."""
    cairn.make_token()
    load = Load(cairn, senders=0)
    time.sleep(0.5)
    cairn.stop(expect=0)
    load.stop()
    cairn.start()
    found = set(subjects_of(cairn.client()))
    assert set(load.tickets) <= found
    # Nothing but requests that met the closed door may have failed.
    assert not found & set(load.unsure)


def is_root():
    return os.geteuid() == 0


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MiB, or None when it cannot be mounted."""
    place = tmp_path / 'small'
    place.mkdir()
    if not is_root() or subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', str(place)], capture_output=True).returncode:
        yield None
        return
    yield str(place)
    subprocess.run(['umount', '-l', str(place)], check=True)


def test_full_disk(tmp_path, small_disk):
    c = lib.Cairn('sqlite', str(tmp_path))
    if small_disk:
        c.data = os.path.join(small_disk, 'data')
    c.setup().make_token()
    c.start(preexec=None if small_disk else limit_file_size(6_000_000))
    api = c.client()
    statuses, kept = [], []
    for n in range(3000):
        answer = api.post('/api/v1/tickets', {'subject': 'Fill %d' % n, 'requester': {'email': 'f@example.com'},
                                              'message': {'text': os.urandom(16000).hex()}})
        statuses.append(answer.status)
        if answer.status == 201:
            kept.append('Fill %d' % n)
        elif statuses.count(503) >= 3:
            break
    assert statuses.count(503) >= 3 and set(statuses) == {201, 503}, statuses[-5:]
    problem = answer.json
    assert problem['code'] == 'unavailable' and problem['detail']
    assert c.deliver(mail('full', text='x' * 200_000), check=False) == 75
    assert api.get('/api/v1/tickets?limit=1').status == 200         # reading goes on
    if not small_disk:
        c.restart()
        api = c.client()
    else:
        subprocess.run(['mount', '-o', 'remount,size=200m', small_disk], check=True)
    wait_for(lambda: api.post('/api/v1/tickets', {'subject': 'Room again', 'requester': {'email': 'f@example.com'},
                                                  'message': {'text': 'x'}}).status == 201, 20, 'writing to go on by itself')
    assert c.deliver(mail('full', text='x' * 200_000)) == 0
    found = subjects_of(api)
    assert len(found) == len(set(found)) and set(kept) <= set(found)
    wait_for(lambda: 'Help me' in subjects_of(api), what='the mail that was refused at first')
    assert b'all well' in c.run('check').stdout
    c.stop()


class Postgres:
    """The server that tools/with-postgres made, stopped and started by its own tools."""

    def __init__(self):
        self.data, self.bin = os.environ['CAIRN_TEST_POSTGRES_DATA'], os.environ['CAIRN_TEST_POSTGRES_BIN']

    def control(self, *words):
        as_user = ['runuser', '-u', 'postgres', '--'] if is_root() else []
        subprocess.run(as_user + [self.bin + '/pg_ctl', '-w', '-D', self.data, *words], check=True, stdout=subprocess.DEVNULL, cwd='/')

    def stop(self):
        with open(os.path.join(self.data, 'postmaster.opts')) as f:
            self.options = f.read().strip().split(None, 1)[1]
        self.control('-m', 'fast', 'stop')

    def start(self):
        self.control('-l', os.path.join(os.path.dirname(self.data), 'log'), '-o', self.options.replace('"', "'"), 'start')


def test_database_gone_and_back(cairn):
    if cairn.kind != 'postgresql':
        pytest.skip('SQLite is a file: see test_full_disk')
    if not os.environ.get('CAIRN_TEST_POSTGRES_DATA'):
        pytest.skip('this PostgreSQL is not ours to stop')
    api = cairn.client()
    api.ticket('Before')
    postgres = Postgres()
    postgres.stop()
    try:
        for answer in (api.get('/api/v1/tickets'), api.post('/api/v1/tickets', {'subject': 'x', 'requester': {'email': 'a@example.com'},
                                                                               'message': {'text': 'x'}})):
            assert answer.status == 503 and answer.json['detail'], answer
        assert api.get('/readyz').status == 503 and api.get('/healthz').status == 200
        assert cairn.deliver(mail('gone'), check=False) == 75
    finally:
        postgres.start()
    wait_for(lambda: api.get('/readyz').status == 200, 30, 'the database to be found again')
    api.ticket('After')
    assert cairn.deliver(mail('gone')) == 0
    assert {'Before', 'After'} <= set(subjects_of(api))
    wait_for(lambda: 'Help me' in subjects_of(api), what='jobs to go on')


def test_server_ends_midway_of_a_delivery(cairn):
    """A client of the control socket whose server is killed gets 75, never 0."""
    os.kill(cairn.process.pid, signal.SIGSTOP)
    done = []
    t = threading.Thread(target=lambda: done.append(cairn.deliver(mail('midway'), check=False)))
    t.start()
    time.sleep(0.5)
    assert not done
    cairn.kill()
    t.join(60)
    assert done and done[0] in (75, 0)
    cairn.start()
    assert cairn.deliver(mail('midway')) == 0
    c = cairn.client()
    wait_for(lambda: subjects_of(c), what='the ticket')
    assert subjects_of(c) == ['Help me']
