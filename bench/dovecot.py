"""Dovecot's POP3 server from Debian, in a configuration of its own, on Maildirs that are there.

Debian's defaults, but for: POP3 only, a passwd-file, no TLS, its own directories and port.
The passwords are hashed with yescrypt, as accounts of a Debian system are.
"""
import ctypes
import os
import pwd

from server import DOMAIN, Missing, Server, free_port

CONFIGURATION = """\
base_dir = {dir}/run
state_dir = {dir}/state
protocols = pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
log_path = {dir}/dovecot.log
mail_location = maildir:{mail}/%n
first_valid_uid = {uid}
last_valid_uid = {uid}
passdb {{
  driver = passwd-file
  args = {dir}/passwd
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/home/%n
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
"""


def hashed(password):
    """`password` as crypt(3) stores it by default on Debian 12."""
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    return crypt(password.encode(), b"$y$j9T$benchbenchbench.").decode()


class Dovecot(Server):
    name = "dovecot"
    title = "Dovecot"
    greeting = b"+OK"

    def prepare(self):
        if not os.path.exists("/usr/lib/dovecot/pop3"):
            raise Missing("dovecot-pop3d is not installed")
        if os.geteuid() != 0:
            raise Missing("Dovecot is started by root here")
        owner = pwd.getpwnam("nobody")
        self.port = free_port()
        for name in ("run", "state", "home"):
            os.mkdir(f"{self.dir}/{name}", 0o755)
        os.chown(f"{self.dir}/home", owner.pw_uid, owner.pw_gid)
        text = CONFIGURATION.format(dir=self.dir, port=self.port, uid=owner.pw_uid,
                                    gid=owner.pw_gid, mail=self.settings["mail"])
        word = hashed(self.settings["password"])
        users = "".join(f"user{i}@{DOMAIN}:{{CRYPT}}{word}\n"
                        for i in range(1, self.settings["accounts"] + 1))
        for name, content, mode in (("dovecot.conf", text, 0o644), ("passwd", users, 0o640)):
            with open(f"{self.dir}/{name}", "w") as f:
                f.write(content)
            os.chmod(f"{self.dir}/{name}", mode)
        os.chown(f"{self.dir}/passwd", 0, pwd.getpwnam("dovecot").pw_gid)

    def command(self):
        return ["/usr/sbin/dovecot", "-F", "-c", f"{self.dir}/dovecot.conf"]
