"""What the figures were measured on, and what its disk can do at most."""
import os
import platform
import subprocess
import tempfile
import time


def first(path, key):
    try:
        with open(path) as f:
            for line in f:
                if line.startswith(key):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return "unknown"


def version(*command):
    try:
        out = subprocess.run(command, capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return out.strip().splitlines()[0] if out.strip() else "unknown"


def filesystem(path):
    """Type and options of the file system that holds `path`."""
    best, kind = "", "unknown"
    path = os.path.realpath(path)
    with open("/proc/mounts") as f:
        for line in f:
            _, at, fs, options = line.split()[:4]
            inside = path == at or path.startswith(at.rstrip("/") + "/")
            if inside and len(at) >= len(best):
                best, kind = at, f"{fs} ({options})"
    return kind


def syncs_per_second(directory, seconds=1.0):
    """How often 4 KiB can be appended to a preallocated file and made durable, one after another."""
    with tempfile.TemporaryFile(dir=directory) as f:
        fd = f.fileno()
        os.posix_fallocate(fd, 0, 256 << 20)
        os.fsync(fd)
        begin, n = time.monotonic(), 0
        while time.monotonic() - begin < seconds:
            os.pwrite(fd, b"x" * 4096, n * 4096 % (256 << 20))
            os.fdatasync(fd)
            n += 1
        return n / (time.monotonic() - begin)


def describe(directory, root):
    return {
        "date": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "processor": first("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory": first("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "file_system": filesystem(directory),
        "syncs_per_second": round(syncs_per_second(directory)),
        "load_average": os.getloadavg()[0],
        "commit": version("git", "-C", root, "describe", "--always", "--dirty"),
        "postfix": version("dpkg-query", "-W", "-f", "${Version}\n", "postfix"),
        "dovecot": version("dpkg-query", "-W", "-f", "${Version}\n", "dovecot-pop3d"),
    }
