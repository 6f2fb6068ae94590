#!/usr/bin/python3
"""fake_pop3.py - a POP3 server with one mailbox, that misbehaves on demand.

Modes: ok, greeting-err, nonsense, stall (in the middle of the greeting), no-starttls, starttls-inject, no-uidl, in-use,
reset-retr (RST in the middle of a message), stall-retr, huge-line (without end), endless (never the final dot).
Standard input: "deliver [FILE]", "mode MODE".
"""
import base64

import peer

TRICKY = b"Subject: tricky\r\n\r\n.dot\r\n..two\r\nNUL \0 and bare \n LF\r\n" + b"x" * 100000 + b"\r\n.\x00\r\nend\r\n"


class FakePop3(peer.Fake):
    def __init__(self, messages=2, **options):
        self.mailbox = [TRICKY] + [b"Subject: %d\r\n\r\nbody\r\n" % n for n in range(2, messages + 1)]
        super().__init__(**options)

    def obey(self, words):
        if words[0] == "mode":
            self.mode = words[1]
        elif words[0] == "deliver":
            raw = b"Subject: new\r\n\r\nnew\r\n"
            if len(words) > 1:
                with open(words[1], "rb") as f:
                    raw = f.read()
            self.mailbox.append(raw)

    def talk(self, line):
        if self.mode == "stall":
            line.send("+O")
            line.stall()
        if self.mode == "greeting-err":
            line.say("-ERR not today")
            return
        line.say("what?" if self.mode == "nonsense" else "+OK fake ready")
        state = {"user": "", "in": False}
        while True:
            text = line.read()
            verb, _, rest = text.partition(" ")
            if verb.upper() == "QUIT":
                line.say("+OK bye")
                return
            getattr(self, "on_" + verb.lower(), self.on_unknown)(line, rest, state)

    def on_unknown(self, line, rest, state):
        line.say("-ERR what?")

    def on_stls(self, line, rest, state):
        if self.tls != "starttls" or self.mode == "no-starttls":
            line.say("-ERR no TLS here")
            return
        line.send("+OK go\r\n" + ("+OK injected\r\n" if self.mode == "starttls-inject" else ""))
        line.secure(self.context)

    def on_user(self, line, rest, state):
        state["user"] = rest
        line.say("+OK")

    def on_pass(self, line, rest, state):
        if self.mode == "in-use":
            line.say("-ERR [IN-USE] somebody else reads")
            return
        self.finish(line, state, state["user"] == peer.USER and rest == peer.PASSWORD)

    def on_auth(self, line, rest, state):
        line.say("+ ")
        good = base64.b64decode(line.read()) == "user={}\1auth=Bearer {}\1\1".format(peer.USER, peer.TOKEN).encode()
        if not good:
            line.say("+ " + base64.b64encode(b'{"status":"400"}').decode())
            line.read()
        self.finish(line, state, good)

    @staticmethod
    def finish(line, state, good):
        state["in"] = good
        line.say("+OK welcome" if good else "-ERR [AUTH] wrong user or password")

    def on_uidl(self, line, rest, state):
        if self.mode == "no-uidl":
            line.say("-ERR no UIDL")
            return
        line.say("+OK")
        line.send("".join("%d uid-%d\r\n" % (n, n) for n in range(1, len(self.mailbox) + 1)) + ".\r\n")

    def on_list(self, line, rest, state):
        line.say("+OK")
        line.send("".join("%d %d\r\n" % (n, len(raw)) for n, raw in enumerate(self.mailbox, 1)) + ".\r\n")

    def on_retr(self, line, rest, state):
        n = int(rest)
        if not 1 <= n <= len(self.mailbox):
            line.say("-ERR no such message")
            return
        raw = self.mailbox[n - 1]
        line.say("+OK")
        if self.mode in ("reset-retr", "stall-retr"):
            line.send(raw[:10])
            line.reset() if self.mode == "reset-retr" else line.stall()
        while self.mode in ("huge-line", "endless"):
            line.send(b"x" * 65536 + (b"\r\n" if self.mode == "endless" else b""))
        line.send((b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n")


if __name__ == "__main__":
    p = peer.arguments(__doc__.splitlines()[0])
    p.add_argument("--messages", type=int, default=2)
    o = p.parse_args()
    peer.serve(FakePop3(messages=o.messages, mode=o.mode, tls=o.tls, certificate=o.certificate, folder=o.folder))
