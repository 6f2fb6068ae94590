#!/usr/bin/python3
"""fake_imap.py - an IMAP server with one mailbox, that misbehaves on demand.

Modes: ok; greeting-stall, greeting-reset, greeting-bye, nonsense, stall (in the middle of the CAPABILITY answer), preauth,
no-starttls, starttls-inject (plain text after the STARTTLS answer), login-unavailable, login-only (no SASL PLAIN), login-disabled,
no-idle, no-condstore, no-uidnext, select-bye, select-no, deep (nested parentheses), huge-line (without end), huge-literal (announces
4 GB), lying-literal (announces twice what it sends), short-literal (announces half), reset-literal (RST in the middle),
stall-literal, trickle (a byte now and then), lying-size (RFC822.SIZE says 10), nil-body, drop-idle, early-exists (news before
the "+" of IDLE).  The account is peer.USER with peer.PASSWORD or peer.TOKEN.
Standard input: "deliver [FILE]" adds a message and tells those who idle; "expunge UID".
"""
import base64
import re
import threading
import time

import peer

UIDVALIDITY = 1234


def sample(n):
    return ("From: a%d@example.com\r\nTo: user@example.com\r\nSubject: message %d\r\n\r\n.dot\r\nbody %d ((({3}\r\n" % (n, n, n)).encode()


class FakeImap(peer.Fake):
    def __init__(self, messages=3, **options):
        self.mailbox = {uid: sample(uid) for uid in range(1, messages + 1)}
        self.uid_next = messages + 1
        self.seen_flags = 0         # commands that would have set \\Seen
        self.commands = []
        super().__init__(**options)

    def facts(self):
        return dict(super().facts(), messages=len(self.mailbox))

    def deliver(self, raw=None):
        with self.lock:
            self.mailbox[self.uid_next] = raw if raw is not None else sample(self.uid_next)
            self.uid_next += 1
            self.lock.notify_all()

    def obey(self, words):
        if words[0] == "deliver":
            raw = None
            if len(words) > 1:
                with open(words[1], "rb") as f:
                    raw = f.read()
            self.deliver(raw)
        elif words[0] == "expunge":
            with self.lock:
                self.mailbox.pop(int(words[1]), None)
        elif words[0] == "mode":
            self.mode = words[1]

    # one connection

    def talk(self, line):
        if self.mode == "greeting-stall":
            line.send("* OK fa")
            line.stall()
        if self.mode == "greeting-reset":
            line.reset()
        if self.mode == "greeting-bye":
            line.say("* BYE too busy")
            return
        if self.mode == "nonsense":
            line.say("SSH-2.0-what are you doing here")
            line.stall()
        line.say("* PREAUTH welcome" if self.mode == "preauth" else "* OK fake ready")
        state = {"secure": self.tls == "implicit", "in": self.mode == "preauth", "told": 0}
        while True:
            text = line.read()
            while text.endswith("}") and "{" in text:      # a literal argument
                n = int(text[text.rindex("{") + 1:-1])
                line.say("+ go on")
                text = text[:text.rindex("{")] + line.take(n).decode() + line.read()
            tag, _, rest = text.partition(" ")
            verb = rest.split(" ")[0].upper()
            self.commands.append(rest)
            if verb == "LOGOUT":
                line.say("* BYE\r\n%s OK bye" % tag)
                return
            if verb == "UID":
                verb = "UID_" + rest.split(" ")[1].upper()
            getattr(self, "on_" + verb.lower(), self.on_unknown)(line, tag, rest, state)

    def on_unknown(self, line, tag, rest, state):
        line.say(tag + " BAD what?")

    def capabilities(self, state):
        words = ["IMAP4rev1"]
        if self.tls == "starttls" and not state["secure"] and self.mode != "no-starttls":
            words.append("STARTTLS")
        if self.mode == "login-disabled":
            words.append("LOGINDISABLED")
        if not state["in"]:
            words += [] if self.mode in ("login-only", "login-disabled", "login-unavailable") else ["AUTH=PLAIN"]
            words.append("AUTH=XOAUTH2")
        if self.mode != "no-idle":
            words.append("IDLE")
        if self.mode != "no-condstore":
            words.append("CONDSTORE")
        return " ".join(words)

    def on_capability(self, line, tag, rest, state):
        if self.mode == "stall":
            line.send("* CAPABILITY IMAP4r")
            line.stall()
        line.say("* CAPABILITY " + self.capabilities(state))
        line.say(tag + " OK done")

    def on_starttls(self, line, tag, rest, state):
        answer = tag + " OK begin\r\n"
        if self.mode == "starttls-inject":
            answer += "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"
        line.send(answer)
        line.secure(self.context)
        state["secure"] = True

    def on_login(self, line, tag, rest, state):
        if self.mode == "login-unavailable":
            line.say(tag + " NO [UNAVAILABLE] the user database is away")
            return
        words = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', rest[6:])
        user, password = (re.sub(r"\\(.)", r"\1", a) if a or not b else b for a, b in words[:2]) if len(words) > 1 else ("", "")
        self.finish_login(line, tag, state, user == peer.USER and password == peer.PASSWORD)

    def on_authenticate(self, line, tag, rest, state):
        words = rest.split(" ")
        if len(words) < 3:
            line.say("+ ")
            words.append(line.read())
        said = base64.b64decode(words[2])
        if words[1].upper() == "PLAIN":
            good = said == "\0{}\0{}".format(peer.USER, peer.PASSWORD).encode()
        else:
            good = said == "user={}\1auth=Bearer {}\1\1".format(peer.USER, peer.TOKEN).encode()
            if not good:
                line.say("+ " + base64.b64encode(b'{"status":"400"}').decode())
                line.read()
        self.finish_login(line, tag, state, good)

    @staticmethod
    def finish_login(line, tag, state, good):
        state["in"] = good
        line.say(tag + (" OK welcome" if good else " NO [AUTHENTICATIONFAILED] wrong user or password"))

    def on_examine(self, line, tag, rest, state):
        if self.mode == "select-bye":
            line.say("* BYE shutting down")
            raise peer.Gone
        if self.mode == "select-no" or "missing" in rest:
            line.say(tag + " NO no such mailbox")
            return
        if self.mode == "deep":
            line.say("* 1 FETCH (BODYSTRUCTURE " + "(" * 100000)
        if self.mode == "huge-line":
            line.send("* OK ")
            while True:
                line.send("x" * 65536)
        state["told"] = len(self.mailbox)
        line.say("* FLAGS (\\Seen)\r\n* %d EXISTS\r\n* 0 RECENT" % len(self.mailbox))
        line.say("* OK [UIDVALIDITY %d] ok" % UIDVALIDITY)
        if self.mode != "no-uidnext":
            line.say("* OK [UIDNEXT %d] ok" % self.uid_next)
        if self.mode != "no-condstore":
            line.say("* OK [HIGHESTMODSEQ 987654321098] ok")
        line.say(tag + " OK [READ-ONLY] done")

    on_select = on_examine

    def on_noop(self, line, tag, rest, state):
        self.tell(line, state)
        line.say(tag + " OK done")

    def tell(self, line, state):
        if len(self.mailbox) != state["told"]:
            state["told"] = len(self.mailbox)
            line.say("* %d EXISTS" % len(self.mailbox))

    def on_idle(self, line, tag, rest, state):
        if self.mode == "early-exists":
            line.say("* %d EXISTS\r\n+ idling" % len(self.mailbox))
        else:
            line.say("+ idling")
        if self.mode == "drop-idle":
            raise peer.Gone
        done = threading.Event()

        def watch():
            with self.lock:
                while not done.is_set() and not self.closing:
                    try:
                        self.tell(line, state)
                    except peer.Gone:
                        return
                    self.lock.wait()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        line.say("* OK still here")
        try:
            line.read()
        finally:
            with self.lock:
                done.set()
                self.lock.notify_all()
            watcher.join()
        line.say(tag + " OK done")

    def uids_in(self, text):
        last = max(self.mailbox, default=0)
        found = set()
        for part in text.split(","):
            a, _, b = part.partition(":")
            a, b = (last if x == "*" else int(x) for x in (a, b or a))
            found |= {u for u in range(min(a, b), min(max(a, b), last) + 1) if u in self.mailbox}
        return sorted(found)

    def on_uid_search(self, line, tag, rest, state):
        m = re.search(r"UID ([0-9:*,]+)$", rest)
        uids = self.uids_in(m.group(1)) if m else sorted(self.mailbox)
        line.say("* SEARCH " + " ".join(map(str, reversed(uids))) if uids else "* SEARCH")
        line.say(tag + " OK done")

    def on_uid_fetch(self, line, tag, rest, state):
        uids = self.uids_in(rest.split(" ")[2])
        if "BODY[" in rest:
            self.seen_flags += 1
        line.say("* 1 FETCH (FLAGS (\\Seen) UID 999999)")       # news about another message
        for uid in uids:
            raw = self.mailbox[uid]
            if "RFC822.SIZE" in rest:
                size = 10 if self.mode == "lying-size" else len(raw)
                line.say("* %d FETCH (UID %d RFC822.SIZE %d)" % (uid, uid, size))
            else:
                self.send_body(line, uid, raw)
        line.say(tag + " OK done")

    def send_body(self, line, uid, raw):
        start = "* %d FETCH (UID %d BODY[] " % (uid, uid)
        if self.mode == "nil-body":
            line.say(start + "NIL)")
            return
        said = {"huge-literal": 4000000000, "lying-literal": 2 * len(raw), "short-literal": len(raw) // 2}.get(self.mode, len(raw))
        line.say("%s{%d}" % (start, said))
        if self.mode in ("reset-literal", "stall-literal"):
            line.send(raw[:10])
            line.stall() if self.mode == "stall-literal" else time.sleep(0.05) or line.reset()
        if self.mode == "trickle":
            for b in raw:
                line.send(bytes([b]))
                time.sleep(0.05)
        else:
            line.send(raw)
        line.say(")")


if __name__ == "__main__":
    p = peer.arguments(__doc__.splitlines()[0])
    p.add_argument("--messages", type=int, default=3)
    o = p.parse_args()
    peer.serve(FakeImap(messages=o.messages, mode=o.mode, tls=o.tls, certificate=o.certificate, folder=o.folder))
