"""Postfix as the host before us: it relays to us by SMTP and by LMTP, and its bounces come back to us."""
import grp
import os
import pathlib
import pwd
import shutil
import signal
import smtplib
import subprocess
import tempfile
import time

import pytest

from office import DOMAIN, HOST, STRANGER, check_arrived, compose, samples, split_trace
from system import free_port

DAEMONS = pathlib.Path("/usr/lib/postfix/sbin")
LOST = "lmtp.interop.test"  # a domain of ours to which it goes by LMTP

# In a configuration, queue and port of its own; /etc/postfix is not read. Mail waits for nothing but an answer.
MAIN = """\
compatibility_level = 3.6
myhostname = relay.client.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
config_directory = {dir}/conf
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = {dir}/conf
mail_owner = postfix
setgid_group = postdrop
alias_maps =
alias_database =
maillog_file_prefixes = {dir}
maillog_file = {dir}/mail.log
transport_maps = inline:{{ {lost}=lmtp:inet:[localhost]:{lmtp} }}
relay_domains = {domain}, {lost}
relayhost = [localhost]:{smtp}
smtp_host_lookup = native
lmtp_host_lookup = native
smtp_tls_security_level = may
smtp_tls_CAfile = {ca}
smtp_tls_loglevel = 1
lmtp_tls_security_level = may
lmtp_tls_CAfile = {ca}
lmtp_tls_loglevel = 1
smtputf8_autodetect_classes = all
queue_run_delay = 300s
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix  n - n -     0 cleanup
qmgr      unix  n - n 300   1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -     - trivial-rewrite
bounce    unix  - - n -     0 bounce
defer     unix  - - n -     0 bounce
trace     unix  - - n -     0 bounce
verify    unix  - - n -     1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -     - proxymap
smtp      unix  - - n -     - smtp
relay     unix  - - n -     - smtp
lmtp      unix  - - n -     - lmtp
showq     unix  n - n -     - showq
error     unix  - - n -     - error
retry     unix  - - n -     - error
discard   unix  - - n -     - discard
anvil     unix  - - n -     1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix:
    def __init__(self, folder, office):
        self.dir, self.port = folder, free_port()
        self.log = folder / "mail.log"
        self.make_folders()
        values = {"dir": folder, "domain": DOMAIN, "lost": LOST, "port": self.port, "ca": office.ca,
                  "smtp": office.port["smtp"], "lmtp": office.port["lmtp"]}
        (folder / "conf/main.cf").write_text(MAIN.format(**values))
        (folder / "conf/master.cf").write_text(MASTER.format(**values))
        (folder / "conf/dynamicmaps.cf").touch()
        self.master = None

    def make_folders(self):
        postfix, postdrop = pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postdrop").gr_gid
        self.dir.chmod(0o755)
        for name in ("conf", "queue", "queue/pid"):
            (self.dir / name).mkdir(mode=0o755)
        for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"):
            self.make(f"queue/{name}", 0o700, postfix, -1)
        self.make("queue/public", 0o710, postfix, postdrop)
        self.make("queue/maildrop", 0o730, postfix, postdrop)
        self.make("data", 0o700, postfix, -1)

    def make(self, name, mode, uid, gid):
        path = self.dir / name
        path.mkdir()
        os.chown(path, uid, gid)
        path.chmod(mode)

    def start(self):
        # A session of its own: the master ends its processes by their group. -d: it stays in the foreground.
        self.master = subprocess.Popen([DAEMONS / "master", "-d", "-c", self.dir / "conf"], start_new_session=True,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for(lambda: self.is_listening(), "Postfix did not come up")

    def is_listening(self):
        try:
            with smtplib.SMTP(HOST, self.port, timeout=5):
                return True
        except OSError:
            return False

    def wait_for(self, is_so, what, wait_s=20):
        deadline = time.monotonic() + wait_s
        while not is_so():
            log = self.log.read_text()[-3000:] if self.log.exists() else ""
            assert self.master.poll() is None and time.monotonic() < deadline, f"{what}:\n{log}"
            time.sleep(0.05)

    def is_idle(self):
        return not any(any((self.dir / "queue" / name).iterdir()) for name in ("incoming", "active", "deferred", "maildrop"))

    def relay(self, sender, recipients, text):
        """Hand it a message and wait until it has got rid of it."""
        with smtplib.SMTP(HOST, self.port, timeout=20) as client:
            client.ehlo("client.test")
            assert client.sendmail(sender, recipients, text, ["BODY=8BITMIME"]) == {}
        self.wait_for(self.is_idle, "the message stays in the queue")

    def stop(self):
        if self.master is not None and self.master.poll() is None:
            self.master.send_signal(signal.SIGTERM)
            self.master.wait(timeout=20)


@pytest.fixture(scope="module")
def postfix(office):
    if not (DAEMONS / "master").exists():
        pytest.skip("postfix is not installed")
    if os.geteuid() != 0:
        pytest.skip("Postfix can only be started by root")
    office.must("domain", "add", LOST)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postfix."))  # Unix sockets below it: the path must be short
    p = Postfix(folder, office)
    try:
        p.start()
        yield p
    finally:
        p.stop()
        shutil.rmtree(folder, ignore_errors=True)


def behind_postfix(text):
    """What Postfix received: behind the Received field that it put in front."""
    assert text.startswith(b"Received: from client.test"), text[:200]
    lines = text.split(b"\r\n")
    at = next(i for i, line in enumerate(lines) if i > 0 and line[:1] not in b" \t")
    return b"\r\n".join(lines[at:])


def check_relayed(box, text, protocol):
    trace, got = split_trace(box.read_one())
    assert f"with {protocol} ".encode() in trace, trace
    assert behind_postfix(got) == text


def in_domain(office, domain, *options):
    """A mailbox in another domain than the usual."""
    box = office.new_box(*options)
    other = box.address.replace("@" + DOMAIN, "@" + domain)
    office.add_account(other, box.password, *options)
    box.address = other
    return box


@pytest.mark.parametrize("name", ["plain", "dots", "utf8", "long lines", "blanks", "large"])
@pytest.mark.parametrize("domain, protocol", [(DOMAIN, "ESMTPS"), (LOST, "LMTPS")], ids=["smtp", "lmtp"])
def test_relays(office, postfix, name, domain, protocol):
    box = in_domain(office, domain) if domain != DOMAIN else office.new_box()
    text = samples(STRANGER, box.address)[name]
    postfix.relay(STRANGER, [box.address], text)
    check_relayed(box, text, protocol)
    assert "Trusted TLS connection established to localhost" in postfix.log.read_text()


@pytest.mark.parametrize("domain, protocol", [(DOMAIN, "ESMTPS"), (LOST, "LMTPS")], ids=["smtp", "lmtp"])
def test_unknown_recipient_bounces_alone(office, postfix, domain, protocol):
    """Several recipients, one of them unknown: the others have it once, the sender is told about that one only."""
    sender = office.new_box()
    boxes = [in_domain(office, domain) if domain != DOMAIN else office.new_box() for _ in range(3)]
    text = compose(sender.address, boxes[0].address, b"To all of you.\r\n")
    unknown = f"unknown@{domain}"
    postfix.relay(sender.address, [boxes[0].address, boxes[1].address, unknown, boxes[2].address], text)
    for box in boxes:
        check_relayed(box, text, protocol)
    check_bounce(sender, unknown, [b.address for b in boxes], b"5.1.1")


def check_bounce(sender, failed, fine, status):
    trace, bounce = split_trace(sender.read_one())
    assert trace.startswith(b"Return-Path: <>\r\n")
    assert b"Final-Recipient: rfc822; " + failed.encode() in bounce and b"Status: " + status in bounce
    for address in fine:
        assert b"Final-Recipient: rfc822; " + address.encode() not in bounce


def test_one_full_mailbox_of_several(office, postfix):
    """LMTP answers for each recipient after the text: the full mailbox gets a bounce, the other one the message."""
    sender, good = office.new_box(), in_domain(office, LOST)
    full = in_domain(office, LOST, "--quota-bytes=20000")
    text = compose(sender.address, good.address, (b"x" * 70 + b"\r\n") * 1000)
    postfix.relay(sender.address, [good.address, full.address], text)
    check_relayed(good, text, "LMTPS")
    assert full.count() == 0
    check_bounce(sender, full.address, [good.address], b"5.2.2")


def test_many_on_few_connections(office, postfix):
    """Postfix keeps connections and uses them again; nothing gets mixed up."""
    box = office.new_box()
    texts = [compose(STRANGER, box.address, b"number %d\r\n" % n) for n in range(60)]
    with smtplib.SMTP(HOST, postfix.port, timeout=20) as client:
        client.ehlo("client.test")
        for text in texts:
            client.sendmail(STRANGER, [box.address], text)
    postfix.wait_for(postfix.is_idle, "messages stay in the queue")
    assert sorted(behind_postfix(split_trace(m)[1]) for m in box.read()) == sorted(texts)
