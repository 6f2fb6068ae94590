"""The wire: what other programs rely on."""
import json
import re
import uuid

import pytest

TIME = re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$')


def test_ticket_is_created_and_read(api):
    made = api.post('/api/v1/tickets', {
        'subject': 'Printer on fire', 'requester': {'email': 'Ann@Example.com', 'name': 'Ann Example'},
        'message': {'text': 'It burns.\nPlease help.'}, 'priority': 'high', 'type': 'incident', 'tags': ['hardware', 'fire']})
    assert made.status == 201
    t = made.json
    assert isinstance(t['id'], str) and t['version'] >= 1 and int(t['number']) >= 1
    assert (t['status'], t['priority'], t['type'], t['channel']) == ('new', 'high', 'incident', 'api')
    assert sorted(t['tags']) == ['fire', 'hardware']
    assert t['requester']['email'].lower() == 'ann@example.com' and t['requester']['name'] == 'Ann Example'
    assert TIME.match(t['created_at']) and TIME.match(t['updated_at'])
    assert made.headers['Content-Type'].startswith('application/json') and made.headers['ETag'] == '"v%d"' % t['version']
    got = api.get('/api/v1/tickets/' + t['id'])
    assert got.status == 200 and got.headers['ETag'] == made.headers['ETag']
    [message] = got.json['messages']
    assert message['text'].strip() == 'It burns.\nPlease help.' and message['author']['kind'] == 'contact'


def test_list_filters(api):
    tag = 'f' + uuid.uuid4().hex[:8]
    ids = {s: api.ticket('Filter ' + s, status=s, tags=[tag])['id'] for s in ('new', 'open', 'pending', 'resolved')}
    for s, wanted in ids.items():
        found = api.get('/api/v1/tickets?status=%s&tag=%s' % (s, tag)).json['items']
        assert [t['id'] for t in found] == [wanted], s
    unresolved = {t['id'] for t in api.all('/api/v1/tickets?status=unresolved&tag=' + tag)}
    assert unresolved == {ids['new'], ids['open'], ids['pending']}
    assert {t['id'] for t in api.all('/api/v1/tickets?status=new,open&tag=' + tag)} == {ids['new'], ids['open']}


def test_pages_hold_every_ticket_once(api):
    made = [api.ticket('Page %d' % n)['id'] for n in range(7)]
    seen, cursor, pages = [], None, 0
    while True:
        page = api.get('/api/v1/tickets?limit=3' + ('&cursor=' + cursor if cursor else '')).json
        assert set(page) >= {'items', 'next_cursor'} and len(page['items']) <= 3
        seen += [t['id'] for t in page['items']]
        cursor, pages = page['next_cursor'], pages + 1
        if pages == 1:
            api.ticket('In between')        # a newer one must not shift the pages
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) and set(made) <= set(seen)
    assert [i for i in seen if i in made] == made[::-1]


@pytest.mark.parametrize('query, field', [('limit=0', 'limit'), ('limit=101', 'limit'), ('limit=x', 'limit'), ('cursor=forged', 'cursor'),
                                          ('status=strange', 'status'), ('colour=blue', 'colour')])
def test_bad_queries_name_the_field(api, query, field):
    answer = api.get('/api/v1/tickets?' + query)
    assert answer.status in (400, 422), answer
    assert answer.json['field'] == field, answer


def test_problem_documents(api):
    answer = api.get('/api/v1/tickets/999999999')
    assert answer.status == 404 and answer.headers['Content-Type'].startswith('application/problem+json')
    p = answer.json
    assert p['code'] == 'not_found' and p['status'] == 404 and p['title'] and 'detail' in p and p['request_id']
    assert api.get('/api/v1/nowhere').status == 404
    wrong = api.request('PUT', '/api/v1/tickets', {})
    assert wrong.status == 405 and 'POST' in wrong.headers['Allow']


def test_messages(api):
    t = api.ticket()
    note = api.post('/api/v1/tickets/%s/messages' % t['id'], {'text': 'ask the fire brigade', 'visibility': 'internal'})
    assert note.status == 201 and note.json['visibility'] == 'internal' and note.json['author']['kind'] == 'user'
    messages = api.get('/api/v1/tickets/%s/messages' % t['id']).json['items']
    assert [m['visibility'] for m in messages] == ['internal', 'public']       # newest first
    t2 = api.get('/api/v1/tickets/' + t['id']).json
    assert t2['message_count'] == 2 and t2['version'] > t['version']


def test_outdated_version_gets_409_and_what_came_in(api):
    t = api.ticket()
    url = '/api/v1/tickets/' + t['id']
    api.post(url + '/messages', {'text': 'meanwhile', 'visibility': 'internal'})
    answer = api.post(url + '/messages', {'text': 'too late', 'visibility': 'internal', 'expected_version': t['version']})
    assert answer.status == 409 and answer.json['code'] == 'conflict'
    assert 'meanwhile' in json.dumps(answer.json['newer_messages'])
    assert answer.json['current']['id'] == t['id']
    changed = api.patch(url, {'status': 'pending', 'expected_version': t['version']})
    assert changed.status == 409
    assert api.get(url).json['status'] == t['status'] and api.get(url).json['message_count'] == 2
    now = answer.json['current']['version']
    good = api.patch(url, {'status': 'pending', 'expected_version': now})
    assert good.status == 200 and good.json['status'] == 'pending' and good.json['version'] > now


def test_if_match(api):
    t = api.ticket()
    url = '/api/v1/tickets/' + t['id']
    good = api.patch(url, {'priority': 'urgent'}, headers={'If-Match': '"v%d"' % t['version']})
    assert good.status == 200 and good.headers['ETag'] == '"v%d"' % good.json['version']
    stale = api.patch(url, {'priority': 'low'}, headers={'If-Match': '"v%d"' % t['version']})
    assert stale.status in (409, 412)
    assert api.get(url).json['priority'] == 'urgent'


def test_idempotency_key(api):
    key = {'Idempotency-Key': uuid.uuid4().hex}
    body = {'subject': 'Once', 'requester': {'email': 'once@example.com'}, 'message': {'text': 'x'}}
    first, second = (api.post('/api/v1/tickets', body, headers=key) for _ in range(2))
    assert first.status == second.status == 201 and first.json['id'] == second.json['id']
    other = api.post('/api/v1/tickets', {**body, 'subject': 'Different'}, headers=key)
    assert other.status in (409, 422), other
    third = api.post('/api/v1/tickets', body, headers={'Idempotency-Key': uuid.uuid4().hex})
    assert third.json['id'] != first.json['id']


def test_other_collections_answer_alike(api):
    for name in 'tickets contacts organizations users teams mailboxes tags tokens events mail-log roles'.split():
        answer = api.get('/api/v1/' + name)
        assert answer.status == 200, (name, answer)
        assert isinstance(answer.json['items'], list) and 'next_cursor' in answer.json, name


def test_contacts_and_organizations(api):
    o = api.post('/api/v1/organizations', {'name': 'Example Ltd', 'domains': ['ltd.example']})
    assert o.status == 201, o
    t = api.ticket('From the Ltd', email='zoe@ltd.example')
    assert t['requester']['organization']['name'] == 'Example Ltd'
    found = api.get('/api/v1/contacts?email=ZOE@LTD.example').json['items']
    assert [c['id'] for c in found] == [t['requester']['id']]
    changed = api.patch('/api/v1/contacts/' + found[0]['id'], {'name': 'Zoe Example', 'expected_version': found[0]['version']})
    assert changed.status == 200 and changed.json['name'] == 'Zoe Example'
    assert api.patch('/api/v1/contacts/' + found[0]['id'], {'name': 'Q', 'expected_version': found[0]['version']}).status == 409


def test_upload_and_ranges(api):
    data = bytes(range(256)) * 400
    made = api.post('/api/v1/attachments?file_name=a%20b.bin', raw=data, headers={'Content-Type': 'application/octet-stream'})
    assert made.status == 201 and made.json['size'] == len(data) and made.json['file_name'] == 'a b.bin'
    url = '/api/v1/attachments/%s/content' % made.json['id']
    whole = api.get(url)
    assert whole.status == 200 and whole.body == data
    part = api.get(url, headers={'Range': 'bytes=100-199'})
    assert part.status == 206 and part.body == data[100:200]
    assert part.headers['Content-Range'] == 'bytes 100-199/%d' % len(data)
    assert api.get(url, headers={'Range': 'bytes=-10'}).body == data[-10:]
    assert api.get(url, headers={'Range': 'bytes=999999999-'}).status == 416
    assert 'attachment' in api.get(url + '?download=true').headers['Content-Disposition']


def test_events_tell_what_happened(api):
    t = api.ticket('Event me')
    api.patch('/api/v1/tickets/' + t['id'], {'status': 'pending'})
    events = api.get('/api/v1/tickets/%s/events' % t['id']).json['items']
    types = [e['type'] for e in events]
    assert 'ticket.created' in types and 'ticket.changed' in types
    seqs = [e['seq'] for e in api.all('/api/v1/events?after=0')]
    assert sorted(seqs) == list(range(min(seqs), max(seqs) + 1))


def test_counts_follow(api):
    before = api.get('/api/v1/tickets/counts').json
    t = api.ticket()
    assert api.get('/api/v1/tickets/counts').json['open'] == before['open'] + 1
    api.patch('/api/v1/tickets/' + t['id'], {'status': 'pending'})
    after = api.get('/api/v1/tickets/counts').json
    assert after['open'] == before['open'] and after['pending'] == before['pending'] + 1


def test_description_of_the_api(shared, api):
    doc = api.get('/api/v1/openapi.json').json
    assert doc['openapi'].startswith('3.1')
    for path in ('/api/v1/tickets', '/api/v1/tickets/{id}', '/api/v1/mail-log', '/api/v1/session'):
        assert path in doc['paths'], path
    operations = [(p, m) for p, o in doc['paths'].items() for m in o if m in ('get', 'post', 'patch', 'put', 'delete')]
    assert len(operations) > 50
    assert b'<html' in api.get('/api/docs').body.lower()


def test_health(api):
    assert api.get('/healthz').status == 200
    assert api.get('/readyz').status == 200
    text = api.get('/metrics').body.decode()
    assert 'cairn_store_units_total' in text and 'cairn_search_lag_events' in text
    for line in text.splitlines():
        assert line.startswith('#') or re.match(r'^[a-zA-Z_:][a-zA-Z0-9_:]*(\{("[^"]*"|[^"}])*\})? -?[0-9.e+]+(\s\d+)?$', line), line
