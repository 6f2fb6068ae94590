#!/usr/bin/python3
"""fake_smtp.py - a submission server that misbehaves on demand.

Modes: ok, greeting-554, greeting-stall, greeting-reset, stall (in the middle of the EHLO answer), nonsense, no-auth, no-starttls,
mail-451, mail-550, mail-530, data-451, data-554, dot-451, dot-554, dot-451-once (then 250), dot-close, dot-reset,
dot-stall, dot-half (an answer without its line end, then closed), ok-reset (250, then RST), ok-close, body-close, body-reset.
Recipients that begin with "refuse" get 550, with "later" 450, in every mode.
Accepted messages are FOLDER/N.eml (bytes as received, dots unstuffed) and FOLDER/N.json (envelope).
"""
import base64
import json
import os

import peer


class FakeSmtp(peer.Fake):
    def __init__(self, **options):
        super().__init__(**options)
        self.messages = []      # {"from", "to", "raw", "secure", "user"}
        self.attempts = 0       # of DATA

    def talk(self, line):
        if self.mode == "greeting-554":
            line.say("554 no service here")
            return
        if self.mode == "greeting-stall":
            line.stall()
        if self.mode == "greeting-reset":
            line.reset()
        line.say("220 fake.example.com ESMTP")
        state = {"secure": self.tls == "implicit", "user": None, "from": None, "to": []}
        while True:
            text = line.read()
            verb = text.split(" ")[0].upper()
            if verb == "QUIT":
                line.say("221 bye")
                return
            getattr(self, "on_" + verb.lower(), self.on_unknown)(line, text, state)

    def on_unknown(self, line, text, state):
        line.say("500 what?")

    def on_ehlo(self, line, text, state):
        if self.mode == "stall":
            line.send("250-fake.exam")
            line.stall()
        if self.mode == "nonsense":
            line.say("gibberish")
            return
        line.say("250-fake.example.com")
        if self.tls == "starttls" and not state["secure"] and self.mode != "no-starttls":
            line.say("250-STARTTLS")
        if self.mode != "no-auth":
            line.say("250-AUTH PLAIN LOGIN XOAUTH2")
        line.say("250-SIZE 10000000")
        line.say("250-PIPELINING")
        line.say("250 8BITMIME")

    def on_starttls(self, line, text, state):
        line.say("220 go")
        line.secure(self.context)
        state["secure"] = True

    def on_auth(self, line, text, state):
        words = text.split(" ")
        if len(words) < 3:
            line.say("334 ")
            words.append(line.read())
        said = base64.b64decode(words[2])
        good = {
            "PLAIN": "\0{}\0{}".format(peer.USER, peer.PASSWORD),
            "XOAUTH2": "user={}\1auth=Bearer {}\1\1".format(peer.USER, peer.TOKEN),
        }.get(words[1].upper())
        if good is not None and said == good.encode():
            state["user"] = peer.USER
            line.say("235 2.7.0 welcome")
            return
        if words[1].upper() == "XOAUTH2":
            line.say("334 " + base64.b64encode(b'{"status":"401"}').decode())
            line.read()
        line.say("535 5.7.8 bad credentials")

    def on_mail(self, line, text, state):
        if self.mode in ("mail-451", "mail-550", "mail-530"):
            line.say(self.mode[5:] + " 5.0.0 not from you")
            return
        state.update({"from": text[text.index("<") + 1:text.index(">")], "to": []})
        line.say("250 ok")

    def on_rcpt(self, line, text, state):
        address = text[text.index("<") + 1:text.index(">")]
        if address.startswith("refuse"):
            line.say("550 5.1.1 no such user")
        elif address.startswith("later"):
            line.say("450-4.2.0 come\r\n450 4.2.0 back later")
        else:
            state["to"].append(address)
            line.say("250 ok")

    def on_rset(self, line, text, state):
        line.say("250 ok")

    on_noop = on_rset

    def on_data(self, line, text, state):
        if self.mode in ("data-451", "data-554"):
            line.say(self.mode[5:] + " no data now")
            return
        if not state["to"]:
            line.say("554 no recipients")
            return
        line.say("354 go on")
        if self.mode in ("body-close", "body-reset"):
            line.take(1)
            if self.mode == "body-reset":
                line.reset()
            raise peer.Gone
        raw = self.read_body(line)
        self.attempts += 1
        if self.mode == "dot-reset":
            line.reset()
        if self.mode == "dot-close":
            raise peer.Gone
        if self.mode == "dot-stall":
            line.stall()
        if self.mode == "dot-half":
            line.send("250 o")
            raise peer.Gone
        if self.mode in ("dot-451", "dot-554") or (self.mode == "dot-451-once" and self.attempts == 1):
            line.say("%s 5.3.0 not this one" % self.mode[4:7])
            return
        self.store(raw, state)
        line.say("250 2.0.0 queued as %d" % len(self.messages))
        if self.mode == "ok-reset":
            line.reset()
        if self.mode == "ok-close":
            raise peer.Gone

    @staticmethod
    def read_body(line):
        while not (line.data.startswith(b".\r\n") or b"\r\n.\r\n" in line.data):
            line.more()
        if line.data.startswith(b".\r\n"):
            line.take(3)
            return b""
        raw = line.take(line.data.index(b"\r\n.\r\n") + 5)[:-3]
        return (b"\r\n" + raw).replace(b"\r\n.", b"\r\n")[2:]

    def store(self, raw, state):
        with self.lock:
            envelope = {k: state[k] for k in ("from", "to", "secure", "user")}
            self.messages.append(dict(envelope, raw=raw))
            base = os.path.join(self.folder, str(len(self.messages)))
            with open(base + ".eml", "wb") as f:
                f.write(raw)
            with open(base + ".json", "w") as f:
                json.dump(envelope, f)
            self.lock.notify_all()


if __name__ == "__main__":
    o = peer.arguments(__doc__.splitlines()[0]).parse_args()
    peer.serve(FakeSmtp(mode=o.mode, tls=o.tls, certificate=o.certificate, folder=o.folder))
