/* What is said about bad configurations, word for word. Each message has been read aloud: it says
 * where, what, and what to do. */
#include "model/config_unit.h"

PARAM(test_wait_ms, TIME_MS, 10, 1000, 100, "a wait that only this test knows")
PARAM(test_size, BYTES, 1024, 1 << 20, 4096, "a size that only this test knows")
PARAM(test_count, COUNT, 1, 10, 5, "a number that only this test knows")
PARAM(test_switch, BOOL, 0, 1, 0, "a switch that only this test knows")

static const struct {
    const char *name;
    struct str text, said;
} cases[] = {
    { "misspelt setting", STR_INIT("hots mail.example.org"),
      STR_INIT("/c:1:1: error: unknown setting \"hots\"; did you mean \"host\"?") },
    { "swapped letters", STR_INIT("lisetn smtp 0.0.0.0:25"),
      STR_INIT("/c:1:1: error: unknown setting \"lisetn\"; did you mean \"listen\"?") },
    { "no such setting", STR_INIT("banana 1"),
      STR_INIT("/c:1:1: error: unknown setting \"banana\"; known are host, admin, store, run, "
               "user, processes, log, tls, listen, trust, route, check, limit, address, auth") },
    { "equals sign", STR_INIT("host = mail.example.org"),
      STR_INIT(
          "/c:1:6: error: no \"=\" in this file; a name and its value have a blank between them") },
    { "equals sign inside", STR_INIT("host=mail.example.org"),
      STR_INIT("/c:1:1: error: \"=\" in \"host=mail.example.org\"; a name and its value have a "
               "blank between them") },
    { "colon", STR_INIT("host : mail.example.org"),
      STR_INIT(
          "/c:1:6: error: no \":\" in this file; a name and its value have a blank between them") },
    { "no value", STR_INIT("host"),
      STR_INIT("/c:1:1: error: host needs a value; write: host NAME") },
    { "too many values", STR_INIT("host mail.example.org extra"),
      STR_INIT("/c:1:23: error: \"extra\" is too much for host; write: host NAME") },
    { "set twice",
      STR_INIT("host a.example.org\n"
               "host b.example.org"),
      STR_INIT(
          "/c:2:1: error: host is set twice; it is set at /c:1 already; take one of them out") },
    { "block that is none", STR_INIT("host a.example.org { x }"),
      STR_INIT("/c:1:1: error: host takes no block; write: host NAME") },
    { "setting of a block outside", STR_INIT("map 1T"),
      STR_INIT("/c:1:1: error: unknown setting \"map\"; write: store { map 1T }") },
    { "setting of a repeated block outside", STR_INIT("proxy yes"),
      STR_INIT("/c:1:1: error: unknown setting \"proxy\"; proxy stands in the block of listen") },
    { "outer setting inside a block", STR_INIT("log { host a.example.org }"),
      STR_INIT("/c:1:7: error: unknown setting of log: \"host\"; host stands outside all blocks") },
    { "setting of another block", STR_INIT("tls { level info }"),
      STR_INIT(
          "/c:1:7: error: unknown setting of tls: \"level\"; level stands in the block of log") },
    { "section without block", STR_INIT("log"),
      STR_INIT("/c:1:1: error: log needs a block; write: log { to ...; format ...; level ... }") },
    { "section with words", STR_INIT("log level info"),
      STR_INIT("/c:1:5: error: log takes its settings in a block; write: log { level info }") },
    { "section with foreign words", STR_INIT("log verbose"),
      STR_INIT("/c:1:5: error: log takes its settings in a block; write: log { to ...; format ...; "
               "level ... }") },
    { "two settings on a line", STR_INIT("store /x { map 1T reserve 64M }"),
      STR_INIT("/c:1:19: error: \"reserve\" does not belong to map; begin a new line, or put ';' "
               "between two settings") },
    { "domain", STR_INIT("domain example.org"),
      STR_INIT("/c:1:1: error: unknown setting \"domain\"; this lives in the store: see 'postrider "
               "domain add'") },
    { "Postfix's name", STR_INIT("mynetworks 10.0.0.0/8"),
      STR_INIT("/c:1:1: error: unknown setting \"mynetworks\"; here it is: trust 192.0.2.0/24 { "
               "relay }") },
    { "Postfix's other name", STR_INIT("smtpd_tls_cert_file /x.pem"),
      STR_INIT("/c:1:1: error: unknown setting \"smtpd_tls_cert_file\"; here it is: tls { "
               "certificate PATH key PATH }") },
    { "Dovecot's name", STR_INIT("mail_location maildir:~/Maildir"),
      STR_INIT("/c:1:1: error: unknown setting \"mail_location\"; here it is: store PATH; Maildirs "
               "are brought in by 'postrider import'") },
    { "empty label", STR_INIT("host mail..org"),
      STR_INIT(
          "/c:1:6: error: \"mail..org\" is not a host name; a name looks like mail.example.org") },
    { "address as host", STR_INIT("host 192.0.2.1"),
      STR_INIT("/c:1:6: error: \"192.0.2.1\" is an address, not a name; a name looks like "
               "mail.example.org") },
    { "dot at the end", STR_INIT("host mail.example.org."),
      STR_INIT("/c:1:6: error: \"mail.example.org.\" is not a host name; leave out the dot at its "
               "end") },
    { "host with underscore", STR_INIT("host my_mail.example.org"),
      STR_INIT("/c:1:6: error: \"my_mail.example.org\" is not a host name; a name looks like "
               "mail.example.org") },
    { "label too long",
      STR_INIT("host aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.org"),
      STR_INIT("/c:1:6: error: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"... "
               "is too long for a host name; a name looks like mail.example.org") },
    { "not IDNA", STR_INIT("host \"\342\230\203.example.org\""),
      STR_INIT("/c:1:6: error: \"\342\230\203.example.org\" is not a valid internationalised host "
               "name; a name looks like mail.example.org") },
    { "mail address", STR_INIT("admin ann"),
      STR_INIT("/c:1:7: error: \"ann\" is not a mail address: '@' and a domain are missing; an "
               "address looks like postmaster@example.org") },
    { "mail address without local part", STR_INIT("admin @example.org"),
      STR_INIT("/c:1:7: error: \"@example.org\" is not a mail address: the part before '@' is not "
               "in the grammar; an address looks like postmaster@example.org") },
    { "mail address with blank", STR_INIT("admin \"a b@example.org\""),
      STR_INIT("/c:1:7: error: \"a b@example.org\" is not a mail address: the part before '@' is "
               "not in the grammar; an address looks like postmaster@example.org") },
    { "tilde", STR_INIT("store ~ann/mail"),
      STR_INIT(
          "/c:1:7: error: '~' has no meaning in this file: \"~ann/mail\"; write the whole path") },
    { "empty path", STR_INIT("run \"\""),
      STR_INIT("/c:1:5: error: \"\" is not a path; a path has at least one character and no "
               "control characters") },
    { "NUL in a path", STR_INIT("run \"/a\\x00b\""),
      STR_INIT("/c:1:5: error: \"/a\\x00b\" is not a path; a path has at least one character and "
               "no control characters") },
    { "user with a blank", STR_INIT("user \"a b\""),
      STR_INIT("/c:1:6: error: \"a b\" is not the name of a Unix user or group; it has at most 32 "
               "letters, digits and _ - .") },
    { "root", STR_INIT("user root"),
      STR_INIT(
          "/c:1:1: warning: as root a role is not held back by file rights; make a user for it: "
          "useradd --system --no-create-home postrider") },
    { "root for a role", STR_INIT("user { depot root }"),
      STR_INIT(
          "/c:1:8: warning: as root a role is not held back by file rights; make a user for it: "
          "useradd --system --no-create-home postrider") },
    { "no user", STR_INIT("user"),
      STR_INIT("/c:1:1: error: user needs a name; write: user postrider") },
    { "user for a role that is none", STR_INIT("user { egde x }"),
      STR_INIT("/c:1:8: error: unknown setting of user: \"egde\"; did you mean \"edge\"?") },
    { "user for the keeper", STR_INIT("user { keeper x }"),
      STR_INIT("/c:1:8: error: unknown setting of user: \"keeper\"; the keeper stays the user who "
               "started it") },
    { "size too little", STR_INIT("store { map 12 }"),
      STR_INIT("/c:1:13: error: \"12\" is too little for map; it may be from 64M to 64T") },
    { "size too much", STR_INIT("store { map 65T }"),
      STR_INIT("/c:1:13: error: \"65T\" is too much for map; it may be from 64M to 64T") },
    { "size beyond numbers", STR_INIT("store { map 99999999999999999999 }"),
      STR_INIT("/c:1:13: error: \"99999999999999999999\" is too much for map; it may be from 64M "
               "to 64T") },
    { "size with B", STR_INIT("store { map 64KB }"),
      STR_INIT("/c:1:13: error: map is a size, not \"64KB\"; did you mean \"64K\"?") },
    { "size in small letters", STR_INIT("store { map 64g }"),
      STR_INIT("/c:1:13: error: map is a size, not \"64g\"; did you mean \"64G\"?") },
    { "size with a blank", STR_INIT("store { map 64 M }"),
      STR_INIT("/c:1:16: error: \"M\" is too much for map; a number and its unit have no blank "
               "between them") },
    { "size in words", STR_INIT("store { map lots }"),
      STR_INIT("/c:1:13: error: map is a size, not \"lots\"; write a number of bytes, or one with "
               "K, M, G or T: 64M") },
    { "number of processes", STR_INIT("processes { edge 0 }"),
      STR_INIT("/c:1:18: error: \"0\" is too little for edge; it may be from 1 to 64") },
    { "too many processes", STR_INIT("processes { edge 65 }"),
      STR_INIT("/c:1:18: error: \"65\" is too much for edge; it may be from 1 to 64") },
    { "processes in words", STR_INIT("processes { filter many }"),
      STR_INIT("/c:1:20: error: filter is a number or \"cores\", not \"many\"; write \"cores\" for "
               "one a processor core") },
    { "processes of a single role", STR_INIT("processes { depot 2 }"),
      STR_INIT("/c:1:13: error: unknown setting of processes: \"depot\"; this role runs once; "
               "several are edge, session, filter, courier") },
    { "level of others", STR_INIT("log { level warning }"),
      STR_INIT("/c:1:13: error: level is error, warn, info or debug, not \"warning\"; did you mean "
               "\"warn\"?") },
    { "format", STR_INIT("log { format xml }"),
      STR_INIT("/c:1:14: error: format is logfmt or json, not \"xml\"") },
    { "syslog", STR_INIT("log { to syslog }"),
      STR_INIT("/c:1:10: error: logs go to stderr or to a file, not to \"syslog\"; stderr goes to "
               "the journal when systemd starts the program") },
    { "file without a path", STR_INIT("log { to mail.log }"),
      STR_INIT("/c:1:10: error: logs go to stderr or to a file, not to \"mail.log\"; write a path "
               "with a '/' for a file") },
    { "to nothing", STR_INIT("log { to }"),
      STR_INIT("/c:1:7: error: to needs a value; write: log { to stderr }") },
    { "log setting misspelt", STR_INIT("log { lvl info }"),
      STR_INIT("/c:1:7: error: unknown setting of log: \"lvl\"; known are to, format, level") },
    { "certificate without key", STR_INIT("tls { certificate /a.pem }"),
      STR_INIT("/c:1:7: error: certificate needs the file of the chain, the word key, and the file "
               "of its key; write: certificate /path/fullchain.pem key /path/key.pem") },
    { "key on its own line", STR_INIT("tls { certificate /a.pem; key /b.pem }"),
      STR_INIT("/c:1:7: error: certificate needs the file of the chain, the word key, and the file "
               "of its key; write: certificate /path/fullchain.pem key /path/key.pem\n"
               "/c:1:27: error: unknown setting of tls: \"key\"; the key stands on the line of its "
               "certificate: certificate PATH key PATH") },
    { "word other than key", STR_INIT("tls { certificate /a.pem keys /b.pem }"),
      STR_INIT("/c:1:26: error: certificate needs the file of the chain, the word key, and the "
               "file of its key; write: certificate /path/fullchain.pem key /path/key.pem") },
    { "old TLS", STR_INIT("tls { minimum 1.1 }"),
      STR_INIT("/c:1:15: error: minimum is 1.2 or 1.3, not \"1.1\"; did you mean \"1.2\"?") },
    { "ciphers with umlaut", STR_INIT("tls { ciphers \"\303\244\" }"),
      STR_INIT("/c:1:15: error: a foreign character in \"\303\244\"; write printable ASCII only") },
    { "listen to nothing", STR_INIT("listen"),
      STR_INIT(
          "/c:1:1: error: listen needs a service and an address; write: listen smtp 0.0.0.0:25") },
    { "listen without address", STR_INIT("listen smtp"),
      STR_INIT("/c:1:8: error: listen needs an address; write: listen smtp 0.0.0.0 for its usual "
               "port on all IPv4 addresses") },
    { "smtps", STR_INIT("listen smtps 0.0.0.0:465"),
      STR_INIT("/c:1:8: error: unknown service \"smtps\"; did you mean \"submissions\"?") },
    { "imap", STR_INIT("listen imap 0.0.0.0:143"),
      STR_INIT("/c:1:8: error: this release does not serve imap; take the line out; served are "
               "smtp, submission, submissions, lmtp, pop3 or pop3s") },
    { "service misspelt", STR_INIT("listen smpt 0.0.0.0:25"),
      STR_INIT("/c:1:8: error: unknown service \"smpt\"; did you mean \"smtp\"?") },
    { "service unknown", STR_INIT("listen gopher 0.0.0.0:70"),
      STR_INIT("/c:1:8: error: unknown service \"gopher\"; known are smtp, submission, "
               "submissions, lmtp, pop3 or pop3s") },
    { "name instead of address", STR_INIT("listen smtp localhost:25"),
      STR_INIT("/c:1:13: error: \"localhost:25\" is not an address to listen on; write an IP "
               "address, and a port behind ':': 127.0.0.1:25") },
    { "IPv6 without brackets", STR_INIT("listen smtp ::1:25"),
      STR_INIT("/c:1:13: error: \"::1:25\" is not an address to listen on; put an IPv6 address "
               "into brackets: [::1]:25") },
    { "star", STR_INIT("listen smtp *:25"),
      STR_INIT("/c:1:13: error: \"*:25\" is not an address to listen on; write 0.0.0.0:PORT for "
               "all IPv4 addresses, [::]:PORT for all IPv6 addresses") },
    { "port only", STR_INIT("listen smtp 25"),
      STR_INIT("/c:1:13: error: \"25\" is not an address to listen on; write 0.0.0.0:PORT for all "
               "IPv4 addresses, [::]:PORT for all IPv6 addresses") },
    { "colon and port only", STR_INIT("listen smtp :25"),
      STR_INIT("/c:1:13: error: \":25\" is not an address to listen on; write 0.0.0.0:PORT for all "
               "IPv4 addresses, [::]:PORT for all IPv6 addresses") },
    { "port too big", STR_INIT("listen smtp 0.0.0.0:70000"),
      STR_INIT("/c:1:13: error: no port \"70000\" in \"0.0.0.0:70000\"; a port is a number from 1 "
               "to 65535") },
    { "port 0", STR_INIT("listen smtp 0.0.0.0:0"),
      STR_INIT(
          "/c:1:13: error: no port \"0\" in \"0.0.0.0:0\"; a port is a number from 1 to 65535") },
    { "port not a number", STR_INIT("listen smtp 0.0.0.0:smtp"),
      STR_INIT("/c:1:13: error: no port \"smtp\" in \"0.0.0.0:smtp\"; a port is a number from 1 to "
               "65535") },
    { "no port behind the colon", STR_INIT("listen smtp 0.0.0.0:"),
      STR_INIT("/c:1:13: error: \"0.0.0.0:\" is not an address to listen on; write an IP address, "
               "and a port behind ':': 127.0.0.1:25") },
    { "IPv4 in brackets", STR_INIT("listen smtp [127.0.0.1]:25"),
      STR_INIT("/c:1:13: error: \"[127.0.0.1]:25\" is not an address to listen on; brackets are "
               "for IPv6") },
    { "bracket not closed", STR_INIT("listen smtp [::1:25"),
      STR_INIT("/c:1:13: error: \"[::1:25\" is not an address to listen on; put an IPv6 address "
               "into brackets: [::1]:25") },
    { "path without unix:", STR_INIT("listen lmtp /run/x"),
      STR_INIT("/c:1:13: error: \"/run/x\" is not an address to listen on; write a Unix socket as "
               "unix:/run/x") },
    { "Unix socket for smtp", STR_INIT("listen smtp unix:/run/x"),
      STR_INIT("/c:1:13: error: only lmtp can listen on a Unix socket; write an IP address and a "
               "port") },
    { "path of Unix socket too long",
      STR_INIT("listen lmtp "
               "unix:/"
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaaaaaaaaaaaaaaaaaaaa"),
      STR_INIT("/c:1:13: error: the path of the Unix socket is too long: "
               "\"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"...; the kernel "
               "takes 107 bytes") },
    { "block setting behind the address", STR_INIT("listen smtp 0.0.0.0:25 proxy yes"),
      STR_INIT("/c:1:24: error: \"proxy\" stands in the block of listen; write: listen smtp "
               "0.0.0.0:25 { proxy yes }") },
    { "yes or no", STR_INIT("listen smtp 0.0.0.0:25 { auth maybe }"),
      STR_INIT("/c:1:31: error: auth is yes or no, not \"maybe\"") },
    { "on instead of yes", STR_INIT("listen smtp 0.0.0.0:25 { auth on }"),
      STR_INIT("/c:1:31: error: auth is yes or no, not \"on\"; did you mean \"yes\"?") },
    { "mode", STR_INIT("listen lmtp unix:/x { mode 999 }"),
      STR_INIT("/c:1:28: error: \"999\" is not a mode; permissions are three octal digits: 0660") },
    { "group", STR_INIT("listen lmtp unix:/x { group a/b }"),
      STR_INIT("/c:1:29: error: \"a/b\" is not the name of a Unix user or group; it has at most 32 "
               "letters, digits and _ - .") },
    { "backlog", STR_INIT("listen smtp 0.0.0.0:25 { backlog 0 }"),
      STR_INIT("/c:1:34: error: \"0\" is too little for backlog; it may be from 1 to 65535") },
    { "not a number", STR_INIT("listen smtp 0.0.0.0:25 { backlog 4K }"),
      STR_INIT("/c:1:34: error: backlog is a number, not \"4K\"; write digits only") },
    { "starttls", STR_INIT("listen smtp 0.0.0.0:25 { starttls yes }"),
      STR_INIT("/c:1:26: error: unknown setting of listen: \"starttls\"; here it is: tls offer, "
               "tls require or tls no") },
    { "setting twice in a block",
      STR_INIT("listen smtp 0.0.0.0:25 { auth no\n"
               " auth yes }"),
      STR_INIT(
          "/c:2:2: error: auth is set twice; it is set at /c:1 already; take one of them out") },
    { "LMTP on port 25", STR_INIT("listen lmtp 127.0.0.1:25"),
      STR_INIT("/c:1:13: error: LMTP must not be used on port 25 (RFC 2033 section 5); choose "
               "another port; 24 is usual") },
    { "TLS service without certificate", STR_INIT("listen submissions 0.0.0.0:465"),
      STR_INIT("/c:1:1: error: submissions needs a certificate; add: tls { certificate "
               "/path/fullchain.pem key /path/key.pem }") },
    { "tls require without certificate", STR_INIT("listen smtp 0.0.0.0:25 { tls require }"),
      STR_INIT("/c:1:1: error: tls require needs a certificate; add: tls { certificate "
               "/path/fullchain.pem key /path/key.pem }") },
    { "tls in a TLS service",
      STR_INIT("tls { certificate /a key /b }\n"
               "listen pop3s 0.0.0.0:995 { tls no }"),
      STR_INIT("/c:2:1: error: pop3s is TLS from the first byte; leave the setting tls out") },
    { "same place",
      STR_INIT("listen smtp 127.0.0.1:25\n"
               "listen pop3 127.0.0.1:25"),
      STR_INIT("/c:2:1: error: another line listens on the same place already; see /c:1") },
    { "wildcard and address",
      STR_INIT("listen smtp 127.0.0.1:25\n"
               "listen smtp 0.0.0.0:25"),
      STR_INIT("/c:2:1: error: another line listens on the same place already; see /c:1") },
    { "same Unix socket",
      STR_INIT("listen lmtp unix:/x\n"
               "listen lmtp unix:/x"),
      STR_INIT("/c:2:1: error: another line listens on the same place already; see /c:1") },
    { "proxy nobody may speak", STR_INIT("listen smtp 0.0.0.0:25 { proxy yes }"),
      STR_INIT("/c:1:1: error: no client may speak the PROXY protocol to this listener; add: trust "
               "192.0.2.1 { proxy } with the proxy's address") },
    { "proxy on a Unix socket", STR_INIT("listen lmtp unix:/x { proxy yes }"),
      STR_INIT(
          "/c:1:1: error: the PROXY protocol is for TCP, not for Unix sockets; leave proxy out") },
    { "group on TCP", STR_INIT("listen smtp 0.0.0.0:25 { group mail }"),
      STR_INIT("/c:1:1: error: group is for Unix sockets; leave group out") },
    { "mode on TCP", STR_INIT("listen smtp 0.0.0.0:25 { mode 0600 }"),
      STR_INIT("/c:1:1: error: mode is for Unix sockets; leave mode out") },
    { "auth on lmtp", STR_INIT("listen lmtp 127.0.0.1:24 { auth yes }"),
      STR_INIT("/c:1:1: error: auth is for smtp and submission, not for lmtp; leave auth out") },
    { "block left open",
      STR_INIT("listen smtp 0.0.0.0:25 {\n"
               " auth no\n"
               "host a.example.org\n"),
      STR_INIT("/c:1:24: error: this block is never closed; a '}' is missing") },
    { "trust nobody", STR_INIT("trust"),
      STR_INIT("/c:1:1: error: trust needs a network; write: trust 192.0.2.0/24 { relay }") },
    { "bits behind the prefix", STR_INIT("trust 10.0.0.1/8 { relay }"),
      STR_INIT("/c:1:7: error: \"10.0.0.1/8\" has bits set behind its first 8; did you mean "
               "\"10.0.0.0/8\"?") },
    { "prefix too long", STR_INIT("trust 10.0.0.0/33 { relay }"),
      STR_INIT("/c:1:7: error: \"10.0.0.0/33\" has more bits behind the '/' than the address has; "
               "IPv4 has 32 bits, IPv6 has 128") },
    { "half an address", STR_INIT("trust 10.0.0 { relay }"),
      STR_INIT("/c:1:7: error: \"10.0.0\" is not a network; write it as 192.0.2.0/24, "
               "2001:db8::/32 or one address") },
    { "no rights", STR_INIT("trust 10.0.0.0/8"),
      STR_INIT("/c:1:1: error: trust gives no right; say what it may do: trust 192.0.2.0/24 { "
               "relay }") },
    { "empty rights", STR_INIT("trust 10.0.0.0/8 { }"),
      STR_INIT("/c:1:1: error: trust gives no right; say what it may do: trust 192.0.2.0/24 { "
               "relay }") },
    { "right without block", STR_INIT("trust 10.0.0.0/8 relay"),
      STR_INIT("/c:1:18: error: \"relay\" stands in the block of trust; write: trust 10.0.0.0/8 { "
               "relay }") },
    { "right misspelt", STR_INIT("trust 10.0.0.0/8 { relay rleay }"),
      STR_INIT("/c:1:26: error: unknown right \"rleay\"; did you mean \"relay\"?") },
    { "all rights", STR_INIT("trust 10.0.0.0/8 { all }"),
      STR_INIT("/c:1:20: error: unknown right \"all\"; name each right: relay, vrfy, expn, "
               "xclient, proxy, unlimited") },
    { "open relay", STR_INIT("trust 0.0.0.0/0 { relay }"),
      STR_INIT("/c:1:1: error: this lets the whole Internet relay mail through this host; name the "
               "networks you know") },
    { "everybody is a proxy", STR_INIT("trust 10.0.0.0/8 ::/0 { proxy }"),
      STR_INIT("/c:1:1: error: this lets the whole Internet speak for other clients; name the "
               "networks you know") },
    { "route of nothing", STR_INIT("route"),
      STR_INIT("/c:1:1: error: route needs conditions and an action; write: route domain "
               "example.org queue { via mail.example.org }") },
    { "check of nothing", STR_INIT("check"),
      STR_INIT("/c:1:1: error: check needs conditions and an action; write: check client "
               "192.0.2.0/24 refuse") },
    { "condition without value", STR_INIT("route domain"),
      STR_INIT("/c:1:7: error: domain needs a value; write: domain example.org") },
    { "no action", STR_INIT("route domain example.org"),
      STR_INIT("/c:1:1: error: route has no action; end the line with local, queue, discard, "
               "refuse or tempfail") },
    { "value like a keyword", STR_INIT("route domain local queue"),
      STR_INIT("/c:1:7: error: domain needs a value; write: domain example.org; a value that is "
               "spelled like a keyword goes into quotes") },
    { "domain where an address belongs", STR_INIT("route to example.org local"),
      STR_INIT("/c:1:10: error: \"example.org\" is not an address; for all addresses of a domain "
               "write *@example.org") },
    { "domain with @ before it", STR_INIT("route to @example.org local"),
      STR_INIT("/c:1:10: error: \"@example.org\" is not an address; for all addresses of a domain "
               "write *@example.org") },
    { "dot before a domain", STR_INIT("route domain .example.org local"),
      STR_INIT(
          "/c:1:14: error: \".example.org\" is not a domain; did you mean \"*.example.org\"?") },
    { "address where a domain belongs", STR_INIT("route domain ann@example.org local"),
      STR_INIT("/c:1:14: error: \"ann@example.org\" is an address, not a domain; write: to "
               "ann@example.org") },
    { "action of others", STR_INIT("route domain example.org deliver"),
      STR_INIT("/c:1:26: error: \"deliver\" is neither a condition nor an action; did you mean "
               "\"local\"?") },
    { "action of the other kind", STR_INIT("route domain example.org accept"),
      STR_INIT("/c:1:26: error: accept is not an action of route; it may be local, queue, discard, "
               "refuse or tempfail") },
    { "action of the other kind, too", STR_INIT("check client 192.0.2.1 queue"),
      STR_INIT("/c:1:24: error: queue is not an action of check; it may be accept, refuse or "
               "tempfail") },
    { "via behind the action", STR_INIT("route domain example.org queue via mail.example.net"),
      STR_INIT("/c:1:32: error: \"via\" is too much for queue; put it into a block: queue { via "
               "mail.example.org }") },
    { "via an address without brackets", STR_INIT("route queue { via 192.0.2.1 }"),
      STR_INIT("/c:1:19: error: an address needs brackets: \"192.0.2.1\"; write an address as "
               "[192.0.2.1] or [IPv6:2001:db8::1]") },
    { "via IPv6 without brackets", STR_INIT("route queue { via 2001:db8::1 }"),
      STR_INIT("/c:1:19: error: an address needs brackets: \"2001:db8::1\"; write an address as "
               "[192.0.2.1] or [IPv6:2001:db8::1]") },
    { "via with a bad port", STR_INIT("route queue { via mail.example.org:x }"),
      STR_INIT("/c:1:19: error: no port \"x\" in \"mail.example.org:x\"; a port is a number from 1 "
               "to 65535") },
    { "via nothing", STR_INIT("route queue { via }"),
      STR_INIT("/c:1:15: error: via needs a host; write: via mail.example.org") },
    { "via a bad literal", STR_INIT("route queue { via [300.1.1.1] }"),
      STR_INIT("/c:1:19: error: \"[300.1.1.1]\" is not an address; write an address as [192.0.2.1] "
               "or [IPv6:2001:db8::1]") },
    { "via without queue", STR_INIT("route domain example.org local { via [192.0.2.1] }"),
      STR_INIT("/c:1:1: error: via and strangers go with the action queue only; leave the block "
               "out, or make the action queue") },
    { "strangers without recipients", STR_INIT("route login * queue { strangers yes }"),
      STR_INIT("/c:1:1: error: strangers yes needs a condition on recipients, or this host would "
               "relay for everybody; add a condition: domain example.org") },
    { "condition behind the action", STR_INIT("check refuse client 192.0.2.1"),
      STR_INIT("/c:1:14: error: \"client\" is too much for refuse; conditions stand before the "
               "action, one action ends the line") },
    { "address without its condition", STR_INIT("check 192.0.2.1 refuse"),
      STR_INIT("/c:1:7: error: \"192.0.2.1\" is neither a condition nor an action; write: client "
               "192.0.2.1") },
    { "sender", STR_INIT("check sender ann@example.org refuse"),
      STR_INIT("/c:1:7: error: \"sender\" is neither a condition nor an action; did you mean "
               "\"from\"?") },
    { "reject", STR_INIT("check client 192.0.2.1 reject"),
      STR_INIT("/c:1:24: error: \"reject\" is neither a condition nor an action; did you mean "
               "\"refuse\"?") },
    { "neither condition nor action", STR_INIT("check blue refuse"),
      STR_INIT("/c:1:7: error: \"blue\" is neither a condition nor an action; conditions are "
               "client, service, tls, helo, login, from, to or domain; actions are accept, refuse "
               "or tempfail") },
    { "text without quotes", STR_INIT("check client 192.0.2.1 refuse go away"),
      STR_INIT("/c:1:31: error: the text of a reply goes into quotes: \"go\"; write: refuse \"text "
               "for the peer\"") },
    { "two texts", STR_INIT("check client 192.0.2.1 refuse \"x\" \"y\""),
      STR_INIT("/c:1:35: error: \"y\" is too much for refuse; put the whole text into one pair of "
               "quotes") },
    { "empty text", STR_INIT("check client 192.0.2.1 refuse \"\""),
      STR_INIT(
          "/c:1:31: error: the text of a reply is empty; leave it out for the standard text") },
    { "long text",
      STR_INIT("check client 192.0.2.1 refuse "
               "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""),
      STR_INIT("/c:1:31: error: the text of a reply is too long; a reply line has room for 400 "
               "characters") },
    { "text that is not ASCII", STR_INIT("check client 192.0.2.1 refuse \"caf\303\251\""),
      STR_INIT("/c:1:31: error: the text of a reply has a foreign character: \"caf\303\251\"; "
               "write printable ASCII only") },
    { "text of two lines", STR_INIT("check client 192.0.2.1 refuse \"a\\nb\""),
      STR_INIT("/c:1:31: error: the text of a reply has a foreign character: \"a\\nb\"; write "
               "printable ASCII only") },
    { "4xx with refuse", STR_INIT("check client 192.0.2.1 refuse 450 \"x\""),
      STR_INIT("/c:1:31: error: reply code \"450\" does not fit; for a 4xx code the action is "
               "tempfail") },
    { "5xx with tempfail", STR_INIT("check client 192.0.2.1 tempfail 550"),
      STR_INIT(
          "/c:1:33: error: reply code \"550\" does not fit; for a 5xx code the action is refuse") },
    { "2xx", STR_INIT("check client 192.0.2.1 refuse 250"),
      STR_INIT(
          "/c:1:31: error: reply code \"250\" does not fit; refuse takes a code from 500 to 559") },
    { "enhanced code of another class", STR_INIT("check client 192.0.2.1 refuse 550 4.7.1 \"x\""),
      STR_INIT(
          "/c:1:35: error: enhanced code \"4.7.1\" does not fit; refuse takes one like 5.7.1") },
    { "half an enhanced code", STR_INIT("check client 192.0.2.1 refuse 5.7"),
      STR_INIT("/c:1:31: error: enhanced code \"5.7\" does not fit; refuse takes one like 5.7.1") },
    { "not what", STR_INIT("check not refuse"),
      STR_INIT("/c:1:7: error: not stands before a condition; conditions are client, service, tls, "
               "helo, login, from, to or domain") },
    { "brackets", STR_INIT("check from <ann@example.org> refuse"),
      STR_INIT("/c:1:12: error: \"<ann@example.org>\" has brackets that are not part of the "
               "address; did you mean \"ann@example.org\"?") },
    { "two answers to tls", STR_INIT("check tls yes no refuse"),
      STR_INIT("/c:1:7: error: tls takes one value; write: tls no") },
    { "tls maybe", STR_INIT("check tls maybe refuse"),
      STR_INIT("/c:1:11: error: tls is yes or no, not \"maybe\"") },
    { "service of later", STR_INIT("check service imap refuse"),
      STR_INIT("/c:1:15: error: service is smtp, submission, submissions, lmtp, pop3 or pop3s, not "
               "\"imap\"") },
    { "pattern without local part", STR_INIT("check from @*.example.org refuse"),
      STR_INIT("/c:1:12: error: \"@*.example.org\" is not an address; for all addresses of a "
               "domain write *@*.example.org") },
    { "helo with a blank", STR_INIT("check helo \"a b\" refuse"),
      STR_INIT("/c:1:12: error: \"a b\" is not a name that a client can give; it looks like "
               "mail.example.org or *.example.org") },
    { "block behind a check", STR_INIT("check client 192.0.2.1 refuse { x }"),
      STR_INIT("/c:1:1: error: check takes no block; write: check [CONDITION ...] "
               "accept|refuse|tempfail [CODE] [X.Y.Z] [\"TEXT\"]") },
    { "limit of nothing", STR_INIT("limit"),
      STR_INIT("/c:1:1: error: limit needs a name and a value; write: limit NAME VALUE") },
    { "limit misspelt", STR_INIT("limit test_wiat_ms 50ms"),
      STR_INIT("/c:1:7: error: unknown limit \"test_wiat_ms\"; did you mean \"test_wait_ms\"?") },
    { "limit unknown", STR_INIT("limit bananas 5"),
      STR_INIT("/c:1:7: error: unknown limit \"bananas\"; 'postrider config show --all' lists all "
               "limits") },
    { "limit without unit", STR_INIT("limit test_wait_ms 50"),
      STR_INIT("/c:1:20: error: test_wait_ms is a time, not \"50\"; add a unit: 50ms, 50s, 50m, "
               "50h or 50d") },
    { "limit with a long unit", STR_INIT("limit test_wait_ms 50sec"),
      STR_INIT("/c:1:20: error: test_wait_ms is a time, not \"50sec\"; did you mean \"50s\"?") },
    { "limit with a wrong unit", STR_INIT("limit test_wait_ms 50x"),
      STR_INIT("/c:1:20: error: test_wait_ms is a time, not \"50x\"; write a number with ms, s, m, "
               "h, d or w: 30s") },
    { "limit too small", STR_INIT("limit test_wait_ms 5ms"),
      STR_INIT(
          "/c:1:20: error: \"5ms\" is too little for test_wait_ms; it may be from 10ms to 1s") },
    { "limit too big", STR_INIT("limit test_wait_ms 5m"),
      STR_INIT("/c:1:20: error: \"5m\" is too much for test_wait_ms; it may be from 10ms to 1s") },
    { "limit twice",
      STR_INIT("limit test_wait_ms 50ms\n"
               "limit test_wait_ms 60ms"),
      STR_INIT("/c:2:7: error: test_wait_ms is set twice; it is set at /c:1 already; take one of "
               "them out") },
    { "limit with two values", STR_INIT("limit test_wait_ms 50 ms"),
      STR_INIT("/c:1:23: error: \"ms\" is too much for limit; a number and its unit have no blank "
               "between them") },
    { "size as limit", STR_INIT("limit test_size 10kb"),
      STR_INIT("/c:1:17: error: test_size is a size, not \"10kb\"; did you mean \"10K\"?") },
    { "number as limit", STR_INIT("limit test_count 1.5"),
      STR_INIT("/c:1:18: error: test_count is a number, not \"1.5\"; write digits only") },
    { "switch as limit", STR_INIT("limit test_switch true"),
      STR_INIT("/c:1:19: error: test_switch is yes or no, not \"true\"; did you mean \"yes\"?") },
    { "letters as separator", STR_INIT("address { separator ab }"),
      STR_INIT("/c:1:21: error: \"ab\" cannot separate user and detail; allowed are + - _ = # ~ ! "
               "$ % & * /, or the word none") },
    { "mechanism misspelt", STR_INIT("auth { mechanisms PLAIN SCRAM-SHA256 }"),
      STR_INIT(
          "/c:1:25: error: unknown mechanism \"SCRAM-SHA256\"; did you mean \"SCRAM-SHA-256\"?") },
    { "mechanism unknown", STR_INIT("auth { mechanisms OAUTHBEARER }"),
      STR_INIT("/c:1:19: error: unknown mechanism \"OAUTHBEARER\"; known are PLAIN, LOGIN, "
               "SCRAM-SHA-256, SCRAM-SHA-256-PLUS, SCRAM-SHA-1 or CRAM-MD5") },
    { "no mechanism", STR_INIT("auth { mechanisms }"),
      STR_INIT("/c:1:8: error: mechanisms needs at least one name; write: auth { mechanisms PLAIN "
               "SCRAM-SHA-256 }") },
    { "plaintext always", STR_INIT("auth { plaintext always }"),
      STR_INIT("/c:1:18: error: plaintext is loopback or never, not \"always\"") },
    { "cram-md5 yes", STR_INIT("auth { cram-md5 yes }"),
      STR_INIT("/c:1:8: error: unknown setting of auth: \"cram-md5\"; add CRAM-MD5 to the line "
               "mechanisms") },
    { "hash", STR_INIT("auth { hash md5 }"),
      STR_INIT("/c:1:13: error: hash is yescrypt, argon2id, bcrypt or sha512-crypt, not \"md5\"") },
    { "include of nothing", STR_INIT("include nothing.conf"),
      STR_INIT("/c:1:9: error: cannot read /nothing.conf: not found") },
    { "several at once",
      STR_INIT("hots x\n"
               "log { level loud\n"
               " to syslog }\n"
               "trust 10.0.0.1/8 { relay }\n"
               "listen smtp localhost\n"),
      STR_INIT("/c:1:1: error: unknown setting \"hots\"; did you mean \"host\"?\n"
               "/c:2:13: error: level is error, warn, info or debug, not \"loud\"\n"
               "/c:3:5: error: logs go to stderr or to a file, not to \"syslog\"; stderr goes to "
               "the journal when systemd starts the program\n"
               "/c:4:7: error: \"10.0.0.1/8\" has bits set behind its first 8; did you mean "
               "\"10.0.0.0/8\"?\n"
               "/c:5:13: error: \"localhost\" is not an address to listen on; write an IP address, "
               "and a port behind ':': 127.0.0.1:25") },
    { "misspelt action", STR_INIT("check client 192.0.2.1 refsue"),
      STR_INIT("/c:1:24: error: \"refsue\" is neither a condition nor an action; did you mean "
               "\"refuse\"?") },
    { "drop", STR_INIT("route domain a.example b.example drop"),
      STR_INIT("/c:1:34: error: \"drop\" is neither a condition nor an action; did you mean "
               "\"discard\"?") },
    { "network in words", STR_INIT("check client blue refuse"),
      STR_INIT("/c:1:14: error: \"blue\" is not a network; write it as 192.0.2.0/24, 2001:db8::/32 "
               "or one address") },
    { "limit that is misspelt and out of range", STR_INIT("limit test_wait_m 50"),
      STR_INIT("/c:1:7: error: unknown limit \"test_wait_m\"; did you mean \"test_wait_ms\"?") },
    { "unknown escape in a text", STR_INIT("check client 192.0.2.1 refuse \"a\\qb\""),
      STR_INIT("/c:1:33: error: unknown escape in a quoted word; known are \\\" \\\\ \\n \\t and "
               "\\xHH with two hexadecimal digits") },
    { "quote never closed, the rest is read",
      STR_INIT("check client 192.0.2.1 refuse \"a\n"
               "hots x"),
      STR_INIT("/c:1:31: error: this quotation mark is never closed; end the word with \" on the "
               "same line\n"
               "/c:2:1: error: unknown setting \"hots\"; did you mean \"host\"?") },
    { "bad line with a block that is read",
      STR_INIT("listen smtp \342\200\2340.0.0.0:25\342\200\235 {\n"
               " auth maybe\n"
               "}"),
      STR_INIT("/c:1:13: error: typographic quotation mark; write a plain \"\n"
               "/c:2:7: error: auth is yes or no, not \"maybe\"") },
    { "CRAM-MD5", STR_INIT("auth { mechanisms CRAM-MD5 }"),
      STR_INIT("/c:1:8: warning: with CRAM-MD5 new passwords are stored in clear; leave it out "
               "unless an old client needs it") },
    { "host without domain", STR_INIT("host mail"),
      STR_INIT("/c:1:1: warning: host \"mail\" has no domain: other servers may refuse a greeting "
               "with it; write the full name, such as mail.example.org") },
    { "pop3 without TLS", STR_INIT("listen pop3 0.0.0.0:110"),
      STR_INIT("/c:1:1: warning: without TLS nobody can log in to pop3 from outside this machine; "
               "add: tls { certificate /path/fullchain.pem key /path/key.pem }") },
    { "submission without TLS though there is a certificate",
      STR_INIT("tls { certificate /a key /b }\n"
               "listen submission 0.0.0.0 { tls no }"),
      STR_INIT("/c:2:1: warning: without TLS nobody can log in to submission from outside this "
               "machine; leave tls no out") },
    { "lmtp for everybody", STR_INIT("listen lmtp 0.0.0.0:24"),
      STR_INIT("/c:1:1: warning: lmtp is for peers on this machine or a private network; listen on "
               "127.0.0.1, ::1 or a Unix socket") },
    { "route never reached",
      STR_INIT("route local\n"
               "route domain example.org refuse\n"
               "route refuse"),
      STR_INIT("/c:2:1: warning: this route is never reached: an earlier one matches always; put "
               "it before /c:1\n"
               "/c:3:1: warning: this route is never reached: an earlier one matches always; put "
               "it before /c:1") },
};

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct buf said = buf_new(100000);
        unit_case(cases[i].name);
        struct config *c = unit_config(cases[i].text, &said);
        if (!str_eq(buf_str(&said), cases[i].said)) {
            print_message("said: %.*s\n", (int)said.n, said.p);
        }
        assert_str(buf_str(&said), cases[i].said);
        bool has_error = str_find_str(cases[i].said, STR(": error: ")) != STR_NOWHERE;
        assert_int_equal(c == NULL, has_error);
        buf_free(&said);
        config_free(&c);
    }
}

static void test_no_file(void **state)
{
    (void)state;
    struct buf said = buf_new(1000);
    struct unit_file files[] = { { "/gone", STR_INIT("") }, { 0 } };
    struct conf_faults faults = CONF_FAULTS_INIT;
    struct config *c = NULL;
    struct config_source source = { .name = STR("/etc/postrider.conf"),
                                    .reader = { unit_read_file, files } };

    assert_int_equal(config_read(&source, &c, &faults), ERR_INVALID);
    assert_int_equal(faults.n, 1);
    conf_fault_put(&said, &faults.list[0]);
    assert_str(buf_str(&said), STR("/etc/postrider.conf: error: cannot read /etc/postrider.conf: "
                                   "not found"));
    conf_faults_free(&faults);
    buf_free(&said);
}

static void test_machine(void **state)
{
    (void)state;
    static const struct {
        const char *machine, *said;
    } machines[] = {
        { "debian", "/c: warning: host is not set, and the machine's own name \"debian\" has no "
                    "domain; write: host mail.example.org" },
        { "my_box.example.org", "/c: error: host is not set, and the machine's own name "
                                "\"my_box.example.org\" is not a host name; write: host "
                                "mail.example.org" },
        { "", "/c: error: host is not set, and the machine's own name \"\" is not a host name; "
              "write: host mail.example.org" },
    };
    for (size_t i = 0; i < UNIT_COUNT(machines); i++) {
        struct unit_file files[] = { { "/c", STR_INIT("") }, { 0 } };
        struct conf_faults faults = CONF_FAULTS_INIT;
        struct config *c = NULL;
        struct buf said = buf_new(1000);
        struct config_source source = { .name = STR("/c"),
                                        .reader = { unit_read_file, files },
                                        .machine = str_c(machines[i].machine) };
        unit_case(machines[i].machine);
        enum err e = config_read(&source, &c, &faults);
        assert_int_equal(e, faults.errors > 0 ? ERR_INVALID : OK);
        assert_int_equal(faults.n, 1);
        conf_fault_put(&said, &faults.list[0]);
        assert_str(buf_str(&said), str_c(machines[i].said));
        conf_faults_free(&faults);
        buf_free(&said);
        config_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
