/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Reports of loads, on standard output
 */
#ifndef CLI_LOAD_REPORT_H
#define CLI_LOAD_REPORT_H

#include "load.h"

void load_report_text(const struct load *load);
void load_report_json(const struct load *load);

/** load_report_digests() - a line for each block */
void load_report_digests(const struct load *load);

#endif /* CLI_LOAD_REPORT_H */
