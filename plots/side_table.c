// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/side_table.h"

#include "common/file.h"
#include "common/text.h"
#include "plots/counters.h"
#include "plots/footprint.h"
#include "plots/layers.h"

#include <string.h>

#define GAP_COLUMNS 2

static void table_clear(struct side_table *table) {
    for (unsigned i = 0; i < (table->row_count + 1) * table->column_count && table->cells; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table->title);
}

void side_tables_cleanup(struct side_tables *tables) {
    for (unsigned i = 0; i < tables->count; i++)
        table_clear(&tables->tables[i]);
    free(tables->tables);
    *tables = (struct side_tables){0};
}

int side_tables_add(struct side_tables *tables, char *title, const char *note,
                    const char *const *heads, unsigned column_count, struct side_table **ret_table,
                    struct error **err) {
    struct side_table *larger =
        title ? reallocarray(tables->tables, tables->count + 1, sizeof(*larger)) : NULL;
    if (!larger) {
        free(title);
        return error_no_memory(err);
    }
    tables->tables = larger;
    struct side_table *table = &larger[tables->count++];
    *table = (struct side_table){
        .title = title,
        .note = note,
        .column_count = column_count,
        .cells = calloc(column_count, sizeof(*table->cells)),
    };
    for (unsigned i = 0; i < column_count; i++)
        if (!table->cells || !(table->cells[i] = strdup(heads[i])))
            return error_no_memory(err);
    *ret_table = table;
    return 0;
}

int side_table_add_row(struct side_table *table, struct error **err) {
    unsigned used = (table->row_count + 1) * table->column_count;
    char **larger = reallocarray(table->cells, used + table->column_count, sizeof(*larger));
    if (!larger)
        return error_no_memory(err);
    table->cells = larger;
    memset(&larger[used], 0, table->column_count * sizeof(*larger));
    table->row_count++;
    return 0;
}

int side_table_set(struct side_table *table, unsigned column, char *text, struct error **err) {
    char **cell = &table->cells[table->row_count * table->column_count + column];
    free(*cell);
    *cell = text;
    return text ? 0 : error_no_memory(err);
}

int side_tables_make(const struct report *report, struct side_tables *ret_tables,
                     struct error **err) {
    cleanup_side_tables struct side_tables tables = {0};
    if (footprint_table(report, &tables, err) < 0 || layers_table(report, &tables, err) < 0 ||
        counters_tables(report, &tables, err) < 0)
        return -1;
    *ret_tables = tables;
    tables = (struct side_tables){0};
    return 0;
}

/* A cell as it may be shown; never NULL unless out of memory. */
static char *shown(const struct side_table *table, unsigned index, bool ascii) {
    const char *text = table->cells[index] ? table->cells[index] : "-";
    return ascii ? text_clean_ascii(text) : text_clean(text);
}

static int measure(const struct side_table *table, bool ascii, unsigned *widths,
                   struct error **err) {
    for (unsigned i = 0; i < (table->row_count + 1) * table->column_count; i++) {
        cleanup_free char *text = shown(table, i, ascii);
        if (!text)
            return error_no_memory(err);
        unsigned width = text_width(text);
        if (width > widths[i % table->column_count])
            widths[i % table->column_count] = width;
    }
    return 0;
}

static int put_wrapped(const char *first, const char *indent, const char *text, unsigned columns,
                       FILE *to, struct error **err) {
    cleanup_free char *wrapped = text_wrap(text, columns - text_width(indent));
    if (!wrapped)
        return error_no_memory(err);
    char *rest = wrapped;
    for (char *line; (line = strsep(&rest, "\n")); first = indent)
        fprintf(to, "%s%s\n", first, line);
    return 0;
}

static int put_line(const struct side_table *table, unsigned line, const unsigned *widths,
                    bool ascii, FILE *to, struct error **err) {
    for (unsigned j = 0; j < table->column_count; j++) {
        cleanup_free char *text = shown(table, line * table->column_count + j, ascii);
        if (!text)
            return error_no_memory(err);
        int padding = (int)(widths[j] - text_width(text));
        if (j == 0)
            fprintf(to, "  %s%*s", text, padding, "");
        else
            fprintf(to, "%*s%s", padding + GAP_COLUMNS, "", text);
    }
    putc('\n', to);
    return 0;
}

/* "  vm (TCG)", and under it "    image 70 MiB, memory 180 MiB". */
static int put_row_narrow(const struct side_table *table, unsigned line, unsigned columns,
                          bool ascii, FILE *to, struct error **err) {
    cleanup_free char *joined = NULL;
    for (unsigned j = 0; j < table->column_count; j++) {
        cleanup_free char *head = shown(table, j, ascii);
        cleanup_free char *text = shown(table, line * table->column_count + j, ascii);
        if (!head || !text)
            return error_no_memory(err);
        if (j == 0) {
            if (put_wrapped("  ", "    ", text, columns, to, err) < 0)
                return -1;
            continue;
        }
        char *longer =
            text_format("%s%s%s %s", joined ? joined : "", joined ? ", " : "", head, text);
        free(joined);
        joined = longer;
        if (!joined)
            return error_no_memory(err);
    }
    return joined ? put_wrapped("    ", "    ", joined, columns, to, err) : 0;
}

int side_table_write(const struct side_table *table, unsigned columns, bool ascii, FILE *to,
                     struct error **err) {
    cleanup_free unsigned *widths = calloc(table->column_count, sizeof(*widths));
    cleanup_free char *title = ascii ? text_clean_ascii(table->title) : text_clean(table->title);
    if (!widths || !title)
        return error_no_memory(err);
    if (put_wrapped("", "  ", title, columns, to, err) < 0 ||
        measure(table, ascii, widths, err) < 0)
        return -1;
    unsigned width = 0;
    for (unsigned j = 0; j < table->column_count; j++)
        width += widths[j] + GAP_COLUMNS;
    bool wide = width <= columns;
    for (unsigned line = wide ? 0 : 1; line <= table->row_count; line++)
        if ((wide ? put_line(table, line, widths, ascii, to, err)
                  : put_row_narrow(table, line, columns, ascii, to, err)) < 0)
            return -1;
    return 0;
}
