"""Messages that other people collected go in by SMTP and come out by POP3 byte for byte.

They ship as test data of Debian packages and are looked for when the test runs; nothing is copied into this tree."""
import glob
import mailbox
import re
import smtplib
import warnings

import pytest

from office import HOST, STRANGER, split_trace

LEAST = 20
# Where messages lie, and the packages that bring them (packaging/debian-packages-test).
PLACES = (
    "/usr/lib/python3*/test/test_email/data/msg_*.txt",                     # libpython3.11-testsuite
    "/usr/share/gocode/src/github.com/jhillyerd/enmime/testdata/**/*.raw",  # golang-github-jhillyerd-enmime-dev
    "/usr/share/doc/spamassassin/examples/sample-*.txt",                    # spamassassin
    "/usr/share/doc/**/*.eml",
    "/usr/lib/node_modules/**/*.eml", "/usr/share/nodejs/**/*.eml",
    "/usr/share/perl5/**/*.eml",
    "/usr/lib/ruby/**/*.eml", "/var/lib/gems/**/*.eml",
)
MBOXES = ("/usr/share/doc/**/*.mbox", "/usr/share/gocode/**/*.mbox")
LINE_MAX = 998  # RFC 5321 4.5.3.1.6, without CRLF


def find():
    """{path: content as it is in the file}"""
    found = {path: open(path, "rb").read() for place in PLACES for path in sorted(glob.glob(place, recursive=True))}
    for path in sorted(p for place in MBOXES for p in glob.glob(place, recursive=True)):
        box = mailbox.mbox(path, create=False)
        found.update({f"{path}:{key}": box.get_bytes(key) for key in box.keys()})
    return {path: text for path, text in found.items() if text.strip()}


def normal(text):
    """With CRLF at the end of each line, as it is on the wire. (A lone CR is a line end of the file as well.)"""
    text = re.sub(rb"\r\n|\r|\n", b"\r\n", text)
    return text if text.endswith(b"\r\n") else text + b"\r\n"


def fits_data(text):
    return b"\0" not in text and all(len(line) <= LINE_MAX for line in text.split(b"\r\n"))


def send_data(client, box, text):
    options = ["BODY=8BITMIME"] if not text.isascii() else []
    assert client.sendmail(STRANGER, [box.address], text, options) == {}


def send_bdat(client, box, text):
    """In two chunks, at no line's end if it can be helped."""
    assert client.docmd("MAIL", f"FROM:<{STRANGER}> BODY=BINARYMIME")[0] == 250
    assert client.docmd("RCPT", f"TO:<{box.address}>")[0] == 250
    middle = len(text) // 2
    for chunk, last in ((text[:middle], b""), (text[middle:], b" LAST")):
        client.send(b"BDAT %d%s\r\n" % (len(chunk), last) + chunk)
        code, said = client.getreply()
        assert code == 250, said


def digest(text):
    return f"{len(text)} bytes:\n{text[:400]!r}"


def check_back(box, sent):
    """The mailbox holds these, in this order; a text without CRLF at its end gets one in POP3."""
    got = [split_trace(message)[1] for message in box.read()]
    assert len(got) == len(sent)
    for (path, text), back in zip(sent.items(), got):
        want = text if text.endswith(b"\r\n") else text + b"\r\n"
        assert back == want, f"{path}: got {digest(back)}\nfor {digest(want)}"


@pytest.fixture(scope="module")
def corpus():
    found = find()
    assert len(found) >= LEAST, f"only {len(found)} messages found: are the packages of packaging/debian-packages-test installed?"
    return found


def test_corpus_through_data(office, corpus):
    """Those that break the limits of SMTP lines go by BDAT, as RFC 3030 has it."""
    box = office.new_box()
    sent = {path: normal(text) for path, text in corpus.items()}
    by_bdat = 0
    with smtplib.SMTP(HOST, office.port["smtp"], timeout=30) as client:
        client.ehlo("client.test")
        for text in sent.values():
            if fits_data(text):
                send_data(client, box, text)
            else:
                send_bdat(client, box, text)
                by_bdat += 1
    check_back(box, sent)
    warnings.warn(f"corpus: {len(sent)} messages, {by_bdat} of them by BDAT", stacklevel=1)


def test_corpus_as_it_is_through_bdat(office, corpus):
    """Bytes as they lie in the files, whatever they use for line ends. POP3 has lines only: a bare LF is the end of one."""
    box = office.new_box()
    box.binary = True
    with smtplib.SMTP(HOST, office.port["smtp"], timeout=30) as client:
        client.ehlo("client.test")
        for text in corpus.values():
            send_bdat(client, box, text)
    check_back(box, {path: re.sub(rb"(?<!\r)\n", b"\r\n", text) for path, text in corpus.items()})


def test_corpus_with_long_lines_through_bdat(office, corpus):
    """The same with all lines of each body in one, longer than DATA would take."""
    box = office.new_box()
    sent = {}
    for path, text in corpus.items():
        head, _, body = normal(text).partition(b"\r\n\r\n")
        sent[path] = head + b"\r\n\r\n" + (body.replace(b"\r\n", b" ") + b".") * (1 + LINE_MAX // (len(body) + 1)) + b"\r\n"
    with smtplib.SMTP(HOST, office.port["smtp"], timeout=30) as client:
        client.ehlo("client.test")
        for text in sent.values():
            send_bdat(client, box, text)
    check_back(box, sent)


def test_corpus_through_lmtp(office, corpus):
    """One message, two mailboxes, an answer for each."""
    boxes = [office.new_box(), office.new_box()]
    sent = {path: text for path, text in ((p, normal(t)) for p, t in corpus.items()) if fits_data(text)}
    with smtplib.LMTP(HOST, office.port["lmtp"], timeout=30) as client:
        client.ehlo("client.test")
        for text in sent.values():
            assert client.docmd("MAIL", f"FROM:<{STRANGER}> BODY=8BITMIME")[0] == 250
            for box in boxes:
                assert client.docmd("RCPT", f"TO:<{box.address}>")[0] == 250
            assert client.docmd("DATA")[0] == 354
            client.send(re.sub(rb"(?m)^\.", b"..", text) + b".\r\n")
            assert [client.getreply()[0] for _ in boxes] == [250, 250]
    for box in boxes:
        check_back(box, sent)
