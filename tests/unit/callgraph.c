// SPDX-License-Identifier: GPL-2.0
/* The stack that each hit is put on: userspace/output/callgraph.c. */
#include <event-parse.h>

#include "lib/context.h"
#include "lib/names.h"
#include "output/callgraph.h"
#include "spec.h"

enum { TASK = NESTRACE_SLOT_TASK, HARDIRQ = NESTRACE_SLOT_HARDIRQ };

/* functions of 0x100 bytes */
enum { OUTSIDE = 0x1000, A = 0x1100, B = 0x1200, C = 0x1300, D = 0x1400, RETURN = 0x1500 };

static struct tep_handle *tep;
static struct callgraph graph;
static char got[1024];

static void new_graph(void)
{
	char symbols[] = "1000 t outside\n1100 t a\n1200 t b\n1300 t c\n1400 t d\n1500 t return_to_handler\n1600 t end\n";

	callgraph_free(&graph);
	tep_free(tep);
	tep = names_of_symbols(symbols);
	callgraph_init(&graph, tep);
	*got = '\0';
}

/* @function was called from somewhere in @caller. */
static void call(unsigned int cpu, unsigned int slot, int pid, uint64_t function, uint64_t caller)
{
	struct hit hit = { .ip = function + 4, .parent_ip = caller + 0x30, .pid = pid, .slot = slot };
	const struct node *node = callgraph_hit(&graph, cpu, &hit);
	char stack[256] = "";

	for (; node->depth; node = &graph.node[node->parent]) {
		char longer[512];

		snprintf(longer, sizeof(longer), "%s%s%s", tep_find_function(tep, node->function),
			 *stack ? ">" : "", stack);
		strcpy(stack, longer);
	}
	snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", *got ? " " : "", stack);
}

static void task(uint64_t function, uint64_t caller)
{
	call(0, TASK, 7, function, caller);
}

/* Expect these stacks, one for each call. */
static void stacks(const char *want)
{
	is(got, want);
}

int main(void)
{
	spec("callgraph: a first hit stands on its caller");
	new_graph();
	task(A, OUTSIDE);
	stacks("outside>a");

	spec("callgraph: a call from the top of the stack goes deeper");
	new_graph();
	task(A, OUTSIDE), task(B, A), task(C, B);
	stacks("outside>a outside>a>b outside>a>b>c");

	spec("callgraph: a call from below says that what was above has returned");
	new_graph();
	task(A, OUTSIDE), task(B, A), task(C, B), task(D, A);
	stacks("outside>a outside>a>b outside>a>b>c outside>a>d");

	spec("callgraph: an unknown caller begins a new stack");
	new_graph();
	task(A, OUTSIDE), task(C, B);
	stacks("outside>a b>c");

	spec("callgraph: an interrupt has a stack of its own");
	new_graph();
	task(A, OUTSIDE), call(0, HARDIRQ, 7, B, OUTSIDE), task(C, A);
	stacks("outside>a outside>b outside>a>c");

	spec("callgraph: each task has a stack");
	new_graph();
	task(A, OUTSIDE), call(0, TASK, 8, B, OUTSIDE), task(C, A);
	stacks("outside>a outside>b outside>a>c");

	spec("callgraph: a task keeps its stack on another CPU");
	new_graph();
	task(A, OUTSIDE), call(1, TASK, 7, B, A);
	stacks("outside>a outside>a>b");

	spec("callgraph: recursion goes deeper");
	new_graph();
	task(A, OUTSIDE), task(A, A), task(A, A);
	stacks("outside>a outside>a>a outside>a>a>a");

	spec("callgraph: a call that a trampoline hides stays on the stack");
	new_graph();
	task(A, OUTSIDE), task(B, A), task(C, RETURN), task(D, C), task(B, A);
	stacks("outside>a outside>a>b outside>a>b>[return_to_handler]>c "
	       "outside>a>b>[return_to_handler]>c>d outside>a>b");

	spec("callgraph: a trampoline that is called first begins a stack");
	new_graph();
	task(C, RETURN), task(D, C);
	stacks("[return_to_handler]>c [return_to_handler]>c>d");

	spec_end();
	callgraph_free(&graph);
	tep_free(tep);
	return specs_failed != 0;
}
