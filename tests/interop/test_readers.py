"""Programs that fetch mail: each gets the bytes that were sent, our trace in front, and leaves behind what it should."""
import mailbox
import os
import poplib
import pty
import re
import select
import smtplib
import subprocess
import time
from urllib.parse import quote

import pytest

from office import HOST, STRANGER, need, run, samples, split_trace, write


@pytest.fixture
def filled(office, box):
    """A mailbox with every sample in it."""
    box.texts = samples(STRANGER, box.address)
    with smtplib.SMTP(HOST, office.port["smtp"], timeout=30) as client:
        for text in box.texts.values():
            client.sendmail(STRANGER, [box.address], text, ["BODY=8BITMIME"])
    return box


def crlf(text):
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def check_fetched(box, fetched, ignore_end=False):
    """These are the messages of the box, in any order. Local folders end lines with LF only, and some formats cannot
    tell how many empty lines a message ends with (ignore_end)."""
    def plain(text):
        return text.rstrip(b"\r\n") if ignore_end else text
    got = sorted(plain(split_trace(crlf(text))[1]) for text in fetched)
    want = sorted(plain(text) for text in box.texts.values())
    assert len(got) == len(want)
    for g, w in zip(got, want):
        assert g == w, f"{len(g)} bytes for {len(w)}:\n{g[:600]!r}\n{w[:600]!r}"


def maildir(folder):
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return folder


def files(folder):
    return [path.read_bytes() for path in folder.iterdir()]


def mda(folder):
    """A program that takes a message and puts it into a file of its own below in/."""
    (folder / "in").mkdir()
    return write(folder / "mda", f"#!/bin/sh\nexec cat >$(mktemp {folder}/in/XXXXXX)\n", 0o700)


# ---- curl ----

@pytest.mark.parametrize("case", ["pop3", "stls", "pop3s", "plain", "apop is not there"])
def test_curl(office, filled, tmp_path, case):
    need("curl")
    service = "pop3s" if case in ("pop3s", "plain") else "pop3"
    options = {"stls": ["--ssl-reqd"], "plain": ["--login-options", "AUTH=PLAIN"], "apop is not there": ["--login-options", "AUTH=+APOP"]}.get(case, [])
    words = ["curl", "-sS", "--cacert", office.ca, "--user", f"{filled.address}:{filled.password}", *options]
    url = f"{service}://{HOST}:{office.port[service]}/"
    if case == "apop is not there":
        run(tmp_path, *words, url, ok=(67,))  # login denied
        return
    listing = run(tmp_path, *words, url).stdout.split(b"\r\n")
    numbers = [int(line.split()[0]) for line in listing if line]
    check_fetched(filled, [run(tmp_path, *words, f"{url}{n}").stdout for n in numbers])
    for n in numbers[:3]:
        run(tmp_path, *words, "-X", f"DELE {n}", "--head", url)
    assert filled.count() == len(numbers) - 3


def test_curl_with_a_wrong_password(office, filled, tmp_path):
    need("curl")
    run(tmp_path, "curl", "-sS", "--user", f"{filled.address}:no", f"pop3://{HOST}:{office.port['pop3']}/", ok=(67,))


# ---- fetchmail ----

FETCHMAIL = {
    "clear": ("pop3", "sslproto ''", "auth password"),
    "stls": ("pop3", "sslproto 'TLS1.2+' sslcertck", "auth password"),
    "pop3s": ("pop3s", "ssl sslcertck", "auth password"),
    "pop3s, its own choice": ("pop3s", "ssl sslproto 'TLS1.3' sslcertck", "auth any"),
}


@pytest.mark.parametrize("case", FETCHMAIL)
@pytest.mark.parametrize("keep", ["keep", "no keep"])
def test_fetchmail(office, filled, tmp_path, case, keep):
    need("fetchmail")
    service, tls, auth = FETCHMAIL[case]
    rc = write(tmp_path / "fetchmailrc",
               f"set no syslog\nset invisible\npoll localhost service {office.port[service]} protocol pop3 {auth} timeout 20 uidl\n"
               f"user '{filled.address}' password '{filled.password}' is root here {tls} sslcertfile '{office.ca}'\n"
               f"{keep} norewrite no stripcr mda '{mda(tmp_path)}'\n")
    words = ["fetchmail", "-f", rc, "--pidfile", tmp_path / "pid", "-i", tmp_path / "ids"]
    run(tmp_path, *words)
    check_fetched(filled, files(tmp_path / "in"))
    run(tmp_path, *words, ok=(1,))  # nothing new
    assert len(files(tmp_path / "in")) == len(filled.texts)
    assert filled.count() == (len(filled.texts) if keep == "keep" else 0)


def test_fetchmail_hands_on_by_smtp(office, filled, tmp_path):
    """As many use it: fetched from one mailbox and given to the next server by SMTP, here to ourselves."""
    need("fetchmail")
    other = office.new_box()
    rc = write(tmp_path / "fetchmailrc",
               f"set no syslog\nset invisible\npoll localhost service {office.port['pop3']} protocol pop3 auth password timeout 20\n"
               f"user '{filled.address}' password '{filled.password}' sslproto '' smtphost {HOST}/{office.port['smtp']}\n"
               f"smtpname {other.address} norewrite\n")
    run(tmp_path, "fetchmail", "-f", rc, "--pidfile", tmp_path / "pid", "-i", tmp_path / "ids")
    # Fetchmail makes the Return-Path of what it has fetched the sender of what it sends.
    check_fetched(filled, [b"Return-Path: <>\r\n" + split_trace(text)[1] for text in other.read()])
    assert filled.count() == 0


# ---- mpop ----

@pytest.mark.parametrize("case", ["clear, user", "stls, user", "pop3s, user", "pop3s, scram", "stls, plain", "pop3s, its own choice"])
@pytest.mark.parametrize("kind", ["maildir", "mbox"])
def test_mpop(office, filled, tmp_path, case, kind):
    need("mpop")
    transport, auth = case.split(", ")
    service = "pop3s" if transport == "pop3s" else "pop3"
    tls = {"clear": "tls off", "stls": "tls on\ntls_starttls on", "pop3s": "tls on\ntls_starttls off"}[transport]
    trust = "" if transport == "clear" else f"tls_trust_file {office.ca}\n"
    auth = {"scram": "scram-sha-256", "its own choice": "on"}.get(auth, auth)
    place = maildir(tmp_path / "in") if kind == "maildir" else tmp_path / "mbox"
    rc = write(tmp_path / "mpoprc", f"account default\nhost localhost\nport {office.port[service]}\nuser {filled.address}\n"
               f"password \"{filled.password}\"\nauth {auth}\n{tls}\n{trust}received_header off\nuidls_file {tmp_path}/uidls\n"
               f"keep {'on' if kind == 'mbox' else 'off'}\ndelivery {kind} {place}\n")
    run(tmp_path, "mpop", "-C", rc)
    if kind == "maildir":
        check_fetched(filled, files(place / "new"))
        assert filled.count() == 0
    else:
        check_fetched(filled, [m.get_bytes(k).replace(b"\n>From", b"\nFrom").replace(b"\n>>From", b"\n>From")
                               for m in [mailbox.mbox(place)] for k in m.keys()], ignore_end=True)
        run(tmp_path, "mpop", "-C", rc)  # kept there, known here: nothing comes twice
        assert len(mailbox.mbox(place)) == filled.count() == len(filled.texts)


# ---- getmail: as root it delivers to nothing but a program ----

@pytest.mark.parametrize("retriever", ["SimplePOP3Retriever", "SimplePOP3SSLRetriever"])
@pytest.mark.parametrize("delete", [True, False], ids=["delete", "keep"])
def test_getmail(office, filled, tmp_path, retriever, delete):
    need("getmail")
    service, trust = ("pop3s", f"ca_certs = {office.ca}\n") if "SSL" in retriever else ("pop3", "")
    rc = write(tmp_path / "getmailrc", f"[retriever]\ntype = {retriever}\nserver = localhost\nport = {office.port[service]}\n"
               f"username = {filled.address}\npassword = {filled.password}\n{trust}\n[destination]\ntype = MDA_external\n"
               f"path = {mda(tmp_path)}\nallow_root_commands = true\n\n[options]\ndelete = {delete}\nread_all = false\n"
               "delivered_to = false\nreceived = false\nverbose = 1\n")
    words = ["getmail", f"--getmaildir={tmp_path}", f"--rcfile={rc}"]
    run(tmp_path, *words)
    check_fetched(filled, files(tmp_path / "in"))
    run(tmp_path, *words)
    assert len(files(tmp_path / "in")) == len(filled.texts)
    assert filled.count() == (0 if delete else len(filled.texts))


# ---- poplib ----

@pytest.mark.parametrize("case", ["clear", "stls", "tls"])
def test_poplib(office, filled, case):
    if case == "tls":
        pop = poplib.POP3_SSL("localhost", office.port["pop3s"], timeout=30, context=office.tls_context())
    else:
        pop = poplib.POP3("localhost", office.port["pop3"], timeout=30)
    if case == "stls":
        pop.stls(office.tls_context())
    capa = pop.capa()
    assert {"UIDL", "TOP", "USER", "SASL", "PIPELINING", "RESP-CODES"} <= set(capa) and ("STLS" in capa) == (case == "clear")
    pop.utf8()
    pop.user(filled.address)
    pop.pass_(filled.password)
    count, size = pop.stat()
    texts = [b"\r\n".join(pop.retr(n)[1]) + b"\r\n" for n in range(1, count + 1)]
    check_fetched(filled, texts)
    assert size == sum(len(t) for t in texts)
    assert [int(line.split()[1]) for line in pop.list()[1]] == [len(t) for t in texts]
    ids = [line.split()[1] for line in pop.uidl()[1]]
    assert len(set(ids)) == count and pop.uidl(2).split()[2] == ids[1]
    head = texts[1].split(b"\r\n\r\n")[0]
    assert b"\r\n".join(pop.top(2, 0)[1]).rstrip(b"\r\n") == head
    pop.dele(1)
    pop.rset()
    pop.dele(2)
    pop.quit()
    assert filled.count() == count - 1


# ---- mutt, on a terminal of its own ----

@pytest.mark.parametrize("scheme", ["pop", "pops"])
def test_mutt(office, filled, tmp_path, scheme):
    """Open the mailbox, mark all, save all into a folder here, which deletes them there."""
    need("mutt")
    place = maildir(tmp_path / "in")
    port = office.port["pop3s" if scheme == "pops" else "pop3"]
    rc = write(tmp_path / "muttrc", f"set pop_pass='{filled.password}' certificate_file='{office.ca}' pop_authenticators='user'\n"
               "set ssl_force_tls=no ssl_starttls=yes confirmappend=no confirmcreate=no mbox_type=Maildir delete=yes sleep_time=0\n"
               f"set pop_checkinterval=600 wait_key=no move=no copy=no weed=no folder={tmp_path}\n"
               f"push '<tag-pattern>~A<enter><tag-prefix><save-message><kill-line>{place}<enter><quit>'\n")
    ours, theirs = pty.openpty()
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "TERM": "xterm", "LC_ALL": "C.UTF-8", "TMPDIR": str(tmp_path)}
    p = subprocess.Popen(["mutt", "-n", "-F", rc, "-f", f"{scheme}://{quote(filled.address, safe='')}@localhost:{port}"], stdin=theirs,
                         stdout=theirs, stderr=theirs, env=env, start_new_session=True)
    os.close(theirs)
    screen, deadline = b"", time.monotonic() + 20
    while p.poll() is None and time.monotonic() < deadline:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                screen += os.read(ours, 65536)
            except OSError:  # closed by its end
                break
    try:
        p.wait(timeout=5)
    except subprocess.TimeoutExpired:
        p.kill()
        p.wait()
        raise AssertionError(screen[-3000:].decode(errors="replace"))
    finally:
        os.close(ours)
    fetched = files(place / "new") + files(place / "cur")
    assert len(fetched) == len(filled.texts), screen[-2000:].decode(errors="replace")
    # What it notes for itself in a copy: two fields at the end of the header.
    check_fetched(filled, [re.sub(rb"\nContent-Length: \d+(\nLines: \d+)?\n\n", b"\n\n", text, count=1) for text in fetched])
    assert filled.count() == 0
