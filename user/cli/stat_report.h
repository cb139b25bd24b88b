/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Reports of what the module tells
 */
#ifndef CLI_STAT_REPORT_H
#define CLI_STAT_REPORT_H

#include <json-c/json.h>
#include <stdio.h>

#include "snapshot.h"

/** stat_report_text() - tables for people */
void stat_report_text(const struct snapshot *s, FILE *out);

/** stat_report_json() - an object; what the module does not tell is null */
struct json_object *stat_report_json(const struct snapshot *s);

/**
 * stat_report_prometheus() - for a Prometheus, in its text format 0.0.4
 *
 * What the module does not tell is left out.
 */
void stat_report_prometheus(const struct snapshot *s, FILE *out);

#endif /* CLI_STAT_REPORT_H */
