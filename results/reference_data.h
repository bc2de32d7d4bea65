// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Published figures as tidy CSV (docs/reports.md, "References"): one row a figure, with its source,
 * unit, spread, number of trials and a note. Files are read strictly: what is wrong is named by
 * file, line, column and value.
 */
#ifndef BOXMARK_RESULTS_REFERENCE_DATA_H
#define BOXMARK_RESULTS_REFERENCE_DATA_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a figure stands for; a note that says "upper bound" or "lower bound" makes it one. */
enum reference_bound { REFERENCE_EXACT, REFERENCE_UPPER_BOUND, REFERENCE_LOWER_BOUND };

struct reference_row {
    char *source, *table; /* table: of the source, "": not given */
    char *workload, *metric, *unit, *direction, *environment, *variant, *note;
    double value;
    double sd;      /* NAN: not given */
    uint64_t count; /* trials; 0: not given */
    enum reference_bound bound;
};

struct reference_source {
    char *source, *citation;
};

struct reference_data {
    struct reference_row *rows;
    size_t count;
    struct reference_source *sources; /* of the folders that the rows came from */
    size_t source_count;
};

/* Adds the rows of one file. ERROR_USAGE for what is wrong in it. */
int reference_add_file(struct reference_data *data, const char *path, struct error **err);

/* The same from an open file; `name` stands in messages. */
int reference_add_stream(struct reference_data *data, FILE *file, const char *name,
                         struct error **err);

/*
 * Adds every *.csv of a folder, in order of name; sources.csv (source,citation) gives citations. A
 * folder that is not there adds nothing.
 */
int reference_add_folder(struct reference_data *data, const char *folder, struct error **err);

/*
 * The installed references and the user's own ($XDG_DATA_HOME/boxmark/reference, else
 * ~/.local/share/boxmark/reference).
 */
int reference_load_all(struct reference_data *data, struct error **err);

/*
 * What `--reference NAME` means: a file when NAME holds a slash or ends with ".csv"; else the rows
 * of that source among all. ERROR_USAGE with the nearest name when there is none.
 */
int reference_load_named(struct reference_data *data, const char *name, struct error **err);

/* NULL: none known. */
const char *reference_citation(const struct reference_data *data, const char *source);

void reference_clear(struct reference_data *data);
static inline void reference_cleanup(struct reference_data *data) {
    reference_clear(data);
}
#define cleanup_reference CLEANUP(reference)

#endif
