"""Kill anything at any moment: what was answered 250 is there, whole, once.

A load client remembers every message for which the reply to the final dot was 250, with the digest of its content, while a
killer ends processes: each role, the keeper, everything at once; at random moments and, for the depot, at the Nth call of
the system calls that make a commit durable (by strace's injection). After the last restart every mailbox is read over
POP3 and compared. A message whose reply was lost may be there or not, but never twice and never in parts: the client
sends it again, as RFC 1047 has it, and the repeat is recognised.

CRASH_SECONDS (10) and CRASH_SEED make a longer or a repeated run."""
import hashlib
import os
import pathlib
import poplib
import random
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from system import System  # noqa: E402

SECONDS = float(os.environ.get("CRASH_SECONDS", "10"))
SEED = int(os.environ.get("CRASH_SEED", str(random.SystemRandom().randrange(1 << 30))))
DOMAIN, ACCOUNTS, SENDERS, PASSWORD = "crash.test", 3, 6, "crash-test-word"


class Server(System):
    """What the cases here kill: small, with more than one of some roles."""

    def __init__(self, folder):
        super().__init__(folder, host="crash.test", lines=[
            f"admin user0@{DOMAIN}", "processes { edge 2; session 1; filter 2 }", "log { level info }"])


class Sender(threading.Thread):
    """Sends one message after another; a message without a clear answer is sent again until it has one."""

    def __init__(self, server, number, stop):
        super().__init__(daemon=True)
        self.server, self.number, self.stop_event = server, number, stop
        self.rng = random.Random(SEED * 1000 + number)
        self.acknowledged, self.unclear, self.refused = {}, {}, []
        self.sock = self.file = None

    def read(self):
        while True:
            line = self.file.readline()
            if not line:
                raise ConnectionError("closed")
            if line[3:4] != b"-":
                return line

    def say(self, text):
        self.sock.sendall(text)
        return self.read()

    def connect(self):
        self.sock = socket.create_connection(("127.0.0.1", self.server.port["smtp"]), timeout=20)
        self.file = self.sock.makefile("rb")
        self.read()
        self.say(b"EHLO client.test\r\n")

    def message(self, serial):
        # Mostly small; some beyond what travels in a frame, and some that are staged in several chunks.
        size = 1500000 if serial % 60 == 0 else 300000 if serial % 20 == 0 else self.rng.choice([10, 500, 4096, 30000])
        body = "".join(self.rng.choice("abcdefghijklmnop \n") for _ in range(min(size, 2000)))
        body = (body * (size // max(len(body), 1) + 1))[:size].replace("\n", "\r\n")
        ident = f"{self.number}.{serial}.{SEED}"
        text = f"Message-ID: <{ident}@crash.test>\r\nSubject: {ident}\r\nX-Crash: {ident}\r\n\r\n{body}\r\n"
        return ident, re.sub(r"\r\n\.", "\r\n,", text).encode()

    def offer(self, rcpts, text):
        """True: 250; False: refused for now; raises when the answer is lost."""
        if self.sock is None:
            self.connect()
        for command in [b"MAIL FROM:<load@client.test>\r\n"] + [f"RCPT TO:<{r}>\r\n".encode() for r in rcpts] + [b"DATA\r\n"]:
            reply = self.say(command)
            if reply[:1] not in b"23":
                assert reply[:1] == b"4", reply  # nothing here deserves a permanent refusal
                self.say(b"RSET\r\n")
                return False
        reply = self.say(text + b".\r\n")
        assert reply[:1] in b"24", reply
        return reply[:3] == b"250"

    def close(self):
        if self.sock is not None:
            self.sock.close()
        self.sock = self.file = None

    def deliver(self, ident, rcpts, text, deadline):
        while time.monotonic() < deadline:
            try:
                if self.offer(rcpts, text):
                    self.acknowledged[ident] = (rcpts, text)
                    self.unclear.pop(ident, None)
                    return
            except (OSError, ConnectionError):
                self.close()
            self.unclear[ident] = (rcpts, text)
            time.sleep(0.02)

    def run(self):
        serial = 0
        while not self.stop_event.is_set():
            serial += 1
            ident, text = self.message(serial)
            rcpts = self.rng.sample([f"user{i}@{DOMAIN}" for i in range(ACCOUNTS)], self.rng.randint(1, ACCOUNTS))
            self.deliver(ident, rcpts, text, time.monotonic() + 60)
            time.sleep(0.01)  # enough to be always under way, not so much that reading it back takes minutes
        self.close()


def prepare(folder):
    server = Server(folder)
    server.start()
    server.must("domain", "add", DOMAIN)
    for i in range(ACCOUNTS):
        server.add_account(f"user{i}@{DOMAIN}", PASSWORD)
    return server


def read_mailbox(server, account):
    """Digest of each message as it was sent, by its identity: {ident: [digest, ...]}."""
    deadline = time.monotonic() + 30
    while True:
        try:
            pop = poplib.POP3("127.0.0.1", server.port["pop3"], timeout=60)
            pop.user(account)
            pop.pass_(PASSWORD)
            break
        except (OSError, poplib.error_proto):
            assert time.monotonic() < deadline, "cannot log in"
            time.sleep(0.2)
    found = {}
    for number in range(1, pop.stat()[0] + 1):
        text = b"\r\n".join(pop.retr(number)[1]) + b"\r\n"
        start = text.index(b"Message-ID: <")  # what stands before it are our own trace headers
        ident = re.search(rb"X-Crash: (\S+)", text).group(1).decode()
        found.setdefault(ident, []).append(hashlib.sha256(text[start:]).hexdigest())
    pop.quit()
    return found


def verify(server, senders):
    """Compare mailboxes with what was promised; returns (promised, present)."""
    boxes = {f"user{i}@{DOMAIN}": read_mailbox(server, f"user{i}@{DOMAIN}") for i in range(ACCOUNTS)}
    promised, faults = 0, []
    for s in senders:
        for known, must_be_there in ((s.acknowledged, True), (s.unclear, False)):
            for ident, (rcpts, text) in known.items():
                digest = hashlib.sha256(text).hexdigest()
                here = [len(boxes[r].get(ident, [])) for r in rcpts]
                promised += must_be_there * len(rcpts)
                if must_be_there and min(here) < 1:
                    faults.append(f"lost: {ident} {here}")
                if max(here) > 1:
                    faults.append(f"doubled: {ident} {here}")
                if len(set(here)) > 1:
                    faults.append(f"in part of the mailboxes only: {ident} {here}")
                for r in rcpts:
                    if any(d != digest for d in boxes[r].get(ident, [])):
                        faults.append(f"altered: {ident} in {r}")
    assert not faults, f"seed {SEED}: " + "\n".join(faults[:20])
    return promised, sum(len(v) for box in boxes.values() for v in box.values())


def load_while(server, work):
    stop = threading.Event()
    senders = [Sender(server, n, stop) for n in range(SENDERS)]
    for s in senders:
        s.start()
    try:
        work()
    finally:
        stop.set()
        for s in senders:
            s.join(90)
    assert not any(s.is_alive() for s in senders)
    return senders


def check_store(server):
    """The store's own check, while nothing else runs."""
    p = server.tool("store", "check")
    assert p.returncode == 0, p.stdout + p.stderr


@pytest.fixture
def server(tmp_path):
    s = prepare(tmp_path)
    yield s
    if s.is_running():
        s.kill_all()
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.mark.parametrize("roles", [["depot"], ["filter"], ["edge"], ["authd", "session"], ["depot", "filter", "edge"]],
                         ids=lambda r: "+".join(r))
def test_roles_killed_at_random(server, roles):
    rng = random.Random(SEED)
    kills = [0]

    def work():
        end = time.monotonic() + SECONDS / 5
        while time.monotonic() < end:
            time.sleep(rng.uniform(0.05, 0.6))
            kills[0] += server.kill_role(rng.choice(roles), rng)
    senders = load_while(server, work)
    assert kills[0] > 0
    promised, _ = verify(server, senders)
    assert promised > 0
    assert server.stop() == 0
    check_store(server)


def test_everything_killed_at_random(server):
    rng = random.Random(SEED + 1)
    rounds = max(3, int(SECONDS / 4))

    def work():
        for _ in range(rounds):
            time.sleep(rng.uniform(0.2, 1.0))
            server.kill_all()
            server.start()
    senders = load_while(server, work)
    promised, _ = verify(server, senders)
    assert promised > 0
    assert server.stop() == 0
    check_store(server)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("strace") is None, reason="needs root and strace to stop at a system call")
@pytest.mark.parametrize("call", ["fdatasync", "pwritev,pwrite64,pwritev2,writev", "openat", "fallocate", "rename,renameat2,renameat"])
def test_depot_killed_at_a_system_call(server, call):
    rng = random.Random(SEED + 2)
    hit = [0]

    def work():
        for _ in range(max(2, int(SECONDS / 6))):
            depots = server.children().get("depot", [])
            if depots:
                p = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={call}:signal=KILL:when={rng.randint(1, 25)}",
                                      "-e", f"trace={call}", "-p", str(depots[0])], stderr=subprocess.DEVNULL)
                try:
                    p.wait(3)
                    hit[0] += 1
                except subprocess.TimeoutExpired:
                    p.terminate()
                    p.wait()
            time.sleep(0.5)
    senders = load_while(server, work)
    promised, _ = verify(server, senders)
    assert promised > 0
    if call == "fdatasync":
        assert hit[0] > 0
    assert server.stop() == 0
    check_store(server)
