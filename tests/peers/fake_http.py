#!/usr/bin/python3
"""fake_http.py - a web server for outgoing calls: pictures, redirects, sign-in servers.

/ok, /picture (a PNG), /status/N, /big/N (N bytes), /endless, /stall, /redirect/N (N times, then /ok), /to/URL (redirects there, percent-encoded),
/echo (method, headers and body as JSON), /token (OAuth 2.0: refresh token "good", "rotate", "revoked", "broken", "empty", any other is
invalid; client "client" with "client secret&").
"""
import base64
import json
import time
import urllib.parse

import peer

PICTURE = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


class FakeHttp(peer.Fake):
    def talk(self, line):
        while True:
            method, path, _ = line.read().split(" ")
            headers = {}
            while True:
                text = line.read()
                if not text:
                    break
                name, _, value = text.partition(":")
                headers[name.lower()] = value.strip()
            body = line.take(int(headers.get("content-length", 0)))
            first, _, rest = path[1:].partition("/")
            getattr(self, "on_" + first, self.on_missing)(line, method, rest, headers, body)

    @staticmethod
    def answer(line, status, body=b"", content_type="text/plain", extra=""):
        body = body if isinstance(body, bytes) else body.encode()
        line.say("HTTP/1.1 %d Said\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s" % (status, content_type, len(body), extra))
        line.send(body)

    def on_missing(self, line, *_):
        self.answer(line, 404, "nothing here")

    def on_ok(self, line, *_):
        self.answer(line, 200, "fine")

    def on_picture(self, line, *_):
        self.answer(line, 200, PICTURE, "image/png")

    def on_status(self, line, method, rest, *_):
        self.answer(line, int(rest), "status " + rest)

    def on_big(self, line, method, rest, *_):
        self.answer(line, 200, b"x" * int(rest))

    def on_endless(self, line, *_):
        line.say("HTTP/1.1 200 Said\r\nContent-Type: text/plain\r\nConnection: close\r\n")
        while True:
            line.send(b"x" * 65536)
            time.sleep(0.001)

    def on_stall(self, line, *_):
        line.send("HTTP/1.1 2")
        line.stall()

    def on_redirect(self, line, method, rest, *_):
        n = int(rest)
        self.answer(line, 302, extra="Location: %s\r\n" % ("/redirect/%d" % (n - 1) if n > 1 else "/ok"))

    def on_to(self, line, method, rest, *_):
        self.answer(line, 302, extra="Location: %s\r\n" % urllib.parse.unquote(rest))

    def on_echo(self, line, method, rest, headers, body):
        self.answer(line, 200, json.dumps({"method": method, "headers": headers, "body": body.decode()}), "application/json")

    def on_token(self, line, method, rest, headers, body):
        form = dict(urllib.parse.parse_qsl(body.decode()))
        refresh = form.get("refresh_token")
        answer, status = {"access_token": peer.TOKEN, "token_type": "Bearer", "expires_in": 3599}, 200
        if method != "POST" or form.get("grant_type") != "refresh_token":
            answer, status = {"error": "unsupported_grant_type"}, 400
        elif form.get("client_id") != "client" or form.get("client_secret") != "client secret&":
            answer, status = {"error": "invalid_client", "error_description": "unknown client"}, 401
        elif refresh == "rotate":
            answer["refresh_token"] = "rotated"
        elif refresh == "broken":
            answer, status = {"error": "temporarily_unavailable"}, 503
        elif refresh == "empty":
            answer = {}
        elif refresh != "good":
            answer, status = {"error": "invalid_grant", "error_description": "revoked"}, 400
        self.answer(line, status, json.dumps(answer), "application/json")


if __name__ == "__main__":
    o = peer.arguments(__doc__.splitlines()[0]).parse_args()
    peer.serve(FakeHttp(mode=o.mode, tls=o.tls, certificate=o.certificate, folder=o.folder))
