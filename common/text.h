// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Text that came from elsewhere (labels, host names, kernel strings, messages of the agent), made
 * harmless for one line of output, measured in columns and broken into lines.
 */
#ifndef BOXMARK_COMMON_TEXT_H
#define BOXMARK_COMMON_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Decodes one UTF-8 character and moves *text past it; 0 at the end. What is not valid UTF-8 gives
 * U+FFFD and moves one byte.
 */
uint32_t text_next(const char **text);

/* Appends one character as UTF-8 to `bytes` (at most 4); returns how many. */
unsigned text_encode(uint32_t character, char bytes[4]);

/* The character to show in place of this one: itself unless it could do harm (see text_clean). */
uint32_t text_harmless(uint32_t character);

/*
 * A copy that is safe to show on one line anywhere: valid UTF-8; line ends and tabs are spaces;
 * other control characters (escape sequences begin with one), direction overrides and what XML
 * forbids become U+FFFD. NULL gives "". Returns NULL when out of memory only.
 */
char *text_clean(const char *text);

/* The same with everything beyond ASCII as "?" ("us" for the micro sign's "µs"). */
char *text_clean_ascii(const char *text);

/* Columns on a terminal: wide characters take two, combining ones none. */
unsigned text_width(const char *text);

/*
 * A copy with newlines so that no line is wider than `width` columns: broken at spaces, else after
 * commas and colons, else anywhere.
 */
char *text_wrap(const char *text, unsigned width);

/* What follows the next separator; NULL where there is none. For loops over lines and lists. */
static inline const char *text_after(const char *text, char separator) {
    const char *at = strchr(text, separator);
    return at ? at + 1 : NULL;
}

#endif
