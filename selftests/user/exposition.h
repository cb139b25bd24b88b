/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Reads the text format of Prometheus, version 0.0.4, as strictly as its own
 * parser: families in one piece, each with HELP and TYPE before its samples, no
 * sample twice, labels escaped.
 */
#ifndef EXPOSITION_H
#define EXPOSITION_H

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SAMPLES	256
#define MAX_LABELS	4
#define MAX_TEXT	256

struct label {
	char name[MAX_TEXT];
	char value[MAX_TEXT];
};

struct sample {
	char name[MAX_TEXT];
	char type[MAX_TEXT];
	struct label labels[MAX_LABELS];
	size_t nr_labels;
	double value;
};

struct exposition {
	struct sample samples[MAX_SAMPLES];
	size_t nr;
	char family[MAX_TEXT];
	char type[MAX_TEXT];
	char families[MAX_SAMPLES][MAX_TEXT];
	size_t nr_families;
	const char *error;
};

static inline bool exposition_name(const char **at, char *out)
{
	size_t n = 0;

	while (isalpha((unsigned char)**at) || **at == '_' ||
	       (n && isdigit((unsigned char)**at))) {
		if (n == MAX_TEXT - 1)
			return false;
		out[n++] = *(*at)++;
	}
	out[n] = '\0';
	return n;
}

/* Behind the quotation mark, to behind the next one. */
static inline bool exposition_value(const char **at, char *out)
{
	size_t n = 0;

	for (; **at != '"'; (*at)++) {
		char c = **at;

		/* Bytes over 127 would have to be UTF-8; none are expected. */
		if (!c || c & 0x80 || n == MAX_TEXT - 1)
			return false;
		if (c == '\\') {
			c = *++*at;
			if (c == 'n')
				c = '\n';
			else if (c != '\\' && c != '"')
				return false;
		}
		out[n++] = c;
	}
	(*at)++;
	out[n] = '\0';
	return true;
}

static inline bool exposition_labels(const char **at, struct sample *s)
{
	if (**at != '{')
		return true;
	do {
		struct label *l = &s->labels[s->nr_labels];

		(*at)++;
		if (s->nr_labels == MAX_LABELS ||
		    !exposition_name(at, l->name) || *(*at)++ != '=' ||
		    *(*at)++ != '"' || !exposition_value(at, l->value))
			return false;
		s->nr_labels++;
	} while (**at == ',');
	return *(*at)++ == '}';
}

static inline bool exposition_same(const struct sample *a,
				   const struct sample *b)
{
	size_t i;

	if (strcmp(a->name, b->name) || a->nr_labels != b->nr_labels)
		return false;
	for (i = 0; i < a->nr_labels; i++)
		if (strcmp(a->labels[i].name, b->labels[i].name) ||
		    strcmp(a->labels[i].value, b->labels[i].value))
			return false;
	return true;
}

static inline const char *exposition_sample(struct exposition *e,
					    const char *line)
{
	struct sample *s = &e->samples[e->nr];
	size_t i;
	char *end;

	if (e->nr == MAX_SAMPLES)
		return "too many samples";
	memset(s, 0, sizeof(*s));
	if (!exposition_name(&line, s->name) || !exposition_labels(&line, s) ||
	    *line++ != ' ')
		return "not a sample";
	s->value = strtod(line, &end);
	if (end == line || *end)
		return "not a number";
	if (strcmp(s->name, e->family))
		return "a sample of another family";
	if (!*e->type)
		return "a sample before its TYPE";
	if (!strcmp(e->type, "counter") !=
	    (strlen(s->name) > 6 &&
	     !strcmp(s->name + strlen(s->name) - 6, "_total")))
		return "a name that does not fit the type";
	strcpy(s->type, e->type);
	for (i = 0; i < e->nr; i++)
		if (exposition_same(s, &e->samples[i]))
			return "a sample twice";
	e->nr++;
	return NULL;
}

static inline const char *exposition_comment(struct exposition *e,
					     const char *line)
{
	char name[MAX_TEXT];
	size_t i;

	if (!strncmp(line, "# HELP ", 7)) {
		line += 7;
		if (!exposition_name(&line, e->family) || *line++ != ' ' ||
		    !*line)
			return "not a HELP";
		*e->type = '\0';
		for (i = 0; i < e->nr_families; i++)
			if (!strcmp(e->family, e->families[i]))
				return "a family twice";
		strcpy(e->families[e->nr_families++], e->family);
		return NULL;
	}
	if (strncmp(line, "# TYPE ", 7))
		return "not a comment";
	line += 7;
	if (!exposition_name(&line, name) || strcmp(name, e->family) ||
	    *line++ != ' ' || *e->type)
		return "not a TYPE";
	if (strcmp(line, "counter") && strcmp(line, "gauge"))
		return "an unknown type";
	strcpy(e->type, line);
	return NULL;
}

/* Returns NULL, or what is wrong. Cuts @text into lines. */
static inline const char *exposition_read(struct exposition *e, char *text)
{
	char *line = text, *end;
	const char *error;

	memset(e, 0, sizeof(*e));
	for (; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			return "the last line does not end";
		*end = '\0';
		error = *line == '#' ? exposition_comment(e, line) :
				       exposition_sample(e, line);
		if (error)
			return error;
	}
	return NULL;
}

/* The value of a sample with this label, or without one; else -1. */
static inline double exposition_find(const struct exposition *e,
				     const char *name, const char *label)
{
	size_t i;

	for (i = 0; i < e->nr; i++) {
		const struct sample *s = &e->samples[i];

		if (!strcmp(s->name, name) &&
		    !s->nr_labels == !label &&
		    (!label || !strcmp(s->labels[0].value, label)))
			return s->value;
	}
	return -1;
}

#endif /* EXPOSITION_H */
