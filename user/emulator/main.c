// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * ramload-emulator: a small emulator that saves and restores
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator.h"
#include "machine.h"
#include "snapshot.h"

static const char help[] =
	"Usage: ramload-emulator run [OPTION]...\n"
	"       ramload-emulator save FILE [OPTION]...\n"
	"       ramload-emulator restore FILE [OPTION]...\n"
	"Run a small guest on KVM that fills its memory and checks it, generation after\n"
	"generation; save it, or restore it and go on.\n"
	"\n"
	"  --memory MIB         memory of the guest, even, from 4 to 2048; 64 if not given\n"
	"  --cpus N             number of vCPUs, 1 to 16; 2 if not given\n"
	"  --generations N      stop or save when each vCPU has checked N more; 2 if not\n"
	"                       given\n"
	"  --engine NAME        restore by kernel (the module), user (pread), or auto:\n"
	"                       kernel where it can be used, else user; the default\n"
	"  --help               print this\n"
	"\n"
	"A restored guest has the memory and vCPUs that were saved. Exit status: 0 if all\n"
	"checks were right, 1 if not, 2 if the command line is wrong, 4 without KVM.\n";

/**
 * struct command - the command line
 * @name: run, save or restore
 * @path: the file, NULL: none
 * @memory: in MiB
 * @cpus: number of vCPUs
 * @generations: how many more
 * @engine: who restores
 */
struct command {
	const char *name;
	const char *path;
	unsigned long memory;
	unsigned long cpus;
	unsigned long generations;
	enum engine engine;
};

__attribute__((noreturn)) static void usage_error(void)
{
	fputs("Try 'ramload-emulator --help'.\n", stderr);
	exit(EXIT_USAGE);
}

static unsigned long parse_number(const char *option, const char *text,
				  unsigned long min, unsigned long max)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || value < min ||
	    value > max) {
		warnx("--%s '%s' is not from %lu to %lu", option, text, min,
		      max);
		usage_error();
	}
	return value;
}

static enum engine parse_engine(const char *name)
{
	static const char *const names[] = { "auto", "kernel", "user" };

	for (enum engine i = ENGINE_AUTO; i <= ENGINE_USER; i++)
		if (!strcmp(name, names[i]))
			return i;
	warnx("bad --engine '%s'", name);
	usage_error();
}

static void parse_options(struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{ "memory", required_argument, NULL, 'm' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "generations", required_argument, NULL, 'g' },
		{ "engine", required_argument, NULL, 'e' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'm')
			command->memory = parse_number("memory", optarg, 4,
						       MAX_MEMORY >> 20);
		else if (option == 'c')
			command->cpus = parse_number("cpus", optarg, 1,
						     MAX_CPUS);
		else if (option == 'g')
			command->generations = parse_number("generations",
							    optarg, 1, 1000000);
		else if (option == 'e')
			command->engine = parse_engine(optarg);
		else if (option == 'h')
			exit(fputs(help, stdout) < 0 ? EXIT_FAILED : EXIT_OK);
		else
			usage_error();
	}
}

static void parse(struct command *command, int argc, char **argv)
{
	bool has_path;

	parse_options(command, argc, argv);
	command->name = optind < argc ? argv[optind++] : "";
	has_path = !strcmp(command->name, "save") ||
		   !strcmp(command->name, "restore");
	if (argc - optind != has_path ||
	    (!has_path && strcmp(command->name, "run"))) {
		warnx("is it run, save FILE or restore FILE?");
		usage_error();
	}
	command->path = has_path ? argv[optind] : NULL;
	if (command->memory % 2) {
		warnx("--memory %lu is odd", command->memory);
		usage_error();
	}
}

/* The last that any vCPU has done. */
static uint32_t generations(const struct machine *machine)
{
	uint32_t last = 0;

	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		if (machine->vcpus[i].generation > last)
			last = machine->vcpus[i].generation;
	return last;
}

int main(int argc, char **argv)
{
	struct command command = {
		.memory = 64,
		.cpus = 2,
		.generations = 2,
	};
	struct machine machine = {};

	parse(&command, argc, argv);
	machine_open_kvm(&machine);
	if (!strcmp(command.name, "restore")) {
		machine_restore(&machine, command.path, command.engine);
	} else {
		machine_create(&machine, command.memory << 20, command.cpus);
		machine_boot(&machine);
	}
	machine_start(&machine);
	if (!machine_wait(&machine,
			  generations(&machine) + command.generations))
		return EXIT_FAILED;
	machine_stop(&machine);
	if (!strcmp(command.name, "save"))
		machine_save(&machine, command.path);
	return fflush(stdout) ? EXIT_FAILED : EXIT_OK;
}
