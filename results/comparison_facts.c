// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What differs between the machines, the environments and the programs of several runs. Every
 * member of `machine` counts, so that a fact which is recorded some day is compared from that day.
 */
#include "common/file.h"
#include "results/comparison.h"

#include <string.h>

/* They differ between any two runs on one machine and explain nothing. */
static const char *const passing[] = {"machine.load_average", "machine.memory_available_bytes",
                                      "machine.cpu_mhz", NULL};

/* Members of run.json beside `machine`. */
static const char *const others[] = {"created", "status",       "ended_by",         "boxmark",
                                     "profile", "agent.sha256", "harness_priority", NULL};

/* Members of each environment. */
static const char *const of_environments[] = {"accelerator",   "spec",  "probe.detail",
                                              "probe.version", "image", NULL};

/* A member by its path ("agent.sha256"). */
static const json_t *member(const json_t *object, const char *path) {
    cleanup_free char *copy = strdup(path);
    char *rest = copy;
    for (char *name; object && rest && (name = strsep(&rest, "."));)
        object = json_object_get(object, name);
    return copy ? object : NULL;
}

/* As people read it: text and numbers alone, all else as JSON; malloc'ed. */
static char *value_text(const json_t *value) {
    if (!value || json_is_null(value))
        return strdup("");
    if (json_is_string(value))
        return strdup(json_string_value(value));
    if (json_is_boolean(value))
        return strdup(json_is_true(value) ? "yes" : "no");
    return json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS);
}

/* Keeps one fact if the runs disagree; takes the texts, one a run. */
static int add(struct comparison *comparison, char *what, char **values, struct error **err) {
    bool differs = false, failed = !what || !values;
    for (unsigned i = 0; !failed && i < comparison->run_count; i++)
        failed = !values[i];
    for (unsigned i = 1; !failed && i < comparison->run_count; i++)
        differs = differs || strcmp(values[0], values[i]) != 0;
    struct comparison_difference *larger =
        failed || !differs ? NULL
                           : realloc(comparison->differences,
                                     (comparison->difference_count + 1) * sizeof(*larger));
    if (larger) {
        comparison->differences = larger;
        larger[comparison->difference_count++] = (struct comparison_difference){what, values};
        return 0;
    }
    for (unsigned i = 0; values && i < comparison->run_count; i++)
        free(values[i]);
    free(values);
    free(what);
    return failed || differs ? error_no_memory(err) : 0;
}

/* Words of `text` that not all of the other texts have: what differs between two sets of flags. */
static char *own_words(const char *text, char *const *all, unsigned count) {
    cleanup_free char *copy = strdup(text);
    char *kept = strdup("");
    char *rest = copy;
    for (char *word; kept && rest && (word = strsep(&rest, " "));) {
        bool common = true;
        size_t length = strlen(word);
        for (unsigned i = 0; i < count && common; i++) {
            const char *at = all[i];
            bool found = false;
            while (!found && (at = strstr(at, word))) {
                found = (at == all[i] || at[-1] == ' ') && (at[length] == ' ' || !at[length]);
                at += length;
            }
            common = found;
        }
        if (length == 0 || common)
            continue;
        char *longer = text_format("%s%s%s", kept, *kept ? " " : "", word);
        free(kept);
        kept = longer;
    }
    return kept;
}

static void keep_own_words(char **values, unsigned count) {
    char *own[COMPARISON_RUNS_MAX];
    bool all = true; /* a machine that recorded no flags at all shares none: leave it */
    for (unsigned i = 0; i < count; i++)
        all = all && values[i] && *values[i];
    if (!all)
        return;
    for (unsigned i = 0; i < count; i++)
        own[i] = own_words(values[i], values, count);
    for (unsigned i = 0; i < count; i++) {
        free(values[i]);
        values[i] = own[i];
    }
}

static int add_member(struct comparison *comparison, const char *path, struct error **err) {
    for (const char *const *at = passing; *at; at++)
        if (strcmp(*at, path) == 0)
            return 0;
    char **values = calloc(comparison->run_count, sizeof(*values));
    for (unsigned i = 0; values && i < comparison->run_count; i++)
        values[i] = value_text(member(comparison->runs[i].record, path));
    if (values && strcmp(path, "machine.cpu_flags") == 0)
        keep_own_words(values, comparison->run_count);
    return add(comparison, strdup(path), values, err);
}

/* Members of an object of any of the runs, each once, objects within it too. */
static int add_object(struct comparison *comparison, const char *path, struct error **err) {
    for (unsigned i = 0; i < comparison->run_count; i++) {
        const char *name;
        json_t *value;
        const json_t *own = member(comparison->runs[i].record, path);
        json_object_foreach((json_t *)own, name, value) {
            cleanup_free char *below = text_format("%s.%s", path, name);
            if (!below)
                return error_no_memory(err);
            bool known = strchr(name, '.') != NULL;
            for (unsigned j = 0; j < i; j++)
                known = known || member(comparison->runs[j].record, below);
            if (known)
                continue;
            if ((json_is_object(value) ? add_object(comparison, below, err)
                                       : add_member(comparison, below, err)) < 0)
                return -1;
        }
    }
    return 0;
}

static const json_t *find_environment(const json_t *record, const char *label) {
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(record, "environments"), index, entry) {
        const char *own = json_string_value(json_object_get(entry, "label"));
        if (own && strcmp(own, label) == 0)
            return entry;
    }
    return NULL;
}

/* Where a run lacks the environment, that alone is said. */
static int add_environment(struct comparison *comparison, const char *label, struct error **err) {
    bool everywhere = true;
    for (unsigned i = 0; i < comparison->run_count; i++)
        everywhere = everywhere && find_environment(comparison->runs[i].record, label);
    for (const char *const *name = of_environments; *name; name++) {
        if (!everywhere && name != of_environments)
            break;
        char **values = calloc(comparison->run_count, sizeof(*values));
        for (unsigned i = 0; values && i < comparison->run_count; i++) {
            const json_t *entry = find_environment(comparison->runs[i].record, label);
            values[i] = entry ? value_text(member(entry, *name)) : strdup("absent");
        }
        if (add(comparison, text_format("%s: %s", label, *name), values, err) < 0)
            return -1;
    }
    return 0;
}

static int add_environments(struct comparison *comparison, struct error **err) {
    for (unsigned i = 0; i < comparison->run_count; i++) {
        size_t index;
        json_t *entry;
        json_array_foreach(json_object_get(comparison->runs[i].record, "environments"), index,
                           entry) {
            const char *label = json_string_value(json_object_get(entry, "label"));
            bool known = !label;
            for (unsigned j = 0; j < i && !known; j++)
                known = find_environment(comparison->runs[j].record, label);
            if (!known && add_environment(comparison, label, err) < 0)
                return -1;
        }
    }
    return 0;
}

int comparison_find_differences(struct comparison *comparison, struct error **err) {
    for (const char *const *path = others; *path; path++)
        if (add_member(comparison, *path, err) < 0)
            return -1;
    if (add_object(comparison, "machine", err) < 0)
        return -1;
    return add_environments(comparison, err);
}
