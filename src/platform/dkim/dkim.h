/* dkim.h - DKIM signatures (RFC 6376, 8463) for outgoing mail (libopendkim). */
#ifndef CAIRN_DKIM_H
#define CAIRN_DKIM_H

#include "base/base.h"

/* rsa-sha256, relaxed/relaxed.  *ret is raw with the DKIM-Signature header in front.  E_INVALID at "dkim_key". */
enum err_code dkim_sign_mail(struct cx *cx, struct str domain, struct str selector, struct str key_pem, struct str raw,
                             int64_t now_us, struct str *ret) MUST_CHECK;

#endif
