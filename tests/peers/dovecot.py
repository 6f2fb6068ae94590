#!/usr/bin/python3
"""dovecot.py - Debian's Dovecot, private: own configuration, folders and free ports; nothing outlives it.

Offers IMAP (plain, STARTTLS), IMAPS, POP3 (same), POP3S, LMTP, and SASL for Postfix.  Users are peer.USER and any --user NAME, all with peer.PASSWORD.
XOAUTH2 is checked against a small token introspection server of its own: peer.TOKEN belongs to peer.USER.
Standard input: "deliver [FILE]" puts a message into the INBOX of peer.USER by LMTP.
"""
import argparse
import grp
import http.server
import json
import os
import pwd
import shutil
import smtplib
import socket
import subprocess
import tempfile
import threading
import time

import peer

CONFIG = """
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
protocols = imap pop3 lmtp
listen = 127.0.0.1
instance_name = {dir}
ssl = {ssl}
ssl_cert = <{pem}
ssl_key = <{pem}
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
auth_username_format = %Lu
default_login_user = {login_user}
default_internal_user = {internal_user}
default_internal_group = {internal_group}
first_valid_uid = 1
mail_location = maildir:{dir}/mail/%u
mail_access_groups = {mail_group}
mail_fsync = never
mailbox_idle_check_interval = 1 s
namespace inbox {{
  inbox = yes
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {dir}/users
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {dir}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid={mail_uid} gid={mail_gid} home={dir}/mail/%u allow_all_users=no
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service lmtp {{
  user = {lmtp_user}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service auth {{
  inet_listener sasl {{
    address = 127.0.0.1
    port = {sasl}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
protocol imap {{
  mail_max_userip_connections = 200
}}
"""

PORTS = ("imap", "imaps", "pop3", "pop3s", "lmtp", "sasl")


class Introspection(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        good = self.headers.get("Authorization") == "Bearer " + peer.TOKEN
        body = json.dumps({"active": True, "username": peer.USER} if good else {"active": False}).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def wait_for(port, what, process=None, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end and (process is None or process.poll() is None):
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("%s does not answer on port %d" % (what, port))


class Dovecot:
    def __init__(self, users=(), certificate="good"):
        self.dir = tempfile.mkdtemp(prefix="cairn-dovecot-")
        os.chmod(self.dir, 0o755)
        self.ports = {name: peer.free_port() for name in PORTS}
        self.port = self.ports["imap"]
        self.introspection = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Introspection)
        threading.Thread(target=self.introspection.serve_forever, daemon=True).start()
        pem = peer.make_certificate(self.dir, certificate)
        self.ca = os.path.join(self.dir, "ca.pem")
        root = os.getuid() == 0
        me = pwd.getpwuid(os.getuid()).pw_name
        mail = pwd.getpwnam("nobody") if root else pwd.getpwnam(me)
        for sub in ("run", "state", "mail"):
            os.mkdir(os.path.join(self.dir, sub))
        os.chown(os.path.join(self.dir, "mail"), mail.pw_uid, mail.pw_gid)
        with open(os.path.join(self.dir, "users"), "w") as f:
            for user in (peer.USER, *users):
                f.write("%s:%s\n" % (user, peer.PASSWORD))
        with open(os.path.join(self.dir, "oauth2.conf"), "w") as f:
            f.write("introspection_mode = auth\nintrospection_url = http://127.0.0.1:%d/\nusername_attribute = username\n"
                    "active_attribute = active\nactive_value = true\n" % self.introspection.server_address[1])
        os.chmod(os.path.join(self.dir, "users"), 0o644)
        config = os.path.join(self.dir, "dovecot.conf")
        with open(config, "w") as f:
            f.write(CONFIG.format(dir=self.dir, pem=pem, ssl="yes", mail_uid=mail.pw_uid, mail_gid=mail.pw_gid,
                                  mail_group=grp.getgrgid(mail.pw_gid).gr_name, lmtp_user="root" if root else me,
                                  login_user="dovenull" if root else me, internal_user="dovecot" if root else me,
                                  internal_group="dovecot" if root else grp.getgrgid(os.getgid()).gr_name, **self.ports))
        self.process = subprocess.Popen(["dovecot", "-F", "-c", config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE)
        try:
            for name in PORTS:
                wait_for(self.ports[name], "dovecot " + name, self.process)
        except RuntimeError as e:
            trouble = str(e) + ": " + self.log()
            self.close()
            raise RuntimeError(trouble) from None

    def log(self):
        text = self.process.stderr.read().decode() if self.process.poll() is not None else ""
        with open(os.path.join(self.dir, "log"), "a+") as f:
            f.seek(0)
            return text + f.read()

    def deliver(self, raw=b"From: a@example.com\r\nSubject: hello\r\n\r\nhello\r\n", user=peer.USER, sender="a@example.com"):
        with smtplib.LMTP("127.0.0.1", self.ports["lmtp"]) as c:
            refused = c.sendmail(sender, [user], raw)
        if refused:
            raise RuntimeError(str(refused))

    def obey(self, words):
        if words[0] == "deliver":
            if len(words) > 1:
                with open(words[1], "rb") as f:
                    self.deliver(f.read())
            else:
                self.deliver()

    def facts(self):
        return dict(self.ports, port=self.port, ca=self.ca, folder=self.dir)

    def close(self):
        self.introspection.shutdown()
        self.introspection.server_close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--certificate", choices=peer.CERTIFICATES, default="good")
    p.add_argument("--user", action="append", default=[], help="a further user")
    o = p.parse_args()
    peer.serve(Dovecot(users=o.user, certificate=o.certificate))
