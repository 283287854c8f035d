"""The cases: how each is measured, and the goal that stands beside it.

A case has a name, run(bench) which returns plain data, and rows(data) which judges it. Goals are
written here and nowhere else; every measured value comes out of the run at hand.
"""
import os
import statistics
import time

from load import SmtpSource, Strangers
from server import Failed

KIB, MIB = 1024, 1024 * 1024
PASSWORD = "bench-password"


class Goal:
    """`value` against `limit`; at_least tells on which side is good."""

    def __init__(self, limit, at_least, form):
        self.limit, self.at_least, self.form = limit, at_least, form

    def words(self):
        return ("≥ " if self.at_least else "≤ ") + self.form(self.limit)

    def is_met(self, value):
        return value >= self.limit if self.at_least else value <= self.limit


def times(value):
    return f"{value:.3g}x"


def percent(value):
    return f"{value * 100:.0f} %"


def plain(value):
    return f"{value:.3g}"


def kib(value):
    return f"{value:.1f} KiB"


class Row:
    """One line of the report. `goals` are (label, measured or None, Goal)."""

    def __init__(self, case, title, values, goals, note=""):
        self.case, self.title, self.values, self.goals, self.note = case, title, values, goals, note

    def verdict(self):
        if not self.goals or any(value is None for _, value, _ in self.goals):
            return "not measured"
        return "pass" if all(goal.is_met(value) for _, value, goal in self.goals) else "MISS"


def median(rounds, key):
    values = [r[key] for r in rounds if r.get(key) is not None]
    return statistics.median(values) if values else None


def ratio(data, over, under, key="per_second"):
    """Median of the ratios of each round, so that noise that hit both cancels out."""
    pairs = zip(data.get(over, []), data.get(under, []))
    values = [a[key] / b[key] for a, b in pairs if a.get(key) and b.get(key)]
    return statistics.median(values) if values else None


def costs(data):
    """Processor time per unit, of each server and of the load tool beside it."""
    return "; ".join(f"{name} CPU {median(rounds, 'cpu_ms'):.3g} ms, load tool beside it "
                     f"{median(rounds, 'tool_cpu_ms'):.3g} ms" for name, rounds in data.items())


def first_trouble(data):
    """The first refusal any server gave, in words; empty when there was none."""
    for name, rounds in data.items():
        for r in rounds if isinstance(rounds, list) else []:
            if r.get("not_accepted"):
                return f"{name} did not accept {r['not_accepted']}: {r['first_failure']}"
    return ""


def send_delivered(server, tool, deadline, **load):
    """Send and wait for delivery; what it took, per message that was accepted."""
    rcpts = load.get("rcpts", 1)
    before = server.delivered() or 0
    cpu, begin = server.group.cpu_seconds(), time.monotonic()
    told = tool.send(server.port, deadline, accounts=load.pop("accounts", 100), **load)
    server.wait_delivered(before, told["accepted"] * rcpts, deadline)
    seconds = told["seconds"] if server.durable_at_250 else time.monotonic() - begin
    cpu = server.group.cpu_seconds() - cpu
    accepted = told["accepted"]
    if accepted == 0:
        raise Failed(f"{server.title} accepted nothing: {told['first_failure']}")
    return {"messages": accepted, "seconds": seconds, "per_second": accepted / seconds,
            "accepted_per_second": accepted / told["seconds"],
            "cpu_ms": cpu / accepted * 1e3, "tool_cpu_ms": told["tool_cpu_seconds"] / accepted * 1e3,
            "latency_us": told["latency_us"], "not_accepted": told["not_accepted"],
            "first_failure": told["first_failure"]}


class Throughput:
    """Messages per second, accepted and delivered."""

    def __init__(self, name, title, to_postfix, of_floor, **load):
        self.name, self.title, self.load = name, title, load
        self.goals = (Goal(to_postfix, True, times),
                      Goal(of_floor, True, percent) if of_floor else None)

    def run(self, bench):
        data = {}
        with bench.servers("floor", "postfix", "postrider",
                           accounts=self.load.get("accounts", 100)) as servers:
            tool, data["tools"] = self.choose_tool(bench, servers)
            counts = {s.name: self.calibrate(bench, s, tool) for s in servers}
            for server in bench.in_turn(servers):
                os.sync()
                told = send_delivered(server, tool, bench.deadline, messages=counts[server.name],
                                      **self.load)
                data.setdefault(server.name, []).append(told)
                bench.say(f"{self.name} {server.name} {told['per_second']:.1f}/s")
                server.clear()
        return data

    def choose_tool(self, bench, servers):
        """Measure what each load tool costs for this very dialog; take the clearly cheapest."""
        tools = [bench.driver]
        if SmtpSource.is_there() and not bench.driver.pipelining and "pipelining" not in self.load:
            tools.append(SmtpSource())
        costs = {}
        for tool in tools:
            n = max(1000 if self.load["size"] < MIB else 20, self.load["sessions"])
            told = tool.send(servers[0].port, bench.deadline, messages=n,
                             **{"accounts": 100, **self.load})
            costs[tool.name] = told["tool_cpu_seconds"] / n * 1e3
        best = min(tools, key=lambda tool: costs[tool.name])
        if costs[best.name] > 0.8 * costs[bench.driver.name]:
            best = bench.driver      # it measures latencies, too
        return best, {"used": best.name, "cpu_ms": costs}

    def calibrate(self, bench, server, tool):
        """How many messages make a run of about `bench.seconds`; also warms the server up.

        At least a few for each session: a run that is all beginning and end says little."""
        least = 1 if self.load["sessions"] == 1 else 4 * self.load["sessions"]
        n = max(least, 20) if self.load.get("rcpts", 1) == 1 else 1
        for share in (0.3, 1):
            told = send_delivered(server, tool, bench.deadline, messages=n, **self.load)
            n = max(int(told["per_second"] * bench.seconds * share), least)
        server.clear()
        return n

    def rows(self, data):
        goals = [("to Postfix", ratio(data, "postrider", "postfix"), self.goals[0])]
        if self.goals[1]:
            goals.append(("of the floor", ratio(data, "postrider", "floor"), self.goals[1]))
        return [Row(self.name, self.title, data, goals, first_trouble(data))]


class Syncs:
    """Calls that wait for the disk, counted by strace in a short run of its own."""

    name = "syncs"
    title = "syncs per message, 4 KiB, 100 sessions"
    goal = Goal(0.1, False, plain)

    def run(self, bench):
        data = {}
        for server in bench.fixtures("floor", "postfix", "postrider"):
            messages = 500 if server.name == "postfix" else 3000
            alone = self.count(bench, server, 0)
            calls = self.count(bench, server, messages)
            extra = {name: n - alone.get(name, 0) for name, n in calls.items()}
            data[server.name] = [{"calls": extra, "messages": messages,
                                  "per_message": max(sum(extra.values()), 0) / messages}]
            bench.say(f"{self.name} {server.name} {data[server.name][0]['per_message']:.3f}")
        return data

    @staticmethod
    def count(bench, server, messages):
        server.start(count_syncs=True)
        try:
            if messages:
                send_delivered(server, bench.driver, bench.deadline, sessions=100, size=4 * KIB,
                               messages=messages, per_connection=1)
        finally:
            calls = server.stop()
        if calls is None:
            raise Failed("strace left no count")
        return calls

    def rows(self, data):
        value = median(data.get("postrider", []), "per_message")
        return [Row(self.name, self.title, {n: median(r, "per_message") for n, r in data.items()},
                    [("syncs per message", value, self.goal)])]


class DeviceBytes:
    """What the block device was told to write, per byte of the messages' content."""

    name = "bytes"
    title = "bytes to the device per body byte, 4 KiB, 100 sessions"
    goal = Goal(2, False, plain)

    def run(self, bench):
        data = {}
        with bench.servers("floor", "postfix", "postrider") as servers:
            data["noise_bytes_per_second"] = bench.device_noise()
            if data["noise_bytes_per_second"] is None:
                raise Failed("no block device under the directory of the run")
            for server in bench.in_turn(servers):
                load = {"sessions": 100, "size": 4 * KIB, "per_connection": 1000,
                        "messages": 2000 if server.name == "postfix" else 20000}
                os.sync()
                before = bench.device_bytes()
                told = send_delivered(server, bench.driver, bench.deadline, **load)
                os.sync()
                written = bench.device_bytes() - before
                data.setdefault(server.name, []).append(
                    {"per_byte": written / (told["messages"] * load["size"]),
                     "per_message": written / told["messages"], "seconds": told["seconds"]})
                bench.say(f"{self.name} {server.name} {data[server.name][-1]['per_byte']:.2f}")
                server.clear()
        return data

    def rows(self, data):
        values = {n: median(r, "per_byte") for n, r in data.items() if isinstance(r, list)}
        note = f"others wrote {data['noise_bytes_per_second'] / KIB:.0f} KiB/s meanwhile"
        return [Row(self.name, self.title, values,
                    [("bytes per body byte", values.get("postrider"), self.goal)], note)]


class Handshakes:
    """STARTTLS sessions: connect, EHLO, STARTTLS, a new handshake, EHLO, QUIT."""

    name = "starttls"
    title = "STARTTLS sessions per second, a new handshake each, 20 at a time"
    goal = Goal(1.5, True, times)

    def run(self, bench):
        data = {}
        with bench.servers("postfix", "postrider", tls=bench.certificate()) as servers:
            counts = {s.name: self.once(bench, s, 100) for s in servers}
            for server in bench.in_turn(servers):
                count = max(int(counts[server.name]["per_second"] * bench.seconds), 50)
                data.setdefault(server.name, []).append(self.once(bench, server, count))
                bench.say(f"{self.name} {server.name} {data[server.name][-1]['per_second']:.1f}/s")
        return data

    @staticmethod
    def once(bench, server, count):
        cpu = server.group.cpu_seconds()
        told = bench.driver.run("tls", server.port, bench.deadline, sessions=20, messages=count)
        if told["done"] == 0:
            raise Failed(f"{server.title}: no handshake: {told['first_failure']}")
        return {"per_second": told["per_second"], "not_accepted": told["failed"],
                "first_failure": told["first_failure"],
                "cpu_ms": (server.group.cpu_seconds() - cpu) / told["done"] * 1e3,
                "tool_cpu_ms": told["cpu_seconds"] / told["done"] * 1e3}

    def rows(self, data):
        values = {n: median(r, "per_second") for n, r in data.items()}
        return [Row(self.name, self.title, values,
                    [("to Postfix", ratio(data, "postrider", "postfix"), self.goal)],
                    "; ".join(filter(None, (costs(data), first_trouble(data)))))]


class Memory:
    """Proportional memory of all processes with 0, 1000 and 10,000 idle sessions."""

    def __init__(self, name, title, tls, limit_kib):
        self.name, self.title, self.tls = name, title, tls
        self.goal = Goal(limit_kib, False, kib)

    def run(self, bench):
        data = {"counts": [1000] if bench.quick else [1000, 10000]}
        names = ("postfix", "postrider") if self.tls else ("floor", "postfix", "postrider")
        settings = {"tls": bench.certificate()} if self.tls else {}
        for server in bench.fixtures(*names, processes=1100, names_of_clients=False, **settings):
            # A process for each session: ten thousand of them would fill the machine, not tell more.
            counts = [n for n in data["counts"] if n <= 1000 or server.name != "postfix"]
            with server:
                data[server.name] = [self.measure(bench, server, n) for n in [0, *counts]]
        return data

    def measure(self, bench, server, sessions):
        if sessions == 0:
            time.sleep(1)
            return {"sessions": 0, "pss_bytes": server.group.pss_bytes()}
        with Strangers(bench.driver, server.port, sessions, starttls=self.tls) as held:
            if not held.ready:
                raise Failed(f"{server.title}: {sessions} sessions did not come up in time")
            time.sleep(2)
            told = {"sessions": held.ready["holding"], "refused": held.ready["refused"],
                    "pss_bytes": server.group.pss_bytes()}
            bench.say(f"{self.name} {server.name} {told}")
            return told

    @staticmethod
    def per_session(rounds):
        """KiB each at the largest count that was held, above what the empty server takes."""
        if not rounds or len(rounds) < 2 or rounds[-1]["sessions"] == 0:
            return None
        return (rounds[-1]["pss_bytes"] - rounds[0]["pss_bytes"]) / rounds[-1]["sessions"] / KIB

    def rows(self, data):
        values = {n: self.per_session(r) for n, r in data.items() if n != "counts"}
        held = {n: r[-1]["sessions"] for n, r in data.items() if n != "counts"}
        empty = {n: f"{r[0]['pss_bytes'] / MIB:.1f}" for n, r in data.items() if n != "counts"}
        words = lambda d: ", ".join(f"{n} {v}" for n, v in d.items())
        return [Row(self.name, f"{self.title} at {data['counts'][-1]}", values,
                    [("KiB per session", values.get("postrider"), self.goal)],
                    f"sessions held: {words(held)}; MiB when empty: {words(empty)}")]


class Crowd:
    """A legitimate client while strangers hold connections, half of them silent, half dribbling."""

    name = "strangers"
    title = "p99 latency of a client among strangers, to the quiet one"
    goal = Goal(2, False, times)
    refusals = Goal(0, False, plain)

    def run(self, bench):
        many = 1000 if bench.quick else 10000
        data = {"wanted": many}
        for server in bench.fixtures("floor", "postfix", "postrider", names_of_clients=False):
            count = min(many, 1000) if server.name == "postfix" else many
            with server:
                self.client(bench, server)
                data[server.name] = [self.measure(bench, server, count) for _ in range(bench.rounds)]
        return data

    def measure(self, bench, server, count):
        quiet = self.client(bench, server)
        with Strangers(bench.driver, server.port, count, ready_seconds=30,
                       slow=count // 2) as held:
            # A server that cannot take them all in never reports; its client is measured all the same.
            crowded = self.client(bench, server)
            last = held.close() or {"holding": 0, "refused": count, "lost": 0, "first_loss": ""}
        told = {"strangers": count, "holding": last["holding"],
                "refused": last["refused"] + last["lost"], "first_loss": last["first_loss"],
                "quiet": quiet, "crowded": crowded,
                "ratio": crowded["p99_us"] / quiet["p99_us"] if crowded["p99_us"] else None}
        bench.say(f"{self.name} {server.name} p99 {quiet['p99_us']} -> {crowded['p99_us']} us, "
                  f"held {told['holding']}, client done {crowded['done']} of {crowded['wanted']}")
        return told

    @staticmethod
    def client(bench, server):
        messages = 100 if bench.quick else 500
        told = bench.driver.run("smtp", server.port, 30, sessions=1, messages=messages, size=4 * KIB)
        whole = told["done"] == messages
        return {"done": told["done"], "wanted": messages,
                "p99_us": told["latency_us"]["p99"] if whole else None,
                "p50_us": told["latency_us"]["p50"] if told["done"] else None}

    def rows(self, data):
        values, notes = {}, []
        for name, rounds in data.items():
            if name == "wanted":
                continue
            values[name] = median(rounds, "ratio")
            if values[name] is None:
                done = rounds[-1]["crowded"]["done"]
                notes.append(f"{name}: blocked by {rounds[-1]['strangers']} strangers"
                             f" ({done} of {rounds[-1]['crowded']['wanted']} messages in 30 s)")
        refused = median(data.get("postrider", []), "refused")
        title = self.title.replace("strangers", f"{data['wanted']} strangers")
        return [Row(self.name, title, values,
                    [("to the quiet one", values.get("postrider"), self.goal),
                     ("strangers refused", refused, self.refusals)], "; ".join(notes))]


class Pop3:
    """Log in, list by UIDL, retrieve 1000 messages of 4 KiB, in ten sessions at once."""

    name = "pop3"
    title = "POP3: log in, list, retrieve 1000 messages each, 10 sessions; messages per second"
    goal = Goal(3, True, times)
    sessions, messages = 10, 1000

    def run(self, bench):
        data = {}
        with bench.servers("postfix", "postrider", accounts=self.sessions,
                           password=PASSWORD) as servers:
            for server in servers:
                self.fill(bench, server)
            mail = next((f"{s.dir}/mail" for s in servers if s.name == "postfix"), None)
            if not mail:
                raise Failed("without Postfix nothing fills the Maildirs that Dovecot serves")
            readers = [s for s in servers if s.name == "postrider"]
            with bench.servers("dovecot", mail=mail, accounts=self.sessions,
                               password=PASSWORD) as more:
                readers = more + readers
                for server in readers:
                    self.once(bench, server)     # builds indexes, fills caches
                for server in bench.in_turn(readers):
                    data.setdefault(server.name, []).append(self.once(bench, server))
                    bench.say(f"{self.name} {server.name} {data[server.name][-1]['per_second']:.0f}/s")
        return data

    def fill(self, bench, server):
        """Each message to all accounts: the same messages for every server."""
        send_delivered(server, bench.driver, bench.deadline, sessions=4, messages=self.messages,
                       per_connection=1000, rcpts=self.sessions, accounts=self.sessions, size=4 * KIB)

    def once(self, bench, server):
        cpu = server.group.cpu_seconds()
        port = getattr(server, "pop3_port", server.port)
        told = bench.driver.run("pop3", port, bench.deadline, sessions=self.sessions,
                                accounts=self.sessions, messages=self.messages, password=PASSWORD)
        if told["failed"] or told["unfinished"]:
            raise Failed(f"{server.title}: {told['first_failure'] or 'not all messages came'}")
        return {"per_second": told["per_second"], "seconds": told["seconds"],
                "bytes": told["bytes"], "latency_us": told["latency_us"],
                "cpu_ms": (server.group.cpu_seconds() - cpu) / told["done"] * 1e3,
                "tool_cpu_ms": told["cpu_seconds"] / told["done"] * 1e3}

    def rows(self, data):
        values = {n: median(r, "per_second") for n, r in data.items()}
        return [Row(self.name, self.title, values,
                    [("to Dovecot", ratio(data, "postrider", "dovecot"), self.goal)], costs(data))]


def throughput(name, title, to_postfix, of_floor, **load):
    load = {"size": 4 * KIB, "per_connection": 1, **load}
    return Throughput(name, title, to_postfix, of_floor, **load)


CASES = [
    *(throughput(f"single-{n}", f"4 KiB, one message per connection, {n} sessions", goal, 0.75,
                 sessions=n)
      for n, goal in ((1, 1.8), (10, 4), (100, 5.5), (500, 8))),
    *(throughput(f"many-{n}", f"4 KiB, many messages per connection, {n} sessions", goal, 0.75,
                 sessions=n, per_connection=1000)
      for n, goal in ((1, 4), (10, 10), (100, 11), (500, 10))),
    throughput("size-64k", "64 KiB, 100 sessions", 6, 0.8, sessions=100, size=64 * KIB),
    throughput("size-10m", "10 MiB, 10 sessions", 1.3, 0.8, sessions=10, size=10 * MIB),
    throughput("rcpts-1000", "one message to 1000 local recipients", 30, None, sessions=1,
               rcpts=1000, accounts=1000, per_connection=1000, pipelining=True),
    Syncs(),
    DeviceBytes(),
    Handshakes(),
    Memory("memory", "KiB per idle session in clear", False, 16),
    Memory("memory-tls", "KiB per idle session under TLS", True, 64),
    Crowd(),
    Pop3(),
]


def cpu_row(results):
    """Processor time per delivered 4 KiB message: the worst of the cases that were run."""
    worst = None
    for case in CASES:
        data = results.get(case.name)
        if not isinstance(case, Throughput) or not data or case.load["size"] != 4 * KIB:
            continue
        if case.load.get("rcpts", 1) > 1:
            continue
        share = ratio(data, "postrider", "postfix", "cpu_ms")
        rank = share if share is not None else -1
        if worst is None or rank > worst[0]:
            worst = (rank, share, case.name, data)
    if worst is None:
        return None
    values = {n: median(r, "cpu_ms") for n, r in worst[3].items() if n != "tools"}
    return Row("cpu", "server CPU ms per delivered 4 KiB message (worst case)", values,
               [("of Postfix", worst[1], Goal(0.1, False, percent))], f"in {worst[2]}")
