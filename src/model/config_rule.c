/* Whether a rule's conditions hold. Pure: what follows from it is decided elsewhere. */
#include "model/config.h"

bool config_pattern_matches(struct str pattern, struct str text)
{
    /* Greedy with one point of return: after the last '*' seen, try one byte further on. */
    size_t p = 0, t = 0, star = STR_NOWHERE, retry = 0;

    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            retry = t;
        } else if (p < pattern.n && byte_lower(pattern.p[p]) == byte_lower(text.p[t])) {
            p++;
            t++;
        } else if (star != STR_NOWHERE) {
            p = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') {
        p++;
    }
    return p == pattern.n;
}
