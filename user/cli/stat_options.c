// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <limits.h>

#include "message.h"
#include "stat_options.h"

bool stat_option(struct stat_options *options, const char *command, int option,
		 const char *argument)
{
	const char *name = "sort";
	int key;

	switch (option) {
	case STAT_PID:
		name = "pid";
		if (options_number(argument, INT_MAX, &options->filter.pid))
			return true;
		break;
	case STAT_CONTEXT:
		name = "context";
		if (options_number(argument, UINT_MAX,
				   &options->filter.context))
			return true;
		break;
	default:
		key = options_choice(argument, job_key_names);
		options->key = key;
		if (key >= 0)
			return true;
	}
	options_bad_value(command, name, argument);
	return false;
}

void stat_warn(bool own, bool interrupted)
{
	if (own)
		message("without CAP_NET_ADMIN only what this process itself loads is shown");
	if (interrupted)
		message("so much began and ended meanwhile that something may be missing");
}
