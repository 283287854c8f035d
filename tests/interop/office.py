"""The Postrider that the clients of this folder talk to, its mailboxes, and what is sent through them."""
import base64
import itertools
import os
import random
import re
import shutil
import socket
import ssl
import subprocess

import pytest

from system import HOST, System

DOMAIN, PASSWORD, STRANGER = "interop.test", "w0rd of: interop", "stranger@elsewhere.test"
SERVICES = ("smtp", "submission", "submissions", "lmtp", "pop3", "pop3s")
# Clients come one after the other from one address: what limits strangers must not limit a test.
LINES = (f"admin postmaster@{DOMAIN}", "processes { edge 2; session 2; filter 2 }", "trust 127.0.0.1 { unlimited }")
# In the log of a run that went well there is none of these.
DEADLY = re.compile(r"role\.(ended|begin_failed|killed)\b|process\.impossible|Sanitizer|runtime error:")


class Office(System):
    def __init__(self, folder):
        super().__init__(folder, SERVICES, LINES, host="mx." + DOMAIN, tls=True)
        self.numbers = itertools.count(1)

    def open(self):
        self.must("domain", "add", DOMAIN)

    def new_box(self, *options):
        """A mailbox that only one case knows."""
        address = f"box{next(self.numbers)}@{DOMAIN}"
        self.add_account(address, PASSWORD, *options)
        return Box(self, address)

    def tls_context(self):
        return ssl.create_default_context(cafile=str(self.ca))

    def check_log(self):
        found = [line for line in self.log.read_text(errors="replace").splitlines() if DEADLY.search(line)]
        assert not found, "\n".join(found[:10])


class Box:
    """A mailbox, read in the plainest way there is, so that no library stands between the test and the bytes."""

    def __init__(self, office, address):
        self.office, self.address, self.password = office, address, PASSWORD
        self.binary = False

    def ask(self, command):
        self.sock.sendall(command.encode() + b"\r\n")
        return self.answer()

    def answer(self):
        line = self.file.readline()
        assert line.startswith(b"+OK"), line
        return line

    def content(self):
        """The lines behind a multi-line answer, dot-stuffing undone."""
        lines = []
        while (line := self.file.readline()) != b".\r\n":
            assert line, "closed within a message"
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def read(self):
        """All messages, as they are on the wire."""
        with socket.create_connection((HOST, self.office.port["pop3"]), timeout=30) as self.sock:
            self.file = self.sock.makefile("rb")
            self.answer()
            self.ask("USER " + self.address)
            self.ask("PASS " + self.password)
            messages = []
            for number in range(1, int(self.ask("STAT").split()[1]) + 1):
                said = self.ask(f"RETR {number}")
                messages.append(self.content())
                size = int(re.search(rb"(\d+) octets", said).group(1))
                # What came in as BINARYMIME may have line ends that POP3 cannot show: they grow on the wire.
                assert size == len(messages[-1]) or self.binary, f"{size} announced, {len(messages[-1])} sent"
            self.ask("QUIT")
            self.file.close()
        return messages

    def read_one(self):
        messages = self.read()
        assert len(messages) == 1, f"{len(messages)} messages"
        return messages[0]

    def count(self):
        return len(self.read())


def split_trace(message):
    """What we put before a message, and the message as it came in: Return-Path, Delivered-To and one Received field."""
    # Up to the date that ends the Received field: a message may begin with what looks like one more line of it.
    found = re.match(rb"Return-Path: [^\r\n]*\r\nDelivered-To: [^\r\n]*\r\nReceived: [^\r\n]*\r\n(?:\t[^\r\n]*\r\n)*?"
                     rb"\t\w{3}, [^\r\n]*\r\n", message)
    assert found, message[:300]
    return found.group(0), message[found.end():]


def check_arrived(box, text, protocol, sender=STRANGER):
    """Exactly this one message is there, byte for byte, and its trace tells how it came."""
    trace, got = split_trace(box.read_one())
    assert got == text, f"differs: got {len(got)} bytes for {len(text)}:\n{got[:500]!r}\n{text[:500]!r}"
    assert re.search(rb"\swith (\S+)", trace).group(1).decode() == protocol, trace
    assert f"Return-Path: <{sender}>\r\nDelivered-To: {box.address}\r\n".encode() in trace


# ---- messages ----

def compose(sender, recipient, body, subject="sample", headers=""):
    number = random.SystemRandom().randrange(1 << 48)
    return (f"From: {sender}\r\nTo: {recipient}\r\nSubject: {subject}\r\nDate: Mon, 4 May 2026 10:20:30 +0200\r\n"
            f"Message-ID: <{number:x}@client.test>\r\n{headers}\r\n").encode() + body


def attachment(size):
    """A MIME message with `size` bytes of something incompressible, the same each time."""
    data = base64.encodebytes(random.Random(1).randbytes(size)).replace(b"\n", b"\r\n")
    return (b"--=_b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--=_b\r\nContent-Type: application/octet-stream\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" + data + b"--=_b--\r\n")


MIME = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n"
UTF8 = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"


def samples(sender, recipient):
    """Messages that are easy to damage, by name."""
    bodies = {
        "plain": (b"Hello.\r\n", ""),
        "dots": (b".\r\n..\r\n.a\r\n...\r\n.\r\n\r\n. \r\nend\r\n", ""),
        "from": (b"From here on\r\n\r\nFrom there\r\n>From quoted\r\n", ""),
        "blanks": (b"\r\n\r\n  \r\n\t\r\ntrailing blanks   \r\n\r\n\r\n", ""),
        "utf8": ("Grüße, 漢字, עברית, 🙂\r\n".encode() * 20, UTF8),
        "long lines": (b"x" * 998 + b"\r\n" + b"." * 997 + b"\r\n", ""),
        "no body": (b"", ""),
        "large": (attachment(400_000), MIME),
    }
    return {name: compose(sender, recipient, body, name, headers) for name, (body, headers) in bodies.items()}


# ---- clients ----

def need(*programs):
    """Skip the case when a program it is about is not installed."""
    for program in programs:
        if shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin") is None:
            pytest.skip(f"{program} is not installed")


def run(folder, *words, stdin=b"", ok=(0,), wait_s=40):
    """A client at work: its home is the case's folder, so that it finds no configuration but ours."""
    env = {"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TMPDIR": str(folder)}
    p = subprocess.run([str(w) for w in words], input=stdin, capture_output=True, timeout=wait_s, env=env, cwd=folder)
    assert p.returncode in ok, f"{words[0]} ended with {p.returncode}:\n{(p.stdout + p.stderr).decode(errors='replace')[-3000:]}"
    return p


def write(path, text, mode=0o600):
    """A file for a client; those that hold passwords must be private, or clients refuse them."""
    path.touch(mode=mode)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
