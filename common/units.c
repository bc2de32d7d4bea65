// SPDX-License-Identifier: GPL-3.0-or-later
#include "common/units.h"

#include "common/file.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *suffix;
    double factor;
};

static const struct unit size_units[] = {
    {"", 1},         {"B", 1},       {"K", 0x1p10},   {"KB", 0x1p10},  {"KiB", 0x1p10},
    {"M", 0x1p20},   {"MB", 0x1p20}, {"MiB", 0x1p20}, {"G", 0x1p30},   {"GB", 0x1p30},
    {"GiB", 0x1p30}, {"T", 0x1p40},  {"TB", 0x1p40},  {"TiB", 0x1p40}, {NULL, 0},
};

static const struct unit duration_units[] = {
    {"", 1e9},   {"ns", 1},     {"us", 1e3},   {"ms", 1e6}, {"s", 1e9},
    {"m", 6e10}, {"min", 6e10}, {"h", 3.6e12}, {NULL, 0},
};

/* Thousand-millionths of a per cent, so that what people write is exact. */
#define PERCENT_FACTOR 1e9
static const struct unit percent_units[] = {{"", PERCENT_FACTOR}, {"%", PERCENT_FACTOR}, {NULL, 0}};

/*
 * Digits with an optional fraction, then a unit. Own scanning of the number because strtod obeys
 * the locale's decimal sign and accepts hex, "inf" and signs.
 */
static int parse_with_unit(const char *text, const char *what, const struct unit *units,
                           const char *example, uint64_t *ret_value, struct error **err) {
    const char *at = text;
    double number = 0, scale = 1;
    int digits = 0;
    for (; isdigit((unsigned char)*at); at++, digits++)
        number = number * 10 + (*at - '0');
    if (*at == '.')
        for (at++; isdigit((unsigned char)*at); at++, digits++) {
            scale /= 10;
            number += scale * (*at - '0');
        }
    if (digits > 0)
        for (const struct unit *unit = units; unit->suffix; unit++)
            if (strcasecmp(at, unit->suffix) == 0) {
                double value = number * unit->factor;
                if (value >= 0x1p63)
                    break;
                *ret_value = (uint64_t)llround(value);
                return 0;
            }
    error_set(err, ERROR_USAGE, 0, "%s: \"%s\" is not a value that can be used", what, text);
    return error_advise(err, "write it like %s", example);
}

int parse_size(const char *text, const char *what, uint64_t *ret_bytes, struct error **err) {
    return parse_with_unit(text, what, size_units, "512M or 4GiB", ret_bytes, err);
}

int parse_duration(const char *text, const char *what, uint64_t *ret_ns, struct error **err) {
    return parse_with_unit(text, what, duration_units, "30s, 5m or 1h", ret_ns, err);
}

int parse_percentage(const char *text, const char *what, double *ret_fraction, struct error **err) {
    static const char example[] = "1 or 0.5%: above 0 and up to 100";
    uint64_t value = 0;
    if (parse_with_unit(text, what, percent_units, example, &value, err) < 0)
        return -1;
    if (value == 0 || (double)value > 100 * PERCENT_FACTOR) {
        error_set(err, ERROR_USAGE, 0, "%s: \"%s\" is not a percentage that can be used", what,
                  text);
        return error_advise(err, "write it like %s", example);
    }
    *ret_fraction = (double)value / (100 * PERCENT_FACTOR);
    return 0;
}

int parse_count(const char *text, const char *what, uint64_t minimum, uint64_t maximum,
                uint64_t *ret_count, struct error **err) {
    uint64_t count = 0;
    const char *at = text;
    for (; isdigit((unsigned char)*at); at++)
        if (__builtin_mul_overflow(count, 10, &count) ||
            __builtin_add_overflow(count, (uint64_t)(*at - '0'), &count))
            break;
    if (at == text || *at || count < minimum || count > maximum) {
        error_set(err, ERROR_USAGE, 0, "%s: \"%s\" is not a whole number in range", what, text);
        return error_advise(err, "give a number from %llu to %llu", (unsigned long long)minimum,
                            (unsigned long long)maximum);
    }
    *ret_count = count;
    return 0;
}

char *format_size(uint64_t bytes, char text[32]) {
    static const char *const suffixes[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    unsigned suffix = 0;
    for (; value >= 1024 && suffix < 6; suffix++)
        value /= 1024;
    snprintf(text, 32, suffix == 0 || value >= 100 ? "%.0f %s" : "%.1f %s", value,
             suffixes[suffix]);
    return text;
}

char *format_duration(uint64_t duration_ns, char text[32]) {
    double seconds = (double)duration_ns / 1e9;
    if (seconds < 1e-3)
        snprintf(text, 32, "%.0f us", seconds * 1e6);
    else if (seconds < 1)
        snprintf(text, 32, "%.1f ms", seconds * 1e3);
    else if (seconds < 60)
        snprintf(text, 32, "%.2f s", seconds);
    else if (seconds < 3600)
        snprintf(text, 32, "%llu min %llu s", (unsigned long long)seconds / 60,
                 (unsigned long long)seconds % 60);
    else
        snprintf(text, 32, "%llu h %llu min", (unsigned long long)seconds / 3600,
                 (unsigned long long)seconds / 60 % 60);
    return text;
}

/* Optimal string alignment distance; both at most NAME_MAX_LENGTH long. */
enum { NAME_MAX_LENGTH = 63 };

static unsigned edit_distance(const char *a, const char *b) {
    size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length > NAME_MAX_LENGTH || b_length > NAME_MAX_LENGTH)
        return NAME_MAX_LENGTH;
    unsigned rows[3][NAME_MAX_LENGTH + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        above[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            int differs = tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]);
            unsigned best = above[j - 1] + (unsigned)differs;
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
        unsigned *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[b_length];
}

const char *nearest_name(const char *word, const char *const *names) {
    const char *nearest = NULL;
    unsigned nearest_distance = 1 + (unsigned)strlen(word) / 3;
    size_t word_length = strlen(word);
    for (; *names; names++) {
        /* A beginning of at least three letters is as good as a slip. */
        if (word_length >= 3 && strncasecmp(word, *names, word_length) == 0)
            return *names;
        unsigned distance = edit_distance(word, *names);
        if (distance <= nearest_distance && (!nearest || distance < nearest_distance)) {
            nearest = *names;
            nearest_distance = distance;
        }
    }
    return nearest;
}

int error_unknown_name(const char *what, const char *word, const char *const *names,
                       struct error **err) {
    error_set(err, ERROR_USAGE, 0, "unknown %s \"%s\"", what, word);
    const char *nearest = nearest_name(word, names);
    if (nearest)
        return error_advise(err, "did you mean \"%s\"?", nearest);
    cleanup_free char *list = NULL;
    for (; *names; names++) {
        char *longer = list ? text_format("%s, %s", list, *names) : strdup(*names);
        free(list);
        list = longer;
    }
    return error_advise(err, "known: %s", list ? list : "none");
}
