// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/vm_sockets.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/capture.h"
#include "lib/listener.h"
#include "lib/memory.h"
#include "uapi/nestrace.h"

#define HELLO		"tracecmd"
#define VERSION_3	"-1V3"
#define MAGIC_3		"766679\0"	/* with both of its NULs */
#define MESSAGE_MAX	8192
#define PATIENCE_MS	(LISTENER_PATIENCE * 1000)
#define RETRY_US	10000
#define DRIP_S		3
#define CPUS_MAX	4096
#define FILE_MS		(60 * 1000)	/* to make the file */

enum message { CLOSE = 0, TINIT = 1, RINIT = 2, SEND_DATA = 3, FIN_DATA = 4, NOT_SUPPORTED = 5 };

/* The head of a message; all numbers are big-endian. */
struct head {
	uint32_t size, message, own_size;	/* @own_size: of the fields behind it */
};

enum state { WORKS, STOOD_STILL, GONE };

/* The connection for the data of one CPU. */
struct stream {
	int fd;
	/* the rest of a sub-buffer of which a part was sent */
	char rest[NESTRACE_SUBBUF_SIZE];
	size_t rest_len;
};

struct listener {
	char *address;
	bool vsock;
	int fd;				/* the first connection */
	unsigned int nr_cpus;
	struct stream *stream;		/* by CPU */
	atomic_int state;
	atomic_bool reported;
	atomic_int err;			/* why it is gone, or stood still */
	pthread_mutex_t lock;		/* of the next two */
	struct block begin;		/* of the file */
	size_t sent;			/* bytes of it */
	pthread_t thread;		/* that sends them */
	int stop;			/* closed to end it; -1: it does not run */
	int stopped;			/* the other end of that pipe */
};

static time_t seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* Return true once @fd is ready for @events, false if it is not in time, with ETIMEDOUT in errno. */
static bool wait_for(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do {
		n = poll(&p, 1, ms);
	} while (n < 0 && errno == EINTR);
	if (!n)
		errno = ETIMEDOUT;
	return n > 0;
}

/* Return how many bytes are on their way, which the other machine has not confirmed; 0: none, or it is not known. */
static int on_their_way(int fd)
{
	int bytes = 0;

	return ioctl(fd, SIOCOUTQ, &bytes) ? 0 : bytes;
}

/* Wait as wait_for() does, for as long as the other machine takes something each PATIENCE_MS. */
static bool wait_while_it_moves(int fd, short events)
{
	int before, now = on_their_way(fd);

	do {
		before = now;
		if (wait_for(fd, events, PATIENCE_MS))
			return true;
		if (errno != ETIMEDOUT)
			return false;
		now = on_their_way(fd);
	} while (now && now < before);
	errno = ETIMEDOUT;
	return false;
}

/* Send @len bytes. Return: how many went; less after an error, in errno. */
static size_t send_some(int fd, const void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = send(fd, (const char *)buf + done, len - done, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			done += n;
		else if (n < 0 && errno == EINTR)
			continue;
		else if (n < 0 && errno != EAGAIN)
			break;
		else if (!wait_while_it_moves(fd, POLLOUT))
			break;
	}
	return done;
}

static bool send_all(int fd, const void *buf, size_t len)
{
	return send_some(fd, buf, len) == len;
}

/* Receive @len bytes within @ms. */
static bool receive_within(int fd, void *buf, size_t len, int ms)
{
	const time_t end = seconds() + ms / 1000;
	ssize_t n;

	for (; len; buf = (char *)buf + n, len -= n) {
		if (seconds() > end)
			errno = ETIMEDOUT;
		if (seconds() > end || !wait_for(fd, POLLIN, ms))
			return false;
		n = recv(fd, buf, len, 0);
		if (n < 0 && errno == EINTR) {
			n = 0;
		} else if (n <= 0) {
			errno = n ? errno : ECONNRESET;
			return false;
		}
	}
	return true;
}

static bool receive_all(int fd, void *buf, size_t len)
{
	return receive_within(fd, buf, len, PATIENCE_MS);
}

/* ---- connections ---- */

static bool connect_in_time(int fd, const struct sockaddr *address, socklen_t len)
{
	socklen_t size = sizeof(int);
	int err = 0;

	if (fcntl(fd, F_SETFL, O_NONBLOCK))
		return false;
	if (!connect(fd, address, len))
		return true;
	if (errno != EINPROGRESS || !wait_for(fd, POLLOUT, PATIENCE_MS))
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size))
		return false;
	errno = err;
	return !err;
}

/* Return: a connection, or -1 with errno set; EINVAL: there is no such host. */
static int connect_tcp(const char *host, const char *port)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list, *a;
	const int on = 1;
	int fd = -1, err = EINVAL;

	if (getaddrinfo(host, port, &hints, &list)) {
		errno = EINVAL;
		return -1;
	}
	for (a = list; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
		if (fd >= 0 && connect_in_time(fd, a->ai_addr, a->ai_addrlen))
			break;
		/* the address where nobody listens yet says most */
		if (err != ECONNREFUSED && err != ECONNRESET)
			err = errno;
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	if (fd >= 0)
		/* an end that vanishes without a word is found by that */
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	errno = err;
	return fd;
}

static int connect_vsock(unsigned int cid, unsigned int port)
{
	const struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port };
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0 || connect_in_time(fd, (const struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/* Connect to a port of the listener's machine. */
static int connect_to(const struct listener *l, const char *port)
{
	const char *colon = strrchr(l->address, ':'), *begin = l->address;
	size_t len = colon - begin;
	char *host;
	int fd;

	if (l->vsock)
		return connect_vsock(strtoul(l->address, NULL, 10), strtoul(port, NULL, 10));
	/* [::1]:12345 */
	if (len >= 2 && *begin == '[' && begin[len - 1] == ']') {
		begin++;
		len -= 2;
	}
	host = strndup(begin, len);
	if (!host)
		out_of_memory();
	fd = connect_tcp(host, port);
	free(host);
	return fd;
}

/* ---- messages ---- */

static bool send_message(struct listener *l, enum message message, const void *data, size_t len)
{
	char buf[MESSAGE_MAX];
	const struct head head = { .size = htonl(sizeof(head) + len), .message = htonl(message) };

	memcpy(buf, &head, sizeof(head));
	if (len)
		memcpy(buf + sizeof(head), data, len);
	return send_all(l->fd, buf, sizeof(head) + len);
}

static bool send_setup(struct listener *l)
{
	const char *word = l->vsock ? "vsock" : "tcp";
	struct {
		struct head head;
		uint32_t cpus, page_size, options;
		char word[8];
	} m = { .cpus = htonl(l->nr_cpus), .page_size = htonl(NESTRACE_SUBBUF_SIZE), .options = htonl(1) };
	size_t size = offsetof(typeof(m), word) + strlen(word) + 1;

	m.head = (struct head){ htonl(size), htonl(TINIT), htonl(3 * sizeof(uint32_t)) };
	strcpy(m.word, word);
	return send_all(l->fd, &m, size);
}

/* Receive the ports for the data. Return: text with a NUL behind each, to be freed; NULL after an error. */
static char *receive_ports(struct listener *l, size_t *len)
{
	struct head head;
	uint32_t cpus;
	char *text;

	errno = EPROTO;
	if (!receive_all(l->fd, &head, sizeof(head)))
		return NULL;
	*len = ntohl(head.size) - sizeof(head) - sizeof(cpus);
	if (ntohl(head.message) != RINIT || ntohl(head.own_size) != sizeof(cpus) || *len > MESSAGE_MAX ||
	    !receive_all(l->fd, &cpus, sizeof(cpus)) || ntohl(cpus) != l->nr_cpus) {
		errno = EPROTO;
		return NULL;
	}
	text = xzalloc(*len + 1, 1);
	if (receive_all(l->fd, text, *len))
		return text;
	free(text);
	return NULL;
}

static bool shake_hands(struct listener *l)
{
	char answer[sizeof(HELLO)];

	if (!receive_all(l->fd, answer, strlen(HELLO)))
		return false;
	errno = EPROTO;
	if (memcmp(answer, HELLO, strlen(HELLO)) || !send_all(l->fd, VERSION_3, sizeof(VERSION_3)) ||
	    !receive_all(l->fd, answer, 3))
		return false;
	errno = EPROTO;
	/* an older one answers with the oldest protocol, which cannot say that the file is complete */
	return !memcmp(answer, "V3", 3) && send_all(l->fd, MAGIC_3, sizeof(MAGIC_3)) && receive_all(l->fd, answer, 2) &&
	       !memcmp(answer, "OK", 2) && send_setup(l);
}

/* Connect to the process that reads a stream. It may listen only after we have its port. */
static int connect_stream(const struct listener *l, const char *port)
{
	time_t end = seconds() + LISTENER_PATIENCE;
	int fd;

	while ((fd = connect_to(l, port)) < 0 && (errno == ECONNREFUSED || errno == ECONNRESET) && seconds() < end)
		usleep(RETRY_US);
	return fd;
}

static bool connect_streams(struct listener *l)
{
	char *ports, *port;
	unsigned int i;
	size_t len;
	bool ok = true;

	ports = receive_ports(l, &len);
	if (!ports)
		return false;
	for (i = 0, port = ports; ok && i < l->nr_cpus; i++, port += strlen(port) + 1) {
		ok = port < ports + len;
		if (!ok)
			errno = EPROTO;
		else
			l->stream[i].fd = connect_stream(l, port);
		ok = ok && l->stream[i].fd >= 0;
	}
	free(ports);
	return ok;
}

/* Set the error of a connection that could not be made. */
static bool explain(const struct listener *l, struct error *e)
{
	const char *option = l->vsock ? "-V" : "-N";

	switch (errno) {
	case EINVAL:
		return error_set(e, "no such host: '%s %s'; check the name", option, l->address);
	case ECONNREFUSED: case ECONNRESET:
		return error_set(e, "nobody listens there: '%s %s'; start trace-cmd listen %s PORT on that machine", option, l->address,
				 l->vsock ? "-V -p" : "-p");
	case EPROTO:
		return error_set(e, "no trace-cmd listen of protocol 3 is there: '%s %s'; use one of version 2.8 or later", option, l->address);
	case ETIMEDOUT:
		return error_set(e, "no answer within %d s: '%s %s'; check the address, the firewall, and that it is trace-cmd listen", LISTENER_PATIENCE, option,
				 l->address);
	case EAFNOSUPPORT:
		if (!l->vsock)
			return error_set_errno(e, "cannot connect: '-N %s'", l->address);
		return error_set(e, "this kernel has no vsock: '-V %s'; load vmw_vsock_virtio_transport or vsock_loopback", l->address);
	default:
		return error_set_errno(e, "cannot connect: '%s %s'", option, l->address);
	}
}

/* Has it a port, and with @vsock a number before it? */
static bool is_address(const char *address, bool vsock)
{
	const char *colon = strrchr(address, ':');
	char *end;
	unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;

	if (!colon || colon == address || colon[1] < '0' || colon[1] > '9' || *end || !port)
		return false;
	if (!vsock)
		return port < 65536;
	strtoul(address, &end, 10);
	return *address >= '0' && *address <= '9' && end == colon;
}

/* Note that it gets no more data. */
static void fail(struct listener *l, int err)
{
	int works = WORKS;

	/* before the state, for who sees that */
	atomic_store(&l->err, err);
	if (err != ETIMEDOUT)
		atomic_store(&l->state, GONE);
	else
		atomic_compare_exchange_strong(&l->state, &works, STOOD_STILL);
}

/* Note that the first connection cannot be used any more: a message may be cut. */
static void lose_first(struct listener *l, int err)
{
	fail(l, err);
	atomic_store(&l->state, GONE);
}

/* Send a byte of the beginning now and then. */
static void *keep(void *arg)
{
	struct listener *l = arg;

	capture_block_internal();
	while (!wait_for(l->stopped, POLLIN, DRIP_S * 1000) && errno == ETIMEDOUT && atomic_load(&l->state) != GONE) {
		pthread_mutex_lock(&l->lock);
		if (l->sent == l->begin.len)
			;
		else if (send_message(l, SEND_DATA, l->begin.data + l->sent, 1))
			l->sent++;
		else
			lose_first(l, errno);
		pthread_mutex_unlock(&l->lock);
	}
	return NULL;
}

static bool begin_keeping(struct listener *l)
{
	sigset_t all, before;
	int ends[2], err;

	if (pipe2(ends, O_CLOEXEC))
		return false;
	l->stopped = ends[0];
	l->stop = ends[1];
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&l->thread, NULL, keep, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!err)
		return true;
	close(l->stop);
	close(l->stopped);
	l->stop = -1;
	errno = err;
	return false;
}

static void stop_keeping(struct listener *l)
{
	if (l->stop < 0)
		return;
	close(l->stop);
	pthread_join(l->thread, NULL);
	close(l->stopped);
	l->stop = -1;
}

struct listener *listener_connect(const char *address, bool vsock, unsigned int nr_cpus, struct error *e)
{
	struct listener *l = xzalloc(1, sizeof(*l));
	unsigned int i;

	l->address = xstrdup(address);
	l->vsock = vsock;
	l->nr_cpus = nr_cpus;
	l->stream = xzalloc(nr_cpus, sizeof(*l->stream));
	l->fd = l->stop = -1;
	pthread_mutex_init(&l->lock, NULL);
	for (i = 0; i < nr_cpus; i++)
		l->stream[i].fd = -1;
	if (!is_address(address, vsock)) {
		error_set(e, vsock ? "not CID:PORT: '-V %s'; for example -V 2:12345" : "not HOST:PORT: '-N %s'; for example -N collector:12345", address);
	} else if (nr_cpus > CPUS_MAX) {
		error_set(e, "too many CPUs for the protocol of trace-cmd: '%u'; record into a file, and copy that", nr_cpus);
	} else {
		l->fd = connect_to(l, strrchr(address, ':') + 1);
		if (l->fd >= 0 && shake_hands(l) && connect_streams(l) && begin_keeping(l))
			return l;
		explain(l, e);
	}
	listener_close(l);
	return NULL;
}

/* ---- data ---- */

size_t listener_send(struct listener *l, unsigned int cpu, const void *buf, size_t len)
{
	struct stream *s = &l->stream[cpu];
	size_t sent, part;

	if (atomic_load(&l->state) != WORKS)
		return 0;
	sent = send_some(s->fd, buf, len);
	if (sent == len)
		return len;
	fail(l, errno);
	/* it has a part of a sub-buffer: keep the rest, which belongs to it */
	part = sent % NESTRACE_SUBBUF_SIZE;
	if (part) {
		s->rest_len = NESTRACE_SUBBUF_SIZE - part;
		memcpy(s->rest, (const char *)buf + sent, s->rest_len);
		sent += s->rest_len;
	}
	return sent;
}

bool listener_works(struct listener *l, struct error *e)
{
	ssize_t n;
	char c;

	/* it says nothing while data comes, unless it has ended, or has given up and answers what it does not expect */
	n = atomic_load(&l->state) == WORKS ? recv(l->fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) : -1;
	if (n >= 0)
		fail(l, n ? ECONNABORTED : ECONNRESET);
	if (atomic_load(&l->state) == WORKS)
		return true;
	*e->text = '\0';
	if (atomic_exchange(&l->reported, true))
		return false;
	if (atomic_load(&l->state) == STOOD_STILL)
		return error_set(e, "the listener has taken nothing for %d s: '%s'", LISTENER_PATIENCE, l->address);
	if (atomic_load(&l->err) == ECONNABORTED)
		return error_set(e, "the listener has given up: '%s'", l->address);
	errno = atomic_load(&l->err);
	return error_set_errno(e, "the listener is gone: '%s'", l->address);
}

void listener_head(struct listener *l, const struct block *b)
{
	pthread_mutex_lock(&l->lock);
	block_add(&l->begin, b->data, b->len);
	pthread_mutex_unlock(&l->lock);
}

unsigned long listener_keeps(struct listener *l)
{
	unsigned long left;

	pthread_mutex_lock(&l->lock);
	left = (l->begin.len - l->sent) * DRIP_S;
	pthread_mutex_unlock(&l->lock);
	return left;
}

/* ---- the end ---- */

/* Let the process that reads a stream see its end, and wait until it has taken all and ended. */
static bool end_stream(struct stream *s)
{
	char c;

	if (!send_all(s->fd, s->rest, s->rest_len))
		return false;
	shutdown(s->fd, SHUT_WR);
	if (!wait_while_it_moves(s->fd, POLLIN | POLLRDHUP) && (errno != ETIMEDOUT || on_their_way(s->fd)))
		return false;
	/* its machine has all, and its disk may be slow */
	if (!wait_for(s->fd, POLLIN | POLLRDHUP, FILE_MS))
		return false;
	/* anything but the end means that it has not read all */
	return !recv(s->fd, &c, 1, 0);
}

static bool send_begin(struct listener *l)
{
	size_t some;

	for (; l->sent < l->begin.len; l->sent += some) {
		some = l->begin.len - l->sent;
		if (some > MESSAGE_MAX - sizeof(struct head))
			some = MESSAGE_MAX - sizeof(struct head);
		if (!send_message(l, SEND_DATA, l->begin.data + l->sent, some))
			return false;
	}
	return send_message(l, FIN_DATA, NULL, 0);
}

/*
 * Wait until the listener has taken the beginning. It does not say so, but it answers a message that it does not
 * expect. Until then no stream may end: the end of the process that reads it would interrupt the listener, which
 * takes that for the end of the beginning.
 */
static bool begin_was_taken(struct listener *l)
{
	struct head answer;
	char c;

	/* an answer already: it has given up, and takes all for something that it does not expect */
	if (recv(l->fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) >= 0) {
		errno = ETIMEDOUT;
		return false;
	}
	if (!send_message(l, FIN_DATA, NULL, 0) || !receive_within(l->fd, &answer, sizeof(answer), FILE_MS))
		return false;
	errno = EPROTO;
	return ntohl(answer.message) == NOT_SUPPORTED;
}

static bool finish(struct listener *l)
{
	unsigned int i;

	if (!send_begin(l) || !begin_was_taken(l))
		return false;
	for (i = 0; i < l->nr_cpus; i++)
		if (!end_stream(&l->stream[i]))
			return false;
	return send_message(l, CLOSE, NULL, 0);
}

enum listener_end listener_finish(struct listener *l, struct error *e)
{
	char c;

	stop_keeping(l);
	if (atomic_load(&l->state) == GONE) {
		error_set(e, "the listener has no file: '%s'; look at its messages, and send again", l->address);
		return LISTENER_HAS_NONE;
	}
	if (!finish(l)) {
		error_set_errno(e, "the listener has no file: '%s'", l->address);
		return LISTENER_HAS_NONE;
	}
	/* it closes the connection when it has made its file */
	if (wait_for(l->fd, POLLIN | POLLRDHUP, FILE_MS) && !recv(l->fd, &c, 1, 0))
		return LISTENER_HAS_FILE;
	error_set(e, "the listener has not confirmed its file within %d s: '%s'; look at the file there", FILE_MS / 1000, l->address);
	return LISTENER_MAY_HAVE_FILE;
}

void listener_close(struct listener *l)
{
	unsigned int i;

	stop_keeping(l);
	for (i = 0; i < l->nr_cpus; i++)
		if (l->stream[i].fd >= 0)
			close(l->stream[i].fd);
	if (l->fd >= 0)
		close(l->fd);
	pthread_mutex_destroy(&l->lock);
	free(l->begin.data);
	free(l->stream);
	free(l->address);
	free(l);
}
