// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/run_record.h"

#include "common/file.h"

#include <stdbool.h>
#include <string.h>

/* Types by letter: s text, i whole number, n number, o object, a array. */
struct member {
    const char *object; /* member that holds it, or NULL: the record itself */
    const char *name;
    char type;
};

static const struct member members[] = {
    {NULL, "boxmark", 's'},   {NULL, "created", 's'},      {NULL, "profile", 's'},
    {NULL, "seed", 'i'},      {NULL, "status", 's'},       {NULL, "plan", 'o'},
    {"plan", "blocks", 'i'},  {"plan", "max_blocks", 'i'}, {"plan", "precision", 'n'},
    {NULL, "agent", 'o'},     {"agent", "sha256", 's'},    {NULL, "environments", 'a'},
    {NULL, "workloads", 'a'}, {NULL, "machine", 'o'},
};

static const struct member environment_members[] = {
    {NULL, "label", 's'}, {NULL, "kind", 's'}, {NULL, "accelerator", 's'}, {NULL, "title", 's'}};

static const struct member workload_members[] = {{NULL, "name", 's'}, {NULL, "parameters", 'o'}};

static bool has_type(const json_t *value, char type) {
    switch (type) {
    case 's':
        return json_is_string(value);
    case 'i':
        return json_is_integer(value);
    case 'n':
        return json_is_number(value);
    case 'o':
        return json_is_object(value);
    default:
        return json_is_array(value);
    }
}

static const char *type_name(char type) {
    switch (type) {
    case 's':
        return "a text";
    case 'i':
        return "a whole number";
    case 'n':
        return "a number";
    case 'o':
        return "an object";
    default:
        return "an array";
    }
}

static int check_members(const json_t *object, const struct member *list, size_t count,
                         const char *where, const char *name, struct error **err) {
    for (size_t i = 0; i < count; i++) {
        const struct member *member = &list[i];
        const json_t *holder = member->object ? json_object_get(object, member->object) : object;
        const json_t *value = json_object_get(holder, member->name);
        if (!has_type(value, member->type))
            return error_set(err, ERROR_USAGE, 0, "%s: %s%s%s%s is %s%s", name, where,
                             member->object ? member->object : "", member->object ? "." : "",
                             member->name, value ? "not " : "missing",
                             value ? type_name(member->type) : "");
    }
    return 0;
}

static int check_list(const json_t *list, const char *what, const struct member *item_members,
                      size_t count, const char *name, struct error **err) {
    size_t index;
    const json_t *item;
    json_array_foreach(list, index, item) {
        cleanup_free char *where = text_format("%s[%zu].", what, index);
        if (!where)
            return error_no_memory(err);
        if (check_members(item, item_members, count, where, name, err) < 0)
            return -1;
    }
    return 0;
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

int run_record_check(const json_t *record, const char *name, struct error **err) {
    if (!json_is_object(record))
        return error_set(err, ERROR_USAGE, 0, "%s: not an object", name);
    const json_t *schema = json_object_get(record, "schema");
    if (!json_is_integer(schema))
        return error_set(err, ERROR_USAGE, 0, "%s: schema is %s", name,
                         schema ? "not a whole number" : "missing");
    if (json_integer_value(schema) != RUN_RECORD_SCHEMA_VERSION) {
        error_set(err, ERROR_USAGE, 0, "%s: schema %lld is not the one that this version reads: %d",
                  name, (long long)json_integer_value(schema), RUN_RECORD_SCHEMA_VERSION);
        return error_advise(err, "use the version of boxmark that made this run");
    }
    if (check_members(record, members, COUNT(members), "", name, err) < 0 ||
        check_list(json_object_get(record, "environments"), "environments", environment_members,
                   COUNT(environment_members), name, err) < 0)
        return -1;
    return check_list(json_object_get(record, "workloads"), "workloads", workload_members,
                      COUNT(workload_members), name, err);
}

int run_record_load(const char *folder, json_t **ret_record, struct error **err) {
    cleanup_free char *path = text_format("%s/run.json", folder);
    cleanup_free char *text = NULL;
    size_t size;
    if (!path)
        return error_no_memory(err);
    if (file_read(path, &text, &size, err) < 0) {
        error_blame_usage(err);
        return error_advise(err, "name the folder of a run, as `boxmark list runs` shows them");
    }
    return run_record_parse(text, size, path, ret_record, err);
}

int run_record_parse(const char *text, size_t size, const char *name, json_t **ret_record,
                     struct error **err) {
    json_error_t problem;
    json_t *record = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    if (!record)
        return error_set(err, ERROR_USAGE, 0, "%s:%d:%d: %s", name, problem.line, problem.column,
                         problem.text);
    if (run_record_check(record, name, err) < 0) {
        json_decref(record);
        return -1;
    }
    *ret_record = record;
    return 0;
}

int run_record_save(const char *folder, const json_t *record, struct error **err) {
    cleanup_free char *path = text_format("%s/run.json", folder);
    if (!path)
        return error_no_memory(err);
    if (run_record_check(record, path, err) < 0)
        return -1;
    cleanup_free char *text = json_dumps(record, JSON_INDENT(2));
    cleanup_free char *ended = text ? text_format("%s\n", text) : NULL;
    if (!ended)
        return error_no_memory(err);
    return file_replace(path, ended, strlen(ended), err);
}
