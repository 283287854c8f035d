"""One whole Postrider on free loopback ports, for the tests that talk to it from outside: started, asked, killed, stopped."""
import os
import pathlib
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BINARY = os.environ.get("POSTRIDER", str(ROOT / "build" / "postrider"))
HOST = "127.0.0.1"


def free_port():
    with socket.socket() as s:
        s.bind((HOST, 0))
        return s.getsockname()[1]


class System:
    """Its folder holds configuration, store, certificate and log. Each service of `services` listens on a port of its
    own, self.port[service]; `lines` are further lines of configuration."""

    def __init__(self, folder, services=("smtp", "pop3"), lines=(), host="localhost", tls=False):
        self.folder, self.port = pathlib.Path(folder), {service: free_port() for service in services}
        self.conf, self.log = self.folder / "postrider.conf", self.folder / "log"
        self.ca = self.folder / "tls" / "ca.pem"
        text = [f"host {host}", f"store {self.folder}/store", f"run {self.folder}/run", *lines]
        text += [f"listen {service} {HOST}:{port}" for service, port in self.port.items()]
        if tls:
            self.make_certificate()
            text.append(f"tls {{ certificate {self.ca.parent}/cert.pem key {self.ca.parent}/key.pem }}")
        if os.geteuid() == 0:
            text.append("user root")
        self.conf.write_text("\n".join(text) + "\n")
        self.keeper = None

    def make_certificate(self):
        self.ca.parent.mkdir()
        p = subprocess.run([BINARY, "tls", "selfsigned", "localhost", HOST, str(self.ca.parent)], capture_output=True, text=True,
                           timeout=60)
        assert p.returncode == 0, p.stdout + p.stderr

    # ---- life ----

    def start(self):
        with open(self.log, "a") as log:
            self.keeper = subprocess.Popen([BINARY, "run", "-c", str(self.conf)], stderr=log, stdin=subprocess.DEVNULL,
                                           start_new_session=True)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.keeper.poll() is None, self.log_end()
            if self.tool("status").returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError("did not come up:\n" + self.log_end())

    def stop(self):
        if self.is_running():
            self.keeper.terminate()
            try:
                self.keeper.wait(30)
            except subprocess.TimeoutExpired:
                self.kill_all()
                raise
        return self.keeper.returncode

    def is_running(self):
        return self.keeper is not None and self.keeper.poll() is None

    def children(self):
        """Pids of the roles by name, from the kernel."""
        found = {}
        try:
            pids = pathlib.Path(f"/proc/{self.keeper.pid}/task/{self.keeper.pid}/children").read_text().split()
        except OSError:
            return found
        for pid in pids:
            try:
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"--role" in words:
                found.setdefault(words[words.index(b"--role") + 1].decode(), []).append(int(pid))
        return found

    def kill_role(self, role, rng):
        pids = self.children().get(role, [])
        if not pids:
            return False
        os.kill(rng.choice(pids), signal.SIGKILL)
        return True

    def kill_all(self):
        pids = [pid for group in self.children().values() for pid in group]
        self.keeper.kill()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.keeper.wait()
        for pid in pids:  # gone for good, or the next keeper finds the store locked
            deadline = time.monotonic() + 10
            while pathlib.Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
                time.sleep(0.01)

    # ---- asking ----

    def tool(self, *words, stdin=None):
        return subprocess.run([BINARY, *words, "-c", str(self.conf)], input=stdin, text=True, capture_output=True, timeout=60)

    def must(self, *words, stdin=None):
        p = self.tool(*words, stdin=stdin)
        assert p.returncode == 0, p.stdout + p.stderr
        return p.stdout

    def add_account(self, address, password, *options):
        self.must("account", "add", address, "--password-stdin", *options, stdin=password + "\n")

    def log_end(self):
        return self.log.read_text(errors="replace")[-2000:]
