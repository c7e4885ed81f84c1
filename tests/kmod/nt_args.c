// SPDX-License-Identifier: GPL-2.0
/*
 * A helper for the tests: functions of every kind of argument, called with known values in each context.
 *
 *	echo "task 3 softirq 2 hardirq 2 nmi 2" > /proc/nt_args
 * Each call number i (from 0) of a context calls all functions with values that are made of i.
 */
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <asm/apic.h>

#define HELPER_TEXT 128
#include "nt_helper.h"

enum nt_colour { NT_RED = -1, NT_GREEN = 2, NT_BLUE = 70000 };

struct nt_small { int a, b; };
struct nt_two { long a; int b; };
struct nt_large { long a, b, c; };
struct nt_inner { char text[12]; const char *name; struct { int deep; }; };
struct nt_outer {
	u32 low : 3, high : 7;
	s32 negative : 5;
	struct nt_inner inner, *at;
	u8 bytes[4];
	atomic_t count;
};
typedef struct nt_outer nt_outer_t;

void nt_ints(s8 a, u8 b, s16 c, u16 d, s32 e, u32 f);
void nt_longs(s64 a, u64 b, bool c, char d, enum nt_colour e);
long nt_many(int a, int b, int c, int d, int e, int f, s16 g, u64 h, const char *i);
int nt_by_value(struct nt_small a, struct nt_large b, struct nt_two c, int d);
int nt_split(int a, int b, int c, int d, int e, struct nt_two f, int g);
struct nt_large nt_returns_large(int a);
const char *nt_text(const char *text, const nt_outer_t *outer);
enum nt_colour nt_enum(enum nt_colour colour);
int nt_variadic(const char *format, ...);
int nt_error(int i);
bool nt_truth(int i);
u8 nt_byte(int i);

noinline __attribute__((noipa)) void nt_ints(s8 a, u8 b, s16 c, u16 d, s32 e, u32 f)
{
	barrier();
}

noinline __attribute__((noipa)) void nt_longs(s64 a, u64 b, bool c, char d, enum nt_colour e)
{
	barrier();
}

noinline __attribute__((noipa)) long nt_many(int a, int b, int c, int d, int e, int f, s16 g, u64 h, const char *i)
{
	barrier();
	return (long)a * -1000000000000;
}

noinline __attribute__((noipa)) int nt_by_value(struct nt_small a, struct nt_large b, struct nt_two c, int d)
{
	barrier();
	return a.a + b.b + c.b + d;
}

noinline __attribute__((noipa)) int nt_split(int a, int b, int c, int d, int e, struct nt_two f, int g)
{
	barrier();
	return f.b + g;
}

noinline __attribute__((noipa)) struct nt_large nt_returns_large(int a)
{
	barrier();
	return (struct nt_large){ a, a + 1, a + 2 };
}

noinline __attribute__((noipa)) const char *nt_text(const char *text, const nt_outer_t *outer)
{
	barrier();
	return text;
}

noinline __attribute__((noipa)) enum nt_colour nt_enum(enum nt_colour colour)
{
	barrier();
	return colour;
}

noinline __attribute__((noipa)) int nt_variadic(const char *format, ...)
{
	barrier();
	return 0;
}

noinline __attribute__((noipa)) int nt_error(int i)
{
	barrier();
	return i % 2 ? -ENOENT : i;
}

noinline __attribute__((noipa)) bool nt_truth(int i)
{
	barrier();
	return i & 1;
}

noinline __attribute__((noipa)) u8 nt_byte(int i)
{
	barrier();
	return i;
}

enum context { TASK, SOFTIRQ, HARDIRQ, NMI, NR_CONTEXTS };

static const char *const words[NR_CONTEXTS] = { "task", "softirq", "hardirq", "nmi" };
static int left[NR_CONTEXTS], made[NR_CONTEXTS];
static struct hrtimer timer[NR_CONTEXTS];
static struct completion done;
static struct nt_inner inner = { .text = "static", .name = "pointed at", .deep = 9 };
static char *edge;		/* a page behind which there is none */

static void calls(enum context context)
{
	int i = made[context]++;
	struct nt_outer outer = {
		.low = i, .high = 100, .negative = -3,
		.inner = { .text = "eleven char", .name = "inner", .deep = i },
		.at = &inner, .bytes = { 1, 2, 3, 4 }, .count = ATOMIC_INIT(i + 5),
	};
	struct nt_outer nowhere = { .inner.name = (const char *)0x10, .at = (struct nt_inner *)(edge + PAGE_SIZE) };

	nt_ints(-1 - i, 200 + i, -300 - i, 60000 + i, -100000 - i, 4000000000U + i);
	nt_longs(-5000000000LL - i, 0xfedcba9876543210ULL + i, i & 1, 'A' + i, i & 1 ? NT_BLUE : NT_RED);
	nt_many(1 + i, 2, 3, 4, 5, 6, -7, 0x8000000000000008ULL, "ninth");
	nt_by_value((struct nt_small){ i, 2 }, (struct nt_large){ 3, 4, 5 }, (struct nt_two){ 6, 7 }, 8);
	nt_split(1, 2, 3, 4, 5, (struct nt_two){ 6 + i, 7 }, 8);
	nt_returns_large(i + 11);
	nt_text(context == NMI ? "in an NMI" : "hello\tworld", &outer);
	strcpy(edge + PAGE_SIZE - 6, "ended");
	nt_text(edge + PAGE_SIZE - 6, &nowhere);
	edge[PAGE_SIZE - 1] = 'x';
	nt_text(edge + PAGE_SIZE - 6, NULL);
	nt_enum(i == 1 ? NT_GREEN : i == 2 ? (enum nt_colour)77 : NT_RED);
	nt_variadic("%d", i);
	nt_error(i);
	nt_truth(i);
	nt_byte(250 + i);
}

static enum hrtimer_restart on_timer(struct hrtimer *t)
{
	enum context context = t - timer;

	if (left[context]-- > 0)
		calls(context);
	if (left[context] > 0) {
		hrtimer_forward_now(t, 100000);
		return HRTIMER_RESTART;
	}
	complete(&done);
	return HRTIMER_NORESTART;
}

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	if (READ_ONCE(left[NMI]) <= 0)
		return NMI_DONE;
	calls(NMI);
	left[NMI]--;
	return NMI_HANDLED;
}

static void by_timer(enum context context, enum hrtimer_mode mode)
{
	if (!left[context])
		return;
	reinit_completion(&done);
	nt_hrtimer_setup(&timer[context], on_timer, mode);
	hrtimer_start(&timer[context], 100000, mode);
	wait_for_completion(&done);
}

static int run(void)
{
	int before;

	memset(made, 0, sizeof(made));
	while (left[TASK]-- > 0)
		calls(TASK);
	by_timer(SOFTIRQ, HRTIMER_MODE_REL_PINNED_SOFT);
	by_timer(HARDIRQ, HRTIMER_MODE_REL_PINNED_HARD);
	while ((before = READ_ONCE(left[NMI])) > 0) {
		preempt_disable();
		apic->send_IPI(smp_processor_id(), NMI_VECTOR);
		preempt_enable();
		while (READ_ONCE(left[NMI]) == before)
			cpu_relax();
	}
	return 0;
}

static int command(char *text)
{
	char *word, *number;
	int i;

	memset(left, 0, sizeof(left));
	while ((word = strsep(&text, " \n"))) {
		if (!*word)
			continue;
		number = strsep(&text, " \n");
		for (i = 0; i < NR_CONTEXTS && strcmp(word, words[i]); i++)
			;
		if (i == NR_CONTEXTS || !number || kstrtoint(number, 10, &left[i]))
			return -EINVAL;
	}
	return run();
}

static int show(struct seq_file *m, void *v)
{
	return 0;
}

static int __init nt_args_init(void)
{
	init_completion(&done);
	/* vmalloc() leaves a page behind each area that is not there */
	edge = vmalloc(PAGE_SIZE);
	if (!edge)
		return -ENOMEM;
	memset(edge, 'x', PAGE_SIZE);
	return helper_register();
}

static void __exit nt_args_exit(void)
{
	helper_unregister();
	vfree(edge);
}

module_init(nt_args_init);
module_exit(nt_args_exit);
MODULE_DESCRIPTION("Calls with known arguments, for the tests of nestrace");
MODULE_LICENSE("GPL");
