// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "input.h"
#include "message.h"
#include "options.h"
#include "size.h"

static bool known_format(const char *name)
{
	const char *known;
	size_t i;

	for (i = 0; (known = ramload_image_format_name(i)); i++) {
		if (!strcmp(name, known))
			return true;
	}
	return false;
}

static bool add_layer(struct input *input, const char *command,
		      const char *path)
{
	if (input->nr_layers == INPUT_LAYERS) {
		message("%s: more than %d layers", command, INPUT_LAYERS);
		return false;
	}
	input->layers[input->nr_layers++] = path;
	return true;
}

bool input_option(struct input *input, const char *command, int option,
		  const char *argument)
{
	switch (option) {
	case INPUT_OFFSET:
		if (size_parse(argument, &input->offset))
			return true;
		options_bad_value(command, "offset", argument);
		return false;
	case INPUT_FORMAT:
		input->format = argument;
		if (known_format(argument))
			return true;
		options_bad_value(command, "format", argument);
		return false;
	case INPUT_LAYER:
		return add_layer(input, command, argument);
	}
	return false;
}

/* Opening a FIFO, which is no image anyway, must not wait for a writer. */
static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int err;

	if (fd >= 0 && fcntl(fd, F_SETFL, 0) == 0)
		return fd;
	err = -errno;
	message("%s: %s", path, strerror(-err));
	if (fd >= 0)
		close(fd);
	return err;
}

static int open_layer(struct input *input, const char *path)
{
	struct ramload_image_error error;
	int fd, err;

	fd = open_file(path);
	if (fd < 0)
		return fd;
	err = ramload_image_add_layer(input->image, fd, path, &error);
	if (err)
		message("%s", error.text);
	close(fd);
	return err;
}

int input_open(struct input *input)
{
	struct ramload_image_error error;
	size_t i;
	int fd, err;

	fd = open_file(input->path);
	if (fd < 0)
		return fd;
	err = ramload_image_open(fd, input->offset, input->format,
				 &input->image, &error);
	if (err)
		message("%s: %s", input->path, error.text);
	close(fd);
	for (i = 0; i < input->nr_layers && !err; i++)
		err = open_layer(input, input->layers[i]);
	return err;
}

void input_close(struct input *input)
{
	ramload_image_close(input->image);
	input->image = NULL;
}

uint64_t input_length(const struct input *input)
{
	uint64_t length = 0;
	size_t i;

	for (i = 0; i < ramload_image_nr_blocks(input->image); i++)
		length += ramload_image_block(input->image, i)->length;
	return length;
}

uint64_t input_present(const struct input *input)
{
	uint64_t present = 0;
	size_t i;

	for (i = 0; i < ramload_image_nr_blocks(input->image); i++)
		present += ramload_image_block(input->image, i)->present;
	return present;
}
