// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Small tables beside the measured metrics (footprint, what an environment counted), as texts that
 * every writer escapes and shows in its own way. The first column names the row.
 */
#ifndef BOXMARK_PLOTS_SIDE_TABLE_H
#define BOXMARK_PLOTS_SIDE_TABLE_H

#include "plots/report.h"

struct side_table {
    char *title;
    const char *note; /* what the figures mean; static */
    unsigned column_count, row_count;
    char **cells; /* the heads, then row after row */
};

struct side_tables {
    struct side_table *tables;
    unsigned count;
};

/* All that the journal holds: no table without rows. */
int side_tables_make(const struct report *report, struct side_tables *ret_tables,
                     struct error **err);
void side_tables_cleanup(struct side_tables *tables);
#define cleanup_side_tables CLEANUP(side_tables)

/* A new table with its heads; `title` is taken (NULL: out of memory, an error). */
int side_tables_add(struct side_tables *tables, char *title, const char *note,
                    const char *const *heads, unsigned column_count, struct side_table **ret_table,
                    struct error **err);
/* A row of empty cells; set them with side_table_set. */
int side_table_add_row(struct side_table *table, struct error **err);
/* Sets a cell of the last row; `text` is taken (NULL: out of memory, an error). */
int side_table_set(struct side_table *table, unsigned column, char *text, struct error **err);

static inline const char *side_table_cell(const struct side_table *table, unsigned row,
                                          unsigned column) {
    return table->cells[(row + 1) * table->column_count + column];
}
static inline const char *side_table_head(const struct side_table *table, unsigned column) {
    return table->cells[column];
}

/* For a terminal of so many columns; where a row is wider, its cells follow each other by name. */
int side_table_write(const struct side_table *table, unsigned columns, bool ascii, FILE *to,
                     struct error **err);

#endif
