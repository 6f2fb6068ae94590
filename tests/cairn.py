"""cairn.py - a real server in a temporary folder, and a small HTTP client, for the black-box tests."""
import contextlib
import http.client
import json
import os
import re
import resource
import secrets
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.environ.get('CAIRN_TEST_BINARY', os.path.join(ROOT, 'build', 'cairn'))
ADMIN, PASSWORD = 'admin@example.com', 'correct horse battery'


def wait_for(check, seconds=20, what='it'):
    """Polls until check() gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError('waited %d s for %s' % (seconds, what))
        time.sleep(0.02)


def clean_environment():
    return {k: v for k, v in os.environ.items() if not k.startswith('CAIRN_')}


def psql(sql, database='postgres'):
    return subprocess.run(['psql', '-qXtA', '-v', 'ON_ERROR_STOP=1', postgres_url(database), '-c', sql],
                          capture_output=True, text=True, check=True).stdout.strip()


def postgres_url(database):
    url = os.environ['CAIRN_TEST_POSTGRES']
    parts = urllib.parse.urlsplit(url)
    return url.replace('%s/%s' % (parts.netloc, parts.path.lstrip('/')), '%s/%s' % (parts.netloc, database), 1)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    def __repr__(self):
        return '%d %s' % (self.status, self.body[:500])


class Client:
    """One caller: a token, or a session cookie with its CSRF token."""

    def __init__(self, port, token=None, timeout=30):
        self.port, self.token, self.timeout = port, token, timeout
        self.cookie = self.csrf = None
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def request(self, method, path, body=None, headers=None, raw=None):
        headers = dict(headers or {})
        if self.token:
            headers['Authorization'] = 'Bearer ' + self.token
        if self.cookie:
            headers['Cookie'] = self.cookie
        if self.csrf and method != 'GET':
            headers.setdefault('X-CSRF-Token', self.csrf)
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
            headers.setdefault('Content-Type', 'application/json')
        for again in (True, False):     # a kept connection may have been closed by the server meanwhile
            fresh = self.connection is None
            if fresh:
                self.connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=self.timeout)
            try:
                self.connection.request(method, path, body=data, headers=headers)
                r = self.connection.getresponse()
                answer = Answer(r.status, r.headers, r.read())
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.close()
                if fresh or not again:
                    raise
        for value in answer.headers.get_all('Set-Cookie') or []:
            self.cookie = value.split(';')[0]
        return answer

    def get(self, path, **kw):
        return self.request('GET', path, **kw)

    def post(self, path, body=None, **kw):
        return self.request('POST', path, body, **kw)

    def patch(self, path, body=None, **kw):
        return self.request('PATCH', path, body, **kw)

    def delete(self, path, **kw):
        return self.request('DELETE', path, **kw)

    def sign_in(self, email=ADMIN, password=PASSWORD):
        answer = self.post('/api/v1/session', {'email': email, 'password': password})
        assert answer.status == 201, answer
        self.csrf = answer.json['csrf_token']
        return answer.json

    def ticket(self, subject='Printer on fire', email='ann@example.com', text='It burns.', **more):
        answer = self.post('/api/v1/tickets', {'subject': subject, 'requester': {'email': email, 'name': 'Ann Example'},
                                               'message': {'text': text}, **more})
        assert answer.status == 201, answer
        return answer.json

    def all(self, path):
        """Every item of a list, over all pages."""
        items, cursor = [], None
        while True:
            sep = '&' if '?' in path else '?'
            answer = self.get(path + sep + 'limit=100' + ('&cursor=' + urllib.parse.quote(cursor) if cursor else ''))
            assert answer.status == 200, answer
            items += answer.json['items']
            cursor = answer.json['next_cursor']
            if not cursor:
                return items


class Cairn:
    """A data folder with its database, and the server on it."""

    def __init__(self, kind, folder, database=None):
        self.kind, self.folder = kind, folder
        self.data = os.path.join(folder, 'data')
        self.log_path = os.path.join(folder, 'server.log')
        self.database = database
        self.process = self.port = self.setup_secret = None
        self.options = []
        self.token = None

    # ---- commands ----

    def arguments(self):
        return ['--data', self.data] + (['--database', self.database] if self.database else [])

    def run(self, *words, stdin=b'', check=True, timeout=120, binary=BINARY, environment=None):
        if isinstance(stdin, str):
            stdin = stdin.encode()
        done = subprocess.run([binary, *words, *self.arguments()], input=stdin, capture_output=True, timeout=timeout,
                              env=environment or clean_environment())
        if check:
            assert done.returncode == 0, (words, done)
        return done

    def setup(self):
        self.run('setup', '--name', 'Acme', '--email', ADMIN, '--password-stdin', stdin=PASSWORD)
        return self

    def make_token(self, user=ADMIN):
        self.token = self.run('token', 'create', '--user', user, '--name', 'tests').stdout.decode().strip()
        return self.token

    def deliver(self, message, *words, check=True):
        return self.run('deliver', *words, stdin=message, check=check).returncode

    # ---- the server ----

    def start(self, *options, expect_ready=True, preexec=None, log_level='info'):
        self.options = list(options)
        log = open(self.log_path, 'ab')
        self.process = subprocess.Popen(
            [BINARY, 'serve', *self.arguments(), '--listen', '127.0.0.1:%d' % (self.port or 0), '--access-log', 'off',
             '--rate-limits', 'no', '--log-level', log_level, *options],
            stdout=subprocess.PIPE, stderr=log, env=clean_environment(), preexec_fn=preexec)
        log.close()
        if expect_ready:
            self.read_announcement()
        return self

    def read_announcement(self):
        line = self.process.stdout.readline().decode()
        found = re.match(r'Cairn \S+ is at http://127\.0\.0\.1:(\d+)$', line.strip())
        assert found, (line, self.log()[-3000:])
        self.port = int(found.group(1))
        # More lines, if any, come at once with the first.
        os.set_blocking(self.process.stdout.fileno(), False)
        deadline = time.monotonic() + 0.3
        while self.setup_secret is None and time.monotonic() < deadline:
            more = (self.process.stdout.readline() or b'').decode()
            found = re.search(r'/setup\?secret=(\S+)', more)
            if found:
                self.setup_secret = found.group(1)
            elif not more:
                time.sleep(0.01)

    def stop(self, expect=0):
        if not self.process:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        self.process = None
        if expect is not None:
            assert code == expect, (code, self.log()[-3000:])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def restart(self):
        self.stop()
        return self.start(*self.options)

    def log(self):
        with contextlib.suppress(FileNotFoundError):
            return open(self.log_path, errors='replace').read()
        return ''

    def client(self, token=True, **kw):
        return Client(self.port, (self.token or self.make_token()) if token else None, **kw)

    def connect_mailbox(self, client, address='help@example.com', **more):
        body = {'name': 'Help', 'address': address, 'incoming': {'kind': 'none'}, 'outgoing': {'kind': 'none'}, **more}
        answer = client.post('/api/v1/mailboxes', body)
        assert answer.status == 201, answer
        return answer.json


class PostgresDatabase:
    def __init__(self):
        self.name = 'cairn_' + secrets.token_hex(6)
        psql('CREATE DATABASE ' + self.name)
        self.url = postgres_url(self.name)

    def drop(self):
        psql('DROP DATABASE IF EXISTS %s WITH (FORCE)' % self.name)


def mail(message_id, subject='Help me', sender='Bob Example <bob@example.org>', to='help@example.com', text='Please help.',
         **headers):
    more = ''.join('%s: %s\r\n' % (k.replace('_', '-'), v) for k, v in headers.items())
    return ('From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@example.org>\r\nDate: Mon, 05 Jan 2026 10:00:00 +0000\r\n'
            '%sContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n' % (sender, to, subject, message_id, more, text)).encode()


def raw_request(port, data, timeout=10):
    """Sends bytes as they are and reads until the server closes or falls silent."""
    with socket.create_connection(('127.0.0.1', port), timeout=timeout) as s:
        with contextlib.suppress(OSError):     # it may answer and close before it has read everything
            s.sendall(data)
        out = b''
        with contextlib.suppress(OSError):
            while True:
                part = s.recv(65536)
                if not part:
                    break
                out += part
                head, _, body = out.partition(b'\r\n\r\n')
                length = re.search(rb'(?i)content-length: (\d+)', head)
                if length and len(body) >= int(length.group(1)):
                    break
        return out


def limit_file_size(size):
    def apply():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    return apply


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def temporary_folder():
    return tempfile.TemporaryDirectory(prefix='cairn-blackbox-')
