/* Time. Everything that asks what time it is asks here, so that a test can own the answer. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#include "base/str.h"

/* Milliseconds of a clock that never jumps; for deadlines and durations. */
int64_t clock_now(void);

/* Microseconds since 1970-01-01 UTC; for dates, ids and logs. */
int64_t clock_wall_us(void);

/* Tests: stop both clocks at these values until clock_test_off(). */
void clock_test_set(int64_t now_ms, int64_t wall_us);
void clock_test_off(void);

/* "No deadline". */
#define CLOCK_NEVER INT64_MAX

/* now + wait, saturating at CLOCK_NEVER. */
int64_t clock_deadline(int64_t wait_ms);

#endif
