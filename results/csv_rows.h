// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * CSV files with a header that must be this one: read strictly, row by row; every error names file
 * and line. The parser is libcsv's.
 */
#ifndef BOXMARK_RESULTS_CSV_ROWS_H
#define BOXMARK_RESULTS_CSV_ROWS_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

/* A row; the fields are valid (and may be changed) during the visit only. */
struct csv_row {
    const char *name; /* of the file */
    uint64_t line;    /* where the row ends */
    const char *const *columns;
    char **fields; /* as many as columns */
};

/* `columns` ends with NULL. A negative return of `visit` stops. */
typedef int (*csv_rows_visit)(const struct csv_row *row, void *cookie, struct error **err);
int csv_rows_read(FILE *file, const char *name, const char *const *columns, csv_rows_visit visit,
                  void *cookie, struct error **err);

/* "FILE:LINE: COLUMN: "VALUE" WHY", as ERROR_USAGE; returns -1. */
int csv_row_refuse(const struct csv_row *row, unsigned column, const char *why, struct error **err);

/* A finite number with a decimal point; an empty field is NAN where it may be empty. */
int csv_row_number(const struct csv_row *row, unsigned column, bool may_be_empty, double *ret_value,
                   struct error **err);

/* A whole number. */
int csv_row_count(const struct csv_row *row, unsigned column, uint64_t *ret_count,
                  struct error **err);

#endif
