"""What a server's processes cost: processor time, memory, bytes written.

Each server runs in a control group of its own where the kernel lets us make one (version 1 cpuacct
or version 2), so that the time of children that have ended is counted, too. Elsewhere /proc serves:
a living process knows the time of its ended and awaited children.
"""
import os
import time

V1 = "/sys/fs/cgroup/cpuacct"
V2 = "/sys/fs/cgroup"
TICK = os.sysconf("SC_CLK_TCK")


def read(path):
    with open(path) as f:
        return f.read()


def stat_fields(pid):
    """The fields of /proc/PID/stat behind the name, or None when the process is gone."""
    try:
        text = read(f"/proc/{pid}/stat")
    except OSError:
        return None
    return text[text.rindex(")") + 2:].split()


def descendants(root):
    """`root` and all that came from it, as far as the chain of parents is unbroken."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = stat_fields(name)
            if fields:
                parents[int(name)] = int(fields[1])
    found, more = set(), {root} & parents.keys()
    while more:
        found |= more
        more = {p for p, parent in parents.items() if parent in more} - found
    return found


class Group:
    """The processes of one server."""

    def __init__(self, name):
        self.path = None
        self.root = None
        name = f"postrider-bench-{os.getpid()}-{name}"
        if os.path.exists(f"{V1}/cpuacct.usage"):
            path = f"{V1}/{name}"
        elif os.path.exists(f"{V2}/cgroup.controllers"):
            path = f"{V2}/{name}"
        else:
            return
        try:
            os.mkdir(path)
        except OSError:
            return
        self.path = path

    def wrap(self, command):
        """`command` so that it starts inside the group; its process id stays the same."""
        if not self.path:
            return list(command)
        return ["/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"', f"{self.path}/cgroup.procs", *command]

    def pids(self):
        if self.path:
            return {int(p) for p in read(f"{self.path}/cgroup.procs").split()}
        return descendants(self.root) if self.root else set()

    def cpu_seconds(self):
        """User and system time of all, ended ones included."""
        if self.path and os.path.exists(f"{self.path}/cpuacct.usage"):
            return int(read(f"{self.path}/cpuacct.usage")) / 1e9
        if self.path:
            for line in read(f"{self.path}/cpu.stat").splitlines():
                if line.startswith("usage_usec"):
                    return int(line.split()[1]) / 1e6
        total = 0
        for pid in self.pids():
            fields = stat_fields(pid)
            if fields:
                total += sum(int(f) for f in fields[11:15])
        return total / TICK

    def pss_bytes(self):
        """Proportional memory of all processes: a shared page counts once, divided among them."""
        total = 0
        for pid in self.pids():
            try:
                lines = read(f"/proc/{pid}/smaps_rollup").splitlines()
            except OSError:
                continue
            total += sum(int(l.split()[1]) for l in lines if l.startswith("Pss:"))
        return total * 1024

    def close(self):
        for _ in range(50):
            try:
                if self.path:
                    os.rmdir(self.path)
                self.path = None
                return
            except OSError:
                time.sleep(0.1)


def device_bytes_written(path):
    """Bytes that the block device under `path` was told to write so far; None where there is none."""
    device = os.stat(path).st_dev
    try:
        fields = read(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat").split()
    except OSError:
        return None
    return int(fields[6]) * 512
