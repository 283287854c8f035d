"""Programs that send mail: what each of them hands over is in the mailbox, byte for byte, and the trace names the protocol."""
import email
import email.policy
import os
import smtplib
from urllib.parse import quote

import pytest

from office import HOST, MIME, STRANGER, attachment, check_arrived, compose, need, run, samples, split_trace, write

SAMPLES = ["plain", "dots", "utf8", "long lines", "large"]


def stuff_from(sender, box, name="dots"):
    return samples(sender, box.address)[name]


def parsed(box):
    trace, text = split_trace(box.read_one())
    return trace, email.message_from_bytes(text, policy=email.policy.default)


# ---- swaks ----

SWAKS = {
    "plain": ("smtp", [], "ESMTP", False),
    "helo": ("smtp", ["--protocol", "SMTP"], "SMTP", False),
    "pipelined": ("smtp", ["--pipeline"], "ESMTP", False),
    "starttls": ("smtp", ["--tls"], "ESMTPS", False),
    "starttls, pipelined": ("smtp", ["--tls", "--pipeline"], "ESMTPS", False),
    "submission, plain": ("submission", ["--tls", "--auth", "PLAIN"], "ESMTPSA", True),
    "submission, login": ("submission", ["--tls", "--auth", "LOGIN"], "ESMTPSA", True),
    "submissions, plain": ("submissions", ["--tls-on-connect", "--auth", "PLAIN"], "ESMTPSA", True),
    "lmtp": ("lmtp", ["--protocol", "LMTP"], "LMTP", False),
    "lmtp, starttls": ("lmtp", ["--protocol", "LMTP", "--tls"], "LMTPS", False),
}


def swaks(office, box, folder, service, options, login, data):
    need("swaks")
    words = ["swaks", "--server", HOST, "--port", office.port[service], "--helo", "client.test", "--to", box.address, *options]
    words += ["--from", box.address, "--auth-user", box.address, "--auth-password", box.password] if login else ["--from", STRANGER]
    if any(o.startswith("--tls") for o in options):
        words += ["--tls-verify", "--tls-ca-path", office.ca]
    return run(folder, *words, *data)


@pytest.mark.parametrize("case", SWAKS)
def test_swaks(office, box, tmp_path, case):
    service, options, protocol, login = SWAKS[case]
    sender = box.address if login else STRANGER
    text = stuff_from(sender, box)
    file = write(tmp_path / "message", text[:-2])  # it ends the last line itself
    swaks(office, box, tmp_path, service, options, login, ["--data", f"@{file}"])
    check_arrived(box, text, protocol, sender)


def test_swaks_attaches_three_megabytes(office, box, tmp_path):
    data = os.urandom(3_000_000)
    file = write(tmp_path / "blob.bin", data)
    swaks(office, box, tmp_path, "smtp", ["--tls"], False, ["--attach", f"@{file}", "--h-Subject", "three megabytes"])
    trace, message = parsed(box)
    assert message["Subject"] == "three megabytes"
    assert data in [part.get_content() for part in message.iter_attachments()]


def test_swaks_is_refused_without_login(office, box, tmp_path):
    need("swaks")
    run(tmp_path, "swaks", "--server", HOST, "--port", office.port["submission"], "--from", box.address, "--to", box.address, "--tls",
        ok=(23,))  # MAIL refused
    assert box.count() == 0


def test_swaks_with_a_wrong_password(office, box, tmp_path):
    need("swaks")
    run(tmp_path, "swaks", "--server", HOST, "--port", office.port["submission"], "--from", box.address, "--to", box.address,
        "--tls", "--auth", "PLAIN", "--auth-user", box.address, "--auth-password", "not it", ok=(28,))
    assert box.count() == 0


# ---- msmtp ----

MSMTP = {
    "plain": ("smtp", "tls off\nauth off", "ESMTP", False),
    "starttls": ("smtp", "tls on\ntls_starttls on\nauth off", "ESMTPS", False),
    "starttls, scram": ("submission", "tls on\ntls_starttls on\nauth scram-sha-256", "ESMTPSA", True),
    "starttls, auth plain": ("submission", "tls on\ntls_starttls on\nauth plain", "ESMTPSA", True),
    "tls, scram": ("submissions", "tls on\ntls_starttls off\nauth scram-sha-256", "ESMTPSA", True),
    "tls, login": ("submissions", "tls on\ntls_starttls off\nauth login", "ESMTPSA", True),
    "tls, its own choice": ("submissions", "tls on\ntls_starttls off\nauth on", "ESMTPSA", True),
    "lmtp": ("lmtp", "tls off\nauth off\nprotocol lmtp", "LMTP", False),
}


@pytest.mark.parametrize("case", MSMTP)
def test_msmtp(office, box, tmp_path, case):
    need("msmtp")
    service, options, protocol, login = MSMTP[case]
    sender = box.address if login else STRANGER
    trust = f"tls_trust_file {office.ca}\n" if "tls on" in options else ""
    rc = write(tmp_path / "msmtprc", f"account default\nhost {HOST}\nport {office.port[service]}\ndomain client.test\nfrom {sender}\n"
               f"user {box.address}\npassword \"{box.password}\"\n{trust}{options}\n")
    for name in SAMPLES if case == "tls, scram" else ["dots"]:
        text = stuff_from(sender, target := office.new_box(), name)
        run(tmp_path, "msmtp", "-C", rc, "-f", sender, "--", target.address, stdin=text.replace(b"\r\n", b"\n"))
        check_arrived(target, text, protocol, sender)


def test_msmtp_to_several(office, tmp_path):
    """Each recipient has a copy, and nobody sees who else has."""
    need("msmtp")
    boxes = [office.new_box() for _ in range(3)]
    text = stuff_from(STRANGER, boxes[0])
    run(tmp_path, "msmtp", f"--host={HOST}", f"--port={office.port['smtp']}", f"--from={STRANGER}", "--auth=off", "--tls=off",
        *[b.address for b in boxes], stdin=text.replace(b"\r\n", b"\n"))
    for b in boxes:
        check_arrived(b, text, "ESMTP")


# ---- curl ----

CURL = {
    "smtp": ("smtp", "smtp", [], "ESMTP", False),
    "smtp, starttls": ("smtp", "smtp", ["--ssl-reqd"], "ESMTPS", False),
    "submission": ("submission", "smtp", ["--ssl-reqd"], "ESMTPSA", True),
    "submission, plain": ("submission", "smtp", ["--ssl-reqd", "--login-options", "AUTH=PLAIN"], "ESMTPSA", True),
    "submission, plain at once": ("submission", "smtp", ["--ssl-reqd", "--login-options", "AUTH=PLAIN", "--sasl-ir"], "ESMTPSA", True),
    "smtps": ("submissions", "smtps", [], "ESMTPSA", True),
    "smtps, login": ("submissions", "smtps", ["--login-options", "AUTH=LOGIN"], "ESMTPSA", True),
    "smtps, tls 1.2": ("submissions", "smtps", ["--tls-max", "1.2"], "ESMTPSA", True),
    "smtps, tls 1.3": ("submissions", "smtps", ["--tlsv1.3"], "ESMTPSA", True),
}


@pytest.mark.parametrize("case", CURL)
def test_curl(office, box, tmp_path, case):
    need("curl")
    service, scheme, options, protocol, login = CURL[case]
    sender = box.address if login else STRANGER
    words = ["curl", "-sS", f"{scheme}://{HOST}:{office.port[service]}/client.test", "--cacert", office.ca, "--mail-from", sender]
    words += ["--user", f"{box.address}:{box.password}"] if login else []
    for name in SAMPLES if case == "smtps" else ["dots"]:
        text = stuff_from(sender, target := office.new_box(), name)
        run(tmp_path, *words, *options, "--mail-rcpt", target.address, "-T", write(tmp_path / "message", text))
        check_arrived(target, text, protocol, sender)


def test_curl_asks_vrfy(office, box, tmp_path):
    need("curl")
    p = run(tmp_path, "curl", "-sS", f"smtp://{HOST}:{office.port['smtp']}/client.test", "--mail-rcpt", box.address)
    assert p.stdout.startswith(b"252 "), p.stdout


# ---- s-nail and mutt: they compose the message themselves ----

def compose_and_check(office, box, folder, sender, protocol, command):
    """`command(subject, attachment, body)` runs the client; what it was told has arrived."""
    blob = os.urandom(50_000)
    body = "A line.\n.\n.. dots\nFrom the client\nGrüße aus dem Süden\n"
    command("Grüße", write(folder / "blob.bin", blob), body)
    trace, message = parsed(box)
    assert f"with {protocol} ".encode() in trace and f"Return-Path: <{sender}>".encode() in trace
    assert message["Subject"] == "Grüße"
    parts = list(message.walk())
    assert [p.get_content() for p in parts if p.get_content_type() == "text/plain"][0].replace("\r\n", "\n").rstrip("\n") == body.rstrip("\n")
    assert blob in [p.get_content() for p in parts if p.get_content_type() == "application/octet-stream"]


NAIL = {
    "plain": ("smtp", "smtp", ["-Ssmtp-auth=none"], "SMTP", False),
    "starttls": ("submission", "smtp", ["-Ssmtp-use-starttls", "-Ssmtp-auth=plain"], "ESMTPSA", True),
    "tls, plain": ("submissions", "smtps", ["-Ssmtp-auth=plain"], "ESMTPSA", True),
    "tls, login": ("submissions", "smtps", ["-Ssmtp-auth=login"], "ESMTPSA", True),
}


@pytest.mark.parametrize("case", NAIL)
def test_s_nail(office, box, tmp_path, case):
    need("s-nail")
    service, scheme, options, protocol, login = NAIL[case]
    sender = box.address if login else STRANGER
    user = f"{quote(box.address, safe='')}:{quote(box.password, safe='')}@" if login else ""

    def command(subject, file, body):
        run(tmp_path, "s-nail", "-:/", "-Sv15-compat", f"-Smta={scheme}://{user}localhost:{office.port[service]}", *options,
            "-Stls-verify=strict", f"-Stls-ca-file={office.ca}", "-Stls-ca-no-defaults", f"-Sfrom={sender}", "-Sttycharset=utf-8",
            "-Ssendcharsets=utf-8", "-Shostname=client.test", "-Ssendwait", f"-SDEAD={tmp_path}/dead", "-s", subject, "-a", file, box.address,
            stdin=body.encode())
    compose_and_check(office, box, tmp_path, sender, protocol, command)


MUTT = {
    "plain": ("smtp", "smtp", "set ssl_starttls=no ssl_force_tls=no", "ESMTP", False),
    # Left to itself, mutt with libgsasl begins SCRAM-SHA-256-PLUS where it is offered, has no channel binding for it, and
    # tries nothing else: so its mechanisms have to be named.
    "starttls": ("submission", "smtp", "set ssl_starttls=yes ssl_force_tls=yes smtp_authenticators='scram-sha-256:plain'", "ESMTPSA", True),
    "tls, plain": ("submissions", "smtps", "set smtp_authenticators=plain", "ESMTPSA", True),
    "tls, login": ("submissions", "smtps", "set smtp_authenticators=login", "ESMTPSA", True),
    "tls, scram": ("submissions", "smtps", "set smtp_authenticators=scram-sha-256", "ESMTPSA", True),
}


@pytest.mark.parametrize("case", MUTT)
def test_mutt(office, box, tmp_path, case):
    need("mutt")
    service, scheme, options, protocol, login = MUTT[case]
    sender = box.address if login else STRANGER
    user = f"{quote(box.address, safe='')}@" if login else ""
    rc = write(tmp_path / "muttrc", f"set smtp_url='{scheme}://{user}localhost:{office.port[service]}' smtp_pass='{box.password}'\n"
               f"set from='{sender}' use_from=yes use_envelope_from=yes envelope_from_address='{sender}' hostname=client.test\n"
               f"set certificate_file='{office.ca}' charset=utf-8 send_charset=utf-8 copy=no record= \n{options}\n")

    def command(subject, file, body):
        run(tmp_path, "mutt", "-n", "-F", rc, "-s", subject, "-a", file, "--", box.address, stdin=body.encode())
    compose_and_check(office, box, tmp_path, sender, protocol, command)


# ---- smtplib ----

@pytest.mark.parametrize("case", ["plain", "starttls", "auth plain", "auth login", "tls", "lmtp"])
def test_smtplib(office, box, case):
    login = case.startswith("auth") or case == "tls"
    sender, host, context = box.address if login else STRANGER, "localhost", office.tls_context()
    service = {"auth plain": "submission", "auth login": "submission", "tls": "submissions", "lmtp": "lmtp"}.get(case, "smtp")
    if case == "tls":
        client = smtplib.SMTP_SSL(host, office.port[service], timeout=30, context=context)
    else:
        client = (smtplib.LMTP if case == "lmtp" else smtplib.SMTP)(host, office.port[service], timeout=30)
    with client:
        if case in ("starttls", "auth plain", "auth login"):
            client.starttls(context=context)
        client.ehlo()
        client.user, client.password = box.address, box.password
        if case == "auth login":
            client.auth("LOGIN", client.auth_login)
        elif login:
            client.auth("PLAIN", client.auth_plain)
        protocol = {"plain": "ESMTP", "starttls": "ESMTPS", "lmtp": "LMTP"}.get(case, "ESMTPSA")
        for name in SAMPLES + ["no body", "blanks"]:
            target = office.new_box()
            text = stuff_from(sender, target, name)
            assert client.sendmail(sender, [target.address], text, ["BODY=8BITMIME"]) == {}
            check_arrived(target, text, protocol, sender)


def test_smtplib_smtputf8(office, box):
    text = compose("grüße@elsewhere.test", box.address, b"Hello.\r\n")
    with smtplib.SMTP(HOST, office.port["smtp"], timeout=30) as client:
        client.sendmail("grüße@elsewhere.test", [box.address], text, ["SMTPUTF8", "BODY=8BITMIME"])
    check_arrived(box, text, "UTF8SMTP", "grüße@elsewhere.test")


def test_smtplib_some_recipients_unknown(office, box):
    text = stuff_from(STRANGER, box)
    with smtplib.SMTP(HOST, office.port["smtp"], timeout=30) as client:
        refused = client.sendmail(STRANGER, ["nobody@" + box.address.split("@")[1], box.address, "far@elsewhere.test"], text)
    assert {a: code for a, (code, _) in refused.items()} == {"nobody@interop.test": 550, "far@elsewhere.test": 550}
    check_arrived(box, text, "ESMTP")


# ---- smtp-source of Postfix ----

@pytest.mark.parametrize("options", [[], ["-d"], ["-L"]], ids=["connection each", "one connection", "lmtp"])
def test_smtp_source(office, box, tmp_path, options):
    need("smtp-source")
    port = office.port["lmtp" if "-L" in options else "smtp"]
    run(tmp_path, "smtp-source", "-s", "5", "-m", "40", "-l", "5000", *options, "-f", STRANGER, "-t", box.address, f"{HOST}:{port}")
    assert box.count() == 40


def test_smtp_source_sends_a_file(office, box, tmp_path):
    """With a 3 MB attachment in it, to many recipients at once."""
    need("smtp-source")
    text = compose(STRANGER, box.address, attachment(3_000_000), "large", MIME)
    file = write(tmp_path / "message", text.replace(b"\r\n", b"\n"))
    run(tmp_path, "smtp-source", "-F", file, "-f", STRANGER, "-t", box.address, f"{HOST}:{office.port['smtp']}")
    check_arrived(box, text + b"\r\n", "SMTP")  # it puts an empty line before the dot
