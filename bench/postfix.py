"""Postfix from Debian, in a configuration, queue and port of its own; /etc/postfix is not read.

Virtual delivery to Maildir as the documentation has it (VIRTUAL_README), all of Postfix's own
defaults for durability and speed. Three settings differ, because the cases need them: as many smtpd
processes as there are sessions (the default of 100 would make the other sessions wait),
message_size_limit (the default of 10,240,000 bytes is below a body of 10 MiB), and no chroot. It logs to a
file through its own postlogd, as an ordinary installation does through syslog. Where strangers come
from thousands of loopback addresses, it does not ask the DNS for their names, which nobody knows.
"""
import grp
import os
import pwd
import shutil
import subprocess

from server import DOMAIN, Failed, Missing, Server, free_port

MAIN = """\
compatibility_level = 3.6
myhostname = mx.{domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
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
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = hash:{dir}/conf/boxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
message_size_limit = 20480000
maillog_file_prefixes = {dir}
maillog_file = {dir}/mail.log
"""

TLS = """\
smtpd_tls_security_level = may
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
"""

# The services of Debian's master.cf that this path uses, with the same limits, but not in a chroot.
MASTER = """\
127.0.0.1:{port} inet n - n - {processes} smtpd
pickup    unix  n - n 60    1 pickup
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
showq     unix  n - n -     - showq
error     unix  - - n -     - error
retry     unix  - - n -     - error
discard   unix  - - n -     - discard
local     unix  - n n -     - local
virtual   unix  - n n -     - virtual
anvil     unix  - - n -     1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""

QUEUES = ("incoming", "active", "deferred", "maildrop")


class Postfix(Server):
    name = "postfix"
    title = "Postfix"
    durable_at_250 = False
    has_tls = True

    def prepare(self):
        if not os.path.exists("/usr/lib/postfix/sbin/master"):
            raise Missing("Postfix is not installed")
        if os.geteuid() != 0:
            raise Missing("Postfix can only be started by root")
        self.boxes = self.settings.get("accounts", 100)
        self.port = free_port()
        self.make_directories()
        self.write_configuration()
        done = subprocess.run(["postmap", "-c", f"{self.dir}/conf", f"hash:{self.dir}/conf/boxes"],
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise Failed(f"postmap: {done.stderr.strip()}")

    def make_directories(self):
        """What `postfix check` would make in the queue directory, with its owners and modes."""
        postfix = pwd.getpwnam("postfix").pw_uid
        postdrop = grp.getgrnam("postdrop").gr_gid
        self.owner = pwd.getpwnam("nobody")
        for name in ("conf", "queue", "queue/pid"):
            os.mkdir(f"{self.dir}/{name}", 0o755)
        for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold",
                     "incoming", "private", "saved", "trace"):
            self.make(f"queue/{name}", 0o700, postfix, -1)
        self.make("queue/public", 0o710, postfix, postdrop)
        self.make("queue/maildrop", 0o730, postfix, postdrop)
        self.make("data", 0o700, postfix, -1)
        self.make("mail", 0o700, self.owner.pw_uid, self.owner.pw_gid)

    def make(self, name, mode, uid, gid):
        os.mkdir(f"{self.dir}/{name}")
        os.chown(f"{self.dir}/{name}", uid, gid)
        os.chmod(f"{self.dir}/{name}", mode)

    def write_configuration(self):
        values = {"dir": self.dir, "domain": DOMAIN, "port": self.port,
                  "uid": self.owner.pw_uid, "gid": self.owner.pw_gid,
                  "processes": self.settings.get("processes", 520)}
        main = MAIN.format(**values)
        if self.settings.get("tls"):
            main += TLS.format(**self.settings["tls"])
        if not self.settings.get("names_of_clients", True):
            main += "smtpd_peername_lookup = no\n"
        boxes = "".join(f"user{i}@{DOMAIN} user{i}/\n" for i in range(1, self.boxes + 1))
        for name, text in (("main.cf", main), ("master.cf", MASTER.format(**values)),
                           ("dynamicmaps.cf", ""), ("boxes", boxes)):
            with open(f"{self.dir}/conf/{name}", "w") as f:
                f.write(text)

    def command(self):
        # setsid: the master ends its processes by their process group. -d: stay in the foreground.
        return ["setsid", "/usr/lib/postfix/sbin/master", "-d", "-c", f"{self.dir}/conf"]

    def is_idle(self):
        return not any(self.has_entry(f"{self.dir}/queue/{queue}") for queue in QUEUES)

    @staticmethod
    def has_entry(path):
        with os.scandir(path) as entries:
            return any(True for _ in entries)

    def new_folders(self):
        for box in os.listdir(f"{self.dir}/mail"):
            yield f"{self.dir}/mail/{box}/new"

    def delivered(self):
        return sum(len(os.listdir(folder)) for folder in self.new_folders() if os.path.isdir(folder))

    def clear(self):
        for box in os.listdir(f"{self.dir}/mail"):
            shutil.rmtree(f"{self.dir}/mail/{box}")
