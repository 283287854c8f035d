/* The one list of settings. The manual page prints it in this order. */
#include "model/config_reading.h"

#define AT(field)        offsetof(struct config, field)
#define LISTEN_AT(field) offsetof(struct config_listen, field)
#define ROUTE_AT(field)  offsetof(struct config_rule, field)

#define USER(word, role, what)                                                                     \
    {                                                                                              \
        .block = "user", .name = word, .kind = CONFIG_KIND_UNIX, .flags = CONFIG_QUIET,            \
        .usage = "NAME", .effect = CONFIG_ON_RESTART,                                              \
        .offset = AT(user) + (role) * sizeof(struct str),                                          \
        .standard_words = "the user of the line", .doc = what                                      \
    }

#define PROCESSES(word, role, what)                                                                \
    {                                                                                              \
        .block = "processes", .name = word, .kind = CONFIG_KIND_CORES, .usage = "NUMBER|cores",    \
        .effect = CONFIG_ON_RESTART, .offset = AT(processes) + (role) * sizeof(int64_t), .min = 1, \
        .max = 64, .standard = "cores", .doc = what                                                \
    }

#define RIGHT(word, bit, what)                                                                     \
    {                                                                                              \
        .block = "trust", .name = word, .kind = CONFIG_KIND_FLAG,                                  \
        .offset = offsetof(struct config_trust, may), .max = bit, .doc = what                      \
    }

static const struct config_option options[] = {
    { .block = "",
      .name = "host",
      .kind = CONFIG_KIND_NAME,
      .usage = "NAME",
      .offset = AT(host),
      .standard_words = "the machine's own name",
      .doc = "The full name of this host. It is in the greeting of each service, in Received lines "
             "and in message ids, and other servers look it up: it should have an address record "
             "that leads here.",
      .example = "host mail.example.org" },
    { .block = "",
      .name = "admin",
      .kind = CONFIG_KIND_ADDRESS,
      .usage = "ADDRESS",
      .offset = AT(admin),
      .standard_words = "postmaster at the host's name",
      .doc = "Who gets mail for postmaster (and abuse, and the other role names of RFC 2142) of a "
             "domain that has no account or alias of that name, and who is named in messages of "
             "the system itself.",
      .example = "admin ann@example.org" },
    { .block = "",
      .name = "store",
      .kind = CONFIG_KIND_PATH,
      .flags = CONFIG_BLOCK,
      .usage = "PATH",
      .effect = CONFIG_ON_RESTART,
      .offset = AT(store.path),
      .standard = "/var/lib/postrider",
      .doc = "The folder that holds all mail, accounts and queues. It is made when it does not "
             "exist. Only one instance of postrider can use it at a time.",
      .example = "store /srv/mail { reserve 1G }" },
    { .block = "",
      .name = "run",
      .kind = CONFIG_KIND_PATH,
      .usage = "PATH",
      .effect = CONFIG_ON_RESTART,
      .offset = AT(run),
      .standard = "/run/postrider",
      .doc = "The folder of the control socket, by which the command line talks to the running "
             "system, and of the process id file." },
    { .block = "",
      .name = "user",
      .kind = CONFIG_KIND_OWN,
      .flags = CONFIG_BLOCK,
      .usage = "NAME",
      .effect = CONFIG_ON_RESTART,
      .offset = AT(user),
      .standard = "postrider",
      .take = config_take_user,
      .show = config_show_user,
      .doc = "The Unix user that the roles become when postrider is started as root. In a block, "
             "single roles get users of their own, which keeps them apart by the means of the "
             "kernel as well. When postrider is not started as root, every role stays who started "
             "it.",
      .example = "user postrider { edge _pr-edge; depot _pr-depot }" },
    { .block = "",
      .name = "processes",
      .kind = CONFIG_KIND_SECTION,
      .flags = CONFIG_BLOCK,
      .usage = "{ ROLE NUMBER ... }",
      .doc = "How many processes of a role run side by side. The other roles run once.",
      .example = "processes { edge 4; filter cores }" },
    { .block = "",
      .name = "log",
      .kind = CONFIG_KIND_SECTION,
      .flags = CONFIG_BLOCK,
      .usage = "{ to ...; format ...; level ... }",
      .doc = "Where events are written, and how.",
      .example = "log { to stderr; format json; level info }" },
    { .block = "",
      .name = "tls",
      .kind = CONFIG_KIND_SECTION,
      .flags = CONFIG_BLOCK,
      .usage = "{ certificate PATH key PATH; ... }",
      .doc = "Certificates and what TLS may negotiate. Without a certificate no service offers "
             "TLS.",
      .example = "tls {\n"
                 "    certificate /etc/ssl/mail.example.org/fullchain.pem "
                 "key /etc/ssl/mail.example.org/key.pem\n"
                 "    minimum 1.3\n"
                 "}" },
    { .block = "",
      .name = "listen",
      .kind = CONFIG_KIND_OWN,
      .flags = CONFIG_BLOCK | CONFIG_REPEATS,
      .usage = "SERVICE ADDRESS",
      .standard_words = "smtp on port 25 and, when there is a certificate, submissions on 465 and "
                        "pop3s on 995, on all IPv4 and IPv6 addresses; any listen line replaces "
                        "them all",
      .take = config_take_listen,
      .show = config_show_listen,
      .doc = "Serve SERVICE at ADDRESS. Services are smtp (port 25), submission (587, for the "
             "users' own programs), submissions (465, the same with TLS from the first byte), lmtp "
             "(24), pop3 (110) and pop3s (995, TLS from the first byte). ADDRESS is "
             "192.0.2.1:25, [2001:db8::1]:25, an address without a port for the usual one, or, for "
             "lmtp, unix:PATH. 0.0.0.0 is all of IPv4, [::] all of IPv6 and only that.",
      .example = "listen smtp 0.0.0.0:25\n"
                 "listen smtp [::]:25\n"
                 "listen submissions 0.0.0.0:465\n"
                 "listen lmtp unix:/run/postrider/lmtp { mode 0660; group postfix }" },
    { .block = "",
      .name = "trust",
      .kind = CONFIG_KIND_OWN,
      .flags = CONFIG_BLOCK | CONFIG_REPEATS,
      .usage = "NETWORK ... { RIGHT ... }",
      .take = config_take_trust,
      .show = config_show_trust,
      .doc = "What clients from a network may do without logging in. A client has the rights of "
             "all trust lines that name its address. NETWORK is 192.0.2.0/24, 2001:db8::/32, a "
             "single address, or the word unix for clients on Unix sockets.",
      .example = "trust 127.0.0.0/8 ::1 { relay vrfy expn }\n"
                 "trust 192.0.2.17 { proxy }" },
    { .block = "",
      .name = "route",
      .kind = CONFIG_KIND_OWN,
      .flags = CONFIG_BLOCK | CONFIG_REPEATS | CONFIG_ORDERED,
      .usage = "[CONDITION ...] local|queue|discard|refuse|tempfail",
      .standard_words = "domains of the directory are local; other recipients are queued for "
                        "those who may relay and refused to everybody else",
      .take = config_take_route,
      .show = config_show_routes,
      .doc = "Where a recipient leads. The first route whose conditions all hold decides; when "
             "none does, the standard below holds. local looks the address up in the directory; "
             "queue sends it on to another host, for clients that may relay; discard takes the "
             "message and drops it; refuse and tempfail answer as in check.",
      .example = "route domain legacy.example.org queue { via [192.0.2.25]; strangers yes }\n"
                 "route to *@old.example.org refuse 550 5.1.6 \"moved to example.org\"\n"
                 "route not login * domain *.internal.example.org refuse" },
    { .block = "",
      .name = "check",
      .kind = CONFIG_KIND_OWN,
      .flags = CONFIG_REPEATS | CONFIG_ORDERED,
      .usage = "[CONDITION ...] accept|refuse|tempfail [CODE] [X.Y.Z] [\"TEXT\"]",
      .take = config_take_check,
      .show = config_show_checks,
      .doc = "What is not wanted. All checks are looked at in the order of the file, each as soon "
             "as its conditions can be known: at the connection, at EHLO, at MAIL or at RCPT. The "
             "first that refuses or tempfails gives the answer; accept spares the client all "
             "checks behind it. refuse answers 550 5.7.1, tempfail 450 4.7.1, unless other codes "
             "are given.",
      .example = "check client 192.0.2.0/24 refuse 554 5.7.1 \"write to abuse@example.org\"\n"
                 "check service smtp helo localhost *.local refuse \"that is not your name\"\n"
                 "check from *@spam.example not login * refuse\n"
                 "check to ann@example.org not tls yes tempfail 450 4.7.0 \"use TLS\"" },
    { .block = "",
      .name = "limit",
      .kind = CONFIG_KIND_OWN,
      .flags = CONFIG_REPEATS,
      .usage = "NAME VALUE",
      .standard_words = "see LIMITS",
      .take = config_take_limit,
      .show = config_show_limits,
      .doc = "Another value for one of the limits that are listed under LIMITS.",
      .example = "limit smtp_command_wait_ms 10m" },
    { .block = "",
      .name = "address",
      .kind = CONFIG_KIND_SECTION,
      .flags = CONFIG_BLOCK,
      .usage = "{ separator CHARACTERS }",
      .doc = "How addresses are read.",
      .example = "address { separator +- }" },
    { .block = "",
      .name = "auth",
      .kind = CONFIG_KIND_SECTION,
      .flags = CONFIG_BLOCK,
      .usage = "{ mechanisms NAME ...; ... }",
      .doc = "How users log in, to all services alike.",
      .example = "auth { default-domain example.org; mechanisms PLAIN LOGIN SCRAM-SHA-256 }" },

    { .block = "store",
      .name = "engine",
      .kind = CONFIG_KIND_CHOICE,
      .usage = "embedded|memory",
      .choices = "embedded|memory",
      .effect = CONFIG_ON_RESTART,
      .offset = AT(store.engine),
      .standard = "embedded",
      .doc = "What keeps the mail. memory forgets everything at the end of the process and is for "
             "tests only." },
    { .block = "store",
      .name = "map",
      .kind = CONFIG_KIND_BYTES,
      .usage = "SIZE",
      .effect = CONFIG_ON_RESTART,
      .offset = AT(store.map_bytes),
      .min = 64 << 20,
      .max = INT64_C(64) << 40,
      .standard = "1T",
      .doc = "Address space for the rows of the store: the largest size that mailboxes, flags and "
             "accounts (not the messages' bodies) can grow to. The file is sparse, a large value "
             "costs nothing." },
    { .block = "store",
      .name = "reserve",
      .kind = CONFIG_KIND_BYTES,
      .usage = "SIZE",
      .effect = CONFIG_ON_RESTART,
      .offset = AT(store.reserve_bytes),
      .max = INT64_C(1) << 40,
      .standard = "64M",
      .doc = "Space on the disk that is never filled with new mail. When less is free, new mail is "
             "answered with \"try again later\", while reading and deleting go on." },

    USER("edge", ROLE_EDGE, "The processes that strangers talk to by SMTP and LMTP."),
    USER("session", ROLE_SESSION, "The processes that users' POP3 connections are in."),
    USER("filter", ROLE_FILTER, "The processes that look into messages and route them."),
    USER("courier", ROLE_COURIER, "The processes that deliver to other hosts."),
    USER("depot", ROLE_DEPOT, "The process that has the store's files: they belong to this user."),
    USER("authd", ROLE_AUTHD, "The process that verifies passwords."),
    USER("keys", ROLE_KEYS, "The process that holds private keys."),
    USER("resolver", ROLE_RESOLVER, "The process that asks the DNS."),

    PROCESSES("edge", ROLE_EDGE, "Each takes its share of the SMTP and LMTP connections."),
    PROCESSES("session", ROLE_SESSION, "Each takes its share of the users' connections."),
    PROCESSES("filter", ROLE_FILTER, "Each takes its share of the messages."),
    PROCESSES("courier", ROLE_COURIER, "Each takes its share of the outgoing deliveries."),

    { .block = "log",
      .name = "to",
      .kind = CONFIG_KIND_OWN,
      .usage = "stderr|PATH",
      .effect = CONFIG_ON_RESTART,
      .offset = AT(log.to),
      .standard = "stderr",
      .take = config_take_log_to,
      .show = config_show_log_to,
      .doc = "Standard error (which systemd puts into the journal), or a file that lines are added "
             "to." },
    { .block = "log",
      .name = "format",
      .kind = CONFIG_KIND_CHOICE,
      .usage = "logfmt|json",
      .choices = "logfmt|json",
      .offset = AT(log.format),
      .standard = "logfmt",
      .doc = "logfmt is name=value, json one object a line." },
    { .block = "log",
      .name = "level",
      .kind = CONFIG_KIND_CHOICE,
      .usage = "error|warn|info|debug",
      .choices = "error|warn|info|debug",
      .offset = AT(log.level),
      .standard = "info",
      .doc = "error: somebody has to act; warn: the system went on anyway; info: a message or a "
             "login changed state; debug: everything." },

    { .block = "tls",
      .name = "certificate",
      .kind = CONFIG_KIND_OWN,
      .flags = CONFIG_REPEATS | CONFIG_ORDERED,
      .usage = "PATH key PATH",
      .standard_words = "none",
      .take = config_take_certificate,
      .show = config_show_certificate,
      .doc = "A certificate with its chain and its private key, PEM files. May stand several "
             "times: the client's server name chooses the one whose names fit, the first is for "
             "all others. A reload reads the files again.",
      .example = "certificate /etc/ssl/fullchain.pem key /etc/ssl/key.pem" },
    { .block = "tls",
      .name = "minimum",
      .kind = CONFIG_KIND_CHOICE,
      .usage = "1.2|1.3",
      .choices = "1.2|1.3",
      .offset = AT(tls.minimum),
      .standard = "1.2",
      .doc = "The oldest version of TLS that is spoken." },
    { .block = "tls",
      .name = "ciphers",
      .kind = CONFIG_KIND_TEXT,
      .usage = "\"LIST\"",
      .offset = AT(tls.ciphers),
      .standard = "\"\"",
      .doc = "Cipher suites for TLS 1.2 in the language of openssl-ciphers(1ssl). Empty: "
             "ephemeral key exchange with authenticated encryption only." },
    { .block = "tls",
      .name = "suites",
      .kind = CONFIG_KIND_TEXT,
      .usage = "\"LIST\"",
      .offset = AT(tls.suites),
      .standard = "\"\"",
      .doc = "Cipher suites for TLS 1.3, with ':' between them. Empty: those of OpenSSL." },

    { .block = "listen",
      .name = "tls",
      .kind = CONFIG_KIND_CHOICE,
      .usage = "offer|require|no",
      .choices = "offer|require|no",
      .offset = LISTEN_AT(tls),
      .standard = "offer",
      .doc = "STARTTLS (STLS in POP3): offer it when there is a certificate, take no mail and no "
             "login before it, or do not offer it." },
    { .block = "listen",
      .name = "auth",
      .kind = CONFIG_KIND_BOOL,
      .usage = "yes|no",
      .offset = LISTEN_AT(auth),
      .standard_words = "yes for submission and submissions, no for smtp",
      .doc = "Whether clients can log in to send." },
    { .block = "listen",
      .name = "host",
      .kind = CONFIG_KIND_NAME,
      .usage = "NAME",
      .offset = LISTEN_AT(host),
      .standard_words = "the host",
      .doc = "Another name in the greeting of this listener." },
    { .block = "listen",
      .name = "proxy",
      .kind = CONFIG_KIND_BOOL,
      .usage = "yes|no",
      .offset = LISTEN_AT(proxy),
      .standard = "no",
      .doc = "Every connection begins with a header of the PROXY protocol, version 1 or 2, that "
             "names the real client. Connections from addresses that a trust line does not give "
             "the right proxy are closed." },
    { .block = "listen",
      .name = "backlog",
      .kind = CONFIG_KIND_COUNT,
      .usage = "NUMBER",
      .offset = LISTEN_AT(backlog),
      .min = 1,
      .max = 65535,
      .standard = "4096",
      .doc = "Connections that wait in the kernel to be taken; the kernel's own limit is "
             "net.core.somaxconn." },
    { .block = "listen",
      .name = "mode",
      .kind = CONFIG_KIND_MODE,
      .usage = "OCTAL",
      .offset = LISTEN_AT(mode),
      .standard = "0660",
      .doc = "Permissions of a Unix socket: who may write to it can connect." },
    { .block = "listen",
      .name = "group",
      .kind = CONFIG_KIND_UNIX,
      .usage = "NAME",
      .offset = LISTEN_AT(group),
      .standard_words = "the group that postrider was started with",
      .doc = "Group of a Unix socket." },

    RIGHT("relay", CONFIG_MAY_RELAY, "Send mail to recipients anywhere."),
    RIGHT("vrfy", CONFIG_MAY_VRFY, "Get full answers to VRFY; others get 252."),
    RIGHT("expn", CONFIG_MAY_EXPN, "Get full answers to EXPN; others get 252."),
    RIGHT("xclient", CONFIG_MAY_XCLIENT, "Name another client by XCLIENT, as mail proxies do."),
    RIGHT("proxy", CONFIG_MAY_PROXY,
          "Name another client by the PROXY protocol, on listeners with proxy yes."),
    RIGHT("unlimited", CONFIG_MAY_UNLIMITED,
          "Be exempt from the limits on connections and rates of one client."),

    { .block = "route",
      .name = "via",
      .kind = CONFIG_KIND_OWN,
      .usage = "HOST[:PORT]",
      .standard_words = "the hosts that the recipient's domain names in the DNS",
      .take = config_take_via,
      .doc = "With queue: hand the mail to this host, a name or an address in brackets." },
    { .block = "route",
      .name = "strangers",
      .kind = CONFIG_KIND_BOOL,
      .usage = "yes|no",
      .offset = ROUTE_AT(strangers),
      .standard = "no",
      .doc = "With queue: take this mail even from clients that may not relay, as for a domain "
             "that this host is a backup for. Needs a condition to or domain." },

    { .block = "address",
      .name = "separator",
      .kind = CONFIG_KIND_OWN,
      .usage = "CHARACTERS|none",
      .offset = AT(address.separators),
      .standard = "+",
      .take = config_take_separator,
      .show = config_show_separator,
      .doc = "Each of these characters begins the detail of an address: ann+lists@example.org is "
             "delivered to ann@example.org." },

    { .block = "auth",
      .name = "mechanisms",
      .kind = CONFIG_KIND_OWN,
      .usage = "NAME ...",
      .offset = AT(auth.mechanisms),
      .standard = "PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS",
      .take = config_take_mechanisms,
      .show = config_show_mechanisms,
      .doc = "The SASL mechanisms that are offered. Old clients may need SCRAM-SHA-1 or CRAM-MD5, "
             "which are weaker and work for passwords that were set while they were listed. "
             "CRAM-MD5 makes the store keep such passwords in clear: avoid it." },
    { .block = "auth",
      .name = "default-domain",
      .kind = CONFIG_KIND_NAME,
      .usage = "NAME",
      .offset = AT(auth.default_domain),
      .standard_words = "the host",
      .doc = "The domain of logins without one." },
    { .block = "auth",
      .name = "plaintext",
      .kind = CONFIG_KIND_CHOICE,
      .usage = "loopback|never",
      .choices = "loopback|never",
      .offset = AT(auth.plaintext),
      .standard = "loopback",
      .doc = "Where passwords may cross a connection without TLS: on 127.0.0.0/8 and ::1, or "
             "nowhere." },
    { .block = "auth",
      .name = "hash",
      .kind = CONFIG_KIND_CHOICE,
      .usage = "yescrypt|argon2id|bcrypt|sha512-crypt",
      .choices = "yescrypt|argon2id|bcrypt|sha512-crypt",
      .offset = AT(auth.hash),
      .standard = "yescrypt",
      .doc = "How new passwords are kept. Others are kept so from the user's next login on." },
};

#define OPTION_COUNT (sizeof options / sizeof options[0])
_Static_assert(OPTION_COUNT <= CONFIG_OPTION_MAX, "config->set_at has room for each");

const struct config_option *config_option_at(size_t i)
{
    return i < OPTION_COUNT ? &options[i] : NULL;
}

size_t config_option_number(const struct config_option *o)
{
    return (size_t)(o - options);
}

const struct config_option *config_option_find(struct str block, struct str name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (str_eq(name, str_c(options[i].name)) && str_eq(block, str_c(options[i].block))) {
            return &options[i];
        }
    }
    return NULL;
}

#define STORE_HINT(noun) "this lives in the store: see 'postrider " noun "'"

static const struct {
    struct str block, word;
    const char *hint;
} foreign[] = {
    { STR_INIT(""), STR_INIT("domain"), STORE_HINT("domain add") },
    { STR_INIT(""), STR_INIT("domains"), STORE_HINT("domain add") },
    { STR_INIT(""), STR_INIT("account"), STORE_HINT("account add") },
    { STR_INIT(""), STR_INIT("accounts"), STORE_HINT("account add") },
    { STR_INIT(""), STR_INIT("alias"), STORE_HINT("alias add") },
    { STR_INIT(""), STR_INIT("aliases"), STORE_HINT("alias add") },
    { STR_INIT(""), STR_INIT("mydestination"), STORE_HINT("domain add") },
    { STR_INIT(""), STR_INIT("virtual_mailbox_domains"), STORE_HINT("domain add") },
    { STR_INIT(""), STR_INIT("virtual_alias_maps"), STORE_HINT("alias add") },
    { STR_INIT(""), STR_INIT("alias_maps"), STORE_HINT("alias add") },
    { STR_INIT(""), STR_INIT("catch-all"),
      "a domain has it: 'postrider domain set example.org --catch-all ann@example.org'" },
    { STR_INIT(""), STR_INIT("hostname"), "did you mean \"host\"?" },
    { STR_INIT(""), STR_INIT("myhostname"), "here it is: host mail.example.org" },
    { STR_INIT(""), STR_INIT("mydomain"), "here it is: auth { default-domain example.org }" },
    { STR_INIT(""), STR_INIT("mynetworks"), "here it is: trust 192.0.2.0/24 { relay }" },
    { STR_INIT(""), STR_INIT("relayhost"), "here it is: route queue { via mail.example.net }" },
    { STR_INIT(""), STR_INIT("relay_domains"),
      "here it is: route domain example.org queue { strangers yes }" },
    { STR_INIT(""), STR_INIT("inet_interfaces"), "here it is: listen smtp 0.0.0.0:25" },
    { STR_INIT(""), STR_INIT("recipient_delimiter"), "here it is: address { separator + }" },
    { STR_INIT(""), STR_INIT("message_size_limit"), "here it is: limit smtp_message_max 50M" },
    { STR_INIT(""), STR_INIT("mailbox_size_limit"), "an account has it: 'postrider account set'" },
    { STR_INIT(""), STR_INIT("smtpd_tls_cert_file"),
      "here it is: tls { certificate PATH key PATH }" },
    { STR_INIT(""), STR_INIT("smtpd_tls_key_file"),
      "here it is: tls { certificate PATH key PATH }" },
    { STR_INIT(""), STR_INIT("smtpd_tls_chain_files"),
      "here it is: tls { certificate PATH key PATH }" },
    { STR_INIT(""), STR_INIT("ssl_cert"), "here it is: tls { certificate PATH key PATH }" },
    { STR_INIT(""), STR_INIT("ssl_key"), "here it is: tls { certificate PATH key PATH }" },
    { STR_INIT(""), STR_INIT("protocols"), "here it is: listen pop3s 0.0.0.0:995" },
    { STR_INIT(""), STR_INIT("mail_location"),
      "here it is: store PATH; Maildirs are brought in by 'postrider import'" },
    { STR_INIT(""), STR_INIT("smtpd_client_restrictions"),
      "here it is: check client NETWORK refuse" },
    { STR_INIT(""), STR_INIT("smtpd_helo_restrictions"), "here it is: check helo NAME refuse" },
    { STR_INIT(""), STR_INIT("smtpd_sender_restrictions"),
      "here it is: check from ADDRESS refuse" },
    { STR_INIT(""), STR_INIT("smtpd_recipient_restrictions"),
      "here it is: check to ADDRESS refuse" },
    { STR_INIT(""), STR_INIT("set"), "write the setting's name first, or limit NAME VALUE" },
    { STR_INIT("tls"), STR_INIT("key"),
      "the key stands on the line of its certificate: certificate PATH key PATH" },
    { STR_INIT("processes"), STR_INIT("depot"),
      "this role runs once; several are edge, session, filter, courier" },
    { STR_INIT("processes"), STR_INIT("authd"),
      "this role runs once; several are edge, session, filter, courier" },
    { STR_INIT("processes"), STR_INIT("keys"),
      "this role runs once; several are edge, session, filter, courier" },
    { STR_INIT("processes"), STR_INIT("resolver"),
      "this role runs once; several are edge, session, filter, courier" },
    { STR_INIT("user"), STR_INIT("keeper"), "the keeper stays the user who started it" },
    { STR_INIT("listen"), STR_INIT("starttls"), "here it is: tls offer, tls require or tls no" },
    { STR_INIT("listen"), STR_INIT("ssl"),
      "TLS from the first byte is a service: submissions or pop3s" },
    { STR_INIT("trust"), STR_INIT("all"),
      "name each right: relay, vrfy, expn, xclient, proxy, unlimited" },
    { STR_INIT("auth"), STR_INIT("plain"), "here it is: mechanisms PLAIN" },
    { STR_INIT("auth"), STR_INIT("login"), "here it is: mechanisms LOGIN" },
    { STR_INIT("auth"), STR_INIT("scram-sha-1"), "add SCRAM-SHA-1 to the line mechanisms" },
    { STR_INIT("auth"), STR_INIT("cram-md5"), "add CRAM-MD5 to the line mechanisms" },
};

const char *config_foreign_hint(struct str block, struct str word)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (str_eq(block, foreign[i].block) && str_eq_nocase(word, foreign[i].word)) {
            return foreign[i].hint;
        }
    }
    return NULL;
}
