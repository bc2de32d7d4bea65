// SPDX-License-Identifier: GPL-3.0-or-later
/* What the figures rest on: footprint, audit, methods, machine, data. */
#include "common/file.h"
#include "common/units.h"
#include "plots/html.h"
#include "plots/methods.h"
#include "plots/side_table.h"
#include "plots/topology.h"
#include "plots/words.h"
#include "plots/writers.h"

#include <math.h>
#include <string.h>

static void put_side_table(const struct side_table *table, FILE *to) {
    fputs("<div class=\"scroll\"><table>\n", to);
    html_element(to, "caption", NULL, table->note);
    fputs("\n<thead><tr>", to);
    for (unsigned j = 0; j < table->column_count; j++)
        html_element(to, "th", j ? "scope=\"col\" class=\"n\"" : "scope=\"col\"",
                     side_table_head(table, j));
    fputs("</tr></thead>\n<tbody>\n", to);
    for (unsigned i = 0; i < table->row_count; i++) {
        fputs("<tr>", to);
        for (unsigned j = 0; j < table->column_count; j++)
            html_element(to, j ? "td" : "th", j ? "class=\"n\"" : "scope=\"row\"",
                         side_table_cell(table, i, j));
        fputs("</tr>\n", to);
    }
    fputs("</tbody>\n</table></div>\n", to);
}

int html_footprint(const struct report *report, FILE *to, struct error **err) {
    cleanup_side_tables struct side_tables tables = {0};
    if (side_tables_make(report, &tables, err) < 0)
        return -1;
    for (unsigned i = 0; i < tables.count; i++) {
        /* The first is what the section is called after. */
        if (i > 0)
            html_element(to, "h3", NULL, tables.tables[i].title);
        put_side_table(&tables.tables[i], to);
    }
    fputs(tables.count ? "" : "<p class=\"quiet\">Nothing was recorded.</p>\n", to);
    return 0;
}

/* A member as text that outlives the loop: jansson owns it; "" when it is not text. */
static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static unsigned put_items(const struct report *report, const char *state, FILE *to) {
    size_t index;
    json_t *item;
    unsigned count = 0;
    json_array_foreach((json_t *)report->audit, index, item) {
        if (strcmp(text_of(item, "state"), state) != 0)
            continue;
        if (count++ == 0)
            fputs("<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">check</th>"
                  "<th scope=\"col\">environment</th><th scope=\"col\">evidence</th>"
                  "<th scope=\"col\">why it matters</th></tr></thead>\n<tbody>\n",
                  to);
        fputs("<tr>", to);
        html_element(to, "th", "scope=\"row\"", text_of(item, "name"));
        const char *environment = text_of(item, "environment");
        html_element(to, "td", NULL, *environment ? environment : "all");
        html_element(to, "td", NULL, text_of(item, "evidence"));
        html_element(to, "td", NULL, text_of(item, "reason"));
        fputs("</tr>\n", to);
    }
    if (count)
        fputs("</tbody>\n</table></div>\n", to);
    return count;
}

static unsigned count_items(const struct report *report, const char *state) {
    size_t index;
    json_t *item;
    unsigned count = 0;
    json_array_foreach((json_t *)report->audit, index, item) count +=
        strcmp(text_of(item, "state"), state) == 0;
    return count;
}

int html_audit(const struct report *report, FILE *to, struct error **err) {
    (void)err;
    unsigned failing = count_items(report, "failing"), noted = count_items(report, "noted"),
             fine = count_items(report, "ok");
    if (failing + noted + fine == 0) {
        fputs("<p class=\"quiet\">No audit was made.</p>\n", to);
        return 0;
    }
    fprintf(to,
            "<p>Was it the same work, on the same CPUs, by the same clock, undisturbed? "
            "%u failed, %u noted, %u fine.</p>\n",
            failing, noted, fine);
    if (failing) {
        fputs("<h3 class=\"untrustworthy\">! Failed: what these touch is untrustworthy</h3>\n", to);
        put_items(report, "failing", to);
    }
    if (noted) {
        fputs("<h3>Noted</h3>\n", to);
        put_items(report, "noted", to);
    }
    if (fine) {
        fprintf(to, "<details><summary>%u fine</summary>\n", fine);
        put_items(report, "ok", to);
        fputs("</details>\n", to);
    }
    return 0;
}

int html_methods(const struct report *report, FILE *to, struct error **err) {
    cleanup_free char *paragraph = methods_paragraph(report);
    cleanup_free char *command = methods_command(report);
    if (!paragraph || !command)
        return error_no_memory(err);
    fputs("<blockquote>\n", to);
    html_element(to, "p", NULL, paragraph);
    fputs("\n</blockquote>\n<h3>To repeat it</h3>\n<pre><code>", to);
    html_text(to, command);
    fputs("</code></pre>\n", to);
    return 0;
}

/* Plain members of an object as a list; members that are long or nested are left to run.json. */
static void put_members(const json_t *object, FILE *to) {
    enum { LONGEST = 160 };
    const char *key;
    json_t *value;
    bool any = false;
    json_object_foreach((json_t *)object, key, value) {
        cleanup_free char *text = report_member_text(value, REPORT_PATH());
        char size[32];
        if (json_is_boolean(value)) {
            free(text);
            text = strdup(json_is_true(value) ? "yes" : "no");
        } else if (text && json_is_integer(value) && strstr(key, "_bytes")) {
            free(text);
            text = strdup(format_size((uint64_t)json_integer_value(value), size));
        }
        if (!text || strlen(text) > LONGEST)
            continue;
        fputs(any ? "" : "<dl>\n", to);
        any = true;
        html_element(to, "dt", NULL, key);
        html_element(to, "dd", NULL, text);
        putc('\n', to);
    }
    fputs(any ? "</dl>\n" : "<p class=\"quiet\">Nothing was recorded.</p>\n", to);
}

int html_machine(const struct report *report, FILE *to, struct error **err) {
    const json_t *machine = json_object_get(report->run, "machine");
    size_t index;
    json_t *entry;
    (void)err;
    if (json_is_object(machine))
        put_members(machine, to);
    else
        fputs("<p class=\"quiet\">Nothing was recorded.</p>\n", to);
    const json_t *envelope = json_object_get(machine, "envelope");
    if (json_is_object(envelope)) {
        fputs("<h3>What every environment got</h3>\n", to);
        put_members(envelope, to);
    }
    cleanup_free char *path = text_format("%s/topology.xml", report->run_folder);
    if (path)
        topology_draw(path, to);
    fputs("<h3>The environments</h3>\n", to);
    json_array_foreach(json_object_get(report->run, "environments"), index, entry) {
        const json_t *probe = json_object_get(entry, "probe");
        fputs("<p><strong>", to);
        html_text(to, text_of(entry, "title"));
        fputs("</strong> ", to);
        html_text(to, text_of(probe, "detail"));
        fputs(*text_of(probe, "version") ? ", " : "", to);
        html_text(to, text_of(probe, "version"));
        fputs("</p>\n", to);
    }
    return 0;
}

int html_data(const struct report *report, FILE *to, struct error **err) {
    char *text = NULL;
    size_t size = 0;
    FILE *csv = open_memstream(&text, &size);
    if (!csv)
        return error_no_memory(err);
    int result = writer_csv.write(report, csv, err);
    fclose(csv);
    fputs(
        "<p>Every sample is in <code>samples.csv</code> of the run folder; all figures here are "
        "derived from it. The summary as CSV:</p>\n<details class=\"long\"><summary>summary.csv</summary>\n"
        "<pre class=\"data\">",
        to);
    /* Line by line: a line end is no harm here. */
    char *rest = text;
    for (char *line; result == 0 && (line = strsep(&rest, "\n"));) {
        html_text(to, line);
        putc('\n', to);
    }
    fputs("</pre>\n</details>\n", to);
    free(text);
    return result;
}
