"""A server under measurement: started in a control group, stopped by its own process ids."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import meter

SYNC_CALLS = "fsync,fdatasync,sync_file_range,syncfs,sync,msync"
DOMAIN = "bench.test"


class Missing(Exception):
    """The server is not there on this machine; says why."""


class Failed(Exception):
    """The server is there, but did not do what it should."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, test, seconds):
    """Poll `test` until it says something true, and return that."""
    end = time.monotonic() + seconds
    while True:
        value = test()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds:g} s")
        time.sleep(0.01)


def answers(port, greeting):
    """True when the port greets as it should."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
            s.settimeout(5)
            return s.recv(512).startswith(greeting)
    except OSError:
        return False


class Server:
    """One server with a directory of its own. Subclasses fill in prepare() and command()."""

    name = "server"
    title = "Server"
    greeting = b"220"
    durable_at_250 = True     # delivered when accepted: nothing to wait for
    has_tls = False

    def __init__(self, where, **settings):
        self.where = where            # a directory for all that it writes
        self.settings = settings
        self.port = None
        self.process = None
        self.group = None
        self.syncs_file = None

    # What differs between servers.

    def prepare(self):
        """Write configuration into self.dir and choose self.port. May raise Missing."""

    def command(self):
        """The command line of the process that stays in the foreground."""
        raise NotImplementedError

    def environment(self):
        return None

    def delivered(self):
        """How many messages stand in mailboxes now; None when 250 means just that."""
        return None

    def is_idle(self):
        """Nothing waits for delivery."""
        return True

    def clear(self):
        """Remove delivered messages, as far as they would make the next run slower."""

    # What all have in common.

    def start(self, count_syncs=False):
        self.dir = tempfile.mkdtemp(prefix=f"postrider-bench-{self.name}-", dir=self.where)
        os.chmod(self.dir, 0o755)
        try:
            self.prepare()
            self.group = meter.Group(self.name)
            command = list(self.command())
            if count_syncs:
                self.syncs_file = f"{self.dir}/syncs"
                command = ["strace", "-f", "--seccomp-bpf", "-qq", "-c", "-e",
                           f"trace={SYNC_CALLS}", "-o", self.syncs_file, *command]
            with open(f"{self.dir}/output", "wb") as output:
                self.process = subprocess.Popen(
                    self.group.wrap(command), stdin=subprocess.DEVNULL, stdout=output,
                    stderr=output, env=self.environment(), cwd=self.dir)
            self.group.root = self.process.pid
            wait_for(f"{self.title} to listen", self.is_up, 60)
        except BaseException:
            self.stop()
            raise
        return self

    def is_up(self):
        if self.process.poll() is not None:
            raise Failed(f"{self.title} ended with {self.process.returncode}: {self.output()}")
        return answers(self.port, self.greeting)

    def output(self):
        try:
            with open(f"{self.dir}/output", errors="replace") as f:
                return f.read()[-2000:].strip()
        except OSError:
            return ""

    def main_pid(self):
        """The server itself, which under strace is the child of what we started."""
        if not self.syncs_file:
            return self.process.pid
        children = meter.read(f"/proc/{self.process.pid}/task/{self.process.pid}/children").split()
        return int(children[0]) if children else self.process.pid

    def stop(self):
        """End it, wait for its last process, and remove its directory. Returns what strace counted."""
        syncs = None
        if self.process:
            self.terminate()
            self.process = None
        if self.group:
            self.group.close()
            self.group = None
        if self.syncs_file:
            syncs = read_syncs(self.syncs_file)
            self.syncs_file = None
        shutil.rmtree(self.dir, ignore_errors=True)
        return syncs

    def terminate(self):
        pids = self.group.pids() | {self.process.pid}
        if self.process.poll() is None:
            os.kill(self.main_pid(), signal.SIGTERM)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            self.process.poll()
            pids = {p for p in self.group.pids() if self.is_ours(p)}
            if not pids and self.process.returncode is not None:
                return
            time.sleep(0.05)
        for pid in pids | {self.process.pid}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(10)

    @staticmethod
    def is_ours(pid):
        fields = meter.stat_fields(pid)
        return bool(fields) and fields[0] != "Z"

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def wait_delivered(self, before, count, seconds):
        """Wait until `count` messages more than `before` stand in mailboxes."""
        if self.durable_at_250:
            return
        wait_for(f"{self.title} to drain its queue", self.is_idle, seconds)
        wait_for(f"{self.title} to deliver {count} messages",
                 lambda: self.delivered() - before >= count, seconds)


def read_syncs(path):
    """Calls by name out of a summary that strace -c wrote."""
    calls = {}
    try:
        with open(path) as f:
            for line in f:
                words = line.split()
                # % time, seconds, usecs/call, calls, [errors,] syscall
                if len(words) >= 5 and words[3].isdigit() and words[-1] in SYNC_CALLS.split(","):
                    calls[words[-1]] = int(words[3])
    except OSError:
        return None
    return calls
