// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/methods.h"

#include "common/file.h"
#include "common/text.h"
#include "common/units.h"
#include "plots/format.h"
#include "plots/words.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    cleanup_free char *model = report_member_text(machine, REPORT_PATH("cpu_model"));
    cleanup_free char *cpus = report_member_text(machine, REPORT_PATH("cpus_online"));
    cleanup_free char *kernel = report_member_text(machine, REPORT_PATH("kernel"));
    cleanup_free char *distribution = report_member_text(machine, REPORT_PATH("distribution"));
    cleanup_free char *governor = report_member_text(machine, REPORT_PATH("governor"));
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
    cleanup_free char *count = report_member_text(envelope, REPORT_PATH("cpu_count"));
    cleanup_free char *cpus = report_member_text(envelope, REPORT_PATH("cpus"));
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
        cleanup_free char *name = report_member_text(entry, REPORT_PATH("name"));
        const json_t *parameters = json_object_get(entry, "parameters");
        fprintf(to, "%s %s", index ? ";" : "", name ? name : "a workload");
        const char *key;
        json_t *value;
        const char *before = " (";
        json_object_foreach((json_t *)parameters, key, value) {
            cleanup_free char *text = report_member_text(value, REPORT_PATH());
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

/* The facts of the first instance of an environment that has any; NULL when there is none. */
static const json_t *facts_of(const json_t *journal, const char *environment) {
    size_t index;
    json_t *entry;
    json_array_foreach(journal, index, entry) {
        cleanup_free char *label = report_member_text(entry, REPORT_PATH("environment"));
        const json_t *facts = json_object_get(entry, "facts");
        if (label && strcmp(label, environment) == 0 && json_object_size(facts) > 0)
            return facts;
    }
    return NULL;
}

/* The word after `option` of a recorded command: "-machine" gives "q35,..."; NULL for none. */
static const char *command_value(const json_t *command, const char *option) {
    for (size_t i = 0; i + 1 < json_array_size(command); i++) {
        const char *word = json_string_value(json_array_get(command, i));
        if (word && strcmp(word, option) == 0)
            return json_string_value(json_array_get(command, i + 1));
    }
    return NULL;
}

/* What a virtual machine was, as far as its facts tell: "QEMU 7.2, machine microvm, ...". */
static void put_guest(FILE *to, const char *title, const json_t *facts) {
    cleanup_free char *qemu = report_member_text(facts, REPORT_PATH("qemu_version"));
    cleanup_free char *kernel = report_member_text(facts, REPORT_PATH("guest_kernel"));
    cleanup_free char *format = report_member_text(facts, REPORT_PATH("disk", "format"));
    cleanup_free char *cache = report_member_text(facts, REPORT_PATH("disk", "cache"));
    const char *machine = command_value(json_object_get(facts, "command"), "-machine");
    if (!qemu && !kernel)
        return;
    fprintf(to, " %s was", title);
    const char *before = " ";
    const struct {
        const char *words, *value;
    } parts[] = {{"QEMU ", qemu},
                 {"machine type ", machine},
                 {"guest kernel Linux ", kernel},
                 {"disk image ", format},
                 {"cache mode ", cache}};
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (parts[i].value) {
            fprintf(to, "%s%s%s", before, parts[i].words, parts[i].value);
            before = ", ";
        }
    fputs(".", to);
}

/* What ran the environments, with its version. */
static void put_engines(const struct report *report, FILE *to) {
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(report->run, "environments"), index, entry) {
        cleanup_free char *label = report_member_text(entry, REPORT_PATH("label"));
        cleanup_free char *title = report_member_text(entry, REPORT_PATH("title"));
        cleanup_free char *version = report_member_text(entry, REPORT_PATH("probe", "version"));
        const json_t *facts = label ? facts_of(report->journal, label) : NULL;
        if (!title)
            continue;
        if (json_object_get(facts, "qemu_version") || json_object_get(facts, "guest_kernel"))
            put_guest(to, title, facts);
        else if (version)
            fprintf(to, " %s was of version %s.", title, version);
    }
}

char *methods_paragraph(const struct report *report) {
    const struct summary *summary = report->summary;
    const json_t *machine = json_object_get(report->run, "machine");
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    cleanup_free char *version = report_member_text(report->run, REPORT_PATH("boxmark"));
    cleanup_free char *profile = report_member_text(report->run, REPORT_PATH("profile"));
    cleanup_free char *seed = report_member_text(report->run, REPORT_PATH("seed"));
    cleanup_free char *hash = report_member_text(report->run, REPORT_PATH("agent", "sha256"));
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
    put_engines(report, to);
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
    cleanup_free char *clean = text_clean(text);
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
    cleanup_free char *value = report_member_text(object, path);
    if (value && strcmp(value, "0") != 0) {
        fprintf(to, " %s", option);
        put_word(to, value);
    }
}

static void put_list(FILE *to, const char *option, const json_t *list, const char *member) {
    size_t index;
    json_t *entry;
    json_array_foreach(list, index, entry) {
        cleanup_free char *text = member ? report_member_text(entry, REPORT_PATH(member))
                                         : report_member_text(entry, REPORT_PATH());
        if (text) {
            fprintf(to, " %s", option);
            put_word(to, text);
        }
    }
}

/* Sizes that the machine chose, unless they were asked for: another one would choose others. */
static void put_chosen(const json_t *run, FILE *to) {
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(run, "workloads"), index, entry) {
        cleanup_free char *name = report_member_text(entry, REPORT_PATH("name"));
        cleanup_free char *elements =
            report_member_text(entry, REPORT_PATH("parameters", "elements"));
        cleanup_free char *key = name ? text_format("%s.elements", name) : NULL;
        if (key && elements && !report_member(run, REPORT_PATH("asked", "overrides", key)))
            fprintf(to, " --set %s=%s", key, elements);
    }
}

/* When to stop: the narrowness in per cent, the budget in seconds. */
static void put_end(const json_t *run, FILE *to) {
    char number[FORMAT_BYTES];
    double precision = json_number_value(report_member(run, REPORT_PATH("plan", "precision")));
    json_int_t budget_ns = json_integer_value(report_member(run, REPORT_PATH("plan", "budget_ns")));
    if (precision > 0)
        fprintf(to, " --precision %s", format_exact(round(precision * 1e8) / 1e6, number));
    if (budget_ns > 0)
        fprintf(to, " --budget %ss", format_exact((double)budget_ns / 1e9, number));
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
    put_end(run, to);
    put_option(to, "--starts", run, REPORT_PATH("plan", "starts"));
    put_option(to, "--data", run, REPORT_PATH("asked", "data"));
    put_option(to, "--kernel", run, REPORT_PATH("asked", "kernel"));
    if (json_is_true(report_member(run, REPORT_PATH("asked", "require_kvm"))))
        fputs(" --require-kvm", to);
    put_chosen(run, to);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)report_member(run, REPORT_PATH("asked", "overrides")), key,
                        value) {
        cleanup_free char *number = report_member_text(value, REPORT_PATH());
        cleanup_free char *word = NULL;
        if (number && asprintf(&word, "%s=%s", key, number) >= 0) {
            fputs(" --set", to);
            put_word(to, word);
        }
    }
    cleanup_free char *seed = report_member_text(run, REPORT_PATH("seed"));
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
