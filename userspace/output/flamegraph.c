// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/context.h"
#include "lib/memory.h"
#include "lib/names.h"
#include "lib/utf8.h"
#include "output/callgraph.h"
#include "output/flamegraph.h"

#define WIDTH		1200.0
#define ROW		17
#define HEAD		46
#define MIN_WIDTH	0.3	/* a narrower box is not drawn */
#define LETTER		6.6	/* the width of a letter, at most */

struct picture {
	const struct callgraph *graph;
	struct tep_handle *tep;
	bool by_time;
	const double *change;	/* by node, or NULL */
	uint64_t *total;	/* by node: its calls, or its time, and those below it */
	uint32_t *order;	/* nodes, grouped by parent, the widest first */
	uint32_t *first;	/* by node: where its children begin in @order */
	uint64_t all;
	unsigned int rows;
};

struct colour {
	unsigned char r, g, b;
};

/* The colour of each context, which functions vary a little. */
static const struct colour colours[NESTRACE_NR_SLOTS] = {
	[NESTRACE_SLOT_TASK] = { 120, 180, 110 }, [NESTRACE_SLOT_SOFTIRQ] = { 240, 190, 90 },
	[NESTRACE_SLOT_HARDIRQ] = { 235, 130, 85 }, [NESTRACE_SLOT_NMI] = { 190, 120, 200 },
	[NESTRACE_SLOT_NMI_INLINE] = { 190, 120, 200 }, [NESTRACE_SLOT_DF] = { 210, 90, 110 },
	[NESTRACE_SLOT_DB] = { 130, 160, 220 }, [NESTRACE_SLOT_MCE] = { 210, 90, 110 },
	[NESTRACE_SLOT_VC] = { 150, 190, 200 }, [NESTRACE_SLOT_VC2] = { 150, 190, 200 },
};

#define MOST	3.0	/* a change by this factor, or its inverse, has the full colour */

/* Return red for more, blue for less, and nearly white for the same. */
static struct colour changed_colour(double change)
{
	double less = change > 0 ? 1 / change : MOST, by = change > 1 ? change : less;
	double much = by >= MOST ? 1 : (by - 1) / (MOST - 1);
	unsigned char other = 235 - 155 * much;

	return change > 1 ? (struct colour){ 240, other, other } : (struct colour){ other, other, 240 };
}

static const char head[] =
"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %u\" width=\"%g\" height=\"%u\">\n"
"<style>\n"
"text { font: 11px monospace; fill: #222; pointer-events: none }\n"
".t { font: bold 15px sans-serif } .s { font: 12px sans-serif; pointer-events: auto; cursor: pointer }\n"
"g.f { cursor: pointer } g.f:hover rect { stroke: #000 } g.f rect { stroke: #fff; stroke-width: .5 }\n"
"</style>\n"
"<rect width=\"100%%\" height=\"100%%\" fill=\"#fcfcf8\"/>\n"
"<text class=\"t\" x=\"8\" y=\"20\">%" PRIu64 " %s, by context and caller</text>\n"
"<text class=\"s\" x=\"%g\" y=\"20\" text-anchor=\"end\" id=\"search\">search</text>\n"
"<text class=\"s\" x=\"8\" y=\"38\" id=\"said\"> </text>\n";

static const char script[] =
"<script><![CDATA[\n"
"const all = [...document.querySelectorAll('g.f')], width = %g, letter = %g, unit = '%s';\n"
"const num = (g, a) => parseFloat(g.getAttribute(a));\n"
"const said = document.getElementById('said');\n"
"function draw(g, x, w) {\n"
"	const rect = g.querySelector('rect'), text = g.querySelector('text');\n"
"	rect.setAttribute('x', x);\n"
"	rect.setAttribute('width', w);\n"
"	text.setAttribute('x', x + 3);\n"
"	const name = g.getAttribute('data-n'), fits = Math.floor((w - 6) / letter);\n"
"	text.textContent = fits < 3 ? '' : name.length <= fits ? name : name.slice(0, fits - 2) + '..';\n"
"}\n"
"function zoom(to) {\n"
"	const X = num(to, 'data-x'), W = num(to, 'data-w'), row = num(to, 'data-r'), e = 1e-4;\n"
"	for (const g of all) {\n"
"		const x = num(g, 'data-x'), w = num(g, 'data-w');\n"
"		const below = num(g, 'data-r') < row && x <= X + e && x + w >= X + W - e;\n"
"		const above = num(g, 'data-r') >= row && x >= X - e && x + w <= X + W + e;\n"
"		g.style.display = below || above ? '' : 'none';\n"
"		g.style.opacity = below ? .5 : 1;\n"
"		if (below) draw(g, 0, width);\n"
"		if (above) draw(g, (x - X) / W * width, w / W * width);\n"
"	}\n"
"	said.textContent = to.querySelector('title').textContent;\n"
"}\n"
"for (const g of all) {\n"
"	g.addEventListener('click', () => zoom(g));\n"
"	g.addEventListener('mouseover', () => { said.textContent = g.querySelector('title').textContent; });\n"
"}\n"
"document.getElementById('search').addEventListener('click', () => {\n"
"	const text = prompt('Find functions (regular expression):');\n"
"	if (text === null) return;\n"
"	let found = 0, hits = 0, wanted;\n"
"	try { wanted = new RegExp(text); } catch { said.textContent = 'not a regular expression: ' + text; return; }\n"
"	for (const g of all) {\n"
"		const yes = text && num(g, 'data-c') && wanted.test(g.getAttribute('data-n'));\n"
"		g.querySelector('rect').style.fill = yes ? '#4080ff' : '';\n"
"		if (yes) { found++; hits += num(g, 'data-c'); }\n"
"	}\n"
"	said.textContent = text ? `${found} found, ${hits} ${unit}` : '';\n"
"});\n"
"]]></script>\n"
"</svg>\n";

/* Print a name for XML. It is valid UTF-8 without control characters: lib/utf8.h. */
static void put_xml(const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&': fputs("&amp;", stdout); break;
		case '<': fputs("&lt;", stdout); break;
		case '>': fputs("&gt;", stdout); break;
		case '"': fputs("&quot;", stdout); break;
		default: putchar(*text);
		}
	}
}

/* Print what a node itself has. @n NULL: nothing. */
static void put_own(const struct picture *p, const struct node *n)
{
	if (!n || !n->calls) {
		putchar(':');
		return;
	}
	printf(": called %" PRIu64 " time%s,", n->calls, n->calls == 1 ? "" : "s");
	if (p->by_time)
		printf(" %" PRIu64 ".%03" PRIu64 " us itself,", n->time / 1000, n->time % 1000);
}

/* Return the weight of a node itself. */
static uint64_t own(const struct picture *p, const struct node *n)
{
	return !n ? 0 : p->by_time ? n->time : n->calls;
}

/* @n NULL: the box of all. */
static void put_box(const struct picture *p, const char *name, const struct node *n, uint64_t total,
		    unsigned int row, double x, double width)
{
	unsigned int slot = n ? n->slot : NESTRACE_SLOT_VC;
	uint64_t function = n ? n->function : 0;
	unsigned int vary = function * 0x9e3779b97f4a7c15ULL >> 59;	/* 0 to 31 */
	unsigned int y = HEAD + (p->rows - 1 - row) * ROW;
	double change = n && p->change ? p->change[n - p->graph->node] : 1;
	struct colour c = {
		colours[slot].r + vary / 3, colours[slot].g + vary / 2, colours[slot].b + vary,
	};
	int fits = (width - 6) / LETTER;

	printf("<g class=\"f\" data-x=\"%.4f\" data-w=\"%.4f\" data-r=\"%u\" data-c=\"%" PRIu64 "\" data-n=\"",
	       x, width, row, own(p, n));
	put_xml(name);
	fputs("\"><title>", stdout);
	put_xml(name);
	put_own(p, n);
	printf(" %.2f %%%s of %s", 100.0 * total / p->all, function ? " with what it called" : "",
	       p->by_time ? "the total time" : "all hits");
	if (p->change) {
		c = changed_colour(change);
		if (change > 1e9)
			fputs(", not there before", stdout);
		else if (n)
			printf(", %.2f times the share of before", change);
	}
	printf("</title><rect x=\"%.4f\" y=\"%u\" width=\"%.4f\" height=\"%u\" rx=\"1\" fill=\"rgb(%u,%u,%u)\"/>",
	       x, y, width, ROW - 1, c.r, c.g, c.b);
	printf("<text x=\"%.4f\" y=\"%u\">", x + 3, y + 12);
	if (fits >= 3) {
		char *text = xstrdup(name);

		if (utf8_length(name) > (size_t)fits) {
			text[utf8_bytes(name, fits - 2)] = '\0';
			put_xml(text);
			fputs("..", stdout);
		} else {
			put_xml(text);
		}
		free(text);
	}
	fputs("</text></g>\n", stdout);
}

static double width_of(const struct picture *p, uint32_t node)
{
	return WIDTH * p->total[node] / p->all;
}

static void put_node(const struct picture *p, uint32_t node, double x)
{
	const struct node *n = &p->graph->node[node];
	double width = width_of(p, node);
	uint32_t i;

	if (width < MIN_WIDTH)
		return;
	put_box(p, n->depth ? names_function(p->tep, n->function) : context_names[n->slot], n,
		p->total[node], n->depth + 1, x, width);
	for (i = p->first[node]; i < p->first[node + 1]; i++) {
		put_node(p, p->order[i], x);
		x += width_of(p, p->order[i]);
	}
}

/* Count the rows, which only the nodes that are drawn need. */
static void count_rows(struct picture *p)
{
	uint32_t i;

	for (i = 0; i < p->graph->nr; i++)
		if (width_of(p, i) >= MIN_WIDTH && p->graph->node[i].depth + 2U > p->rows)
			p->rows = p->graph->node[i].depth + 2U;
}

static int widest_first(const void *a, const void *b, void *arg)
{
	const struct picture *p = arg;
	const uint32_t *x = a, *y = b;
	const struct node *n = p->graph->node;

	if (n[*x].parent != n[*y].parent)
		return n[*x].parent < n[*y].parent ? -1 : 1;
	if (p->total[*x] != p->total[*y])
		return p->total[*x] > p->total[*y] ? -1 : 1;
	return n[*x].function < n[*y].function ? -1 : n[*x].function > n[*y].function;
}

void flamegraph_write(const struct callgraph *graph, struct tep_handle *tep, bool by_time, const double *change)
{
	struct picture p = { .graph = graph, .tep = tep, .by_time = by_time, .change = change, .rows = 1 };
	uint32_t nr = graph->nr, i, at;
	unsigned int slot;
	double x = 0;

	p.total = xrealloc(NULL, nr * sizeof(*p.total));
	p.order = xrealloc(NULL, nr * sizeof(*p.order));
	p.first = xrealloc(NULL, (nr + 1) * sizeof(*p.first));
	for (i = 0; i < nr; i++)
		p.total[i] = own(&p, &graph->node[i]);
	/* children come after their parents, so sum up from the end */
	for (i = nr; i-- > NESTRACE_NR_SLOTS;)
		p.total[graph->node[i].parent] += p.total[i];
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
		p.all += p.total[slot];
	/* the roots have no parent */
	for (i = NESTRACE_NR_SLOTS; i < nr; i++)
		p.order[i - NESTRACE_NR_SLOTS] = i;
	qsort_r(p.order, nr - NESTRACE_NR_SLOTS, sizeof(*p.order), widest_first, &p);
	for (i = 0, at = 0; i <= nr; i++) {
		while (at < nr - NESTRACE_NR_SLOTS && graph->node[p.order[at]].parent < i)
			at++;
		p.first[i] = at;
	}

	if (p.all)
		count_rows(&p);
	printf(head, WIDTH, HEAD + p.rows * ROW + 4, WIDTH, HEAD + p.rows * ROW + 4,
	       by_time ? p.all / 1000 : p.all, by_time ? "us in functions" : "function hits", WIDTH - 8);
	if (p.all)
		put_box(&p, "all", NULL, p.all, 0, 0, WIDTH);
	for (slot = 0; p.all && slot < NESTRACE_NR_SLOTS; slot++) {
		put_node(&p, slot, x);
		x += width_of(&p, slot);
	}
	printf(script, WIDTH, LETTER, by_time ? "ns" : "hits");
	free(p.total);
	free(p.order);
	free(p.first);
}
