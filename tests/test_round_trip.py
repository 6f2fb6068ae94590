"""The whole way with real servers: a customer's mail arrives by IMAP IDLE, the agent's answer leaves through Postfix into the
customer's own mailbox, and the customer's reply joins the same ticket."""
import email
import email.policy
import imaplib
import os
import smtplib
import ssl
import sys

import pytest
from cairn import wait_for

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'peers'))
HELP, BOB = 'help@example.com', 'bob@example.com'


@pytest.fixture(scope='module')
def postfix():
    if os.geteuid() != 0:
        pytest.skip('Postfix needs root')
    import postfix
    with postfix.Postfix(routes={'unused.example.net': '127.0.0.1:9'}, users=[HELP, BOB]) as p:
        yield p


def send(postfix, subject, text, references=None):
    m = email.message.EmailMessage()
    m['From'], m['To'], m['Subject'], m['Message-ID'] = 'Bob Example <%s>' % BOB, HELP, subject, email.utils.make_msgid(domain='example.com')
    if references:
        m['In-Reply-To'] = m['References'] = references
    m.set_content(text)
    with smtplib.SMTP('127.0.0.1', postfix.port) as s:
        s.send_message(m)
    return m['Message-ID']


def inbox_of_bob(postfix):
    import peer
    trust = ssl.create_default_context(cafile=postfix.dovecot.ca)
    with imaplib.IMAP4_SSL('localhost', postfix.dovecot.ports['imaps'], ssl_context=trust) as c:
        c.authenticate('PLAIN', lambda _: ('\0%s\0%s' % (BOB, peer.PASSWORD)).encode())
        c.select('INBOX', readonly=True)
        _, found = c.search(None, 'ALL')
        return [email.message_from_bytes(c.fetch(n, '(RFC822)')[1][0][1], policy=email.policy.default) for n in found[0].split()]


def test_there_and_back_and_there_again(empty, postfix, tmp_path):
    import peer
    trust = tmp_path / 'ca.pem'
    trust.write_text(open(postfix.ca).read() + open(postfix.dovecot.ca).read())
    seen = len(inbox_of_bob(postfix))
    empty.setup().start('--ca-file', str(trust))
    api = empty.client()
    account = {'user': HELP, 'password': peer.PASSWORD, 'auth': 'password'}
    empty.connect_mailbox(api, HELP, undo_seconds=0,
                          incoming={'kind': 'imap', 'host': 'localhost', 'port': postfix.dovecot.ports['imaps'], 'security': 'tls', **account},
                          outgoing={'kind': 'smtp', 'host': 'localhost', 'port': postfix.port, 'security': 'starttls', **account})
    wait_for(lambda: api.get('/api/v1/mailboxes').json['items'][0]['state'] == 'ok', 30, 'the mailbox to be followed')
    subject = 'Round trip on %s' % empty.kind
    first = send(postfix, subject, 'My tent leaks.')

    def tickets():
        return [t for t in api.all('/api/v1/tickets') if t['subject'] == subject]
    [ticket] = wait_for(tickets, 30, 'the ticket of the mail')
    url = '/api/v1/tickets/%s/messages' % ticket['id']
    answer = api.post(url, {'text': 'We send a new one.', 'visibility': 'public'})
    assert answer.status == 201, answer
    [reply] = wait_for(lambda: inbox_of_bob(postfix)[seen:], 30, "the answer in the customer's mailbox")
    assert reply['From'].addresses[0].addr_spec == HELP and reply['To'].addresses[0].addr_spec == BOB
    assert first in reply['References'] and reply['In-Reply-To'] == first and subject in reply['Subject']
    assert 'We send a new one.' in reply.get_body(('plain',)).get_content()
    send(postfix, 'Re: ' + subject, 'Thank you!', references=reply['Message-ID'])
    texts = wait_for(lambda: (lambda found: found if len(found) == 3 else None)([m['text'].strip() for m in api.all(url)]), 30, 'the reply in the same ticket')
    assert texts == ['Thank you!', 'We send a new one.', 'My tent leaks.']
    assert len(tickets()) == 1
    wait_for(lambda: [m['delivery'] for m in api.all(url)][1] == 'sent', 10, 'the delivery to be known')
    assert len(inbox_of_bob(postfix)) == seen + 1       # sent once
