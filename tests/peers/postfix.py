#!/usr/bin/python3
"""postfix.py - Debian's Postfix, private, with a private Dovecot behind it; needs root, as Postfix does.

Receives on a free port with STARTTLS and SASL (PLAIN, LOGIN, XOAUTH2 by Dovecot), and from 127.0.0.1 without.
Mail for example.com goes to Dovecot by LMTP, mail for DOMAIN to an LMTP listener with --route DOMAIN=HOST:PORT or
DOMAIN=/SOCKET; everything else is refused, so nothing leaves the machine.  Deferred mail is tried again every second.
Standard input: "deliver [FILE]" as in dovecot.py; "flush".
"""
import argparse
import os
import pwd
import shutil
import subprocess
import tempfile

import dovecot
import peer

MAIN = """
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file = {dir}/log
maillog_file_prefixes = {dir}
maillog_file_permissions = 0644
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
meta_directory = /etc/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
multi_instance_name = {name}
myhostname = postfix.example.net
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_transport = error:there are no local users
default_transport = error:nothing leaves this machine
virtual_mailbox_domains = example.com
virtual_mailbox_maps = static:all
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
relay_domains = {domains}
transport_maps = {routes}
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_chain_files = {pem}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl}
smtpd_peername_lookup = no
disable_dns_lookups = yes
lmtp_host_lookup = native
smtp_host_lookup = native
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
transport_retry_time = 1s
default_destination_concurrency_failed_cohort_limit = 0
notify_classes =
"""

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


class Postfix:
    def __init__(self, routes=None, users=(), certificate="good"):
        """routes: {domain: "host:port" or "/socket"} of LMTP listeners."""
        if os.getuid() != 0:
            raise RuntimeError("Postfix needs root")
        self.dovecot = dovecot.Dovecot(users=users)
        self.dir = tempfile.mkdtemp(prefix="cairn-postfix-")
        os.chmod(self.dir, 0o755)
        self.port = peer.free_port()
        pem = peer.make_certificate(self.dir, certificate)
        self.ca = os.path.join(self.dir, "ca.pem")
        for sub in ("etc", "queue", "data"):
            os.mkdir(os.path.join(self.dir, sub))
        os.chown(os.path.join(self.dir, "data"), pwd.getpwnam("postfix").pw_uid, -1)
        self.etc = os.path.join(self.dir, "etc")
        routes = routes or {}
        table = " ".join("{ %s = lmtp:%s }" % (d, "unix:" + to if to.startswith("/") else "inet:" + to) for d, to in routes.items())
        with open(os.path.join(self.etc, "main.cf"), "w") as f:
            f.write(MAIN.format(dir=self.dir, name="postfix-" + os.path.basename(self.dir), pem=pem, lmtp=self.dovecot.ports["lmtp"],
                                sasl=self.dovecot.ports["sasl"], domains=" ".join(routes),
                                routes="inline:{ %s }" % table if table else ""))
        with open(os.path.join(self.etc, "master.cf"), "w") as f:
            f.write(MASTER.format(port=self.port))
        try:
            subprocess.run(["postfix", "-c", self.etc, "start"], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=60)
            dovecot.wait_for(self.port, "postfix")
        except (subprocess.SubprocessError, RuntimeError) as e:
            trouble = "%s: %s" % (e, self.log())
            self.close()
            raise RuntimeError(trouble) from None

    def log(self):
        with open(os.path.join(self.dir, "log"), "a+") as f:
            f.seek(0)
            return f.read()

    def flush(self):
        subprocess.run(["postqueue", "-c", self.etc, "-f"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def queue_is_empty(self):
        return not any(files for sub in ("incoming", "active", "deferred")
                       for _, _, files in os.walk(os.path.join(self.dir, "queue", sub)))

    def obey(self, words):
        if words[0] == "flush":
            self.flush()
        else:
            self.dovecot.obey(words)

    def facts(self):
        return dict(self.dovecot.ports, port=self.port, ca=self.ca, folder=self.dir, dovecot_ca=self.dovecot.ca)

    def close(self):
        subprocess.run(["postfix", "-c", self.etc, "stop"], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        self.dovecot.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--certificate", choices=peer.CERTIFICATES, default="good")
    p.add_argument("--user", action="append", default=[], help="a further user of Dovecot")
    p.add_argument("--route", action="append", default=[], metavar="DOMAIN=HOST:PORT", help="LMTP listener of a domain")
    o = p.parse_args()
    peer.serve(Postfix(routes=dict(r.split("=", 1) for r in o.route), users=o.user, certificate=o.certificate))
