// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "cmd/syncing.h"
#include "lib/capture.h"
#include "lib/memory.h"
#include "lib/partial.h"

#define SAVE_NS		500000000L
#define SAVES_PER_SYNC	2

struct syncing {
	pthread_t thread;
	pthread_mutex_t lock;		/* of the rest */
	pthread_cond_t ended;
	bool over;
	char *path;
	void (*save)(void *arg);
	void *arg;
	unsigned int saves;
};

/* Wait half a second, with the lock held. */
static void wait_a_while(struct syncing *s)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += SAVE_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!s->over && !pthread_cond_timedwait(&s->ended, &s->lock, &until))
		;
}

/* Save until it is time to sync. Return: the directory, to be freed, or NULL at the end. */
static char *next_turn(struct syncing *s)
{
	char *path;

	pthread_mutex_lock(&s->lock);
	do {
		wait_a_while(s);
		/* with the lock, so that syncing_end() waits for it */
		if (!s->over)
			s->save(s->arg);
	} while (!s->over && ++s->saves % SAVES_PER_SYNC);
	path = s->over ? NULL : xstrdup(s->path);
	pthread_mutex_unlock(&s->lock);
	return path;
}

static void *sync_files(void *arg)
{
	char *path;

	capture_block_internal();
	while ((path = next_turn(arg))) {
		partial_sync(path);
		free(path);
	}
	return NULL;
}

struct syncing *syncing_begin(const char *path, void (*save)(void *arg), void *arg)
{
	struct syncing *s = xzalloc(1, sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->ended, NULL);
	s->path = xstrdup(path);
	s->save = save;
	s->arg = arg;
	if (!pthread_create(&s->thread, NULL, sync_files, s))
		return s;
	free(s->path);
	free(s);
	return NULL;
}

void syncing_go_on(struct syncing *s, const char *path)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	free(s->path);
	s->path = xstrdup(path);
	pthread_mutex_unlock(&s->lock);
}

void syncing_end(struct syncing *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->over = true;
	pthread_cond_signal(&s->ended);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->ended);
	pthread_mutex_destroy(&s->lock);
	free(s->path);
	free(s);
}
