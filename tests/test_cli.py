"""The command line: other programs rely on its words and exit codes."""
import os
import re
import stat
import subprocess

import pytest
from cairn import ADMIN, BINARY, PASSWORD, Client, clean_environment, mail, wait_for


def bare(*words, **kw):
    return subprocess.run([BINARY, *words], capture_output=True, text=True, env={**clean_environment(), **kw.pop('env', {})}, **kw)


def test_version_and_help():
    assert re.match(r'cairn \d+\.\d+\.\d+\n$', bare('version').stdout)
    overview = bare('help').stdout
    for command in 'serve setup token deliver import backup restore check migrate version help'.split():
        assert re.search(r'^  %s\b' % command, overview, re.M)
        one = bare('help', command)
        assert one.returncode == 0 and one.stdout.startswith('cairn ' + command)
    assert bare().stdout == overview == bare('--help').stdout
    assert bare('serve', '--help').stdout == bare('help', 'serve').stdout


@pytest.mark.parametrize('words, complaint', [
    (['dance'], 'no command "dance"'),
    (['help', 'dance'], 'no command "dance"'),
    (['serve', '--colour', 'blue'], 'unknown option --colour'),
    (['serve', '--listen'], '--listen needs a value'),
    (['serve', 'now'], '"now" is one word too many'),
    (['import', 'mbox'], 'usage: cairn import'),
    (['import', 'pst', '/dev/null'], 'mbox, maildir or eml'),
    (['serve', '--workers', 'many'], 'workers must be a number'),
    (['serve', '--listen', 'nowhere'], 'listen must be HOST:PORT'),
    (['version', '--data', '/x'], 'unknown option --data'),
])
def test_wrong_use_is_status_2(tmp_path, words, complaint):
    done = bare(*words, cwd=tmp_path)
    assert done.returncode == 2 and complaint in done.stderr
    assert not os.listdir(tmp_path)


def test_unknown_keys_are_named(tmp_path):
    done = bare('check', '--data', str(tmp_path), env={'CAIRN_COLOUR': 'blue'})
    assert done.returncode == 2 and 'CAIRN_COLOUR' in done.stderr
    (tmp_path / 'cairn.conf').write_text('workers = 2\ncolour = blue\n')
    done = bare('check', '--data', str(tmp_path))
    assert done.returncode == 2 and 'cairn.conf:2: unknown key "colour"' in done.stderr


def test_setup_once(empty):
    done = empty.run('setup', '--name', 'Acme', '--email', ADMIN, '--password-stdin', stdin='short', check=False)
    assert done.returncode == 1 and b'password' in done.stderr
    done = empty.run('setup', '--name', 'Acme', '--password-stdin', stdin=PASSWORD, check=False)
    assert done.returncode == 1 and b'--email' in done.stderr
    empty.setup()
    done = empty.run('setup', '--name', 'Other', '--email', 'x@example.com', '--password-stdin', stdin=PASSWORD, check=False)
    assert done.returncode == 1 and b'set up already' in done.stderr
    empty.start()
    assert empty.setup_secret is None
    assert Client(empty.port).sign_in()['account']['name'] == 'Acme'


def test_setup_by_link(empty):
    empty.start()
    assert empty.setup_secret
    c = Client(empty.port)
    assert c.get('/api/v1/setup').json == {'needed': True}
    body = {'secret': 'wrong', 'account_name': 'Acme', 'name': 'Ada Admin', 'email': ADMIN, 'password': PASSWORD}
    assert c.post('/api/v1/setup', body).status == 403
    body['secret'] = empty.setup_secret
    assert c.post('/api/v1/setup', body).status == 201
    assert c.get('/api/v1/setup').json == {'needed': False}
    assert Client(empty.port).post('/api/v1/setup', body).status in (403, 409)
    assert Client(empty.port).sign_in()['user']['email'] == ADMIN


def test_token_while_running_and_not(empty):
    empty.setup()
    first = empty.make_token()
    empty.start()
    second = empty.make_token()
    assert first != second and first.startswith('cairn_')
    for token in (first, second):
        assert Client(empty.port, token).get('/api/v1/users').status == 200
    assert Client(empty.port, first[:-1] + ('a' if first[-1] != 'a' else 'b')).get('/api/v1/users').status == 401
    done = empty.run('token', 'create', '--user', 'nobody@example.com', '--name', 'x', check=False)
    assert done.returncode == 1 and not done.stdout


def test_folder_and_socket_are_private(cairn):
    assert stat.S_IMODE(os.stat(cairn.data).st_mode) == 0o700
    for name in ('cairn.sock', 'secret.key'):
        assert stat.S_IMODE(os.stat(os.path.join(cairn.data, name)).st_mode) == 0o600, name


def test_second_server_is_refused(cairn):
    done = cairn.run('serve', '--listen', '127.0.0.1:0', check=False, timeout=60)
    assert done.returncode == 1 and b'another process works in' in done.stderr
    assert cairn.client().get('/healthz').status == 200


def test_deliver_running_and_not(empty):
    assert empty.deliver(mail('early'), check=False) == 75      # nothing there yet
    empty.setup()
    assert empty.deliver(mail('one', subject='While off')) == 0
    assert empty.deliver(b'', check=False) == 75
    empty.start()
    assert empty.deliver(mail('two', subject='While on')) == 0
    assert empty.deliver(mail('two', subject='While on')) == 0  # redelivered: taken, and not a second ticket
    c = empty.client()

    def subjects():
        return sorted(t['subject'] for t in c.all('/api/v1/tickets'))
    wait_for(lambda: len(subjects()) >= 2, what='tickets of both mails')
    assert subjects() == ['While off', 'While on']


@pytest.mark.parametrize('words', [['--colour', 'blue'], ['extra'], ['--to'], ['--workers', '0']])
def test_deliver_keeps_mail_on_wrong_use(empty, words):
    empty.setup()
    assert empty.deliver(mail('x'), *words, check=False) == 75


def test_import_is_repeatable(empty, tmp_path):
    empty.setup()
    box = tmp_path / 'old.mbox'
    with open(box, 'wb') as f:
        for n in range(5):
            f.write(b'From bob@example.org Mon Jan  5 10:00:00 2026\n' + mail('import%d' % n, subject='Old %d' % n).replace(b'\r\n', b'\n') + b'\n')
    dry = empty.run('import', 'mbox', str(box), '--dry-run').stdout.decode()
    assert dry.startswith('Would import 5 messages')
    first = empty.run('import', 'mbox', str(box)).stdout.decode()
    assert first.startswith('5 messages: 5 stored, 0 there already'), first
    empty.start()
    again = empty.run('import', 'mbox', str(box)).stdout.decode()
    assert again.startswith('5 messages: 0 stored, 5 there already'), again
    c = empty.client()
    assert sorted(t['subject'] for t in c.all('/api/v1/tickets')) == ['Old %d' % n for n in range(5)]
    assert not [m for m in c.all('/api/v1/mail-log') if m['direction'] == 'out']    # old mail is not answered
    done = empty.run('import', 'mbox', str(tmp_path / 'absent'), check=False)
    assert done.returncode == 1 and b'absent' in done.stderr


def test_check_tells_trouble(empty):
    done = empty.run('check', check=False)
    assert done.returncode == 1 and b'no installation' in done.stderr
    empty.setup().start()
    c = empty.client()
    big = os.urandom(200_000)
    a = c.post('/api/v1/attachments?file_name=big.bin', raw=big, headers={'Content-Type': 'application/octet-stream'})
    assert a.status == 201, a
    assert b'all well' in empty.run('check').stdout
    empty.stop()
    assert b'all well' in empty.run('check').stdout
    files = [os.path.join(d, f) for d, _, fs in os.walk(os.path.join(empty.data, 'blobs')) for f in fs]
    assert len(files) == 1
    os.chmod(files[0], 0o600)
    with open(files[0], 'r+b') as f:
        f.write(b'damaged')
    done = empty.run('check', check=False)
    assert done.returncode == 1 and b'TROUBLE blob' in done.stdout and b'damaged' in done.stdout
    os.unlink(files[0])
    done = empty.run('check', check=False)
    assert done.returncode == 1 and b'TROUBLE blob' in done.stdout


def test_migrate_is_idempotent(empty):
    empty.setup()
    assert empty.run('migrate').stdout == b'0 migrations applied\n'
    empty.start()
    assert empty.run('migrate').stdout == b'0 migrations applied\n'


def test_long_folder_name(empty):
    empty.data = os.path.join(empty.folder, 'd' * 100, 'e' * 100)
    empty.setup().start()
    assert empty.make_token().startswith('cairn_')
