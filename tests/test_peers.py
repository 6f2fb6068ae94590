"""The peers themselves: they start side by side, do what their facts say, and leave nothing behind."""
import imaplib
import json
import os
import smtplib
import ssl
import subprocess
import sys

import pytest

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")
sys.path.insert(0, HERE)

import dovecot     # noqa: E402
import fake_imap   # noqa: E402
import fake_smtp   # noqa: E402
import peer        # noqa: E402
import postfix     # noqa: E402

RAW = b"Subject: hello\r\n\r\n.dot\r\n"


def sign_in(port):
    c = imaplib.IMAP4("127.0.0.1", port)
    c.authenticate("PLAIN", lambda _: ("\0%s\0%s" % (peer.USER, peer.PASSWORD)).encode())
    return c


def test_fakes_run_side_by_side_and_clean_up():
    with fake_smtp.FakeSmtp(tls="starttls") as a, fake_smtp.FakeSmtp(mode="dot-554") as b, fake_imap.FakeImap() as c:
        with smtplib.SMTP("localhost", a.port) as s:
            s.starttls(context=ssl.create_default_context(cafile=a.ca))
            s.sendmail("a@example.com", ["b@example.org"], RAW)
        assert a.messages[0]["raw"] == RAW and a.messages[0]["secure"]
        with smtplib.SMTP("localhost", b.port) as s, pytest.raises(smtplib.SMTPDataError):
            s.sendmail("a@example.com", ["b@example.org"], RAW)
        assert sign_in(c.port).select("INBOX", readonly=True) == ("OK", [b"3"])
        folder = a.folder
    assert not os.path.exists(folder)


@pytest.mark.parametrize("kind", ["selfsigned", "wronghost", "expired"])
def test_bad_certificates_are_bad(kind):
    with fake_smtp.FakeSmtp(tls="implicit", certificate=kind) as p, pytest.raises(ssl.SSLCertVerificationError):
        smtplib.SMTP_SSL("localhost", p.port, context=ssl.create_default_context(cafile=p.ca))


def test_a_command_says_its_facts_and_ends_with_its_input():
    p = subprocess.Popen([sys.executable, os.path.join(HERE, "fake_pop3.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    facts = json.loads(p.stdout.readline())
    p.stdin.write("deliver\n")
    p.stdin.flush()
    assert p.stdout.readline() == "ok\n"
    p.communicate(timeout=10)
    assert p.returncode == 0 and not os.path.exists(facts["folder"])


@pytest.mark.skipif(not os.path.exists("/usr/sbin/dovecot"), reason="Dovecot is not installed")
def test_dovecot_takes_and_shows_mail():
    with dovecot.Dovecot() as d:
        d.deliver(RAW)
        assert sign_in(d.ports["imap"]).select() == ("OK", [b"1"])


@pytest.mark.skipif(not os.path.exists("/usr/sbin/postfix") or os.getuid() != 0, reason="Postfix needs to be installed, and root")
def test_postfix_lets_nothing_leave():
    with postfix.Postfix() as p, smtplib.SMTP("localhost", p.port) as s:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            s.sendmail("a@example.com", ["x@elsewhere.example"], RAW)
