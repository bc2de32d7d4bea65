// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A command as a user writes it, split into words by rules like a shell's, without a shell: blanks
 * separate; '...' is taken as it stands; in "..." a backslash escapes " and \ only; elsewhere a
 * backslash escapes any character. Nothing else is special. Placeholders such as {agent} are
 * replaced after the splitting, so that a path with blanks stays one word.
 */
#ifndef BOXMARK_ENVIRONMENTS_COMMAND_WORDS_H
#define BOXMARK_ENVIRONMENTS_COMMAND_WORDS_H

#include "common/error.h"

#include <stdbool.h>

/* What {NAME} stands for; ends with a NULL name. */
struct placeholder {
    const char *name;
    const char *value; /* NULL: has no meaning for this command */
};

/* NULL-terminated, at least one word. ERROR_USAGE tells the character where a quote opens. */
int words_split(const char *text, char ***ret_words, struct error **err);

/* The same words with their placeholders replaced. "${name}" and "{ name }" are none. */
int words_fill(char *const *words, const struct placeholder *placeholders, char ***ret_words,
               struct error **err);

/* Does {NAME} occur? */
bool words_hold(char *const *words, const char *name);

/* As a line that reads back: words with blanks, quotes or backslashes are quoted; malloc'ed. */
char *words_join(char *const *words);

char **words_free(char **words); /* NULL is fine; returns NULL */
static inline void words_cleanup(char ***words) {
    words_free(*words);
}
#define cleanup_words CLEANUP(words)

#endif
