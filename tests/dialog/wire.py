"""One connection of a client: lines, bytes, TLS, and the logins that take arithmetic."""
import base64
import hashlib
import hmac
import re
import secrets
import socket
import ssl
import time
import warnings

from server import HOST, PATIENCE

SMTP_SERVICES = ("smtp", "submission", "submissions", "lmtp")


class Wire:
    def __init__(self, server, listener, source=None, tls=None):
        self.server, self.listener, self.service = server, listener, server.services[listener]
        self.buffer, self.closed = b"", False
        self.host, self.extended = None, False  # of the greeting; whether EHLO was answered
        port = server.ports.get(listener)
        if port is None:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(PATIENCE)
            self.socket.connect(str(server.folder / listener))
        else:
            source = (source, 0) if source else None
            self.socket = socket.create_connection((HOST, port), timeout=PATIENCE, source_address=source)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.service in ("submissions", "pop3s") if tls is None else tls:
            self.start_tls()

    @property
    def speaks_smtp(self):
        return self.service in SMTP_SERVICES

    # ---- bytes ----

    def start_tls(self, version=None, alpn=None, resume=None):
        """`resume`: (session, context) of an earlier connection; it must be taken up again."""
        session, context = resume or (None, self.context(version, alpn))
        assert not self.buffer, f"bytes before TLS: {self.buffer!r}"
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost", session=session)
        assert not resume or self.socket.session_reused, "the session was not resumed"
        self.extended = False

    def context(self, version, alpn):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.server.folder / "tls" / "ca.pem")
        if version:
            exact = {"1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = exact
            context.set_ciphers("ALL:@SECLEVEL=0")
        if alpn:
            context.set_alpn_protocols([alpn])
        return context

    def cork(self):
        """Gather what is sent until a full packet is there, for 200 ms at most."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            self.closed = True  # what was said before is still to be read

    def receive(self):
        """More bytes into the buffer; False at the end of the stream."""
        try:
            more = self.socket.recv(65536)
        except socket.timeout:
            raise AssertionError(f"no answer in {PATIENCE} s; so far {self.buffer!r}") from None
        except (ConnectionError, ssl.SSLError):
            more = b""
        self.buffer += more
        return bool(more)

    def line(self):
        """The next line without its CRLF."""
        while b"\n" not in self.buffer:
            if not self.receive():
                raise AssertionError(f"the server closed the connection; last bytes {self.buffer!r}")
        line, self.buffer = self.buffer.split(b"\n", 1)
        assert line.endswith(b"\r"), f"a line of the server without CR: {line!r}"
        assert b"\r" not in line[:-1] and b"\0" not in line, f"a control byte from the server: {line!r}"
        line = line[:-1].decode("utf-8", "replace")
        if self.speaks_smtp:
            assert len(line) <= 510, f"a reply line of {len(line)} bytes"
        return line

    def reply(self):
        """The lines of one SMTP reply."""
        lines = [self.line()]
        while re.match(r"\d\d\d-", lines[-1]):
            lines.append(self.line())
            assert lines[-1][:3] == lines[0][:3], f"codes differ within one reply: {lines}"
        return lines

    def dotted(self):
        """The lines behind a POP3 +OK, to the lone dot, unstuffed."""
        lines = []
        while (line := self.line()) != ".":
            lines.append(line[1:] if line.startswith(".") else line)
        return lines

    def octets(self):
        """The bytes to the lone dot, unstuffed; lines need not be text."""
        at = 0
        while not self.buffer.startswith(b".\r\n") and (end := self.buffer.find(b"\r\n.\r\n", at)) < 0:
            at = max(0, len(self.buffer) - 4)
            assert self.receive(), "the connection ended within a message"
        if self.buffer.startswith(b".\r\n"):
            data, self.buffer = b"", self.buffer[3:]
        else:
            data, self.buffer = self.buffer[:end + 2], self.buffer[end + 5:]
        data = data.replace(b"\r\n..", b"\r\n.")
        return data[1:] if data.startswith(b"..") else data

    def end(self):
        """Whether the server has closed, with nothing more to say."""
        while self.receive():
            pass
        assert not self.buffer, f"more than the end: {self.buffer!r}"

    def silent(self, seconds):
        self.socket.settimeout(seconds)
        try:
            more = self.socket.recv(65536)
            assert False, f"not silent: {self.buffer + more!r}"
        except (socket.timeout, ssl.SSLWantReadError):
            pass
        finally:
            self.socket.settimeout(PATIENCE)
        assert not self.buffer, f"not silent: {self.buffer!r}"

    def close(self):
        self.socket.close()

    def reset(self):
        """Gone without a goodbye: RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    # ---- SCRAM (RFC 5802, 7677), the client's side ----

    def challenge(self):
        """What the server wants answered, decoded; the whole line when it is no challenge."""
        line = self.line()
        for lead in ("334 ", "+ "):
            if line.startswith(lead):
                return base64.b64decode(line[len(lead):], validate=True).decode(), None
        return None, line

    def scram(self, mechanism, user, password, binding=None, break_proof=False, break_binding=False):
        """Log in; the last line of the server comes back. The server's own proof is checked."""
        digest = "sha1" if "SHA-1" in mechanism else "sha256"
        header = f"p={binding},," if binding else "n,,"
        first = f"n={user},r={secrets.token_urlsafe(18)}"
        initial = base64.b64encode((header + first).encode()).decode()
        self.send(f"AUTH {mechanism} {initial}\r\n".encode())
        challenge, refusal = self.challenge()
        if challenge is None:
            return refusal
        parts = dict(p.split("=", 1) for p in challenge.split(","))
        assert parts["r"].startswith(first.split("r=")[1]), f"the nonce is not ours: {challenge}"
        salted = hashlib.pbkdf2_hmac(digest, password.encode(), base64.b64decode(parts["s"]), int(parts["i"]))
        bound = header.encode() + (self.binding_data(binding) if binding else b"")
        if break_binding:
            bound = bound[:-1] + bytes([bound[-1] ^ 1])
        last = f"c={base64.b64encode(bound).decode()},r={parts['r']}"
        signed = f"{first},{challenge},{last}".encode()
        client_key = hmac.digest(salted, b"Client Key", digest)
        signature = hmac.digest(hashlib.new(digest, client_key).digest(), signed, digest)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        if break_proof:
            proof = bytes(len(proof))
        self.send(base64.b64encode(f"{last},p={base64.b64encode(proof).decode()}".encode()) + b"\r\n")
        challenge, refusal = self.challenge()
        if challenge is None:
            return refusal
        server_key = hmac.digest(salted, b"Server Key", digest)
        want = base64.b64encode(hmac.digest(server_key, signed, digest)).decode()
        assert challenge == f"v={want}", f"the server's proof is wrong: {challenge}"
        self.send(b"\r\n")
        return self.line()

    def binding_data(self, kind):
        if kind == "tls-server-end-point":
            return hashlib.sha256(self.socket.getpeercert(binary_form=True)).digest()
        return self.socket.get_channel_binding(kind)

    def cram_md5(self, user, password):
        self.send(b"AUTH CRAM-MD5\r\n")
        challenge, refusal = self.challenge()
        if challenge is None:
            return refusal
        answer = f"{user} {hmac.digest(password.encode(), challenge.encode(), 'md5').hex()}"
        self.send(base64.b64encode(answer.encode()) + b"\r\n")
        return self.line()


class Maildrop:
    """Reads an account by POP3, as a user would, to see what has arrived."""

    def __init__(self, server, address, password):
        self.wire = Wire(server, next(n for n, s in server.services.items() if s == "pop3"))
        self.wire.line()
        deadline = time.monotonic() + PATIENCE
        self.ask(f"USER {address}")
        answer = self.ask(f"PASS {password}")
        while "[IN-USE]" in answer and time.monotonic() < deadline:
            time.sleep(0.05)
            self.ask(f"USER {address}")
            answer = self.ask(f"PASS {password}")
        assert answer.startswith("+OK"), f"cannot read {address}: {answer}"
        self.count = int(self.ask("STAT").split()[1])

    def ask(self, command):
        self.wire.send(command.encode() + b"\r\n")
        return self.wire.line()

    def text(self, number):
        self.wire.send(f"RETR {number}\r\n".encode())
        assert self.wire.line().startswith("+OK")
        return self.wire.octets()

    def newest_with(self, message_id):
        """The message whose own trace line has this id, from the newest on."""
        for number in range(self.count, 0, -1):
            self.wire.send(f"TOP {number} 0\r\n".encode())
            assert self.wire.line().startswith("+OK")
            head = self.wire.octets()
            if re.search(rb"^Received:(?:.*\r\n[ \t])*?.*\bid " + message_id.encode() + rb"\b", head, re.M):
                return self.text(number)
        raise AssertionError(f"no message {message_id} among {self.count}")

    def close(self):
        self.ask("QUIT")
        self.wire.close()


def content_of(message):
    """What the client sent: the message without the lines that we put before it."""
    trace = rb"\A(?:(?:Return-Path|Delivered-To):.*\r\n(?:[ \t].*\r\n)*)*Received:.*\r\n(?:[ \t].*\r\n)*"
    found = re.match(trace, message)
    assert found, f"no trace lines before {message[:200]!r}"
    return message[found.end():]
