// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/command/words.h"

#include "common/file.h"
#include "common/units.h"

#include <ctype.h>
#include <string.h>

char **words_free(char **words) {
    for (char **word = words; word && *word; word++)
        free(*word);
    free(words);
    return NULL;
}

static int add_word(char ***words, size_t count, char *word, struct error **err) {
    char **longer = word ? reallocarray(*words, count + 2, sizeof(*longer)) : NULL;
    if (!longer) {
        free(word);
        return error_no_memory(err);
    }
    longer[count] = word;
    longer[count + 1] = NULL;
    *words = longer;
    return 0;
}

/* One word, up to a blank outside of quotes. */
static int take_word(const char *text, const char **at, char **ret_word, struct error **err) {
    cleanup_free char *word = malloc(strlen(*at) + 1);
    size_t length = 0;
    const char *opened = NULL;
    if (!word)
        return error_no_memory(err);
    for (; **at && (opened || !isspace((unsigned char)**at)); (*at)++) {
        bool escapes =
            **at == '\\' &&
            (!opened || (*opened == '"' && (*at)[1] != '\0' && strchr("\"\\", (*at)[1])));
        if (escapes && !(*at)[1]) {
            error_set(err, ERROR_USAGE, 0, "it ends in a backslash");
            return error_advise(err, "write \\\\ for a backslash");
        }
        if (escapes)
            word[length++] = *++(*at);
        else if (opened && **at == *opened)
            opened = NULL;
        else if (!opened && (**at == '"' || **at == '\''))
            opened = *at;
        else
            word[length++] = **at;
    }
    if (opened)
        return error_set(err, ERROR_USAGE, 0, "the quote %c at character %zu does not close: %.40s",
                         *opened, (size_t)(opened - text) + 1, opened);
    word[length] = '\0';
    *ret_word = TAKE_PTR(word);
    return 0;
}

int words_split(const char *text, char ***ret_words, struct error **err) {
    cleanup_words char **words = NULL;
    size_t count = 0;
    for (const char *at = text;; count++) {
        while (isspace((unsigned char)*at))
            at++;
        if (!*at)
            break;
        char *word = NULL;
        if (take_word(text, &at, &word, err) < 0 || add_word(&words, count, word, err) < 0)
            return -1;
    }
    if (count == 0 || !*words[0])
        return error_set(err, ERROR_USAGE, 0, "there is no command in it");
    *ret_words = TAKE_PTR(words);
    return 0;
}

/* The length of "{name}" at the text, its name's in *ret_length; 0 where there is none. */
static size_t match(const char *text, const char *at, size_t *ret_length) {
    if (*at != '{' || (at > text && at[-1] == '$'))
        return 0;
    size_t length = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_");
    if (length == 0 || at[1 + length] != '}')
        return 0;
    *ret_length = length;
    return length + 2;
}

static int unknown_placeholder(const char *name, const struct placeholder *placeholders,
                               struct error **err) {
    enum { NAMES_MAX = 16 };
    const char *names[NAMES_MAX + 1] = {NULL};
    for (unsigned i = 0; placeholders[i].name && i < NAMES_MAX; i++)
        names[i] = placeholders[i].name;
    return error_unknown_name("placeholder", name, names, err);
}

static int find_value(const char *name, const struct placeholder *placeholders,
                      const char **ret_value, struct error **err) {
    const struct placeholder *found = placeholders;
    while (found->name && strcmp(found->name, name) != 0)
        found++;
    if (!found->name)
        return unknown_placeholder(name, placeholders, err);
    if (!found->value)
        return error_set(err, ERROR_USAGE, 0, "{%s} has no meaning in this command", name);
    *ret_value = found->value;
    return 0;
}

static int fill_word(const char *word, const struct placeholder *placeholders, char **ret_word,
                     struct error **err) {
    cleanup_free char *filled = strdup("");
    for (const char *at = word; filled && *at;) {
        size_t name_length = 0;
        size_t length = match(word, at, &name_length);
        const char *value = NULL;
        cleanup_free char *name = strndup(at + 1, name_length);
        if (!name)
            return error_no_memory(err);
        if (length > 0 && find_value(name, placeholders, &value, err) < 0)
            return -1;
        char *longer =
            value ? text_format("%s%s", filled, value) : text_format("%s%c", filled, *at);
        free(filled);
        filled = longer;
        at += length > 0 ? length : 1;
    }
    if (!filled)
        return error_no_memory(err);
    *ret_word = TAKE_PTR(filled);
    return 0;
}

int words_fill(char *const *words, const struct placeholder *placeholders, char ***ret_words,
               struct error **err) {
    cleanup_words char **filled = NULL;
    for (size_t count = 0; words[count]; count++) {
        char *word = NULL;
        if (fill_word(words[count], placeholders, &word, err) < 0 ||
            add_word(&filled, count, word, err) < 0)
            return -1;
    }
    *ret_words = TAKE_PTR(filled);
    return 0;
}

bool words_hold(char *const *words, const char *name) {
    for (; words && *words; words++)
        for (const char *at = *words; *at; at++) {
            size_t length;
            if (match(*words, at, &length) > 0 && length == strlen(name) &&
                strncmp(at + 1, name, length) == 0)
                return true;
        }
    return false;
}

/* One word, written so that it reads back; malloc'ed. */
static char *quoted(const char *word) {
    if (*word && !strpbrk(word, " \t\n\v\f\r\"'\\"))
        return strdup(word);
    if (!strchr(word, '\''))
        return text_format("'%s'", word);
    char *line = malloc(2 * strlen(word) + sizeof("\"\""));
    if (!line)
        return NULL;
    char *to = line;
    *to++ = '"';
    for (; *word; word++) {
        if (*word == '"' || *word == '\\')
            *to++ = '\\';
        *to++ = *word;
    }
    *to++ = '"';
    *to = '\0';
    return line;
}

char *words_join(char *const *words) {
    char *line = strdup("");
    for (; line && *words; words++) {
        cleanup_free char *word = quoted(*words);
        char *longer = word ? text_format("%s%s%s", line, *line ? " " : "", word) : NULL;
        free(line);
        line = longer;
    }
    return line;
}
