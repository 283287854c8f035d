/* What needs the whole file: values that follow from others, and settings that do not go together.
 * A configuration that would start but let nobody in, or everybody, is refused or warned of here.
 */
#include "model/config_reading.h"
#include "base/must.h"
#include "syntax/domain.h"
#include "syntax/ip.h"

static const struct conf_at *set_at(const struct config_reading *r, const char *block,
                                    const char *name)
{
    const struct config_option *o = config_option_find(str_c(block), str_c(name));
    must(o != NULL);
    return &r->c->set_at[config_option_number(o)];
}

/* ---- values that follow from others ---- */

static void finish_host(struct config_reading *r)
{
    struct config *c = r->c;
    const struct conf_at *at = set_at(r, "", "host");
    struct conf_at whole_file = { .file = r->source->name };
    struct str name;

    if (at->line > 0) {
        if (c->host.n > 0 && str_find(c->host, '.') == STR_NOWHERE) {
            CONFIG_WARNING(r, at, STR("write the full name, such as mail.example.org"),
                           STR("host "), config_quote(r, c->host),
                           STR(" has no domain: other servers may refuse a greeting with it"));
        }
        return;
    }
    if (domain_normalise(c->machine, 0, r->scratch, &name) != OK) {
        CONFIG_ERROR(r, &whole_file, STR("write: host mail.example.org"),
                     STR("host is not set, and the machine's own name "),
                     config_quote(r, c->machine), STR(" is not a host name"));
        return;
    }
    c->host = config_keep(r, name);
    if (str_find(c->host, '.') == STR_NOWHERE && r->faults->errors == 0) {
        CONFIG_WARNING(r, &whole_file, STR("write: host mail.example.org"),
                       STR("host is not set, and the machine's own name "),
                       config_quote(r, c->host), STR(" has no domain"));
    }
}

static void finish_users(struct config_reading *r)
{
    struct config *c = r->c;

    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        const struct config_option *o =
            config_option_find(STR("user"), str_c(role_name((enum role)role)));
        bool inherits = o != NULL && c->set_at[config_option_number(o)].line == 0;
        const struct conf_at *at =
            o == NULL || inherits ? set_at(r, "", "user") : &c->set_at[config_option_number(o)];
        if (inherits || role == ROLE_TOOL) c->user[role] = c->user[ROLE_KEEPER];
        if (str_eq(c->user[role], STR("root")) && (!inherits && role != ROLE_TOOL)) {
            /* A demonstration in somebody's own folder has no other user that could go there. */
            CONFIG_WARNING(r, at,
                           STR("make a user for it: useradd --system --no-create-home postrider"),
                           STR("as root a role is not held back by file rights"));
        }
    }
}

static void add_listen(struct config_reading *r, enum service service, const char *address,
                       uint16_t port)
{
    struct config *c = r->c;

    c->listens = config_grow(r, c->listens, c->listen_count, sizeof *c->listens);
    struct config_listen *l = &c->listens[c->listen_count++];
    config_standards(r, "listen", l);
    l->service = service;
    l->address = str_c(address);
    l->port = port;
    l->auth = service == SERVICE_SUBMISSIONS;
}

/* What listens when no line says so; described with the option. */
static void finish_listens(struct config_reading *r)
{
    static const char *const all[] = { "0.0.0.0", "::" };

    if (r->c->listen_count > 0) return;
    for (size_t i = 0; i < 2; i++) {
        add_listen(r, SERVICE_SMTP, all[i], 25);
    }
    for (size_t i = 0; i < 2 && r->c->tls.certificate_count > 0; i++) {
        add_listen(r, SERVICE_SUBMISSIONS, all[i], 465);
        add_listen(r, SERVICE_POP3S, all[i], 995);
    }
}

/* ---- settings that do not go together ---- */

static struct str service_text(const struct config_listen *l)
{
    return str_c(service_name(l->service));
}

static bool is_loopback(const struct config_listen *l)
{
    struct ip_addr ip;
    return l->path.n > 0 || (ip_parse(l->address, &ip) == OK && ip_is_loopback(&ip));
}

/* Would the kernel refuse to bind both? */
static bool collide(const struct config_listen *a, const struct config_listen *b)
{
    if (a->path.n > 0 || b->path.n > 0) return a->path.n > 0 && str_eq(a->path, b->path);
    bool v6 = str_find(a->address, ':') != STR_NOWHERE;
    if (a->port != b->port || v6 != (str_find(b->address, ':') != STR_NOWHERE)) return false;
    struct str any = v6 ? STR("::") : STR("0.0.0.0");
    return str_eq(a->address, b->address) || str_eq(a->address, any) || str_eq(b->address, any);
}

static void check_listen_tls(struct config_reading *r, const struct config_listen *l)
{
    bool has_certificate = r->c->tls.certificate_count > 0;
    struct str add = STR("add: tls { certificate /path/fullchain.pem key /path/key.pem }");

    if (config_listen_is_tls(l) && !has_certificate) {
        CONFIG_ERROR(r, &l->at, add, service_text(l), STR(" needs a certificate"));
    } else if (l->tls == CONFIG_TLS_REQUIRE && !has_certificate) {
        CONFIG_ERROR(r, &l->at, add, STR("tls require needs a certificate"));
    } else if (config_listen_is_tls(l) && l->tls != CONFIG_TLS_OFFER) {
        CONFIG_ERROR(r, &l->at, STR("leave the setting tls out"), service_text(l),
                     STR(" is TLS from the first byte"));
    } else if ((l->service == SERVICE_SUBMISSION || l->service == SERVICE_POP3) &&
               !is_loopback(l) && (!has_certificate || l->tls == CONFIG_TLS_NO)) {
        CONFIG_WARNING(r, &l->at, has_certificate ? STR("leave tls no out") : add,
                       STR("without TLS nobody can log in to "), service_text(l),
                       STR(" from outside this machine"));
    }
}

static void check_listen(struct config_reading *r, const struct config_listen *l)
{
    unsigned given = 0;

    check_listen_tls(r, l);
    for (size_t i = 0; i < r->c->trust_count; i++) {
        given |= r->c->trusts[i].may;
    }
    if (l->proxy && l->path.n > 0) {
        CONFIG_ERROR(r, &l->at, STR("leave proxy out"),
                     STR("the PROXY protocol is for TCP, not for Unix sockets"));
    } else if (l->proxy && (given & CONFIG_MAY_PROXY) == 0) {
        CONFIG_ERROR(r, &l->at, STR("add: trust 192.0.2.1 { proxy } with the proxy's address"),
                     STR("no client may speak the PROXY protocol to this listener"));
    }
    if (l->path.n == 0 && l->group.n > 0) {
        CONFIG_ERROR(r, &l->at, STR("leave group out"), STR("group is for Unix sockets"));
    }
    if (l->path.n == 0 && l->mode != 0660) {
        CONFIG_ERROR(r, &l->at, STR("leave mode out"), STR("mode is for Unix sockets"));
    }
    bool no_auth =
        l->service == SERVICE_LMTP || l->service == SERVICE_POP3 || l->service == SERVICE_POP3S;
    if (l->auth && no_auth) {
        CONFIG_ERROR(r, &l->at, STR("leave auth out"),
                     STR("auth is for smtp and submission, not for "), service_text(l));
    }
    if (l->service == SERVICE_LMTP && !is_loopback(l)) {
        CONFIG_WARNING(r, &l->at, STR("listen on 127.0.0.1, ::1 or a Unix socket"),
                       STR("lmtp is for peers on this machine or a private network"));
    }
}

static void check_listens(struct config_reading *r)
{
    struct config *c = r->c;

    for (size_t i = 0; i < c->listen_count; i++) {
        struct config_listen *l = &c->listens[i];
        if (l->at.line == 0 || (l->address.n == 0 && l->path.n == 0)) continue;
        check_listen(r, l);
        for (size_t k = 0; k < i; k++) {
            if (!collide(l, &c->listens[k])) continue;
            CONFIG_ERROR(r, &l->at, CONFIG_JOIN(r, STR("see "), config_place(r, &c->listens[k].at)),
                         STR("another line listens on the same place already"));
            break;
        }
    }
}

static bool is_everybody(const struct ip_net *net)
{
    return net->prefix_bits == (ip_is_v4(&net->base) ? 96 : 0);
}

static void check_trusts(struct config_reading *r)
{
    const unsigned grave = CONFIG_MAY_RELAY | CONFIG_MAY_XCLIENT | CONFIG_MAY_PROXY;
    struct config *c = r->c;

    for (size_t i = 0; i < c->trust_count; i++) {
        const struct config_trust *t = &c->trusts[i];
        if (t->may == 0 && r->faults->errors == 0) {
            CONFIG_ERROR(r, &t->at, STR("say what it may do: trust 192.0.2.0/24 { relay }"),
                         STR("trust gives no right"));
        }
        for (size_t n = 0; n < t->net_count; n++) {
            if (!is_everybody(&t->nets[n]) || (t->may & grave) == 0) continue;
            CONFIG_ERROR(r, &t->at, STR("name the networks you know"),
                         (t->may & CONFIG_MAY_RELAY) != 0
                             ? STR("this lets the whole Internet relay mail through this host")
                             : STR("this lets the whole Internet speak for other clients"));
            break;
        }
    }
}

static void check_auth(struct config_reading *r)
{
    const struct conf_at *at = set_at(r, "auth", "mechanisms");

    if (at->line > 0 && (r->c->auth.mechanisms & CONFIG_AUTH_CRAM_MD5) != 0) {
        CONFIG_WARNING(r, at, STR("leave it out unless an old client needs it"),
                       STR("with CRAM-MD5 new passwords are stored in clear"));
    }
}

static bool names_recipients(const struct config_rule *rule)
{
    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct config_condition *c = &rule->conditions[i];
        if ((c->kind == CONFIG_WHEN_TO || c->kind == CONFIG_WHEN_DOMAIN) && !c->negated)
            return true;
    }
    return false;
}

static void check_routes(struct config_reading *r)
{
    const struct config *c = r->c;
    const struct config_rule *last = NULL;

    for (size_t i = 0; i < c->route_count; i++) {
        const struct config_rule *rule = &c->routes[i];
        if (rule->action != CONFIG_QUEUE && (rule->via.n > 0 || rule->strangers)) {
            CONFIG_ERROR(r, &rule->at, STR("leave the block out, or make the action queue"),
                         STR("via and strangers go with the action queue only"));
        } else if (rule->strangers && !names_recipients(rule)) {
            CONFIG_ERROR(r, &rule->at, STR("add a condition: domain example.org"),
                         STR("strangers yes needs a condition on recipients, or this host would "
                             "relay for everybody"));
        }
        if (last == NULL) {
            if (rule->condition_count == 0) last = rule;
        } else if (r->faults->errors == 0) {
            CONFIG_WARNING(r, &rule->at,
                           CONFIG_JOIN(r, STR("put it before "), config_place(r, &last->at)),
                           STR("this route is never reached: an earlier one matches always"));
        }
    }
}

void config_finish(struct config_reading *r)
{
    struct config *c = r->c;

    finish_host(r);
    finish_users(r);
    finish_listens(r);
    if (set_at(r, "", "admin")->line == 0) {
        c->admin = ARENA_JOIN(&c->arena, STR("postmaster@"), c->host);
    }
    if (set_at(r, "auth", "default-domain")->line == 0) c->auth.default_domain = c->host;
    check_listens(r);
    check_trusts(r);
    check_routes(r);
    check_auth(r);
}
