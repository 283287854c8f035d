"""A dialog file: read, and played against a server. README.md says what may stand in one."""
import base64
import hashlib
import json
import pathlib
import re
import signal
import subprocess
import time

from server import BINARY, PASSWORD, PATIENCE, Server
from wire import Maildrop, Wire, content_of

HEADER = ("config", "fresh", "about", "expect-log", "codes")


class Step:
    def __init__(self, path, number, word, text):
        self.path, self.number, self.word, self.text = path, number, word, text

    def __str__(self):
        return f"{self.path.name}:{self.number}: {self.word} {self.text}"


class Dialog:
    """The parsed file."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.header, self.steps = {}, []
        for number, line in enumerate(self.path.read_text().splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                self.take(number, line)
        self.config = self.header.get("config", ["none"])[0]
        self.fresh = self.header.get("fresh", ["no"])[0] == "yes"

    def take(self, number, line):
        match = re.match(r"([A-Za-z][A-Za-z.*-]*)(?:: ?|\s+|$)(.*)$", line)
        assert match, f"{self.path.name}:{number}: not a line of a dialog: {line}"
        word, text = match.groups()
        if word in HEADER and not self.steps:
            self.header.setdefault(word, []).append(text)
            return
        assert hasattr(Player, "do_" + METHODS.get(word, word.replace("-", "_"))), \
            f"{self.path.name}:{number}: unknown word {word}"
        self.steps.append(Step(self.path, number, word, text))


METHODS = {"C": "send", "raw": "send_raw", "S": "expect", "S*": "expect_reply", "S.": "expect_dotted",
           "expect": "expect_many"}


def unescape(text):
    r"""\r \n \t \0 \\ \xHH and characters as UTF-8."""
    def one(match):
        word = match.group(1)
        return bytes([int(word[1:], 16)]) if word[0:1] == b"x" else \
            {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}[word]
    return re.sub(rb"\\(x[0-9a-fA-F]{2}|[rnt0\\])", one, text.encode())


def made_up(size):
    """Lines of text of this many bytes in all, always the same; some begin with dots."""
    line, number = [], 0
    total = 0
    while total < size:
        number += 1
        text = f"{'.' * (number % 3)}{number:07d} {'the quick brown fox jumps over the lazy dog ' * (1 + number % 3)}"
        text = text[:max(0, min(len(text), size - total - 2))]
        line.append(text)
        total += len(text) + 2
    return ("\r\n".join(line) + "\r\n").encode()


class Player:
    """Plays the steps of one dialog."""

    def __init__(self, server, dialog):
        self.server, self.dialog = server, dialog
        self.values = {"case": f"{dialog.path.parent.name}-{dialog.path.stem}", "dir": str(server.folder) if server else "",
                       "password": PASSWORD, "postrider": str(BINARY), **{k: str(v) for k, v in (server.ports if server else {}).items()}}
        self.wires, self.wire, self.pending = {}, None, b""
        self.lines, self.message, self.drop, self.done, self.exit_seen = [], None, None, None, True
        self.sent, self.log_from = b"", server.log_position() if server else 0
        self.codes = dialog.header.get("codes", ["yes"])[0] != "no"
        if server:
            server.expected.extend(dialog.header.get("expect-log", []))

    def play(self):
        try:
            for step in self.dialog.steps:
                try:
                    self.take(step)
                except (AssertionError, OSError) as e:
                    raise AssertionError(f"{step}\n    {e or repr(e)}") from None
            self.settle()
        finally:
            for wire in self.wires.values():
                wire.close()

    def take(self, step):
        if step.word not in ("C", "raw", "tls-behind"):
            self.flush()
        if step.word not in ("exit", "out", "out-not", "err", "json"):
            self.settle()
        name = METHODS.get(step.word, step.word.replace("-", "_"))
        getattr(self, "do_" + name)(step.text)

    def flush(self):
        """What was said without waiting for an answer leaves in one piece."""
        if self.pending:
            self.wire.send(self.pending)
            self.pending = b""

    def settle(self):
        """A command without a line about its exit code must have succeeded."""
        if not self.exit_seen:
            self.exit_seen = True
            assert self.done.returncode == 0, self.told()

    def told(self):
        return f"exit {self.done.returncode}\nstdout: {self.done.stdout}\nstderr: {self.done.stderr}"

    # ---- words with values in them ----

    def fill(self, text, quote=False):
        def one(match):
            kind, _, rest = match.group(1).partition(":")
            if kind == "b64":
                value = base64.b64encode(unescape(rest)).decode()
            elif kind == "n":
                times, _, what = rest.partition(":")
                value = "".join(what.replace("%05d", f"{n:05d}").replace("%d", str(n)) for n in range(1, int(times) + 1))
            elif kind == "lower":
                value = self.values[rest].lower()
            elif kind == "x":
                what, _, times = rest.rpartition("*")
                value = what * int(times)
            else:
                assert kind in self.values, f"no value named {kind}"
                value = self.values[kind]
            return re.escape(value) if quote else value
        # From the inside out: ${b64:\0${user}\0secret}
        while (new := re.sub(r"\$\{([^${}]*)\}", one, text)) != text:
            text = new
        return text

    def match(self, pattern, text, how=re.fullmatch, flags=0):
        found = how(self.fill(pattern, quote=True), text, flags)
        if found:
            self.values.update({k: v for k, v in found.groupdict().items() if v is not None})
        return found

    # ---- connections ----

    def do_connect(self, text):
        words = re.fullmatch(r"(\w+)(?: as (\w+))?(?: from (\S+))?( clear)?", text)
        assert words, "connect LISTENER [as NAME] [from ADDRESS] [clear]"
        listener, name, source, clear = words.groups()
        self.wire = Wire(self.server, listener, source, tls=False if clear else None)
        self.wires[name or listener] = self.wire

    def do_on(self, text):
        self.wire = self.wires[text]

    def do_close(self, _):
        self.wire.close()

    def do_reset(self, _):
        self.wire.reset()

    def do_wait_closed(self, _):
        self.wire.end()

    def do_silent(self, text):
        self.wire.silent(float(text))

    def do_sleep(self, text):
        time.sleep(float(text))

    def do_tls(self, text):
        words = dict(w.split("=", 1) for w in text.split() if "=" in w)
        resume = self.session if "resume" in text.split() else None
        self.wire.start_tls(words.get("version"), words.get("alpn"), resume)

    def do_keep_session(self, _):
        """What the server gave this client to resume with."""
        self.session = self.wire.socket.session, self.wire.socket.context

    def do_certificate(self, text):
        """certificate NAME: a digest of the server's, kept under the name."""
        self.values[text] = hashlib.sha256(self.wire.socket.getpeercert(binary_form=True)).hexdigest()

    def do_tls_behind(self, text):
        """TLS begins in the same packet as what was sent before."""
        self.wire.cork()
        self.flush()
        self.do_tls(text)

    def do_tls_fails(self, text):
        """tls-fails [alpn=NAME] [version=1.2]: the handshake must not succeed."""
        try:
            self.do_tls(text)
        except (OSError, AssertionError):
            return
        raise AssertionError("the handshake succeeded")

    # ---- the talk ----

    def do_send(self, text):
        text = self.fill(text)
        self.pending += text.encode() + b"\r\n"

    def do_send_raw(self, text):
        self.pending += unescape(self.fill(text))

    def do_expect(self, text):
        line = self.wire.line()
        assert self.match(text, line), f"the server said: {line}"
        self.check_reply([line])

    def do_expect_many(self, text):
        """expect N REGEX: N lines like this."""
        count, pattern = text.split(" ", 1)
        for _ in range(int(count)):
            line = self.wire.line()
            assert self.match(pattern, line), f"the server said: {line}"

    def do_expect_reply(self, text):
        self.lines = self.wire.reply()
        assert all(re.match(self.fill(text), line) for line in self.lines), f"the server said: {self.lines}"
        self.check_reply(self.lines)

    def do_expect_dotted(self, text):
        line = self.wire.line()
        assert self.match(text, line), f"the server said: {line}"
        self.lines = self.wire.dotted()

    def do_octets(self, text):
        """octets N: the text up to the lone dot has so many, unstuffed."""
        got = self.wire.octets()
        assert len(got) == int(self.fill(text)), f"{len(got)} octets"

    def check_reply(self, lines):
        """What holds for every SMTP reply: a refusal has a code to look up (kept as `code`), and after EHLO there is an
        enhanced code of the class of the reply."""
        wire, line = self.wire, lines[-1]
        if not wire.speaks_smtp or not re.match(r"[245]\d\d ", line):
            return
        if line.startswith("220 "):
            wire.host = line.split()[1]
        elif lines[0][:3] == "250" and lines[0][4:].split(" ")[0] == wire.host:
            wire.extended = len(lines) > 1  # the answer to a hello
        elif wire.extended:
            assert re.match(rf"\d\d\d {line[0]}\.\d{{1,3}}\.\d{{1,3}} ", line), f"no enhanced code: {line}"
        if line[0] in "45" and self.codes:
            found = re.search(r" \[([0-9A-HJKMNP-TV-Z]{8})\]$", line)
            assert found, f"a refusal without a code to look up: {line}"
            self.values["code"] = found.group(1)

    def do_has(self, text):
        assert any(self.match(text, line) for line in self.lines), f"not in {self.lines}"

    def do_lacks(self, text):
        found = [line for line in self.lines if self.match(text, line)]
        assert not found, f"there is {found}"

    def do_lines(self, text):
        assert len(self.lines) == int(text), f"{len(self.lines)} lines: {self.lines[:20]}"

    def do_auth(self, text):
        """auth MECHANISM USER PASSWORD [binding=KIND] [broken] [wrong-binding]: the whole exchange; the server's last line is matched
        by the next `S:`."""
        words = self.fill(text).split()
        mechanism, user, password, rest = words[0], words[1], words[2], words[3:]
        if mechanism == "CRAM-MD5":
            line = self.wire.cram_md5(user, password)
        else:
            binding = next((w.split("=", 1)[1] for w in rest if w.startswith("binding=")), None)
            line = self.wire.scram(mechanism, user, password, binding, "broken" in rest, "wrong-binding" in rest)
        self.wire.buffer = line.encode() + b"\r\n" + self.wire.buffer

    # ---- what nearly every dialog begins with, in one line ----

    def do_begin(self, text):
        """begin LISTENER [as NAME] [from ADDRESS]: connect, greeting, EHLO (LHLO) and its answer."""
        self.do_connect(text)
        self.do_expect("220 .*")
        self.do_hello("")

    def do_hello(self, text):
        """hello [NAME]: EHLO or LHLO, and its answer, which `has` can look at."""
        verb = "LHLO" if self.wire.service == "lmtp" else "EHLO"
        self.do_send(f"{verb} {text or 'client.example'}")
        self.flush()
        self.do_expect_reply("250")

    def do_envelope(self, text):
        """envelope SENDER RECIPIENT...: all of them are accepted."""
        sender, *recipients = self.fill(text).split()
        for command in [f"MAIL FROM:<{sender.strip('<>')}>"] + [f"RCPT TO:<{to}>" for to in recipients]:
            self.do_send(command)
            self.flush()
            self.do_expect("250 .*")

    def do_accepted(self, text):
        """accepted [as NAME]: 250 with the message's id, kept under the name (id)."""
        name = text.removeprefix("as ") or "id"
        self.do_expect(rf"250 (?:2\.0\.0 )?OK message (?P<{name}>[0-9a-f]{{16}})")

    def do_login(self, text):
        """login LISTENER ADDRESS [PASSWORD]: connect to POP3 and open the maildrop."""
        listener, address, *password = self.fill(text).split()
        self.do_connect(listener)
        for command in (None, f"USER {address}", f"PASS {password[0] if password else PASSWORD}"):
            if command:
                self.wire.send(command.encode() + b"\r\n")
            line = self.wire.line()
            assert line.startswith("+OK"), line

    def do_deliver(self, text):
        """deliver ADDRESS CONTENT: by a connection of its own; the message's id is kept as id."""
        address, content = self.fill(text).split(" ", 1)
        wire = Wire(self.server, next(n for n, s in self.server.services.items() if s == "smtp"))
        wire.line()
        data = re.sub(rb"(?m)^\.", b"..", unescape(content))
        for command, code in ((b"HELO client.example", "250"), (b"MAIL FROM:<sender@elsewhere.example>", "250"),
                              (b"RCPT TO:<%s>" % address.encode(), "250"), (b"DATA", "354"), (data + b"\r\n.", "250")):
            wire.send(command + b"\r\n")
            line = wire.line()
            assert line.startswith(code), line
        self.values["id"] = line.split()[-1]
        wire.close()

    # ---- large messages ----

    def do_big(self, text):
        """big BYTES: that much made-up text, dots stuffed."""
        self.sent += made_up(int(text))
        stuffed = re.sub(rb"(?m)^\.", b"..", made_up(int(text)))
        self.wire.send(stuffed)

    def do_big_bdat(self, text):
        """big-bdat BYTES CHUNK: the same in chunks, each answered before the next; the last one is LAST."""
        size, chunk = (int(w) for w in text.split())
        data = made_up(size)
        self.sent += data
        for at in range(0, size, chunk):
            part = data[at:at + chunk]
            last = " LAST" if at + chunk >= size else ""
            self.wire.send(f"BDAT {len(part)}{last}\r\n".encode() + part)
            if not last:
                line = self.wire.line()
                assert line.startswith("250 "), line

    # ---- mailboxes ----

    def do_mailbox(self, text):
        """mailbox ADDRESS [PASSWORD]: read it; the words below are about it."""
        words = self.fill(text).split()
        drop = Maildrop(self.server, words[0], words[1] if len(words) > 1 else PASSWORD)
        try:
            self.messages = [drop.text(n) for n in range(1, drop.count + 1)]
        finally:
            drop.close()

    def do_count(self, text):
        assert len(self.messages) == int(text), f"{len(self.messages)} messages"

    def do_holds(self, text):
        """holds ADDRESS ID: one message of it becomes the message that the words below are about."""
        words = self.fill(text).split()
        drop = Maildrop(self.server, words[0], PASSWORD)
        try:
            self.message = drop.newest_with(words[1])
        finally:
            drop.close()

    def do_message(self, text):
        self.message = self.messages[int(text) - 1]

    def do_shows(self, text):
        text_of = self.message.decode("utf-8", "surrogateescape")
        assert self.match(text, text_of, re.search, re.M), f"not in the message:\n{text_of[:3000]}"

    def do_hides(self, text):
        text_of = self.message.decode("utf-8", "surrogateescape")
        assert not self.match(text, text_of, re.search, re.M), f"in the message:\n{text_of[:3000]}"

    def do_content(self, text):
        want, got = unescape(self.fill(text)), content_of(self.message)
        assert got == want, f"the content is {got!r}"

    def do_content_is_sent(self, _):
        got = content_of(self.message)
        assert got == self.sent, f"{len(got)} bytes differ from the {len(self.sent)} that were sent"

    def do_keep(self, text):
        """keep TEXT: bytes that go before the made-up ones when content-is-sent compares."""
        self.sent += unescape(self.fill(text))

    # ---- the command line ----

    def do_setup(self, text):
        self.do_run(text)
        self.settle()

    def do_run(self, text):
        self.done = self.server.command(self.fill(text))
        self.exit_seen = False

    def do_shell(self, text):
        """shell: COMMAND, a line of sh(1); ${postrider} is the program."""
        self.done = subprocess.run(["/bin/sh", "-c", self.fill(text)], capture_output=True, text=True, cwd=self.server.folder,
                                   timeout=3 * PATIENCE, errors="replace")
        self.exit_seen = False

    def do_many(self, text):
        """many N COMMAND: N times, with %d for the number; each has to succeed."""
        count, command = text.split(" ", 1)
        for number in range(1, int(count) + 1):
            self.do_run(command % number)
            self.settle()

    def do_explain(self, text):
        """explain CODE: `postrider explain`; the note travels behind the reply, so it may take a moment."""
        deadline = time.monotonic() + 2
        self.do_run(f"explain {text}")
        while self.done.returncode == 1 and time.monotonic() < deadline:
            time.sleep(0.05)
            self.do_run(f"explain {text}")

    def do_exit(self, text):
        self.exit_seen = True
        assert self.done.returncode == int(text), self.told()

    def do_out(self, text):
        assert self.match(text, self.done.stdout, re.search, re.M), self.told()

    def do_out_not(self, text):
        assert not self.match(text, self.done.stdout, re.search, re.M), self.told()

    def do_err(self, text):
        assert self.match(text, self.done.stderr, re.search, re.M), self.told()

    def do_json(self, text):
        """json [EXPRESSION]: standard output is JSON; `it` is the value in the expression."""
        it = json.loads(self.done.stdout)
        if text:
            assert eval(self.fill(text), {"it": it, "len": len, "any": any, "all": all, "sorted": sorted}), f"{text}: {it}"

    def do_log(self, text):
        """log REGEX: a line that was written since the dialog began; it may come a moment later."""
        found = self.server.wait_log(self.fill(text, quote=True), self.log_from)
        self.values.update({k: v for k, v in found.groupdict().items() if v is not None})

    def do_log_not(self, text):
        found = self.match(text, self.server.log_since(self.log_from), re.search, re.M)
        assert not found, f"in the log: {found.group(0)}"

    def do_same(self, text):
        one, two = text.split()
        assert self.values[one] == self.values[two], f"{self.values[one]} and {self.values[two]}"

    def do_differ(self, text):
        one, two = text.split()
        assert self.values[one] != self.values[two], self.values[one]

    def do_append(self, text):
        """append LINE: to the configuration of a server of one's own."""
        assert self.dialog.fresh, "only with fresh: yes"
        with open(self.server.conf, "a") as f:
            f.write(self.fill(text) + "\n")

    # ---- the server's own life (only for dialogs with `fresh: yes`) ----

    def do_server(self, text):
        assert self.dialog.fresh, "only with fresh: yes"
        if text == "start":
            self.server.start()
        elif text == "fill":
            self.server.fill()
        elif text == "stop":
            self.server.stop()
        elif text == "kill":
            self.server.kill()
        elif text == "term":
            self.server.term()
        elif text == "ended":
            self.server.wait()
        elif text == "wait":
            self.server.wait()
        elif text == "reload":
            position = self.server.log_position()
            self.server.process.send_signal(signal.SIGHUP)
            self.server.wait_log(r"keeper\.reload(ed|_refused)", position)
        elif text == "restart":
            self.server.stop()
            self.server.start()
        else:
            raise AssertionError("server start|fill|stop|kill|restart|term|wait|ended|reload")


def play_fresh(dialog):
    """A dialog with a server of its own, which it starts and stops itself."""
    server = Server(dialog.config)
    try:
        Player(server, dialog).play()
        server.stop()
        if server.log.exists():
            server.check_log()
    finally:
        server.remove()
