"""Nobody sees another account's data, nor more of the own than the role allows: every operation of the API is called by strangers."""
import json
import os
import re
import sqlite3
import subprocess
import time
import urllib.parse

import cairn as lib
import pytest
from cairn import Client, mail, wait_for
from conftest import KINDS, clean_up, make_installation

SECRET = 'Zebrafinch'       # in every text of the first account
HIDDEN = 'Quetzal'          # in what its restricted agent may not see
HELPER = os.path.join(os.path.dirname(lib.BINARY), 'second_account')
PICTURE = 'http://pictures.example.org/%s.png' % SECRET
PUBLIC = ('/healthz', '/readyz', '/metrics', '/api/v1/openapi.json', '/api/docs', '/api/v1/setup', '/api/v1/session', '/api/v1/links/{secret}')


def database(cairn, sql):
    """Rows that no operation makes at will."""
    if cairn.kind == 'postgresql':
        lib.psql(sql, cairn.database.rsplit('/', 1)[1].split('?')[0])
    else:
        with sqlite3.connect(os.path.join(cairn.data, 'cairn.db')) as db:
            db.executescript(sql)


class World:
    def __init__(self, cairn):
        self.cairn, self.ids, self.tokens = cairn, {}, {}
        cairn.setup().make_token()
        made = subprocess.run([HELPER, cairn.data, cairn.database or '', 'Other', 'other@example.net'], capture_output=True, text=True)
        assert made.returncode == 0, made
        self.tokens['stranger'] = made.stdout.strip()
        now = int(time.time() * 1e6)
        database(cairn, "INSERT INTO suppression (account_id, address_folded, reason, detail, soft_count, active, created_us) "
                 "VALUES (1, 'gone@zebrafinch.example', 'manual', '%s', 0, 1, %d);"
                 "INSERT INTO job (account_id, kind, key, payload, state, run_at_us, attempt, max_attempts, lease_until_us, lease_owner, "
                 "last_error, created_us, updated_us) VALUES (1, 'email.send', '', '{\"mail_id\":\"0\"}', 'dead', 1, 12, 12, 0, '', '%s', %d, %d);"
                 % (SECRET, now, SECRET, now, now))
        cairn.start()
        self.admin = cairn.client()
        self.fill()

    def make(self, kind, path, body, **more):
        answer = self.admin.post('/api/v1/' + path, body, **more)
        assert answer.status == 201, (path, answer)
        self.ids[kind] = answer.json['id']
        return answer.json

    def user(self, role, roles, **more):
        """A user of that role who has accepted the invitation, and a token of theirs."""
        email = '%s.%s@example.com' % (role.split()[0].lower(), SECRET.lower())
        made = self.make('user', 'users', {'email': email, 'name': '%s %s' % (role, SECRET), 'role_id': roles[role], **more})
        secret = re.search(r'/([^/]+)$', made['invite_url']).group(1)
        c = self.cairn.client(token=False)
        accepted = c.post('/api/v1/links/' + secret, {'password': lib.PASSWORD, 'name': '%s %s' % (role, SECRET)})
        assert accepted.status == 201, accepted
        self.tokens[role] = self.cairn.make_token(email)
        return made

    def fill(self):
        a = self.admin
        roles = {r['name']: r['id'] for r in a.get('/api/v1/roles').json['items']}
        team = self.make('team', 'teams', {'name': 'Team ' + SECRET})
        own = a.post('/api/v1/teams', {'name': 'Own ' + SECRET}).json
        self.make('role', 'roles', {'name': SECRET, 'permissions': ['ticket.read']})
        self.user('Viewer', roles)
        self.user('Restricted agent', roles, team_ids=[own['id']])
        self.make('organization', 'organizations', {'name': SECRET, 'domains': ['zebrafinch.example']})
        self.make('contact', 'contacts', {'name': SECRET, 'email': 'carl@zebrafinch.example'})
        self.make('tag', 'tags', {'name': SECRET.lower()})
        self.make('token', 'tokens', {'name': SECRET})
        self.make('mailbox', 'mailboxes', {'name': SECRET, 'address': 'help@zebrafinch.example', 'incoming': {'kind': 'none'},
                                           'outgoing': {'kind': 'smtp', 'host': '127.0.0.1', 'port': 9, 'security': 'none', 'auth': 'none'}})
        file = self.make('attachment', 'attachments?file_name=%s.txt' % SECRET, None, raw=(SECRET + ' ' + HIDDEN).encode(),
                         headers={'Content-Type': 'text/plain'})
        self.make('unused', 'attachments?file_name=unused.txt', None, raw=SECRET.encode(), headers={'Content-Type': 'text/plain'})
        ticket = self.make('ticket', 'tickets', {
            'subject': '%s %s' % (HIDDEN, SECRET), 'requester': {'email': 'carl@zebrafinch.example', 'name': SECRET}, 'team_id': team['id'],
            'tags': [SECRET.lower()], 'message': {'html': '<p>%s %s</p><img src="%s">' % (HIDDEN, SECRET, PICTURE), 'attachments': [file['id']]}})
        self.ids['other_ticket'] = a.ticket('Second of ' + SECRET, team_id=team['id'])['id']
        self.ids['message'] = a.get('/api/v1/tickets/' + ticket['id']).json['messages'][0]['id']
        reply = a.post('/api/v1/tickets/%s/messages' % ticket['id'], {'text': '%s %s' % (HIDDEN, SECRET), 'visibility': 'public',
                                                                       'send_at': '2099-01-01T00:00:00Z', 'confirm': True})
        assert reply.status == 201, reply
        self.ids['reply'] = reply.json['id']
        self.cairn.deliver(mail('iso', subject='%s %s' % (SECRET, HIDDEN), to='help@zebrafinch.example', text=SECRET), '--to', 'help@zebrafinch.example')
        self.cairn.deliver(mail('quarantine', subject=SECRET, sender='nobody', text=SECRET))
        log = wait_for(lambda: [m for m in a.all('/api/v1/mail-log') if m['state'] == 'quarantined'], what='the quarantined mail')
        self.ids['mail'] = log[0]['id']
        stored = wait_for(lambda: [m for m in a.all('/api/v1/mail-log') if m['state'] == 'stored'], what='the stored mail')
        self.ids['mailed'] = stored[0]['message_id']
        self.ids['mailed_ticket'] = stored[0]['ticket']['id']
        moved = a.patch('/api/v1/tickets/' + self.ids['mailed_ticket'], {'team_id': team['id']})
        assert moved.status == 200, moved
        self.ids['suppression'] = a.all('/api/v1/suppressions')[0]['id']
        self.ids['job'] = a.all('/api/v1/jobs?state=dead')[0]['id']
        wait_for(lambda: a.get('/api/v1/search?q=' + SECRET).json['items'], what='the index')
        self.operations = [(method.upper(), path, operation) for path, item in a.get('/api/v1/openapi.json').json['paths'].items()
                           for method, operation in item.items()]

    def client(self, who):
        return Client(self.cairn.port, self.tokens.get(who))

    def path(self, path):
        """With the ids of the first account; a new kind of path must be named here."""
        kinds = {'tokens': 'token', 'users': 'user', 'teams': 'team', 'roles': 'role', 'contacts': 'contact', 'organizations': 'organization',
                 'tickets': 'ticket', 'tags': 'tag', 'attachments': 'attachment', 'mailboxes': 'mailbox', 'mail-log': 'mail',
                 'suppressions': 'suppression', 'jobs': 'job', 'messages': 'mailed'}
        filled = path.replace('{message_id}', self.ids['reply']).replace('{secret}', 'x' * 32)
        collection = path.split('/')[3] if path.count('/') > 3 else None
        filled = re.sub(r'\{(id|ticket_id)\}', lambda m: self.ids[kinds[collection]], filled)
        assert '{' not in filled, path
        return filled

    def body(self, method, path):
        """A valid one, as far as the first account's ids are valid for the caller."""
        i = self.ids
        return {
            ('POST', '/api/v1/tokens'): {'name': 'x'},
            ('POST', '/api/v1/users'): {'email': 'new@example.net', 'team_ids': [i['team']]},
            ('POST', '/api/v1/teams'): {'name': 'x', 'member_ids': [i['user']]},
            ('POST', '/api/v1/roles'): {'name': 'x', 'permissions': ['ticket.read']},
            ('POST', '/api/v1/contacts'): {'name': 'x', 'organization_id': i['organization']},
            ('POST', '/api/v1/organizations'): {'name': 'x'},
            ('POST', '/api/v1/tags'): {'name': 'x'},
            ('PATCH', '/api/v1/tags/{id}'): {'name': 'x'},
            ('POST', '/api/v1/tickets'): {'subject': 'x', 'requester': {'email': 'x@example.net'}, 'message': {'text': 'x'}, 'team_id': i['team']},
            ('POST', '/api/v1/tickets/{ticket_id}/messages'): {'text': 'x', 'visibility': 'internal'},
            ('POST', '/api/v1/tickets/{id}/merge'): {'into_id': i['other_ticket']},
            ('POST', '/api/v1/contacts/{id}/merge'): {'into_id': i['contact']},
            ('POST', '/api/v1/mailboxes'): {'address': 'x@example.net', 'team_id': i['team']},
            ('POST', '/api/v1/mailboxes/test'): {'mailbox_id': i['mailbox'], 'outgoing': {'kind': 'smtp', 'host': '127.0.0.1', 'port': 9}},
            ('POST', '/api/v1/mailboxes/{id}/backfill'): {'since': '2026-01-01T00:00:00Z'},
            ('POST', '/api/v1/session'): {'email': lib.ADMIN, 'password': 'wrong password'},
            ('POST', '/api/v1/setup'): {'secret': 'x', 'account_name': 'x', 'name': 'x', 'email': 'x@example.net', 'password': lib.PASSWORD},
            ('POST', '/api/v1/links/{secret}'): {'password': lib.PASSWORD},
        }.get((method, path), {} if method in ('POST', 'PATCH') else None)

    def call(self, client, method, path):
        url = self.path(path) + {'/api/v1/search': '?q=' + SECRET, '/api/v1/messages/{id}/remote-image': '?url=' + urllib.parse.quote(PICTURE)}.get(path, '')
        if (method, path) == ('POST', '/api/v1/attachments'):
            return client.request(method, url + '?file_name=x.txt', raw=b'x', headers={'Content-Type': 'text/plain'})
        return client.request(method, url, self.body(method, path))

    def snapshot(self):
        """All that the first account's admin can list."""
        seen = {}
        for path in ('account', 'users', 'teams', 'roles', 'contacts', 'organizations', 'tickets', 'tickets/counts', 'tags', 'mailboxes', 'mail-log',
                     'suppressions', 'jobs?state=dead', 'events', 'tickets/' + self.ids['ticket'], 'attachments/' + self.ids['unused']):
            one = path in ('account', 'teams', 'roles', 'tags') or path.startswith(('tickets/', 'attachments/'))
            seen[path] = self.admin.get('/api/v1/' + path).json if one else self.admin.all('/api/v1/' + path)
        seen['events'] = [e for e in seen['events'] if not e['type'].startswith('session.')]     # a failed sign-in is written down
        return re.sub(r'"last_seen_at": [^,}]*', '', json.dumps(seen, sort_keys=True))


@pytest.fixture(scope='module', params=KINDS)
def world(request):
    folder, db, cairn = make_installation(request.param)
    if not os.path.exists(HELPER):
        pytest.skip('second_account is not built')
    try:
        yield World(cairn)
        cairn.stop()
    finally:
        clean_up(folder, db, cairn)


def tells(answer, *words):
    everything = answer.body + str(answer.headers).encode()
    return any(w.lower().encode() in everything.lower() for w in words)


def test_without_login(world):
    before = world.snapshot()
    for method, path, operation in world.operations:
        if path.endswith('/stream'):
            continue
        for client in (world.client(None), Client(world.cairn.port, 'cairn_' + 'x' * 43)):
            answer = world.call(client, method, path)
            assert not tells(answer, SECRET, HIDDEN), (method, path, answer)
            assert 'Location' not in answer.headers
            if path in PUBLIC:
                assert operation.get('security') == [] or path == '/api/v1/session', path
            else:
                assert answer.status == 401, (method, path, answer)
                assert operation.get('security') != [], (method, path)
    assert world.snapshot() == before


def test_with_a_login_of_another_account(world):
    before = world.snapshot()
    c = world.client('stranger')
    for method, path, _ in world.operations:
        if path.endswith('/stream') or path in ('/api/v1/session', '/api/v1/setup'):
            continue
        answer = world.call(c, method, path)
        assert not tells(answer, SECRET, HIDDEN), (method, path, answer)
        assert answer.status < 500, (method, path, answer)
        if '{' in path and '{secret}' not in path:
            # a wrong body or a failed condition may be noticed first, but never success
            assert answer.status in (401, 403, 404), (method, path, answer)
    assert world.snapshot() == before


def test_references_into_another_account(world):
    """Ids of the first account inside of what the stranger may do: refused, and the field is named."""
    i, c = world.ids, world.client('stranger')
    before = world.snapshot()
    ticket = c.ticket('Mine', email='me@example.net')
    contact = c.post('/api/v1/contacts', {'name': 'Mine', 'email': 'mine@example.net'}).json
    organization = c.post('/api/v1/organizations', {'name': 'Mine'}).json
    team = c.post('/api/v1/teams', {'name': 'Mine'}).json
    box = c.post('/api/v1/mailboxes', {'address': 'mine@example.net', 'incoming': {'kind': 'none'}, 'outgoing': {'kind': 'none'}}).json
    me = c.get('/api/v1/session').json['user']['id']
    base = {'subject': 'x', 'requester': {'email': 'x@example.net'}, 'message': {'text': 'x'}}
    tries = [('POST', 'tickets', {**base, 'team_id': i['team']}), ('POST', 'tickets', {**base, 'assignee_id': i['user']}),
             ('POST', 'tickets', {**base, 'mailbox_id': i['mailbox']}),
             ('POST', 'tickets', {**base, 'message': {'text': 'x', 'attachments': [i['unused']]}}),
             ('POST', 'tickets', {**base, 'message': {'text': 'x', 'attachments': [i['attachment']]}}),
             ('PATCH', 'tickets/' + ticket['id'], {'team_id': i['team']}), ('PATCH', 'tickets/' + ticket['id'], {'assignee_id': i['user']}),
             ('POST', 'tickets/%s/messages' % ticket['id'], {'text': 'x', 'visibility': 'internal', 'attachments': [i['unused']]}),
             ('POST', 'tickets/%s/merge' % ticket['id'], {'into_id': i['ticket']}),
             ('DELETE', 'tickets/%s/messages/%s/delivery' % (ticket['id'], i['reply']), None),
             ('POST', 'tickets/%s/messages/%s/delivery' % (ticket['id'], i['reply']), None),
             ('POST', 'contacts/%s/merge' % contact['id'], {'into_id': i['contact']}),
             ('PATCH', 'contacts/' + contact['id'], {'organization_id': i['organization']}),
             ('POST', 'contacts', {'name': 'x', 'organization_id': i['organization']}),
             ('POST', 'users', {'email': 'n1@example.net', 'role_id': i['role']}), ('POST', 'users', {'email': 'n2@example.net', 'team_ids': [i['team']]}),
             ('PATCH', 'users/' + me, {'role_id': i['role']}), ('PATCH', 'users/' + me, {'team_ids': [i['team']]}),
             ('POST', 'teams', {'name': 'New', 'member_ids': [i['user']]}), ('PATCH', 'teams/' + team['id'], {'member_ids': [i['user']]}),
             ('PATCH', 'mailboxes/' + box['id'], {'team_id': i['team']}), ('POST', 'mailboxes', {'address': 'm2@example.net', 'team_id': i['team']}),
             ('POST', 'mailboxes/test', {'mailbox_id': i['mailbox'], 'outgoing': {'kind': 'smtp', 'host': '127.0.0.1', 'port': 9}})]
    for method, path, body in tries:
        answer = c.request(method, '/api/v1/' + path, body)
        assert answer.status in (400, 404, 409, 422), (method, path, body, answer)
        assert not tells(answer, SECRET, HIDDEN), (method, path, body, answer)
    assert organization['id'] and world.snapshot() == before
    for query in ('tickets?team_id=' + i['team'], 'tickets?assignee_id=' + i['user'], 'tickets?requester_id=' + i['contact'],
                  'tickets?organization_id=' + i['organization'], 'tickets?mailbox_id=' + i['mailbox'], 'tickets?tag=' + SECRET.lower(),
                  'contacts?organization_id=' + i['organization'], 'contacts?email=carl@zebrafinch.example', 'contacts?q=' + SECRET,
                  'users?q=' + SECRET, 'tags?q=' + SECRET, 'organizations?q=' + SECRET, 'events?ticket_id=' + i['ticket'],
                  'mail-log?ticket_id=' + i['ticket'], 'mail-log?mailbox_id=' + i['mailbox'], 'mail-log?q=' + SECRET,
                  'search?q=%23' + '1', 'search?q=tag:' + SECRET.lower(), 'search?q=from:carl@zebrafinch.example', 'search?q=Zebra*'):
        answer = c.get('/api/v1/' + query)
        assert answer.status in (200, 400, 404, 422) and not tells(answer, SECRET, HIDDEN), (query, answer)
        if answer.status == 200:
            assert all(t.get('ticket', {}) is None or t.get('ticket', {}).get('id', ticket['id']) == ticket['id'] for t in answer.json['items']), query
            assert query.startswith('search?q=%23') or not answer.json['items'], (query, answer)
    counts = c.get('/api/v1/tickets/counts').json
    assert counts['unresolved'] == 1 and i['team'] not in json.dumps(counts['teams'])


def test_cursors_and_ids_of_another_account(world):
    """A cursor is no key: taken from one account it shows nothing of it in the other."""
    c = world.client('stranger')
    for path in ('tickets', 'contacts', 'mail-log', 'events', 'users'):
        cursor = world.admin.get('/api/v1/%s?limit=1' % path).json['next_cursor']
        if cursor:
            answer = c.get('/api/v1/%s?cursor=%s' % (path, urllib.parse.quote(cursor)))
            assert answer.status in (200, 400, 422) and not tells(answer, SECRET, HIDDEN), (path, answer)


def test_idempotency_keys_are_of_one_caller(world):
    key = {'Idempotency-Key': 'same-key-for-both'}
    body = {'subject': 'x', 'requester': {'email': 'x@example.net'}, 'message': {'text': 'x'}}
    first = world.admin.post('/api/v1/tickets', {**body, 'subject': SECRET, 'team_id': world.ids['team']}, headers=key)
    second = world.client('stranger').post('/api/v1/tickets', body, headers=key)
    assert first.status == second.status == 201 and not tells(second, SECRET)
    again = world.client('stranger').post('/api/v1/tickets', body, headers=key)
    assert again.json['id'] == second.json['id'] != first.json['id']
    viewer = world.client('Viewer').post('/api/v1/tickets', {**body, 'subject': SECRET, 'team_id': world.ids['team']}, headers=key)
    assert viewer.status == 403


# What a role may do, by path; the rest is 403.
VIEWER = {'GET': ('tickets', 'contacts', 'organizations', 'users', 'teams', 'roles', 'attachments', 'messages', 'search', 'session', 'account', 'tags',
                  'stream'),
          'PATCH': ('session',), 'DELETE': ('session',)}


def test_viewer_changes_nothing(world):
    before = world.snapshot()
    c = world.client('Viewer')
    for method, path, _ in world.operations:
        if path in PUBLIC or not path.startswith('/api/v1/') or path.endswith('/stream') or path == '/api/v1/session/user':
            continue
        answer = world.call(c, method, path)
        if path.split('/')[3] in VIEWER.get(method, ()):
            assert answer.status in (200, 404, 503), (method, path, answer)
        else:
            assert answer.status == 403 and not tells(answer, SECRET, HIDDEN), (method, path, answer)
    assert world.snapshot() == before


def test_restricted_agent_sees_own_teams_only(world):
    before = world.snapshot()
    c = world.client('Restricted agent')
    for method, path, _ in world.operations:
        if not path.startswith('/api/v1/') or path.endswith('/stream'):
            continue
        collection = path.split('/')[3]
        if collection in ('session', 'setup', 'links') or (method != 'GET' and collection in ('contacts', 'organizations', 'tags', 'tokens')):
            continue
        if (method, path) in (('POST', '/api/v1/attachments'), ('POST', '/api/v1/tickets')):
            continue
        answer = world.call(c, method, path)
        assert not tells(answer, HIDDEN), (method, path, answer)
        if collection in ('tickets', 'messages', 'attachments') and '{' in path:
            assert answer.status == 404, (method, path, answer)
    i = world.ids
    for query in ('tickets?team_id=' + i['team'], 'tickets?requester_id=' + i['contact'], 'tickets?tag=' + SECRET.lower(), 'tickets?status=unresolved',
                  'search?q=' + HIDDEN, 'search?q=%231', 'search?q=from:carl@zebrafinch.example'):
        answer = c.get('/api/v1/' + query)
        assert answer.status in (200, 400, 422) and not tells(answer, HIDDEN), (query, answer)
        assert answer.status != 200 or all(not item.get('ticket') and 'number' not in item for item in answer.json['items']), (query, answer)
    counts = c.get('/api/v1/tickets/counts').json
    assert counts['unresolved'] == 0 and not any(t['open'] for t in counts['teams']), counts
    assert world.snapshot() == before


def test_streams(world):
    websocket = pytest.importorskip('websocket')
    url = 'ws://127.0.0.1:%d/api/v1/stream?after=0' % world.cairn.port
    for header in ([], ['Authorization: Bearer cairn_' + 'x' * 43]):
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            websocket.create_connection(url, timeout=10, header=header)
        assert refused.value.status_code == 401

    def heard(who, make):
        """All frames from the beginning until one about the ticket that `make` writes."""
        ws = websocket.create_connection(url, timeout=15, header=['Authorization: Bearer ' + world.tokens[who]])
        mine = make()
        frames = []
        while not any(f.get('ticket_id') == mine['id'] for f in frames):
            frames.append(json.loads(ws.recv()))
        ws.close()
        return frames

    own_team = [t['id'] for t in world.admin.get('/api/v1/teams').json['items'] if t['name'].startswith('Own')][0]
    frames = heard('stranger', lambda: world.client('stranger').ticket('Mine too', email='me@example.net'))
    assert SECRET not in json.dumps(frames) and not {f.get('ticket_id') for f in frames} & {world.ids['ticket'], world.ids['mailed_ticket']}
    for who in ('Restricted agent',):
        frames = heard(who, lambda: world.admin.ticket('For them', team_id=own_team))
        assert HIDDEN not in json.dumps(frames), [f for f in frames if HIDDEN in json.dumps(f)]
        assert not {f.get('ticket_id') for f in frames} & {world.ids['ticket'], world.ids['other_ticket']}
        assert not [f for f in frames if f.get('type', '').startswith(('mail.', 'suppression.', 'session.', 'token.'))], frames
    frames = heard('Viewer', lambda: world.admin.ticket('For all', team_id=own_team))
    assert not [f for f in frames if f.get('type', '').startswith(('suppression.', 'session.', 'token.'))], frames
