"""The load tools: the project's own driver, and smtp-source from Debian's postfix package."""
import json
import os
import resource
import selectors
import shutil
import subprocess
import time

from server import Failed


class Driver:
    """bench/load.c"""

    name = "load"

    def __init__(self, build, pipelining=False):
        self.program = f"{build}/bench/load"
        self.pipelining = pipelining

    def run(self, kind, port, timeout=120, **options):
        command = self.command(kind, port, timeout, **options)
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout + 30)
        if done.returncode not in (0, 1) or not done.stdout:
            raise Failed(f"{' '.join(command)}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def command(self, kind, port, timeout, **options):
        words = [self.program, kind, "--server", f"127.0.0.1:{port}", "--timeout", str(timeout)]
        if self.pipelining and kind == "smtp":
            options.setdefault("pipelining", True)
        for key, value in options.items():
            if isinstance(value, bool):
                value = "yes" if value else "no"
            words += ["--" + key.replace("_", "-"), str(value)]
        return words

    def send(self, port, timeout, **options):
        """Send messages; returns accepted, seconds, tool_cpu_seconds, latency, first_failure."""
        told = self.run("smtp", port, timeout, **options)
        return {"accepted": told["done"], "seconds": told["seconds"],
                "tool_cpu_seconds": told["cpu_seconds"], "latency_us": told["latency_us"],
                "not_accepted": told["failed"] + told["unfinished"],
                "first_failure": told["first_failure"]}


class SmtpSource:
    """Counts what it sent by its exit code: it ends at the first refusal. It has no latencies."""

    name = "smtp-source"

    @staticmethod
    def is_there():
        return shutil.which("smtp-source") is not None

    def send(self, port, timeout, sessions, messages, size, per_connection=1, rcpts=1, **_):
        command = ["smtp-source", "-s", str(sessions), "-m", str(messages), "-l", str(size),
                   "-r", str(rcpts), "-f", "sender@load.test", "-t", "user1@bench.test"]
        if per_connection > 1:
            command.append("-d")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.monotonic()
        done = subprocess.run([*command, f"127.0.0.1:{port}"], capture_output=True, text=True,
                              timeout=timeout)
        seconds = time.monotonic() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            raise Failed(f"{' '.join(command)}: {done.stderr.strip()}")
        return {"accepted": messages, "seconds": seconds, "not_accepted": 0, "first_failure": "",
                "latency_us": None,
                "tool_cpu_seconds": after.ru_utime + after.ru_stime
                - before.ru_utime - before.ru_stime}


class Strangers:
    """Connections that are held open by a driver of their own until close()."""

    def __init__(self, driver, port, sessions, ready_seconds=60, **options):
        options.setdefault("bind_range", "127.1.0.1+2000")
        command = driver.command("idle", port, 600, sessions=sessions, **options)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ready = self.line(ready_seconds)    # None: not all are up, nor refused

    def line(self, timeout):
        """The driver's next line, or what it has when the time is over."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            if not waiting.select(timeout):
                return None
        text = self.process.stdout.readline()
        return json.loads(text) if text else None

    def close(self):
        """Let them go. Returns the driver's last account: holding, refused, lost."""
        self.process.stdin.close()
        try:
            last = self.line(30)
            if last and last["event"] == "ready":
                last = self.line(30)
            self.process.wait(30)
        except (subprocess.TimeoutExpired, ValueError):
            self.process.kill()
            self.process.wait()
            last = None
        self.process.stdout.close()
        return last

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.close()
