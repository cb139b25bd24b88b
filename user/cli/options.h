/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Options: getopt_long() with messages that name the option
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <getopt.h>
#include <ramload.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * options_next() - the next option
 * @options: "help" must be among them, with the value 'h'
 *
 * Options may stand before and after operands.
 *
 * Return: the option's value with optarg set, -1 after the last, or '?' after
 * a message
 */
int options_next(int argc, char **argv, const struct option *options);

/**
 * options_operands() - the operands
 * @nr: how many there must be
 * @what: the words for them in the usage
 * @operands: filled in
 *
 * Return: true; false after a message if there are fewer or more
 */
bool options_operands(int argc, char **argv, int nr, const char *const *what,
		      const char **operands);

/** options_bad_value() - say that @value is none that --@option takes */
void options_bad_value(const char *command, const char *option,
		       const char *value);

/** options_choice() - index of @value in @choices, which NULL ends; or -1 */
int options_choice(const char *value, const char *const *choices);

/** options_number() - read a decimal number from 1 to @max; false if it is none */
bool options_number(const char *value, uint64_t max, unsigned int *number);

/** options_memory_kind() - find a kind of memory by its name; false if none */
bool options_memory_kind(const char *value, enum ramload_memory_kind *kind);

#endif /* CLI_OPTIONS_H */
