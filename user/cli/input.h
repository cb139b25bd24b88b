/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Input: the image that a command is given, and the options that say how it
 * is to be read
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ramload.h"

/* The most that one takes. */
#define INPUT_LAYERS 1024

/**
 * struct input - an image
 * @path: its file, or directory
 * @offset: where in the file it starts
 * @format: NULL to probe
 * @layers: files to put over it, the newest last
 * @nr_layers: how many
 * @image: what it holds; NULL before input_open()
 */
struct input {
	const char *path;
	uint64_t offset;
	const char *format;
	const char *layers[INPUT_LAYERS];
	size_t nr_layers;
	struct ramload_image *image;
};

/* For struct option: values that input_option() takes. */
enum {
	INPUT_OFFSET = 0x100,
	INPUT_FORMAT,
	INPUT_LAYER,
};

/* Elements of an array of struct option. */
#define INPUT_OPTIONS \
	{ "offset", required_argument, NULL, INPUT_OFFSET }, \
	{ "format", required_argument, NULL, INPUT_FORMAT }, \
	{ "layer", required_argument, NULL, INPUT_LAYER }

#define INPUT_HELP \
	"  --offset BYTES   where in the file the image starts, as 4096, 4K or 0x1000\n" \
	"  --format NAME    mapped-ram, libvirt, elf, raw, criu or cloud-hypervisor, instead\n" \
	"                   of finding out\n" \
	"  --layer FILE     put FILE, as long as a raw image, over it: where FILE has no\n" \
	"                   hole, it is newer. Of several, the newest comes last.\n"

/**
 * input_option() - take an option
 * @command: for the message
 * @option: its value in struct option
 * @argument: its argument
 *
 * Return: true; false after a message, or if it is none of INPUT_OPTIONS
 */
bool input_option(struct input *input, const char *command, int option,
		  const char *argument);

/** input_open() - read the image; 0, or a negative errno after a message */
int input_open(struct input *input);

void input_close(struct input *input);

/** input_length() - bytes of guest memory in all blocks */
uint64_t input_length(const struct input *input);

/** input_present() - bytes present in all blocks */
uint64_t input_present(const struct input *input);

#endif /* CLI_INPUT_H */
