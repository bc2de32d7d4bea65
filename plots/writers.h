// SPDX-License-Identifier: GPL-3.0-or-later
/* Every format, one file each. To add one: write its file, a line here and one in writers.c. */
#ifndef BOXMARK_PLOTS_WRITERS_H
#define BOXMARK_PLOTS_WRITERS_H

#include "plots/report.h"

extern const struct report_writer writer_terminal;
extern const struct report_writer writer_html;
extern const struct report_writer writer_markdown;
extern const struct report_writer writer_latex;
extern const struct report_writer writer_csv;
extern const struct report_writer writer_json;

#endif
