/* Optimal string alignment over three rows of fixed size: the words are names of ours or a typing
 * mistake, so everything long is simply not near. */
#include "base/near.h"

enum { NEAR_PREFIX_MIN = 3 };

static char folded(char c)
{
    return c == '_' ? '-' : byte_lower(c);
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t n = a < b ? a : b;
    return n < c ? n : c;
}

size_t near_distance(struct str a, struct str b)
{
    size_t rows[3][NEAR_WORD_MAX + 1];

    if (a.n > NEAR_WORD_MAX || b.n > NEAR_WORD_MAX) return SIZE_MAX;
    for (size_t j = 0; j <= b.n; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a.n; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            char x = folded(a.p[i - 1]), y = folded(b.p[j - 1]);
            now[j] = least(last[j] + 1, now[j - 1] + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == folded(b.p[j - 2]) && y == folded(a.p[i - 2]) &&
                before[j - 2] + 1 < now[j]) {
                now[j] = before[j - 2] + 1;
            }
        }
    }
    return rows[a.n % 3][b.n];
}

void near_offer(struct near *n, struct str candidate)
{
    size_t distance = near_distance(n->word, candidate);

    size_t shared = n->word.n < candidate.n ? n->word.n : candidate.n;
    if (shared >= NEAR_PREFIX_MIN &&
        near_distance(str_part(n->word, 0, shared), str_part(candidate, 0, shared)) == 0) {
        n->prefixes++;
        n->beginning = candidate;
    }
    if (distance >= n->distance) return;
    n->distance = distance;
    n->best = candidate;
}

struct str near_best(const struct near *n)
{
    size_t most = n->word.n / 3 < 3 ? n->word.n / 3 : 3;
    if (most == 0 && n->word.n > 1) most = 1;
    if (n->distance <= most) return n->best;
    return n->prefixes == 1 ? n->beginning : STR_NONE;
}
