// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/commands.h"
#include "harness/profile.h"
#include "harness/readiness.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "common/installed.h"
#include "common/text.h"
#include "common/units.h"
#include "environments/definition.h"
#include "environments/environment.h"
#include "results/reference_data.h"

#include <dirent.h>
#include <string.h>

struct list_options {
    const char *what;
    const char *folder;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct command_input *input = state->input;
    struct list_options *options = input->options;
    if (key == ARGP_KEY_ARG && state->arg_num < 2) {
        *(state->arg_num == 0 ? &options->what : &options->folder) = argument;
        return 0;
    }
    if (key == ARGP_KEY_ARG) {
        error_set(input->err, ERROR_USAGE, 0, "too many arguments: \"%s\"", argument);
        return EINVAL;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp list_argp = {
    .options = (const struct argp_option[]){{NULL, 0, NULL, 0, NULL, 0}},
    .parser = parse,
    .args_doc = "environments|workloads|profiles|references|runs [FOLDER]",
    .doc = "Lists what boxmark knows.\vRuns are looked for in boxmark-runs, or in FOLDER.",
};

/* The user's own, each with what is wrong with it, if anything. */
static int list_definitions(struct error **err) {
    cleanup_definitions struct definitions definitions = {0};
    if (definitions_find(&definitions, err) < 0)
        return -1;
    for (unsigned i = 0; i < definitions.count; i++) {
        const struct definition_entry *entry = &definitions.entries[i];
        cleanup_definition struct definition *definition = NULL;
        cleanup_error struct error *problem = NULL;
        if (environment_kind(entry->name))
            printf("%-12s not usable: %s is a built-in name; rename %s\n", entry->name, entry->name,
                   entry->path);
        else if (definition_load(entry->name, &definition, &problem) > 0)
            printf("%-12s %s\n", entry->name, entry->path);
        else
            printf("%-12s not usable: %s\n", entry->name, error_message(problem));
    }
    return 0;
}

/* "" where it is not known. */
static const char *readiness_of(const json_t *list, const char *name) {
    size_t index;
    json_t *entry;
    json_array_foreach(list, index, entry) {
        const char *entry_name = json_string_value(json_object_get(entry, "name"));
        if (entry_name && strcmp(entry_name, name) == 0)
            return json_string_value(json_object_get(entry, "readiness"));
    }
    return "";
}

static int list_environments(const struct list_options *options, struct error **err) {
    (void)options;
    struct envelope envelope;
    cleanup_json json_t *list = NULL;
    /* What cannot be probed can be listed all the same. */
    if (readiness_envelope(&envelope, NULL) == 0)
        (void)readiness_list(&envelope, false, &list, NULL);
    for (const struct environment_ops *const *at = environment_table; *at; at++) {
        if ((*at)->hidden)
            continue;
        printf("%-12s %-8s %s\n", (*at)->name, readiness_of(list, (*at)->name), (*at)->summary);
        for (const struct spec_key *key = (*at)->keys; key && key->name; key++) {
            printf("    %s=", key->name);
            for (unsigned i = 0; key->values && key->values[i]; i++)
                printf("%s%s", i ? "|" : "", key->values[i]);
            printf("%s  %s\n", key->values ? "" : "...", key->summary ? key->summary : "");
        }
    }
    if (list_definitions(err) < 0)
        return -1;
    cleanup_free char *folder = definition_folder();
    cleanup_free char *examples = installed_data("environments");
    if (folder && examples)
        printf("\nYour own: %s/NAME.ini; examples: %s\n"
               "What is missing, and how to get it: boxmark doctor\n",
               folder, examples);
    return 0;
}

static int list_workloads(const struct list_options *options, struct error **err) {
    (void)options;
    (void)err;
    for (const struct workload_description *const *at = workload_catalog; *at; at++) {
        if ((*at)->hidden)
            continue;
        printf("%-8s %s\n", (*at)->name, (*at)->summary);
        for (const struct parameter_description *parameter = (*at)->parameters; parameter->name;
             parameter++)
            printf("    %s.%-14s %s\n", (*at)->name, parameter->name, parameter->summary);
    }
    return 0;
}

static int list_profiles(const struct list_options *options, struct error **err) {
    (void)options;
    (void)err;
    for (const struct profile *at = profiles; at->name; at++) {
        char zip[32], disk[32];
        printf("%-9s %s\n", at->name, at->summary);
        printf("          %u blocks; prime %llu events; zip %s%s; disk %s\n", at->blocks,
               (unsigned long long)at->prime_events, format_size(at->zip_bytes, zip),
               at->zip_to_file ? " file to file" : "", format_size(at->disk_bytes, disk));
    }
    return 0;
}

/* The tables of a source that its figures are from: "Table I, Figure 5"; malloc'ed. */
static char *reference_tables(const struct reference_data *data, const char *source) {
    char *all = strdup("");
    for (size_t i = 0; all && i < data->count; i++) {
        const char *own = data->rows[i].table;
        bool known = !*own || strcmp(data->rows[i].source, source) != 0;
        for (size_t j = 0; j < i && !known; j++)
            known =
                strcmp(data->rows[j].source, source) == 0 && strcmp(data->rows[j].table, own) == 0;
        if (known)
            continue;
        char *longer = text_format("%s%s%s", all, *all ? ", " : "", own);
        free(all);
        all = longer;
    }
    return all;
}

/* Every source with its number of figures and its citation. */
static int list_references(const struct list_options *options, struct error **err) {
    (void)options;
    cleanup_reference struct reference_data data = {0};
    if (reference_load_all(&data, err) < 0)
        return -1;
    for (size_t i = 0; i < data.count; i++) {
        const char *source = data.rows[i].source;
        size_t figures = 0, first = 0;
        while (strcmp(data.rows[first].source, source) != 0)
            first++;
        if (first < i)
            continue;
        for (size_t j = i; j < data.count; j++)
            figures += strcmp(data.rows[j].source, source) == 0;
        const char *citation = reference_citation(&data, source);
        cleanup_free char *name = text_clean(source);
        cleanup_free char *words = text_clean(citation ? citation : "");
        cleanup_free char *tables = reference_tables(&data, source);
        cleanup_free char *places = text_clean(tables ? tables : "");
        printf("%-16s %3zu figure%s  %s%s%s\n", name ? name : "", figures, figures == 1 ? " " : "s",
               words ? words : "", places && *places ? "; taken from: " : "", places ? places : "");
    }
    return 0;
}

static int list_runs(const struct list_options *options, struct error **err) {
    const char *folder = options->folder ? options->folder : "boxmark-runs";
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0 && errno == ENOENT && !options->folder) {
        puts("no runs here yet");
        return 0;
    }
    if (count < 0)
        return error_set(err, ERROR_USAGE, errno, "cannot open %s", folder);
    for (int i = 0; i < count; i++) {
        cleanup_free char *record = text_format("%s/%s/run.json", folder, entries[i]->d_name);
        if (record && file_exists(record))
            printf("%s/%s\n", folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

static const struct {
    const char *name;
    int (*list)(const struct list_options *options, struct error **err);
} lists[] = {
    {"environments", list_environments}, {"workloads", list_workloads}, {"profiles", list_profiles},
    {"references", list_references},     {"runs", list_runs},
};

int command_list(int argc, char **argv, struct error **err) {
    struct list_options options = {0};
    if (command_parse(&list_argp, argc, argv, &options, err) < 0)
        return -1;
    enum { LISTS = sizeof(lists) / sizeof(*lists) };
    const char *names[LISTS + 1] = {NULL};
    for (unsigned i = 0; i < LISTS; i++) {
        names[i] = lists[i].name;
        if (options.what && strcmp(options.what, lists[i].name) == 0)
            return lists[i].list(&options, err) < 0 ? -1 : EXIT_CODE_OK;
    }
    return error_unknown_name("list", options.what ? options.what : "", names, err);
}
