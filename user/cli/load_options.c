// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <string.h>

#include "load_options.h"
#include "options.h"

#define MAX_WORKERS 4096

const char *const load_io_names[] = {
	[RAMLOAD_IO_AUTO] = "auto",
	[RAMLOAD_IO_DIRECT] = "on",
	[RAMLOAD_IO_BUFFERED] = "off",
	NULL
};

static bool parse_engine(struct load *load, const char *name)
{
	enum ramload_engine engine;

	for (engine = 0; engine <= RAMLOAD_ENGINE_USER; engine++) {
		if (!strcmp(name, ramload_engine_name(engine))) {
			load->engine = engine;
			return true;
		}
	}
	return false;
}

static bool parse_direct(struct load *load, const char *when)
{
	int io = options_choice(when, load_io_names);

	if (io < 0)
		return false;
	load->io = io;
	return true;
}

bool load_option(struct load *load, const char *command, int option,
		 const char *argument)
{
	const char *name;
	bool good;

	switch (option) {
	case LOAD_ENGINE:
		name = "engine";
		good = parse_engine(load, argument);
		break;
	case LOAD_WORKERS:
		name = "workers";
		good = options_number(argument, MAX_WORKERS, &load->workers);
		break;
	case LOAD_DIRECT:
		name = "direct";
		good = parse_direct(load, argument);
		break;
	case LOAD_DONTCACHE:
		return load->dontcache = true;
	default:
		return input_option(&load->input, command, option, argument);
	}
	if (!good)
		options_bad_value(command, name, argument);
	return good;
}
