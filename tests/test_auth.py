"""Who may do what: sessions, CSRF, throttling, roles, tokens, row scope."""
import json
import re

import pytest
from cairn import ADMIN, PASSWORD, Client


def invite(admin, port, email, role, **more):
    roles = {r['name']: r['id'] for r in admin.get('/api/v1/roles').json['items']}
    made = admin.post('/api/v1/users', {'email': email, 'name': email.split('@')[0].title(), 'role_id': roles[role], **more})
    assert made.status == 201, made
    secret = made.json['invite_url'].rstrip('/').split('/')[-1]
    c = Client(port)
    accepted = c.post('/api/v1/links/' + secret, {'password': PASSWORD})
    assert accepted.status == 201, accepted
    c.csrf = accepted.json['csrf_token']
    return c, made.json


def test_every_route_needs_sign_in(shared, api):
    stranger = Client(shared.port)
    doc = api.get('/api/v1/openapi.json').json
    checked = 0
    for path, operations in doc['paths'].items():
        for method, operation in operations.items():
            if method not in ('get', 'post', 'patch', 'put', 'delete') or operation.get('security') == []:
                continue
            url = re.sub(r'\{[^}]*\}', '1', path)
            answer = stranger.request(method.upper(), url, {} if method != 'get' else None)
            if answer.status in (401, 426):
                checked += 1
                continue
            public = path in ('/api/v1/setup', '/api/v1/session', '/api/v1/openapi.json', '/api/docs') or path.startswith('/api/v1/links/')
            assert public or not path.startswith('/api/v1/'), (method, path, answer)
    assert checked > 50


def test_session_cookie_and_csrf(shared):
    c = Client(shared.port)
    assert c.post('/api/v1/session', {'email': ADMIN, 'password': 'wrong password'}).status == 401
    answer = c.post('/api/v1/session', {'email': ADMIN.upper(), 'password': PASSWORD})
    assert answer.status == 201
    cookie = answer.headers['Set-Cookie']
    assert 'HttpOnly' in cookie and 'SameSite=Lax' in cookie and 'Path=/' in cookie
    body = {'name': 'No CSRF'}
    assert c.post('/api/v1/teams', body).status == 403
    assert c.post('/api/v1/teams', body, headers={'X-CSRF-Token': 'x' * 32}).status == 403
    c.csrf = answer.json['csrf_token']
    assert c.post('/api/v1/teams', body, headers={'Origin': 'https://evil.example'}).status == 403
    assert c.post('/api/v1/teams', body).status == 201
    assert c.delete('/api/v1/session').status == 204
    assert c.get('/api/v1/session').status == 401


def test_pages_carry_strict_headers(shared):
    answer = Client(shared.port).get('/')
    if answer.status == 404:
        pytest.skip('the pages of web/ are not built')
    policy = answer.headers['Content-Security-Policy']
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "'unsafe-eval'" not in policy and "script-src 'self'" in policy
    assert answer.headers['X-Content-Type-Options'] == 'nosniff'


def test_sign_in_is_throttled(cairn):
    c = Client(cairn.port)
    statuses = [c.post('/api/v1/session', {'email': ADMIN, 'password': 'wrong %d' % n}).status for n in range(30)]
    assert set(statuses) <= {401, 429} and statuses[0] == 401 and statuses[-1] == 429
    locked = c.post('/api/v1/session', {'email': ADMIN, 'password': PASSWORD})
    assert locked.status == 429 and int(locked.headers['Retry-After']) > 0


def test_roles(cairn):
    admin = cairn.client()
    ticket = admin.ticket()
    agent, _ = invite(admin, cairn.port, 'agent@example.com', 'Agent')
    viewer, _ = invite(admin, cairn.port, 'viewer@example.com', 'Viewer')
    url = '/api/v1/tickets/' + ticket['id']
    assert agent.patch(url, {'priority': 'high'}).status == 200
    assert agent.post('/api/v1/users', {'email': 'x@example.com'}).status == 403
    assert agent.post('/api/v1/mailboxes', {'name': 'x', 'address': 'x@example.com'}).status == 403
    assert viewer.get(url).status == 200
    assert viewer.patch(url, {'priority': 'low'}).status == 403
    assert viewer.post(url + '/messages', {'text': 'x', 'visibility': 'internal'}).status == 403
    assert admin.get(url).json['priority'] == 'high'


def test_row_scope(cairn):
    admin = cairn.client()
    team = admin.post('/api/v1/teams', {'name': 'Second line'}).json
    restricted, user = invite(admin, cairn.port, 'only@example.com', 'Restricted agent', team_ids=[team['id']])
    inside, outside = admin.ticket('Inside', team_id=team['id']), admin.ticket('Outside secret')
    assert [t['subject'] for t in restricted.all('/api/v1/tickets')] == ['Inside']
    assert restricted.get('/api/v1/tickets/' + inside['id']).status == 200
    hidden = '/api/v1/tickets/' + outside['id']
    for answer in (restricted.get(hidden), restricted.patch(hidden, {'priority': 'low'}), restricted.get(hidden + '/messages'),
                   restricted.get(hidden + '/events'), restricted.post(hidden + '/messages', {'text': 'x', 'visibility': 'internal'})):
        assert answer.status in (403, 404), answer
    admin.patch(hidden, {'assignee_id': user['id']})
    assert restricted.get(hidden).status == 200         # one's own tickets count as well


def test_token_scope_and_revocation(cairn):
    admin = Client(cairn.port)
    admin.sign_in()
    made = admin.post('/api/v1/tokens', {'name': 'read only', 'permissions': ['ticket.read']})
    assert made.status == 201 and made.json['token'].startswith('cairn_')
    reader = Client(cairn.port, made.json['token'])
    assert reader.get('/api/v1/tickets').status == 200
    assert reader.post('/api/v1/tickets', {'subject': 'x', 'requester': {'email': 'a@example.com'}, 'message': {'text': 'x'}}).status == 403
    assert made.json['token'] not in json.dumps(admin.get('/api/v1/tokens').json)
    assert admin.delete('/api/v1/tokens/' + made.json['id']).status in (200, 204)
    assert reader.get('/api/v1/tickets').status == 401


def test_disabled_user_is_out_at_once(cairn):
    admin = cairn.client()
    agent, user = invite(admin, cairn.port, 'gone@example.com', 'Agent')
    assert agent.get('/api/v1/tickets').status == 200
    assert admin.patch('/api/v1/users/' + user['id'], {'status': 'disabled'}).status == 200
    assert agent.get('/api/v1/tickets').status == 401
    assert Client(cairn.port).post('/api/v1/session', {'email': 'gone@example.com', 'password': PASSWORD}).status == 401
