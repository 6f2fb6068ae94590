"""Real time: events in order, without gaps, resumed after any break."""
import json

import pytest
from cairn import wait_for

websocket = pytest.importorskip('websocket')


class Stream:
    def __init__(self, cairn, after, token=None):
        self.ws = websocket.create_connection('ws://127.0.0.1:%d/api/v1/stream?after=%d' % (cairn.port, after), timeout=15,
                                              header=['Authorization: Bearer ' + (token or cairn.token or cairn.make_token())])

    def next(self):
        return json.loads(self.ws.recv())

    def until(self, seq):
        out = []
        while not out or out[-1]['seq'] < seq:
            frame = self.next()
            if frame.get('type') not in ('hello', 'resync'):
                out.append(frame)
        return out

    def close(self):
        self.ws.close()


def head(c):
    return max([e['seq'] for e in c.all('/api/v1/events?after=0')] or [0])


def test_live_events(cairn):
    c = cairn.client()
    start = head(c)
    s = Stream(cairn, start)
    assert s.next() == {'type': 'hello', 'seq': start}
    t = c.ticket('Live')
    events = s.until(start + 1)
    assert events[0]['seq'] == start + 1
    end = head(c)
    if end > start + 1:
        events += s.until(end)
    assert [e['seq'] for e in events] == list(range(start + 1, end + 1))
    assert any(e['type'] == 'ticket.created' and e['ticket_id'] == t['id'] for e in events)
    s.close()


def test_resume_without_gaps(cairn):
    c = cairn.client()
    start = head(c)
    got = []
    for round in range(6):
        s = Stream(cairn, start + len(got))
        for n in range(5):
            c.ticket('Round %d %d' % (round, n))
        got += s.until(start + len(got) + 3)[:3]        # leaves in the middle of it
        s.close()
    s = Stream(cairn, start + len(got))
    end = head(c)
    got += s.until(end)
    assert [e['seq'] for e in got] == list(range(start + 1, end + 1))
    assert [e for e in got] == [e for e in c.all('/api/v1/events?after=%d' % start)] or \
        sorted(e['seq'] for e in c.all('/api/v1/events?after=%d' % start)) == [e['seq'] for e in got]


def test_resume_over_a_restart(cairn):
    c = cairn.client()
    s = Stream(cairn, 0)
    c.ticket('Before')
    first = s.until(head(c))
    cairn.restart()
    try:
        while s.ws.recv():      # nothing at the close frame
            pass
    except (websocket.WebSocketException, OSError):
        pass
    c.close()
    c.ticket('After')
    s = Stream(cairn, first[-1]['seq'])
    rest = s.until(head(c))
    assert [e['seq'] for e in first + rest] == list(range(1, head(c) + 1))


def test_strangers_get_no_stream(cairn):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection('ws://127.0.0.1:%d/api/v1/stream?after=0' % cairn.port, timeout=10)
    assert refused.value.status_code == 401
    with pytest.raises(websocket.WebSocketBadStatusException):
        Stream(cairn, 0, token='cairn_wrong')


def test_restricted_agent_sees_own_events_only(cairn):
    from test_auth import invite
    admin = cairn.client()
    team = admin.post('/api/v1/teams', {'name': 'Second line'}).json
    restricted, _ = invite(admin, cairn.port, 'only@example.com', 'Restricted agent', team_ids=[team['id']])
    ws = websocket.create_connection('ws://127.0.0.1:%d/api/v1/stream?after=%d' % (cairn.port, head(admin)), timeout=15,
                                     header=['Cookie: ' + restricted.cookie], origin='http://127.0.0.1:%d' % cairn.port)
    outside, inside = admin.ticket('Outside'), admin.ticket('Inside', team_id=team['id'])
    seen = []

    def arrived():
        frame = json.loads(ws.recv())
        seen.append(frame)
        return frame.get('ticket_id') == inside['id']
    wait_for(arrived, what='the event of the own team')
    assert outside['id'] not in [f.get('ticket_id') for f in seen]
    ws.close()
