/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Messages: what goes to standard error, each a line that begins with the
 * name of the program
 */
#ifndef CLI_MESSAGE_H
#define CLI_MESSAGE_H

void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* CLI_MESSAGE_H */
