// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/gate_settings.h"

#include "common/file.h"
#include "common/units.h"

#include <fnmatch.h>
#include <ini.h>
#include <locale.h>
#include <math.h>
#include <string.h>

/* Defaults, the first for everything. docs/method.md says where they come from. */
static const struct {
    const char *pattern;
    double value;
} default_margins[] = {{"*", 0.03}, {"*latency*", 0.1}, {"*/cold_ready*", 0.1}, {NULL, 0}},
  default_between_runs[] = {{"*", 0.003}, {"*latency*", 0.02}, {"*/cold_ready*", 0.02}, {NULL, 0}};

static const struct gate_rule default_floors[] = {{(char *)"*", 0.001, "s", false},
                                                  {(char *)"startup/*", 0.0001, "s", false},
                                                  {NULL, 0, NULL, false}};

/* Units that floors are written in: each stands for so many of the base unit. */
static const struct {
    const char *unit, *base;
    double size;
} units[] = {
    {"s", "s", 1},       {"ms", "s", 1e-3}, {"us", "s", 1e-6},
    {"MB/s", "MB/s", 1}, {"1/s", "1/s", 1}, {NULL, NULL, 0},
};

static int add_rule(struct gate_rules *rules, const char *pattern, double value, const char *unit,
                    struct error **err) {
    struct gate_rule *larger = reallocarray(rules->rules, rules->count + 1, sizeof(*larger));
    if (!larger)
        return error_no_memory(err);
    rules->rules = larger;
    char *own = strdup(pattern);
    if (!own)
        return error_no_memory(err);
    rules->rules[rules->count++] = (struct gate_rule){own, value, unit, false};
    return 0;
}

int gate_settings_default(struct gate_settings *ret_settings, struct error **err) {
    *ret_settings = (struct gate_settings){
        .confidence = 0.99,
        .resolution = 0.1,
        .fail_on = GATE_FAIL_ON_WORSE | GATE_FAIL_ON_INCONCLUSIVE | GATE_FAIL_ON_UNTRUSTWORTHY,
    };
    int result = 0;
    for (unsigned i = 0; result == 0 && default_margins[i].pattern; i++)
        result = add_rule(&ret_settings->margins, default_margins[i].pattern,
                          default_margins[i].value, NULL, err);
    for (unsigned i = 0; result == 0 && default_between_runs[i].pattern; i++)
        result = add_rule(&ret_settings->between_runs, default_between_runs[i].pattern,
                          default_between_runs[i].value, NULL, err);
    for (unsigned i = 0; result == 0 && default_floors[i].pattern; i++)
        result = add_rule(&ret_settings->floors, default_floors[i].pattern, default_floors[i].value,
                          default_floors[i].unit, err);
    if (result < 0)
        gate_settings_clear(ret_settings);
    return result;
}

static void clear_rules(struct gate_rules *rules) {
    for (size_t i = 0; i < rules->count; i++)
        free(rules->rules[i].pattern);
    free(rules->rules);
}

void gate_settings_clear(struct gate_settings *settings) {
    clear_rules(&settings->margins);
    clear_rules(&settings->floors);
    clear_rules(&settings->between_runs);
    clear_rules(&settings->ignored);
    free(settings->path);
    *settings = (struct gate_settings){0};
}

/* ---- What a metric gets -----------------------------------------------------------------------
 */

static const char *base_unit(const char *unit, double *ret_size) {
    for (unsigned i = 0; unit && units[i].unit; i++)
        if (strcmp(units[i].unit, unit) == 0) {
            *ret_size = units[i].size;
            return units[i].base;
        }
    *ret_size = 1;
    return unit;
}

/* The last rule that matches; `base` (may be NULL) is the base unit that it must have. */
static const struct gate_rule *find_rule(const struct gate_rules *rules, const char *workload,
                                         const char *metric, const char *environment,
                                         const char *base) {
    cleanup_free char *name = text_format("%s/%s", workload, metric);
    cleanup_free char *full = text_format("%s/%s@%s", workload, metric, environment);
    for (size_t i = rules->count; name && full && i-- > 0;) {
        const struct gate_rule *rule = &rules->rules[i];
        if (base && strcmp(rule->unit, base) != 0)
            continue;
        if (fnmatch(rule->pattern, name, 0) == 0 || fnmatch(rule->pattern, full, 0) == 0)
            return rule;
    }
    return NULL;
}

bool gate_rule_fits(const struct gate_rule *rule, const char *workload, const char *metric,
                    const char *environment, const char *unit) {
    double size;
    const struct gate_rules alone = {(struct gate_rule *)(uintptr_t)rule, 1};
    return find_rule(&alone, workload, metric, environment,
                     rule->unit ? base_unit(unit, &size) : NULL) != NULL;
}

double gate_settings_margin(const struct gate_settings *settings, const char *workload,
                            const char *metric, const char *environment) {
    const struct gate_rule *rule =
        find_rule(&settings->margins, workload, metric, environment, NULL);
    return rule ? rule->value : 0;
}

double gate_settings_between_runs(const struct gate_settings *settings, const char *workload,
                                  const char *metric, const char *environment) {
    const struct gate_rule *rule =
        find_rule(&settings->between_runs, workload, metric, environment, NULL);
    return rule ? rule->value : 0;
}

double gate_settings_floor(const struct gate_settings *settings, const char *workload,
                           const char *metric, const char *environment, const char *unit) {
    double size;
    const char *base = base_unit(unit, &size);
    const struct gate_rule *rule =
        find_rule(&settings->floors, workload, metric, environment, base);
    return rule ? rule->value / size : 0;
}

bool gate_settings_ignores(const struct gate_settings *settings, const char *workload,
                           const char *metric, const char *environment) {
    return find_rule(&settings->ignored, workload, metric, environment, NULL) != NULL;
}

/* ---- Reading ----------------------------------------------------------------------------------
 */

struct reading {
    struct gate_settings *settings;
    const char *path;
    FILE *file;
    unsigned line;
    char **seen; /* "section/key" of all so far */
    size_t seen_count;
    struct error **err;
    bool failed;
};

/* A number with a point whatever the locale, then blanks; the rest is what follows. */
static bool parse_number(const char *text, double *ret_value, const char **ret_rest) {
    static locale_t c_locale;
    if (!c_locale)
        c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    char *end;
    double value = c_locale ? strtod_l(text, &end, c_locale) : strtod(text, &end);
    /* strtod knows hexadecimal, "inf" and "nan", too. */
    if (end == text || !isfinite(value) || strspn(text, "0123456789.") < (size_t)(end - text))
        return false;
    *ret_value = value;
    *ret_rest = end + strspn(end, " \t");
    return true;
}

/* "3 %", "3%" or "3": percent. */
static int parse_percent(const char *text, double maximum, double *ret_value, struct error **err) {
    double percent;
    const char *rest;
    if (!parse_number(text, &percent, &rest) || (*rest && strcmp(rest, "%") != 0))
        return error_set(err, ERROR_USAGE, 0, "\"%s\" is not a percentage such as 3 %%", text);
    if (percent > maximum)
        return error_set(err, ERROR_USAGE, 0, "%s is more than %g %%", text, maximum);
    *ret_value = percent / 100;
    return 0;
}

static int parse_floor(const char *text, double *ret_value, const char **ret_unit,
                       struct error **err) {
    double value, size;
    const char *rest;
    if (parse_number(text, &value, &rest))
        for (unsigned i = 0; units[i].unit; i++)
            if (strcmp(units[i].unit, rest) == 0) {
                *ret_unit = base_unit(rest, &size);
                *ret_value = value * size;
                return 0;
            }
    return error_set(err, ERROR_USAGE, 0,
                     "\"%s\" is not a figure with a unit (s, ms, us, MB/s, 1/s)", text);
}

const char *const gate_fail_on_names[] = {"worse", "inconclusive", "untrustworthy", NULL};

int gate_fail_on_parse(const char *text, const char *what, unsigned *ret_bits, struct error **err) {
    const char *const *names = gate_fail_on_names;
    cleanup_free char *copy = strdup(text);
    if (!copy)
        return error_no_memory(err);
    unsigned bits = GATE_FAIL_ON_WORSE;
    char *rest = copy;
    for (char *name; (name = strsep(&rest, ","));) {
        name += strspn(name, " \t");
        name[strcspn(name, " \t")] = '\0';
        unsigned i = 0;
        while (names[i] && strcmp(names[i], name) != 0)
            i++;
        if (!names[i])
            return error_unknown_name(what, name, names, err);
        bits |= 1u << i;
    }
    *ret_bits = bits;
    return 0;
}

static int set_check_key(struct gate_settings *settings, const char *key, const char *value,
                         struct error **err) {
    static const char *const names[] = {"confidence", "resolution", "fail_on", NULL};
    if (strcmp(key, "confidence") == 0) {
        double confidence;
        if (parse_percent(value, 99.9999, &confidence, err) < 0)
            return -1;
        if (confidence < 0.5)
            return error_set(err, ERROR_USAGE, 0, "%s is less than 50 %%", value);
        settings->confidence = confidence;
        return 0;
    }
    if (strcmp(key, "resolution") == 0) {
        if (parse_percent(value, 1000, &settings->resolution, err) < 0)
            return -1;
        return settings->resolution > 0
                   ? 0
                   : error_set(err, ERROR_USAGE, 0, "0 would make everything inconclusive");
    }
    if (strcmp(key, "fail_on") == 0)
        return gate_fail_on_parse(value, "outcome", &settings->fail_on, err);
    return error_unknown_name("key", key, names, err);
}

static int set_ignored(struct gate_settings *settings, const char *key, const char *value,
                       struct error **err) {
    if (strcmp(value, "yes") == 0)
        return add_rule(&settings->ignored, key, 1, NULL, err);
    return error_set(err, ERROR_USAGE, 0, "\"%s\" is not yes (leave the line out to watch it)",
                     value);
}

static int set_key(struct gate_settings *settings, const char *section, const char *key,
                   const char *value, struct error **err) {
    static const char *const names[] = {"check",        "margins", "floors",
                                        "between_runs", "ignore",  NULL};
    double number = 0; // gcc does not see that a failed parse is never added.
    const char *unit = NULL;
    if (strcmp(section, "check") == 0)
        return set_check_key(settings, key, value, err);
    if (strcmp(section, "ignore") == 0)
        return set_ignored(settings, key, value, err);
    if (strcmp(section, "margins") == 0)
        return parse_percent(value, 1000, &number, err) < 0
                   ? -1
                   : add_rule(&settings->margins, key, number, NULL, err);
    if (strcmp(section, "between_runs") == 0)
        return parse_percent(value, 100, &number, err) < 0
                   ? -1
                   : add_rule(&settings->between_runs, key, number, NULL, err);
    if (strcmp(section, "floors") == 0)
        return parse_floor(value, &number, &unit, err) < 0
                   ? -1
                   : add_rule(&settings->floors, key, number, unit, err);
    if (!*section)
        return error_set(err, ERROR_USAGE, 0, "it stands before the first [section]");
    return error_unknown_name("section", section, names, err);
}

/* The same key twice would leave it to chance which one counts. */
static int check_twice(struct reading *reading, const char *section, const char *key,
                       struct error **err) {
    cleanup_free char *name = text_format("%s/%s", section, key);
    if (!name)
        return error_no_memory(err);
    for (size_t i = 0; i < reading->seen_count; i++)
        if (strcmp(reading->seen[i], name) == 0)
            return error_set(err, ERROR_USAGE, 0, "given twice (or an indented line after it)");
    char **larger = reallocarray(reading->seen, reading->seen_count + 1, sizeof(*reading->seen));
    if (!larger)
        return error_no_memory(err);
    reading->seen = larger;
    reading->seen[reading->seen_count++] = TAKE_PTR(name);
    return 0;
}

/* Called by inih for every key; 0 is its word for failure. */
static int take_key(void *cookie, const char *section, const char *key, const char *value) {
    struct reading *reading = cookie;
    if (reading->failed)
        return 0;
    if (check_twice(reading, section, key, reading->err) == 0 &&
        set_key(reading->settings, section, key, value, reading->err) == 0)
        return 1;
    reading->failed = true;
    error_wrap(reading->err, "%s:%u: %s%s%s", reading->path, reading->line, section,
               *section ? "." : "", key);
    return 0;
}

/*
 * Hands inih one line after the other, to know the line in take_key; ends after the first error.
 * inih would take the rest of a line that is too long for another line.
 */
static char *next_line(char *text, int size, void *cookie) {
    struct reading *reading = cookie;
    if (reading->failed || !fgets(text, size, reading->file))
        return NULL;
    reading->line++;
    size_t length = strlen(text);
    if (length + 1 == (size_t)size && text[length - 1] != '\n') {
        reading->failed = true;
        error_set(reading->err, ERROR_USAGE, 0, "%s:%u: longer than %d characters", reading->path,
                  reading->line, size - 2);
        return NULL;
    }
    return text;
}

int gate_settings_read(struct gate_settings *settings, const char *path, struct error **err) {
    struct error *first = NULL;
    cleanup_file FILE *file = fopen(path, "re");
    if (!file)
        return error_set(err, ERROR_USAGE, errno, "cannot open %s", path);
    struct gate_rules *const lists[] = {&settings->margins, &settings->floors,
                                        &settings->between_runs, &settings->ignored};
    size_t defaults[4];
    for (unsigned i = 0; i < 4; i++)
        defaults[i] = lists[i]->count;
    struct reading reading = {.settings = settings, .path = path, .file = file, .err = &first};
    int line = ini_parse_stream(next_line, &reading, take_key, &reading);
    for (size_t i = 0; i < reading.seen_count; i++)
        free(reading.seen[i]);
    free(reading.seen);
    /* A line that is none comes before whatever failed after it. */
    if (line > 0 && (!reading.failed || (unsigned)line < reading.line)) {
        first = error_free(first);
        error_set(&first, ERROR_USAGE, 0, "%s:%d: neither [section] nor KEY = VALUE", path, line);
    }
    if (line < 0 && !first)
        error_no_memory(&first);
    if (!first && ferror(file))
        error_set(&first, ERROR_USAGE, errno, "cannot read %s", path);
    if (first) {
        error_move(err, first);
        return error_advise(err, "the commented sample boxmark.ini shows every key");
    }
    for (unsigned i = 0; i < 4; i++)
        for (size_t j = defaults[i]; j < lists[i]->count; j++)
            lists[i]->rules[j].given = true;
    free(settings->path);
    settings->path = strdup(path);
    return settings->path ? 0 : error_no_memory(err);
}
