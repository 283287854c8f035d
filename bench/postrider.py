"""Postrider as `meson` built it, with its standard settings.

What differs from the standard: one listener each for SMTP and POP3 on loopback, and the client
on 127.0.0.1 is trusted not to be limited in connections (Postfix exempts it by its mynetworks).
Strangers from other loopback addresses meet the standard limits.
"""
import os
import subprocess

from server import DOMAIN, Failed, Missing, Server, free_port

CONFIGURATION = """\
host mx.{domain}
store {dir}/store
run {dir}/run
user {user}
listen smtp 127.0.0.1:{port}
listen pop3 127.0.0.1:{pop3_port}
trust 127.0.0.1 {{ unlimited }}
"""

TLS = """\
tls {{ certificate {cert} key {key} }}
"""


# Where nobody logs in, the accounts' passwords need not cost the time that they should.
NO_LOGINS = """\
limit auth_scram_iterations 4096
limit auth_hash_yescrypt_cost 1
"""


class Postrider(Server):
    name = "postrider"
    title = "Postrider"
    has_tls = True

    def prepare(self):
        self.program = f"{self.settings['build']}/postrider"
        if not os.access(self.program, os.X_OK):
            raise Missing(f"{self.program} is not built")
        self.port, self.pop3_port = free_port(), free_port()
        text = CONFIGURATION.format(dir=self.dir, domain=DOMAIN, port=self.port, user="nobody",
                                    pop3_port=self.pop3_port)
        if self.settings.get("tls"):
            text += TLS.format(**self.settings["tls"])
        if not self.settings.get("password"):
            text += NO_LOGINS
        self.file = f"{self.dir}/postrider.conf"
        with open(self.file, "w") as f:
            f.write(text)
        self.tool("config", "check")

    def tool(self, *words, text=None):
        """One command of the administrator."""
        done = subprocess.run([self.program, *words, "-c", self.file], input=text,
                              capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise Failed(f"postrider {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")

    def command(self):
        return [self.program, "run", "-c", self.file]

    def start(self, count_syncs=False):
        super().start(count_syncs)
        try:
            self.tool("domain", "add", DOMAIN)
            for i in range(1, self.settings.get("accounts", 100) + 1):
                self.tool("account", "add", f"user{i}@{DOMAIN}", "--password-stdin",
                          text=self.settings.get("password", "never used") + "\n")
        except BaseException:
            self.stop()
            raise
        return self
