"""peer.py - what all peers share: certificates, a threaded server on a free port, a command line.

A fake runs in threads of this process.  As a command it prints one JSON line with its ports and files, obeys
lines on standard input, and ends when standard input closes.
"""
import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading

USER, PASSWORD, TOKEN = "user@example.com", "secret \"pass\\word\" \u00e4", "token-good"
CERTIFICATES = ("good", "selfsigned", "wronghost", "expired")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _openssl(*args):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificate(folder, kind):
    """folder/ca.pem and folder/KIND.pem (key and certificate in one); returns the latter's path."""
    path, ca, ca_key = (os.path.join(folder, n) for n in (kind + ".pem", "ca.pem", "ca.key"))
    key, request, cert, ext = (os.path.join(folder, kind + s) for s in (".key", ".csr", ".crt", ".ext"))
    if not os.path.exists(ca):
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                 "-subj", "/CN=Test authority", "-keyout", ca_key, "-out", ca)
    name = "other.example.net" if kind == "wronghost" else "localhost"
    with open(ext, "w") as f:
        f.write("subjectAltName=DNS:%s%s\n" % (name, "" if kind == "wronghost" else ",IP:127.0.0.1"))
    _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=" + name,
             "-keyout", key, "-out", request)
    if kind == "selfsigned":
        _openssl("x509", "-req", "-in", request, "-signkey", key, "-days", "30", "-extfile", ext, "-out", cert)
    elif kind == "expired":     # "ca" is the one command of openssl 3.0 that takes dates in the past
        conf = os.path.join(folder, "ca.cnf")
        open(os.path.join(folder, "index.txt"), "w").close()
        with open(conf, "w") as f:
            f.write("[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index.txt\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=p\n"
                    "rand_serial=yes\nunique_subject=no\n[p]\ncommonName=supplied\n" % (folder, folder))
        _openssl("ca", "-batch", "-config", conf, "-cert", ca, "-keyfile", ca_key, "-startdate", "20200101000000Z",
                 "-enddate", "20200201000000Z", "-extfile", ext, "-in", request, "-out", cert, "-notext")
    else:
        _openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "30",
                 "-extfile", ext, "-out", cert)
    with open(path, "w") as out:
        for part in (key, cert):
            with open(part) as f:
                out.write(f.read())
    os.chmod(path, 0o600)
    return path


class Gone(Exception):
    """The client left, or the scenario ended the connection."""


class Line:
    """A connection seen as lines."""

    def __init__(self, sock):
        self.sock, self.data = sock, b""

    def send(self, text):
        try:
            self.sock.sendall(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))
        except OSError:
            raise Gone from None

    def say(self, text):
        self.send(text + "\r\n")

    def more(self):
        try:
            part = self.sock.recv(65536)
        except OSError:
            raise Gone from None
        if not part:
            raise Gone
        self.data += part

    def read(self):
        while b"\n" not in self.data:
            self.more()
        line, self.data = self.data.split(b"\n", 1)
        return line.rstrip(b"\r").decode("utf-8", "surrogateescape")

    def take(self, n):
        while len(self.data) < n:
            self.more()
        part, self.data = self.data[:n], self.data[n:]
        return part

    def secure(self, context):
        try:
            self.sock = context.wrap_socket(self.sock, server_side=True)
        except (OSError, ssl.SSLError):
            raise Gone from None
        self.data = b""

    def reset(self):
        """Ends with RST, not FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        raise Gone

    def stall(self):
        """Says nothing more until the client leaves."""
        while True:
            self.more()


class Fake:
    """A server on a free port of 127.0.0.1; a subclass gives talk(line)."""

    def __init__(self, mode="ok", tls="none", certificate="good", folder=None):
        self.mode, self.tls = mode, tls
        self.own_folder = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="cairn-peer-")
        self.lock = threading.Condition()
        self.connections = 0
        self.closing = False
        self.context = None
        if tls != "none":
            pem = make_certificate(self.folder, certificate)
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(pem)
        self.ca = os.path.join(self.folder, "ca.pem")
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        line = Line(sock)
        with self.lock:
            self.connections += 1
        try:
            if self.tls == "implicit":
                line.secure(self.context)
            self.talk(line)
        except Gone:
            pass
        finally:
            with contextlib.suppress(OSError):
                line.sock.close()

    def obey(self, words):
        """A line of standard input: "mode MODE" changes it; subclasses add theirs."""
        if words[0] == "mode":
            self.mode = words[1]

    def facts(self):
        return {"port": self.port, "ca": self.ca, "folder": self.folder}

    def close(self):
        with self.lock:
            self.closing = True
            self.lock.notify_all()
        self.socket.close()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def arguments(description):
    p = argparse.ArgumentParser(description=description)
    p.add_argument("--mode", default="ok")
    p.add_argument("--tls", choices=("none", "implicit", "starttls"), default="none")
    p.add_argument("--certificate", choices=CERTIFICATES, default="good")
    p.add_argument("--folder", help="for certificates and received mail (default: a temporary one)")
    return p


def serve(peer):
    """The command: says the facts, obeys standard input, cleans up at its end."""
    for s in (signal.SIGTERM, signal.SIGINT):
        signal.signal(s, lambda *_: sys.exit(0))
    try:
        print(json.dumps(peer.facts()), flush=True)
        for line in sys.stdin:
            peer.obey(line.split())
            print("ok", flush=True)
    finally:
        peer.close()
