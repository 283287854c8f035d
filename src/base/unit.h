/* What every unit test includes first: cmocka with its prerequisites, and the name of the case at
 * hand, so that a failing row of a table says which one it was. Tests only. */
#ifndef BASE_UNIT_H
#define BASE_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"

#define UNIT_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Name the case that the next assertions speak of. */
#define unit_case(name) print_message("  case: %s\n", (name))

/* Both views hold the same bytes. */
#define assert_str(have, want)                                                                     \
    do {                                                                                           \
        struct str unit_have = (have), unit_want = (want);                                         \
        assert_int_equal(unit_have.n, unit_want.n);                                                \
        assert_memory_equal(unit_have.p, unit_want.p, unit_want.n);                                \
    } while (0)

#endif
