#include "platform/mail/mail_internal.h"

/*
 * Words of real servers, most telling first.  A phrase is lower case; '*'
 * inside stands for anything up to 40 bytes.
 */
static const struct {
    const char *phrase, *reason;
} phrases[] = {
    { "groups.google.com", "rejected" }, { "recipientnotfound", "user_unknown" }, { "recipient address rejected: access denied", "user_unknown" },
    { "because its content presents", "policy" }, { "unexpected volume", "blocked" }, { "unverifyable sending ip", "blocked" },
    { "invalid ip for sending", "blocked" }, { "relay quota", "blocked" }, { "smtp server of your isp", "blocked" }, { "service refuse", "blocked" },
    { "messages from*weren't sent", "blocked" }, { "invalid final delivery userid", "user_unknown" }, { "address couldn't be found", "user_unknown" },
    { "did not accept our requests to connect", "expired" }, { "too many hops", "network" }, { "hop count", "network" }, { "not accepting connections", "blocked" },
    { "mailbox full", "mailbox_full" }, { "mailbox is full", "mailbox_full" }, { "quota exceeded", "mailbox_full" },
    { "over quota", "mailbox_full" }, { "overquota", "mailbox_full" }, { "exceeded*quota", "mailbox_full" },
    { "exceed*quota", "mailbox_full" }, { "quota*exceeded", "mailbox_full" }, { "out of storage", "mailbox_full" },
    { "insufficient disk", "mailbox_full" }, { "mailfolder is full", "mailbox_full" }, { "is full", "mailbox_full" },
    { "mailbox*exceed", "mailbox_full" }, { "disk quota", "mailbox_full" }, { "inbox is full", "mailbox_full" },
    { "not enough space", "mailbox_full" }, { "no space left*mailbox", "mailbox_full" },
    { "maximum mailbox size", "mailbox_full" }, { "over the allowed quota", "mailbox_full" },
    { "over the maximum allowed", "mailbox_full" }, { "storage quota", "mailbox_full" }, { "mailbox size limit", "mailbox_full" },
    { "account is temporarily over quota", "mailbox_full" }, { "too much mail data", "mailbox_full" },
    { "mailbox would exceed", "mailbox_full" }, { "space has been used up", "mailbox_full" },
    { "message too big", "too_big" }, { "message size exceeds", "too_big" }, { "message is too large", "too_big" },
    { "message too large", "too_big" }, { "size limit exceeded", "too_big" }, { "exceeds*size limit", "too_big" },
    { "message header size", "too_big" }, { "exceeded*maximum message size", "too_big" }, { "message length exceeds", "too_big" },
    { "max message size", "too_big" }, { "larger than*limit", "too_big" }, { "maximum*message size", "too_big" },
    { "reverse dns", "blocked" }, { "ptr record", "blocked" }, { "no ptr", "blocked" }, { "does not have a ptr", "blocked" },
    { "reverse lookup", "blocked" }, { "resolve your hostname", "blocked" }, { "cannot find your hostname", "blocked" },
    { "cannot resolve your address", "blocked" }, { "hostname lookup", "blocked" }, { "fix reverse", "blocked" },
    { "unresolvable relay host", "blocked" }, { "no reverse", "blocked" }, { "find your reverse", "blocked" },
    { "dmarc", "auth" }, { "dkim", "auth" }, { "spf", "auth" }, { "not authenticated", "auth" },
    { "sender policy framework", "auth" }, { "unauthenticated mail", "auth" }, { "authentication checks", "auth" },
    { "domain of sender address*does not exist", "rejected" }, { "sender domain", "rejected" },
    { "sender address rejected", "rejected" }, { "sender rejected", "rejected" }, { "sender verify failed", "rejected" },
    { "sender*not exist", "rejected" }, { "sender denied", "rejected" }, { "access denied to sender", "rejected" },
    { "backscatter", "rejected" }, { "mail from*not allowed", "rejected" }, { "unroutable sender", "rejected" },
    { "invalid sender", "rejected" }, { "sender is not allowed", "rejected" }, { "from address*not", "rejected" },
    { "denied by policy", "policy" }, { "invalid domain, see", "rejected" }, { "is not allowed to send", "rejected" },
    { "senders*not allowed", "rejected" }, { "sender*blocked", "rejected" }, { "mail from address is administratively", "rejected" },
    { "virus", "virus" }, { "malware", "virus" }, { "infected", "virus" },
    { "reputation", "blocked" }, { "blacklist", "blocked" }, { "black list", "blocked" }, { "blocklist", "blocked" },
    { "block list", "blocked" }, { "blocked using", "blocked" }, { "spamhaus", "blocked" }, { "spamcop", "blocked" },
    { "dnsbl", "blocked" }, { "rbl", "blocked" }, { "is blocked", "blocked" }, { "banned sending", "blocked" },
    { "banned", "blocked" }, { "your ip", "blocked" }, { "ip address*block", "blocked" }, { "bad reputation", "blocked" },
    { "client host*blocked", "blocked" }, { "access denied", "blocked" }, { "connection refused by", "blocked" },
    { "we do not accept mail from hosts", "blocked" }, { "helo command rejected", "blocked" }, { "client host rejected", "blocked" },
    { "connections not accepted from servers", "blocked" }, { "dynamic", "blocked" }, { "bl0", "blocked" },
    { "spam", "spam" }, { "unsolicited", "spam" }, { "junk mail", "spam" }, { "bulk mail", "spam" }, { "bulk email", "spam" },
    { "content*rejected", "spam" }, { "message looks like", "spam" }, { "high probability", "spam" }, { "appears to be*bulk", "spam" },
    { "has moved", "moved" }, { "moved to another", "moved" }, { "has been replaced by", "moved" }, { "no longer*use*address", "moved" },
    { "suspend", "suspended" }, { "account*disabled", "suspended" }, { "mailbox*disabled", "suspended" },
    { "inactive", "suspended" }, { "deactivated", "suspended" }, { "has been disabled", "suspended" },
    { "mailbox*unavailable or access denied", "suspended" }, { "account*locked", "suspended" }, { "boite du destinataire archivee", "suspended" },
    { "not active", "suspended" }, { "vdelivermail: account is locked", "suspended" }, { "email account that you tried to reach is disabled", "suspended" },
    { "user unknown", "user_unknown" }, { "unknown user", "user_unknown" }, { "no such user", "user_unknown" },
    { "no such recipient", "user_unknown" }, { "no such mailbox", "user_unknown" }, { "no such address", "user_unknown" },
    { "no such person", "user_unknown" }, { "user not found", "user_unknown" }, { "unknown address", "user_unknown" },
    { "unknown recipient", "user_unknown" }, { "unknown local", "user_unknown" }, { "recipient unknown", "user_unknown" },
    { "recipient not found", "user_unknown" }, { "recipient*does not exist", "user_unknown" }, { "not a known user", "user_unknown" },
    { "not a valid mailbox", "user_unknown" }, { "not our customer", "user_unknown" }, { "invalid mailbox", "user_unknown" },
    { "invalid recipient", "user_unknown" }, { "invalid user", "user_unknown" }, { "bad destination", "user_unknown" },
    { "does not exist", "user_unknown" }, { "doesn't exist", "user_unknown" }, { "doesn't have a", "user_unknown" },
    { "no mailbox", "user_unknown" }, { "mailbox not found", "user_unknown" }, { "mailbox unavailable", "user_unknown" },
    { "address rejected", "user_unknown" }, { "address unknown", "user_unknown" }, { "addressee unknown", "user_unknown" },
    { "not listed in", "user_unknown" }, { "recipientnotfound", "user_unknown" }, { "recipnotfound", "user_unknown" },
    { "user doesn't", "user_unknown" }, { "user does not", "user_unknown" }, { "isn't a", "user_unknown" }, { "no account", "user_unknown" },
    { "address not present in directory", "user_unknown" }, { "unrouteable", "host_unknown" }, { "unable to find recipient", "user_unknown" },
    { "adresse d au moins un destinataire invalide", "user_unknown" }, { "destinataire", "user_unknown" }, { "user*unknown", "user_unknown" },
    { "undeliverable address", "user_unknown" }, { "no valid recipient", "user_unknown" }, { "mailbox*not exist", "user_unknown" },
    { "recipient address rejected", "user_unknown" }, { "not exist", "user_unknown" }, { "no vaild recipient", "user_unknown" },
    { "host unknown", "host_unknown" }, { "host not found", "host_unknown" }, { "domain not found", "host_unknown" },
    { "no such domain", "host_unknown" }, { "unknown host", "host_unknown" }, { "domain*not exist", "host_unknown" },
    { "name or service not known", "host_unknown" }, { "name service error", "host_unknown" }, { "could not be found", "host_unknown" },
    { "couldn't find any host", "host_unknown" }, { "nxdomain", "host_unknown" }, { "unable to find host", "host_unknown" },
    { "host or domain name not found", "host_unknown" }, { "dns error", "host_unknown" }, { "unroutable", "host_unknown" },
    { "domain*invalid", "host_unknown" }, { "domain name not found", "host_unknown" }, { "illegal host", "host_unknown" },
    { "null mx", "not_accepting" }, { "nullmx", "not_accepting" }, { "does not accept mail", "not_accepting" },
    { "not accept*mail", "not_accepting" }, { "mail receiving disabled", "not_accepting" }, { "name server: .: host not found", "not_accepting" },
    { "relaying", "relaying" }, { "relay access", "relaying" }, { "relay not permitted", "relaying" }, { "relay denied", "relaying" },
    { "not relay", "relaying" }, { "not local host", "relaying" }, { "as a relay", "relaying" },
    { "rate limit", "rate" }, { "too many connections", "rate" }, { "too fast", "rate" }, { "too many", "rate" }, { "throttl", "rate" },
    { "unusual rate", "rate" }, { "try again later*rate", "rate" }, { "connection rate", "rate" }, { "receiving mail at a rate", "rate" },
    { "loop", "network" }, { "mail forwarding loop", "network" },
    { "timed out", "expired" }, { "time out", "expired" }, { "timeout", "expired" }, { "retry time", "expired" }, { "retry timeout", "expired" },
    { "delivery time expired", "expired" }, { "in the queue too long", "expired" }, { "could not be delivered for", "expired" },
    { "message expired", "expired" }, { "delayed", "expired" }, { "undeliverable for", "expired" }, { "connection was dropped", "expired" },
    { "has been in the queue", "expired" }, { "been attempted", "expired" }, { "queue too long", "expired" }, { "has expired", "expired" },
    { "could not be delivered since", "expired" }, { "maximum time", "expired" }, { "will be tried", "expired" },
    { "connection refused", "expired" }, { "no route to host", "network" }, { "network is unreachable", "network" },
    { "could not contact", "network" }, { "connection lost", "expired" }, { "unable to connect", "network" },
    { "connection reset", "network" }, { "malformed", "network" }, { "resources temporarily unavailable", "network" },
    { "tls", "policy" }, { "encryption", "policy" }, { "security", "policy" }, { "policy", "policy" }, { "authentication", "policy" },
    { "not compliant", "policy" }, { "rfc 5322", "policy" }, { "rfc5322", "policy" }, { "multiple from", "policy" }, { "attachment", "policy" },
    { "you are not allowed", "policy" }, { "protocol violation", "policy" }, { "duplicate header", "policy" },
    { "8bitmime", "content" }, { "command not", "content" }, { "syntax error", "content" },
    { "command exceeded", "system" }, { "procmail", "system" }, { "mailer error", "system" }, { "command failed", "system" },
    { "exit status", "system" }, { "pipe to", "system" }, { "local error", "system" }, { "configuration error", "system" },
    { "internal error", "system" }, { "temporary failure", "system" }, { "system config", "system" }, { "server error", "system" },
    { "disk full", "system" }, { "no space", "system" }, { "service unavailable", "blocked" }, { "can't create", "system" },
    { "not available", "system" }, { "rejected", "filtered" }, { "refused", "filtered" }, { "denied", "filtered" }, { "blocked", "filtered" },
};

static bool has_phrase(struct str text, const char *phrase)
{
    struct str want = str_of(phrase);
    ptrdiff_t star = str_chr(want, '*');
    if (star < 0)
        return str_find(text, want) >= 0;
    struct str head = str_sub(want, 0, (size_t)star), tail = str_skip(want, (size_t)star + 1);
    for (;;) {
        ptrdiff_t at = str_find(text, head);
        if (at < 0)
            return false;
        text = str_skip(text, (size_t)at + head.len);
        if (str_find(str_sub(text, 0, 40 + tail.len), tail) >= 0)
            return true;
    }
}

static const char *reason_by_status(struct str status)
{
    static const struct {
        const char *status, *reason;
    } codes[] = {
        { "1.1", "user_unknown" }, { "1.2", "host_unknown" }, { "1.3", "user_unknown" }, { "1.6", "moved" },
        { "1.0", "user_unknown" }, { "1.7", "rejected" }, { "1.8", "rejected" }, { "1.10", "not_accepting" }, { "2.0", "filtered" }, { "2.1", "user_unknown" },
        { "2.2", "mailbox_full" }, { "2.3", "too_big" }, { "3.0", "system" }, { "3.1", "system" }, { "3.2", "not_accepting" }, { "3.4", "too_big" },
        { "4.0", "expired" }, { "4.1", "expired" }, { "4.2", "network" }, { "4.3", "system" }, { "4.4", "host_unknown" }, { "4.5", "system" },
        { "4.6", "network" }, { "4.7", "expired" }, { "5.3", "policy" }, { "5.4", "system" }, { "6.0", "content" }, { "7.1", "policy" },
        { "7.0", "policy" }, { "7.20", "auth" }, { "7.23", "auth" }, { "7.25", "blocked" }, { "7.26", "auth" }, { "7.27", "not_accepting" },
    };
    struct str tail = str_skip(status, 2);
    for (size_t i = 0; i < COUNT(codes); i++) {
        if (str_is(tail, codes[i].status))
            return codes[i].reason;
    }
    return NULL;
}

/* Codes that say more than the words beside them. */
static bool is_exact_status(struct str status)
{
    static const char *const exact[] = { "2.2", "3.4", "2.3", "1.6", "7.20", "7.25", "7.26", "7.27", "7.23" };
    struct str tail = str_skip(status, 2);
    for (size_t i = 0; i < COUNT(exact); i++) {
        if (str_is(tail, exact[i]))
            return true;
    }
    return false;
}

const char *mail_bounce_reason(struct arena *arena, struct str words, struct str status)
{
    if (is_exact_status(status))
        return reason_by_status(status);
    struct str lower = str_lower(arena, words);
    for (size_t i = 0; i < COUNT(phrases); i++) {
        if (has_phrase(lower, phrases[i].phrase))
            return phrases[i].reason;
    }
    const char *reason = status.len > 0 ? reason_by_status(status) : NULL;
    return reason ? reason : "other";
}
