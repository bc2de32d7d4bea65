// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One self-contained page: no script, no font, no picture, no style from elsewhere. First the
 * answer, then what it rests on.
 */
#include "plots/html.h"

#include "bench/catalog.h"
#include "common/file.h"
#include "common/text.h"
#include "plots/compare.h"
#include "plots/reasons.h"
#include "plots/words.h"
#include "plots/writers.h"

#include <string.h>

void html_text(FILE *to, const char *text) {
    for (uint32_t character; text && (character = text_next(&text));) {
        char bytes[4];
        switch (character) {
        case '<':
            fputs("&lt;", to);
            break;
        case '>':
            fputs("&gt;", to);
            break;
        case '&':
            fputs("&amp;", to);
            break;
        case '"':
            fputs("&quot;", to);
            break;
        case '\'':
            fputs("&#39;", to);
            break;
        default:
            fwrite(bytes, 1, text_encode(text_harmless(character), bytes), to);
        }
    }
}

void html_element(FILE *to, const char *tag, const char *attributes, const char *text) {
    fprintf(to, "<%s%s%s>", tag, attributes ? " " : "", attributes ? attributes : "");
    html_text(to, text);
    fprintf(to, "</%s>", tag);
}

unsigned html_color(unsigned environment) {
    return environment % 9;
}

void html_verdict(FILE *to, enum verdict verdict) {
    if (verdict == VERDICT_NONE)
        return;
    bool clear = verdict == VERDICT_BETTER || verdict == VERDICT_WORSE;
    fprintf(to, "<span class=\"v %s\">%s%s%s</span>", verdict_name(verdict),
            clear ? "" : verdict_mark(verdict), clear ? "" : " ", verdict_name(verdict));
}

/* What can be said of all of them: that they did the same work only where they did. */
static int put_question(const struct report *report, FILE *to, struct error **err) {
    const struct summary *summary = report->summary;
    cleanup_text_list struct text_list missing = {0};
    if (reasons_missing(report, &missing, err) < 0)
        return -1;
    fputs("<h1>What does isolation cost?</h1>\n<p>", to);
    for (unsigned i = 0; i < summary->environment_count; i++) {
        fputs(i == 0 ? "" : i + 1 < summary->environment_count ? ", " : " and ", to);
        fputs("<strong>", to);
        html_text(to, summary->environments[i].title);
        fputs("</strong>", to);
    }
    fputs(summary->environment_count == 0  ? "Nothing was measured.</p>\n"
          : missing.count > 0              ? " were given the same work; what is missing stands "
                                             "among the warnings.</p>\n"
          : summary->environment_count < 2 ? " did the work alone: there is nothing to compare it "
                                             "with.</p>\n"
                                           : " did the same work.</p>\n",
          to);
    return 0;
}

static void put_facts(const struct report *report, FILE *to) {
    static const struct {
        const char *before;
        const char *path[3];
    } facts[] = {
        {"", {"created", NULL}},
        {"profile ", {"profile", NULL}},
        {"", {"machine", "cpu_model", NULL}},
        {"Linux ", {"machine", "kernel", NULL}},
        {"boxmark ", {"boxmark", NULL}},
    };
    unsigned blocks = report_blocks(report);
    fprintf(to, "<p class=\"quiet\">%u block%s, %llu samples", blocks, blocks == 1 ? "" : "s",
            (unsigned long long)report->summary->sample_count);
    for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
        cleanup_free char *text = report_member_text(report->run, facts[i].path);
        if (text) {
            fprintf(to, " · %s", facts[i].before);
            html_text(to, text);
        }
    }
    fputs("</p>\n", to);
}

void html_warnings(const struct text_list *warnings, FILE *to) {
    for (size_t i = 0; i < warnings->count; i++) {
        fputs("<p class=\"warning\" role=\"note\"><strong>Warning:</strong> ", to);
        html_text(to, warnings->items[i]);
        fputs("</p>\n", to);
    }
}

/* The first headline of each workload in short: what fits on the first screen. */
static int put_short_answers(const struct report *report, FILE *to, struct error **err) {
    const struct summary *summary = report->summary;
    struct report headlines = *report;
    headlines.full = false;
    const char *workload = NULL;
    fputs("<ul class=\"answers\">\n", to);
    for (unsigned i = 0; i < summary->metric_count; i++) {
        const struct summary_metric *metric = &summary->metrics[i];
        if (!report_shows(&headlines, metric) ||
            (workload && strcmp(workload, metric->workload) == 0))
            continue;
        workload = metric->workload;
        cleanup_free char *answer = report_answer(report, metric);
        if (!answer)
            return error_no_memory(err);
        html_element(to, "li", NULL, answer);
        putc('\n', to);
    }
    fputs("</ul>\n", to);
    return 0;
}

/* Every comparison of a headline in full. */
static int put_sentences(const struct report *report, FILE *to, struct error **err) {
    const struct summary *summary = report->summary;
    struct report headlines = *report;
    headlines.full = false;
    unsigned from = summary->has_reference && summary->environment_count > 1 ? 1 : 0;
    fputs("<details><summary>Every comparison in a sentence</summary>\n<ul>\n", to);
    for (unsigned i = 0; i < summary->metric_count; i++)
        for (unsigned j = from; j < summary->environment_count; j++) {
            if (!report_shows(&headlines, &summary->metrics[i]))
                continue;
            cleanup_free char *sentence = report_sentence(report, &summary->metrics[i], j);
            if (!sentence)
                return error_no_memory(err);
            html_element(to, "li", NULL, sentence);
            putc('\n', to);
        }
    fputs("</ul>\n</details>\n", to);
    return 0;
}

static int put_legend(const struct report *report, FILE *to, struct error **err) {
    cleanup_text_list struct text_list legend = {0};
    if (report_legend(report, &legend, err) < 0)
        return -1;
    fputs("<details><summary>What the numbers mean</summary>\n<ul>\n", to);
    for (size_t i = 0; i < legend.count; i++) {
        html_element(to, "li", NULL, legend.items[i]);
        putc('\n', to);
    }
    fputs("</ul>\n</details>\n", to);
    return 0;
}

/* Answers and picture first; that there are warnings is said above them, which ones below. */
static int put_answers(const struct report *report, FILE *to, struct error **err) {
    cleanup_text_list struct text_list warnings = {0};
    if (report_warnings(report, &warnings, err) < 0)
        return -1;
    fputs("<section id=\"answer\">\n<h2>The answer</h2>\n", to);
    if (warnings.count)
        fprintf(to,
                "<p class=\"hint\"><a href=\"#warnings\">%zu warning%s</a> to read before you "
                "believe it.</p>\n",
                warnings.count, warnings.count == 1 ? "" : "s");
    if (put_short_answers(report, to, err) < 0 || html_overview(report, to, err) < 0)
        return -1;
    if (warnings.count) {
        fputs("<div id=\"warnings\">\n", to);
        html_warnings(&warnings, to);
        fputs("</div>\n", to);
    }
    if (put_sentences(report, to, err) < 0 || put_legend(report, to, err) < 0)
        return -1;
    fputs("</section>\n", to);
    return 0;
}

/* Names of workloads come from samples.csv: sections are numbered, so that ids are ours. */
static int put_workloads(const struct report *report, FILE *to, struct error **err) {
    const struct summary *summary = report->summary;
    unsigned number = 0;
    for (unsigned i = 0; i < summary->metric_count; i++) {
        const char *workload = summary->metrics[i].workload;
        if (i > 0 && strcmp(summary->metrics[i - 1].workload, workload) == 0)
            continue;
        const struct workload_description *known = workload_find(workload);
        fprintf(to, "<section id=\"workload-%u\">\n<h2>", ++number);
        html_text(to, workload);
        if (known) {
            fputs(" <small>", to);
            html_text(to, known->summary);
            fputs("</small>", to);
        }
        fputs("</h2>\n", to);
        if (html_workload(report, workload, to, err) < 0)
            return -1;
        if (strcmp(workload, "startup") == 0 && html_timeline(report, to, err) < 0)
            return -1;
        fputs("</section>\n", to);
    }
    return 0;
}

static const struct part {
    const char *id, *title;
    int (*write)(const struct report *report, FILE *to, struct error **err);
} parts[] = {
    {"footprint", "Footprint", html_footprint},
    {"audit", "Fairness audit", html_audit},
    {"methods", "How it was measured", html_methods},
    {"machine", "The machine", html_machine},
    {"data", "The data", html_data},
};
enum { PARTS = sizeof(parts) / sizeof(*parts) };

static void put_contents(const struct report *report, FILE *to) {
    const struct summary *summary = report->summary;
    unsigned number = 0;
    fputs("<nav aria-label=\"Contents\"><ul>\n<li><a href=\"#answer\">answer</a></li>\n", to);
    for (unsigned i = 0; i < summary->metric_count; i++) {
        const char *workload = summary->metrics[i].workload;
        if (i > 0 && strcmp(summary->metrics[i - 1].workload, workload) == 0)
            continue;
        fprintf(to, "<li><a href=\"#workload-%u\">", ++number);
        html_text(to, workload);
        fputs("</a></li>\n", to);
    }
    if (report->claims && report->claims->count > 0)
        fputs("<li><a href=\"#references\">Literature</a></li>\n", to);
    for (unsigned i = 0; i < PARTS; i++)
        fprintf(to, "<li><a href=\"#%s\">%s</a></li>\n", parts[i].id, parts[i].title);
    fputs("</ul></nav>\n", to);
}

void html_begin(FILE *to) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n"
          "<meta name=\"generator\" content=\"boxmark\">\n<title>boxmark: ",
          to);
}

void html_begin_body(FILE *to) {
    fprintf(to, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", html_style);
    fputs("<a class=\"skip\" href=\"#main\">To the content</a>\n", to);
}

static int write_html(const struct report *report, FILE *to, struct error **err) {
    html_begin(to);
    for (unsigned i = 0; i < report->summary->environment_count; i++) {
        fputs(i ? ", " : "", to);
        html_text(to, report->summary->environments[i].title);
    }
    html_begin_body(to);
    fputs("<header>\n", to);
    if (put_question(report, to, err) < 0)
        return -1;
    put_facts(report, to);
    fputs("</header>\n<main id=\"main\">\n", to);
    if (put_answers(report, to, err) < 0)
        return -1;
    put_contents(report, to);
    if (put_workloads(report, to, err) < 0)
        return -1;
    if (html_claims(report, to, err) < 0)
        return -1;
    for (unsigned i = 0; i < PARTS; i++) {
        fprintf(to, "<section id=\"%s\">\n<h2>%s</h2>\n", parts[i].id, parts[i].title);
        if (parts[i].write(report, to, err) < 0)
            return -1;
        fputs("</section>\n", to);
    }
    fputs("</main>\n</body>\n</html>\n", to);
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the HTML") : 0;
}

const struct report_writer writer_html = {
    .name = "html",
    .extension = "html",
    .summary = "a self-contained page with figures, audit and methods",
    .write = write_html,
    .compare = compare_html,
};
