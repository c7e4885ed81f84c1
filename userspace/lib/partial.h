/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The directory of a recording that is not complete: FILE.nestrace beside FILE. It holds all
 * that nestrace restore needs, and is removed once the file is complete. Its lock says
 * whether the recorder lives.
 */
#ifndef LIB_PARTIAL_H
#define LIB_PARTIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

#define PARTIAL_SUFFIX	".nestrace"
/* Its file that names the file which is being written in place. */
#define PARTIAL_TARGET	"target"
/* Its file that says that it can be removed. */
#define PARTIAL_DONE	"done"

/* The message about one that has nothing, with its path. */
#define PARTIAL_NOT_BEGUN	"nothing can be restored: '%s'; the recording was interrupted before it began; remove it"

struct output;

struct partial {
	char *path;
	int fd;			/* the directory */
	int lock;		/* its file "about" */
	char *kept;		/* what an interrupted recording into the same file left, or NULL */
	/* the content of "about" */
	char *output;		/* the path of the file */
	char clock[32];		/* its name in tracefs */
	unsigned int nr_cpus;
	unsigned int nr_streams;	/* as many, or twice as many with the kernel's events */
	uint64_t segment;	/* see spool_new() */
	bool holes;		/* its files can have them; set by partial_create() only */
};

/*
 * Make the directory for @o. Return: false after an error; EEXIST in errno if a recording
 * into that file is still running.
 */
bool partial_create(struct partial *p, const struct output *o, const char *clock,
		    unsigned int nr_cpus, unsigned int nr_streams, struct error *e);
/* Open what was left of a recording: the directory, or the name of its file. */
bool partial_open(struct partial *p, const char *path, struct error *e);
/* Return the name of the file that was to be made, to be freed. */
char *partial_target(const struct partial *p);
/* Replace the file @name by these bytes at once. Return: false with errno set. */
bool partial_put(const struct partial *p, const char *name, const void *data, size_t len);
/* Return the content of the file @name, to be freed, or NULL with errno set. */
char *partial_get(const struct partial *p, const char *name, size_t *len);
/*
 * Let the files of the directory @path survive the machine, as they are now; others may write them meanwhile, or
 * remove them. It may take as long as the disk.
 */
void partial_sync(const char *path);
/* Remove it with all that is in it. */
void partial_remove(struct partial *p);
void partial_free(struct partial *p);

#endif
