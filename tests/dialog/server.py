"""One running Postrider: its folder, ports, log, and the commands asked of it."""
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
BINARY = pathlib.Path(os.environ.get("POSTRIDER", TOP / "build" / "postrider")).resolve()
# A machine with something else to do, or a build with sanitizers, may need more.
PATIENCE = float(os.environ.get("DIALOG_PATIENCE", "20"))
HOST = "127.0.0.1"
PASSWORD = "secret"

# What must never be in a log, whatever the dialog was about.
DEADLY = re.compile(r" role\.(ended|begin_failed|killed)\b|process\.impossible|Sanitizer|runtime error:|\.cut_off\b")
LOUD = re.compile(r"^\S+Z \S+ (error|warn) |^(?!\S+Z )")


def free_port(taken):
    """A port that nobody has, below those that the kernel gives to clients: it has to be free again after a restart."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind((HOST, port))
            except OSError:
                continue
        if port not in taken:
            return port


class Server:
    """A configuration of configs/, started, asked, stopped. `folder` holds everything it writes."""

    def __init__(self, config):
        self.config = config
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dialog."))
        os.chmod(self.folder, 0o755)
        self.conf, self.log = self.folder / "postrider.conf", self.folder / "log"
        self.process, self.ports, self.services = None, {}, {}
        self.expected = [r"depot\.in_memory", r"ASan doesn't fully support makecontext"]
        self.fill_in()

    # ---- preparation ----

    def fill_in(self):
        """Write the configuration with ports and paths in the place of ${words}."""
        text = (HERE / "configs" / f"{self.config}.conf").read_text()
        self.expected += re.findall(r"^# expect-log: (.*)", text, re.M)
        for service, name in re.findall(r"^listen (\w+) \d[^\s$]*:\$\{(\w+)\}", text, re.M):
            self.services[name] = service
        for service, path, in re.findall(r"^listen (\w+) unix:\$\{dir\}/(\w+)", text, re.M):
            self.services[path] = service

        def word(match):
            name = match.group(1)
            if name == "dir":
                return str(self.folder)
            if name == "user":
                return "nobody"  # whom the roles become when we are root; otherwise they stay who we are
            if name not in self.ports:
                self.ports[name] = free_port(self.ports.values())
            return str(self.ports[name])

        self.conf.write_text(re.sub(r"\$\{(\w+)\}", word, text))
        if re.search(r"^\s*certificate", text, re.M) or "certificate" in text:
            self.make_certificate()

    def make_certificate(self):
        """A certificate of our own, and its authority."""
        done = self.tool(["tls", "selfsigned", "localhost", HOST, str(self.folder / "tls")], config=False)
        assert done.returncode == 0, f"no certificate: {done.stdout}{done.stderr}"

    def setup_lines(self):
        """The tool commands that fill the directory once the server runs (configs/NAME.setup)."""
        path = HERE / "configs" / f"{self.config}.setup"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if line.strip() and not line.startswith("#")]

    # ---- life ----

    def start(self):
        self.started_at = self.log_position()
        log = open(self.log, "ab")
        self.process = subprocess.Popen([BINARY, "run", "-c", self.conf], stdout=log, stderr=log, cwd=self.folder,
                                        start_new_session=True)
        log.close()
        deadline = time.monotonic() + 3 * PATIENCE
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the server did not come up:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.02)

    def is_ready(self):
        return "keeper.ready" in self.log_since(self.started_at)

    def fill(self):
        for line in self.setup_lines():
            done = self.command(line)
            if done.returncode != 0:
                raise AssertionError(f"setup failed: {line}\n{done.stdout}{done.stderr}")

    def stop(self):
        """End it by SIGTERM; it must end by itself, with 0."""
        if self.process is not None:
            self.term()
            self.wait()

    def term(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self):
        process, self.process = self.process, None
        try:
            code = process.wait(timeout=3 * PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(f"SIGTERM did not end the server:\n{self.log.read_text()[-3000:]}") from None
        assert code == 0, f"the server ended with {code}:\n{self.log.read_text()[-3000:]}"

    def kill(self):
        """As a crash: every process at once, without a word."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def remove(self):
        """Leave nothing behind, whatever has happened."""
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def check_log(self):
        """No process died, nothing was reported that a dialog has not announced."""
        lines = self.log.read_text(errors="replace").splitlines()
        assert not [x for x in lines if DEADLY.search(x)], self.excerpt(DEADLY)
        loud = [x for x in lines if LOUD.search(x) and not any(re.search(e, x) for e in self.expected)]
        assert not loud, "unexpected lines in the log:\n" + "\n".join(loud[:20])

    def excerpt(self, pattern):
        lines = self.log.read_text(errors="replace").splitlines()
        at = next((i for i, x in enumerate(lines) if pattern.search(x)), 0)
        return "in the log:\n" + "\n".join(lines[max(0, at - 3):at + 30])

    def log_position(self):
        return self.log.stat().st_size if self.log.exists() else 0

    def log_since(self, position):
        with open(self.log, "rb") as f:
            f.seek(position)
            return f.read().decode(errors="replace")

    def wait_log(self, pattern, position):
        """What matches in the log behind `position`; it may come a moment later."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.log_since(position), re.M)):
            assert time.monotonic() < deadline, f"not in the log:\n{self.log_since(position)[-3000:]}"
            time.sleep(0.02)
        return found

    # ---- asking ----

    def tool(self, words, stdin=None, config=True):
        args = [BINARY, *words, *(["-c", self.conf] if config else [])]
        return subprocess.run(args, input=stdin if stdin is not None else "", text=True, capture_output=True, cwd=self.folder,
                              timeout=3 * PATIENCE, errors="replace")

    def command(self, line):
        """A line as a shell would split it; `<<< TEXT` at its end is given to standard input; with a word -c of its
        own, ours is left away."""
        words, _, stdin = line.partition(" <<<")
        words = shlex.split(words)
        stdin = stdin.strip().replace("\\n", "\n") + "\n" if _ else None
        return self.tool(words, stdin, config=needs_config(words))


def needs_config(words):
    """Is this a command that takes -c, and has none yet?"""
    plain = {"man", "--help", "-h", "help", "--version", "version", "tls"}
    return bool(words) and words[0] not in plain and "-c" not in words
