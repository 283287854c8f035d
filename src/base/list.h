/* Doubly linked list whose links live in the members: no allocation, O(1) removal. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(l)                                                                               \
    {                                                                                              \
        &(l), &(l)                                                                                 \
    }

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}
static inline bool list_is_empty(const struct list *l)
{
    return l->next == l;
}
/* Put `item` behind the last (before `l`). */
static inline void list_put(struct list *l, struct list *item)
{
    item->prev = l->prev;
    item->next = l;
    l->prev->next = item;
    l->prev = item;
}
/* Take `item` out of whatever list it is in; harmless when it is in none (after list_init). */
static inline void list_take(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}
/* Take the first one, or null. */
static inline struct list *list_take_first(struct list *l)
{
    struct list *first = l->next;
    if (first == l) return NULL;
    list_take(first);
    return first;
}

#define LIST_OWNER(item, type, member) ((type *)(void *)((char *)(item)-offsetof(type, member)))
#define LIST_EACH(at, l)                                                                           \
    for (struct list *at = (l)->next, *at##_next = at->next; at != (l);                            \
         at = at##_next, at##_next = at->next)

#endif
