#!/usr/bin/python3
"""The measuring tools measured: the driver counts right, the floor stores, the report judges."""
import os
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import cases
import report
from floor import Floor
from load import Driver, Strangers

BUILD = os.path.abspath(os.environ.get("BUILD", f"{HERE}/../build"))


class Maildrop(socketserver.StreamRequestHandler):
    """POP3 for one: three messages, one of them empty, one with a stuffed dot."""

    texts = (b"Subject: one\r\n\r\nhello\r\n", b"", b"Subject: three\r\n\r\n..dot\r\n")

    def handle(self):
        self.wfile.write(b"+OK ready\r\n")
        for line in self.rfile:
            verb, _, rest = line.strip().partition(b" ")
            if verb == b"PASS" and rest != b"right":
                self.wfile.write(b"-ERR [AUTH] no\r\n")
                return
            if verb == b"UIDL":
                self.wfile.write(b"+OK\r\n1 a\r\n2 b\r\n3 c\r\n.\r\n")
            elif verb == b"RETR":
                self.wfile.write(b"+OK\r\n" + self.texts[int(rest) - 1] + b".\r\n")
            else:
                self.wfile.write(b"+OK\r\n")
            if verb == b"QUIT":
                return


class Refusing(socketserver.StreamRequestHandler):
    """SMTP that takes every other message only."""

    count = 0

    def handle(self):
        self.wfile.write(b"220-two\r\n220 lines\r\n")
        for line in self.rfile:
            verb = line[:4]
            if verb == b"DATA":
                self.wfile.write(b"354 go\r\n")
                while self.rfile.readline() != b".\r\n":
                    pass
                Refusing.count += 1
                self.wfile.write(b"250 ok\r\n" if Refusing.count % 2 else b'452 4.3.1 "full"\r\n')
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


class Listening(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, handler):
        super().__init__(("127.0.0.1", 0), handler)
        self.port = self.server_address[1]
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()


class FloorTest(unittest.TestCase):
    def setUp(self):
        self.where = tempfile.TemporaryDirectory()
        self.server = Floor(self.where.name, build=BUILD).start()
        self.driver = Driver(BUILD)

    def tearDown(self):
        self.server.stop()
        self.where.cleanup()

    def stored(self):
        with open(f"{self.server.dir}/log", "rb") as f:
            return f.read(8 << 20).rstrip(b"\0")

    def test_every_message_is_stored_whole_and_once(self):
        for options in ({"per_connection": 1}, {"per_connection": 7}, {"pipelining": True}):
            with self.subTest(options):
                before = len(self.stored())
                told = self.driver.send(self.server.port, 30, sessions=5, messages=40, size=1000,
                                        rcpts=3, accounts=7, **options)
                self.assertEqual(told["accepted"], 40, told)
                new = self.stored()[before:]
                for n in range(40):
                    self.assertEqual(new.count(b"Subject: message %d xx" % n), 1)
                # The text without the CRLF that belongs to its final dot.
                self.assertEqual(len(new), 40 * (1000 - 2))

    def test_sizes_are_exact_and_lines_are_whole(self):
        for size in (300, 500, 503, 504, 505, 4096, 65536, 3000001):
            with self.subTest(size):
                before = len(self.stored())
                told = self.driver.send(self.server.port, 30, sessions=1, messages=1, size=size)
                self.assertEqual(told["accepted"], 1)
                new = self.stored()[before:]
                self.assertEqual(len(new), size - 2)
                self.assertEqual(new.count(b"\r"), new.count(b"\r\n"))
                self.assertEqual(new.count(b"\n"), new.count(b"\r\n"))

    def test_strangers_are_held_and_dribble(self):
        held = Strangers(self.driver, self.server.port, 300, slow=100, dribble_ms=100)
        self.assertEqual(held.ready["holding"], 300)
        self.assertEqual(self.driver.send(self.server.port, 30, sessions=1, messages=3)["accepted"], 3)
        self.assertEqual(held.close()["holding"], 300)

    def test_nothing_is_left_behind(self):
        where, pid = self.server.dir, self.server.process.pid
        self.server.stop()
        self.assertFalse(os.path.exists(where))
        self.assertFalse(os.path.exists(f"/proc/{pid}"))


class DriverTest(unittest.TestCase):
    driver = Driver(BUILD)

    def test_a_refusal_is_not_an_acceptance(self):
        with Listening(Refusing) as server:
            told = self.driver.send(server.port, 30, sessions=1, messages=10, per_connection=100)
        self.assertEqual((told["accepted"], told["not_accepted"]), (5, 5))
        self.assertEqual(told["first_failure"], '452 4.3.1 "full"')

    def test_nobody_listens(self):
        with Listening(Refusing) as server:
            port = server.port
        told = self.driver.send(port, 30, sessions=3, messages=10)
        self.assertEqual((told["accepted"], told["not_accepted"]), (0, 10))

    def test_pop3_fetches_each_message(self):
        with Listening(Maildrop) as server:
            told = self.driver.run("pop3", server.port, 30, sessions=2, accounts=2, messages=3, password="right")
            piped = self.driver.run("pop3", server.port, 30, sessions=2, accounts=2, messages=3, password="right",
                                    pipelining=True)
        self.assertEqual((told["done"], told["failed"]), (6, 0))
        self.assertEqual((piped["done"], piped["failed"]), (6, 0))
        self.assertEqual(told["bytes"], 2 * sum(len(t) for t in Maildrop.texts))

    def test_pop3_failures_are_counted(self):
        with Listening(Maildrop) as server:
            wrong = self.driver.run("pop3", server.port, 30, sessions=1, messages=3, password="x")
            short = self.driver.run("pop3", server.port, 30, sessions=1, messages=4, password="right")
        self.assertEqual((wrong["done"], wrong["failed"]), (0, 3))
        self.assertEqual(wrong["first_failure"], "-ERR [AUTH] no")
        self.assertEqual((short["done"], short["failed"]), (0, 4))

    def test_usage(self):
        for words in ([], ["smtp"], ["smtp", "--server", "127.0.0.1:x"],
                      ["talk", "--server", "127.0.0.1:1"],
                      ["smtp", "--server", "127.0.0.1:1", "--sessions", "0"]):
            with self.subTest(words):
                done = subprocess.run([f"{BUILD}/bench/load", *words], capture_output=True)
                self.assertEqual(done.returncode, 2)
                self.assertIn(b"usage", done.stderr)


def rounds(*rates, **more):
    return [{"per_second": r, "cpu_ms": 1, "tool_cpu_ms": 0.1, "not_accepted": 0, **more} for r in rates]


class ReportTest(unittest.TestCase):
    tools = {"used": "load", "cpu_ms": {"load": 0.1}}

    def row(self, floor, postfix, postrider):
        data = {"floor": rounds(*floor), "postfix": rounds(*postfix), "tools": self.tools}
        if postrider:
            data["postrider"] = rounds(*postrider)
        case = cases.throughput("x", "x", 4, 0.75, sessions=1)
        return case.rows(data)[0]

    def test_ratio_is_the_median_of_the_rounds(self):
        row = self.row([100, 100, 100], [10, 20, 10], [80, 80, 90])
        self.assertEqual(row.goals[0][1], 8)
        self.assertEqual(row.goals[1][1], 0.8)
        self.assertEqual(row.verdict(), "pass")

    def test_one_missed_goal_is_a_miss(self):
        self.assertEqual(self.row([100], [10], [70]).verdict(), "MISS")
        self.assertEqual(self.row([100], [30], [90]).verdict(), "MISS")

    def test_what_was_not_measured_does_not_pass(self):
        self.assertEqual(self.row([100], [30], None).verdict(), "not measured")

    def test_memory_counts_what_a_session_adds(self):
        data = {"counts": [1000], "postrider": [{"sessions": 0, "pss_bytes": 4096000},
                                                {"sessions": 1000, "pss_bytes": 4096000 + 10240000}]}
        row = cases.Memory("memory", "m", False, 16).rows(data)[0]
        self.assertEqual(row.goals[0][1], 10)
        self.assertEqual(row.verdict(), "pass")

    def test_both_forms_are_printed(self):
        results = {"single-1": {"floor": rounds(100), "postfix": rounds(10), "postrider": rounds(90),
                                "tools": self.tools}}
        machine = dict.fromkeys(("date", "commit", "processor", "cores", "memory", "kernel",
                                 "file_system", "syncs_per_second", "postfix", "dovecot"), "x")
        machine.update(load_average=0.0, load_average_after=0.0)
        settings = {"rounds": 1, "seconds": 1, "pipelining": False}
        text = report.markdown(machine, settings, results, {"pop3": "no"}, {})
        self.assertIn("to Postfix 9x (≥ 1.8x); of the floor 90 % (≥ 75 %)", text)
        self.assertIn("Failed: pop3: no.", text)
        self.assertIn('"limit": 1.8', report.as_json(machine, settings, results, {}, {}))


if __name__ == "__main__":
    unittest.main()
