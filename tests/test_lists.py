"""Every list of the OpenAPI document: pages without doubles or gaps, and clear words about a wrong limit or cursor."""
import json
import os
import urllib.parse

import pytest

from cairn import ROOT, mail, wait_for

DOCUMENT = json.load(open(os.path.join(ROOT, 'docs', 'openapi.json'), encoding='utf-8'))


def is_list(operation):
    schema = operation['responses'].get('200', {}).get('content', {}).get('application/json', {}).get('schema', {})
    return {'items', 'next_cursor'} <= set(schema.get('properties', {}))


LISTS = sorted(path for path, methods in DOCUMENT['paths'].items() if is_list(methods.get('get', {'responses': {}})))
NEEDS_QUERY = {'/api/v1/search': 'q=kettle'}
EMPTY = {'/api/v1/jobs', '/api/v1/suppressions'}      # nothing failed and nobody bounced


def fill(cairn, api):
    """At least three of everything; the ticket whose messages and events are walked."""
    for n in range(3):
        for path, body in (('/users', {'email': 'agent%d@example.com' % n, 'name': 'Agent'}), ('/teams', {'name': 'Team %d \u00e9' % n}),
                           ('/roles', {'name': 'Role %d' % n, 'permissions': ['ticket.read']}), ('/tokens', {'name': 'Token'}),
                           ('/tags', {'name': 'Tag %d \u00e9' % n}), ('/organizations', {'name': 'Organization'}),
                           ('/contacts', {'name': 'Contact', 'email': 'contact%d@example.org' % n})):
            answer = api.post('/api/v1' + path, body)
            assert answer.status == 201, answer
        cairn.connect_mailbox(api, 'help%d@example.com' % n, name='Help')
        assert cairn.deliver(mail('list%d' % n, to='help%d@example.com' % n)) == 0
        api.ticket('The kettle %d' % n)
    ticket = api.ticket('The kettle of all')
    for _ in range(3):
        assert api.post('/api/v1/tickets/%s/messages' % ticket['id'], {'text': 'kettle', 'visibility': 'internal'}).status == 201
    wait_for(lambda: len(api.all('/api/v1/mail-log')) >= 3, what='the mails')
    wait_for(lambda: len(api.get('/api/v1/search?q=kettle').json['items']) >= 4, what='the index')
    return ticket


@pytest.fixture(scope='module')
def filled(shared):
    client = shared.client()
    yield client, fill(shared, client)
    client.close()


def address(path, ticket):
    path = path.replace('{ticket_id}', ticket['id'])
    assert '{' not in path, 'tell this test how to fill ' + path
    return path + '?' + NEEDS_QUERY[path] + '&' if path in NEEDS_QUERY else path + '?'


def key(item):
    if 'seq' in item:
        return item['seq']
    if 'kind' in item and 'snippet' in item:
        return (item['kind'], item['message_id'], (item['ticket'] or item['contact'])['id'])
    return item['id']


def test_the_document_has_lists():
    assert len(LISTS) >= 15 and '/api/v1/tickets' in LISTS and '/api/v1/teams' in LISTS


@pytest.mark.parametrize('path', LISTS)
def test_one_at_a_time_finds_each_once(filled, path):
    api, ticket = filled
    base = address(path, ticket)
    whole = [key(i) for i in api.get(base + 'limit=100').json['items']]
    assert len(whole) >= 3 or path in EMPTY
    seen, cursor = [], None
    while True:
        answer = api.get(base + 'limit=1' + ('&cursor=' + urllib.parse.quote(cursor) if cursor else ''))
        assert answer.status == 200, answer
        assert set(answer.json) == {'items', 'next_cursor'} or path == '/api/v1/search'
        assert len(answer.json['items']) <= 1
        seen += [key(i) for i in answer.json['items']]
        cursor = answer.json['next_cursor']
        if cursor is None:
            break
        assert len(seen) <= len(whole), seen
    assert seen == whole


@pytest.mark.parametrize('path', LISTS)
@pytest.mark.parametrize('query', ['limit=0', 'limit=101', 'limit=x', 'cursor=forged', 'cursor=AAAAAAAAAAAAAAAAAAAA', 'cursor=%FF'])
def test_a_wrong_page_names_the_field(filled, path, query):
    api, ticket = filled
    answer = api.get(address(path, ticket) + query)
    wanted = 400 if '%FF' in query and answer.status == 400 else 422       # bytes that are no UTF-8 are no query at all
    assert answer.status == wanted and answer.json['code'] == 'invalid', answer
    assert answer.json['field'] == query.split('=')[0], answer
