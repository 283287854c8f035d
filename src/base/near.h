/* Nearness of words: "did you mean". For configuration, command names and option names. */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include "base/str.h"

enum { NEAR_WORD_MAX = 48 };

/* Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`, ASCII letters folded,
 * '-' and '_' equal. Words above NEAR_WORD_MAX bytes are SIZE_MAX apart. */
size_t near_distance(struct str a, struct str b);

/* The best of many candidates, offered one by one. Start with `near_of(word)`. */
struct near {
    struct str word, best, beginning;
    size_t distance, prefixes;
};

static inline struct near near_of(struct str word)
{
    return (
        struct near){ .word = word, .best = STR_NONE, .beginning = STR_NONE, .distance = SIZE_MAX };
}

/* Offer a candidate; the view is kept as the best one so far if it is. */
void near_offer(struct near *n, struct str candidate);

/* The candidate that was probably meant: at most a third of the word is wrong (never more than
 * three edits), or it is the only one that begins with the word or that the word begins with. Empty
 * when there is none. */
struct str near_best(const struct near *n);

#endif
