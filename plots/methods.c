// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/methods.h"

#include "common/text.h"
#include "common/units.h"
#include "plots/format.h"
#include "plots/words.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void free_text(char **text) {
    free(*text);
}
#define TEXT __attribute__((cleanup(free_text))) char *

/* "a, b and c": titles of all environments. */
static void put_titles(const struct summary *summary, FILE *to) {
    for (unsigned i = 0; i < summary->environment_count; i++)
        fprintf(to, "%s%s",
                i == 0                               ? ""
                : i + 1 < summary->environment_count ? ", "
                                                     : " and ",
                summary->environments[i].title);
}

static void put_size(FILE *to, const char *before, const json_t *bytes, const char *after) {
    char size[32];
    if (json_is_integer(bytes) && json_integer_value(bytes) > 0)
        fprintf(to, "%s%s%s", before, format_size((uint64_t)json_integer_value(bytes), size),
                after);
}

static void put_machine(const json_t *machine, FILE *to) {
    TEXT model = report_member_text(machine, REPORT_PATH("cpu_model"));
    TEXT cpus = report_member_text(machine, REPORT_PATH("cpus_online"));
    TEXT kernel = report_member_text(machine, REPORT_PATH("kernel"));
    TEXT distribution = report_member_text(machine, REPORT_PATH("distribution"));
    TEXT governor = report_member_text(machine, REPORT_PATH("governor"));
    if (!model && !kernel)
        return;
    fprintf(to, " The machine%s: ",
            json_is_true(json_object_get(machine, "virtual_machine")) ? " (itself a virtual one)"
                                                                      : "");
    fputs(model ? model : "processor not known", to);
    if (cpus)
        fprintf(to, ", %s logical CPUs online", cpus);
    put_size(to, ", ", json_object_get(machine, "memory_bytes"), " of memory");
    if (kernel)
        fprintf(to, ", Linux %s", kernel);
    if (distribution)
        fprintf(to, " (%s)", distribution);
    if (governor)
        fprintf(to, ", frequency governor %s", governor);
    fputs(".", to);
}

static void put_envelope(const json_t *envelope, FILE *to) {
    TEXT count = report_member_text(envelope, REPORT_PATH("cpu_count"));
    TEXT cpus = report_member_text(envelope, REPORT_PATH("cpus"));
    if (!count)
        return;
    fprintf(to, " All of them got the same %s CPU%s", count, strcmp(count, "1") == 0 ? "" : "s");
    if (cpus)
        fprintf(to, " (numbers %s)", cpus);
    put_size(to, " and ", json_object_get(envelope, "memory_bytes"), " of memory");
    fputs(".", to);
}

/* One workload with its parameters: "zip (bytes 8388608, level 6)". */
static void put_workloads(const json_t *workloads, FILE *to) {
    size_t index;
    json_t *entry;
    if (json_array_size(workloads) == 0)
        return;
    fputs(" The work was fixed:", to);
    json_array_foreach(workloads, index, entry) {
        TEXT name = report_member_text(entry, REPORT_PATH("name"));
        const json_t *parameters = json_object_get(entry, "parameters");
        fprintf(to, "%s %s", index ? ";" : "", name ? name : "a workload");
        const char *key;
        json_t *value;
        const char *before = " (";
        json_object_foreach((json_t *)parameters, key, value) {
            TEXT text = report_member_text(value, REPORT_PATH());
            if (text) {
                fprintf(to, "%s%s %s", before, key, text);
                before = ", ";
            }
        }
        fputs(*before == ',' ? ")" : "", to);
    }
    fputs(".", to);
}

static void put_statistics(const struct summary *summary, unsigned blocks, FILE *to) {
    char confidence[FORMAT_BYTES], margin[FORMAT_BYTES];
    format_percent(summary->options.confidence, false, confidence);
    format_percent(summary->options.margin, false, margin);
    fprintf(to,
            " In each of %u block%s every environment was started afresh, in an order drawn anew "
            "for each block; the iterations within one instance were reduced to their median, so "
            "that a block gives one independent value. Medians are given with distribution-free "
            "%s intervals",
            blocks, blocks == 1 ? "" : "s", confidence);
    if (summary->has_reference)
        fprintf(to,
                "; ratios are paired with %s within blocks, their %s interval being the hull of a "
                "percentile bootstrap (%u resamples) and the distribution-free interval of the "
                "median. A difference is called better or worse when the whole interval lies more "
                "than %s from 1 and the difference survives a paired test with Holm's "
                "correction, no difference when all of it lies within %s, and inconclusive "
                "otherwise",
                summary->environments[0].title, confidence, summary->options.resamples, margin,
                margin);
    fputs(".", to);
}

static void put_emulation(const struct summary *summary, FILE *to) {
    for (unsigned i = 0; i < summary->environment_count; i++)
        if (strcmp(summary->environments[i].accelerator, "TCG") == 0)
            fprintf(to,
                    " %s ran under software emulation (QEMU's TCG), not under hardware "
                    "virtualisation.",
                    summary->environments[i].label);
        else if (strcmp(summary->environments[i].accelerator, "KVM emulated") == 0)
            fprintf(to, " %s ran under a KVM that emulates its guest's instructions.",
                    summary->environments[i].label);
}

char *methods_paragraph(const struct report *report) {
    const struct summary *summary = report->summary;
    const json_t *machine = json_object_get(report->run, "machine");
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    TEXT version = report_member_text(report->run, REPORT_PATH("boxmark"));
    TEXT profile = report_member_text(report->run, REPORT_PATH("profile"));
    TEXT seed = report_member_text(report->run, REPORT_PATH("seed"));
    TEXT hash = report_member_text(report->run, REPORT_PATH("agent", "sha256"));
    fprintf(to, "We compared ");
    put_titles(summary, to);
    fprintf(to, " with boxmark%s%s", version ? " " : "", version ? version : "");
    if (profile)
        fprintf(to, " (profile %s%s%s)", profile, seed ? ", seed " : "", seed ? seed : "");
    fputs(".", to);
    put_machine(machine, to);
    put_envelope(json_object_get(machine, "envelope"), to);
    put_workloads(json_object_get(report->run, "workloads"), to);
    fprintf(to,
            " The same statically linked program did it in every environment%s%.16s%s, and the "
            "digests of its results had to agree; times are those of the host's monotonic clock.",
            hash ? " (SHA-256 " : "", hash ? hash : "", hash ? "...)" : "");
    put_emulation(summary, to);
    put_statistics(summary, report_blocks(report), to);
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* One word of a command, quoted where a shell would do something with it. */
static void put_word(FILE *to, const char *text) {
    TEXT clean = text_clean(text);
    bool plain = clean && *clean;
    for (const char *at = clean; at && *at; at++)
        plain = plain && (isalnum((unsigned char)*at) || strchr("-_./:,=+@%", *at));
    putc(' ', to);
    if (plain) {
        fputs(clean, to);
        return;
    }
    putc('\'', to);
    for (const char *at = clean; at && *at; at++) {
        if (*at == '\'')
            fputs("'\\''", to);
        else
            putc(*at, to);
    }
    putc('\'', to);
}

static void put_option(FILE *to, const char *option, const json_t *object,
                       const char *const *path) {
    TEXT value = report_member_text(object, path);
    if (value && strcmp(value, "0") != 0) {
        fprintf(to, " %s", option);
        put_word(to, value);
    }
}

static void put_list(FILE *to, const char *option, const json_t *list, const char *member) {
    size_t index;
    json_t *entry;
    json_array_foreach(list, index, entry) {
        TEXT text = member ? report_member_text(entry, REPORT_PATH(member))
                           : report_member_text(entry, REPORT_PATH());
        if (text) {
            fprintf(to, " %s", option);
            put_word(to, text);
        }
    }
}

char *methods_command(const struct report *report) {
    const json_t *run = report->run;
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    fputs("boxmark run", to);
    put_option(to, "-p", run, REPORT_PATH("profile"));
    put_list(to, "-e", json_object_get(run, "environments"), "spec");
    put_list(to, "-w", report_member(run, REPORT_PATH("asked", "workloads")), NULL);
    put_option(to, "--cpus", run, REPORT_PATH("machine", "envelope", "cpu_count"));
    put_option(to, "--memory", run, REPORT_PATH("machine", "envelope", "memory_bytes"));
    put_option(to, "--blocks", run, REPORT_PATH("plan", "blocks"));
    put_option(to, "--max-blocks", run, REPORT_PATH("plan", "max_blocks"));
    put_option(to, "--starts", run, REPORT_PATH("plan", "starts"));
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)report_member(run, REPORT_PATH("asked", "overrides")), key,
                        value) {
        TEXT number = report_member_text(value, REPORT_PATH());
        TEXT word = NULL;
        if (number && asprintf(&word, "%s=%s", key, number) >= 0) {
            fputs(" --set", to);
            put_word(to, word);
        }
    }
    TEXT seed = report_member_text(run, REPORT_PATH("seed"));
    if (seed) {
        fputs(" --seed", to);
        put_word(to, seed);
    }
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
