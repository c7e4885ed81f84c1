# Count the instructions of a traced call: with -icount, the guest's TSC counts them. Print lines
# "cost STATE | task softirq hardirq nmi", without the cost of the call itself. This script
# loads the module, so boot with -p none.
calls=20000
tracing=/sys/kernel/tracing
setup insmod /tests/nt_loop.ko
# Wait until the work of the boot is over.
sleep 20

# per_call CONTEXT: print the cost of one call of nt_looped() with its loop, from the second of
# two runs
per_call()
{
	for i in 1 2; do
		echo "$1 $calls" > /proc/nt_loop
	done
	awk '{ printf "%d", $1 / $2 + 0.5 }' /proc/nt_loop
}

all_contexts()
{
	echo "$(per_call task) $(per_call softirq) $(per_call hardirq) $(per_call nmi)"
}

# row STATE COUNTS: print a line; this replaces row() of lib.sh
row()
{
	echo "$1 | $2 | $nothing" | awk -F ' [|] ' '{
		split($2, n, " "); split($3, zero, " ")
		printf "cost %-38s |", $1
		for (i = 1; i <= 4; i++)
			printf " %6d", n[i] - zero[i]
		print "" }'
}

# with_nestrace OPTION...: measure while nestrace records and nobody reads the rings
with_nestrace()
{
	nestrace record -q "$@" $traced -o t.dat &
	recorder=$!
	until_running
	kill -STOP $recorder
	all_contexts
	kill -CONT $recorder
	kill -INT $recorder
	wait $recorder
}

# counted OPTION...: measure while nestrace counts
counted()
{
	nestrace stat "$@" -l nt_looped -o t.txt sleep 1000 &
	recorder=$!
	until_running
	all_contexts
	kill -INT $recorder
	wait $recorder
}

# with_tracer TRACER [OPTION]: measure with a tracer of ftrace
with_tracer()
{
	echo nt_looped > $tracing/set_ftrace_filter
	echo 32768 > $tracing/buffer_size_kb
	echo "$1" > $tracing/current_tracer
	[ $# = 1 ] || setup sh -c "echo 1 > $tracing/options/$2"
	all_contexts
	[ $# = 1 ] || echo 0 > $tracing/options/$2
	echo nop > $tracing/current_tracer
	echo > $tracing/set_ftrace_filter
}

# with_event FILE DEFINITION EVENT: measure with a dynamic event
with_event()
{
	echo "$2" > $tracing/"$1" 2>/dev/null || return 1
	echo 1 > $tracing/events/"$3"/enable
	all_contexts
	echo 0 > $tracing/events/"$3"/enable
	echo > $tracing/"$1"
}

# by_lock: from here on a lock orders the clock global, as where the TSC is not trusted
by_lock()
{
	setup rmmod nestrace
	setup insmod /tests/nestrace.ko global=lock
}

# all_rows: are those wanted, too, that no test looks at?
all_rows()
{
	! grep -q nt_few /proc/cmdline
}

nothing=$(all_contexts)
traced="-l nt_looped"
# With several CPUs, and in the build that recurses, only some rows are needed.
if [ "$(nproc)" -gt 1 ] || grep -q nt_test_traced /tests/nestrace.ko; then
	setup insmod /tests/nestrace.ko
	! grep -q nt_test_traced /tests/nestrace.ko || traced="$traced -l nt_test_traced"
	for clock in tsc global mono; do
		row "nestrace $clock" "$(with_nestrace -b 65536 -C $clock)"
	done
	by_lock
	row "nestrace global by lock" "$(with_nestrace -b 65536 -C global)"
	return
fi
note "the call itself: $nothing"
setup insmod /tests/nestrace.ko
row "module loaded" "$(all_contexts)"
exec 3<> /dev/nestrace
row "session open, not armed" "$(all_contexts)"
exec 3>&-
echo "empty 1" > /proc/nt_loop
row "empty callback" "$(all_contexts)"
echo "empty 0" > /proc/nt_loop
for clock in tsc global mono; do
	row "nestrace $clock" "$(with_nestrace -b 65536 -C $clock)"
	all_rows && row "nestrace $clock, overwriting" "$(with_nestrace -W -b 1024 -C $clock)"
	row "nestrace $clock, ring full" "$(with_nestrace -b 64 -C $clock)"
	row "nestrace $clock, filtered by pid" "$(with_nestrace -P 1 -b 1024 -C $clock)"
done
# fewer, because a tick that asks for a reschedule makes the rest of a softirq's calls dearer
calls=4000
row "nestrace tsc, returns too" "$(with_nestrace -b 65536 -C tsc --ret)"
if all_rows; then
	for clock in global mono; do
		row "nestrace $clock, returns too" "$(with_nestrace -b 65536 -C $clock --ret)"
	done
	row "nestrace tsc, returns only" "$(with_nestrace -b 65536 -C tsc --ret=exit)"
	row "nestrace tsc, arguments" "$(with_nestrace -b 65536 -C tsc --args)"
	row "nestrace tsc, arguments and returns" "$(with_nestrace -b 65536 -C tsc --args --ret)"
	for depth in 1 4 16; do
		row "nestrace tsc, stacks of $depth" "$(with_nestrace -b 65536 -C tsc --stack=$depth)"
	done
fi
calls=20000
row "nestrace stat" "$(counted)"
all_rows && row "nestrace stat, filtered by pid" "$(counted -P 1)"
by_lock
row "nestrace global by lock" "$(with_nestrace -b 65536 -C global)"
row "ftrace function" "$(with_tracer function)"
if all_rows; then
	row "nestrace global by lock, ring full" "$(with_nestrace -b 64 -C global)"
	row "ftrace function_graph" "$(with_tracer function_graph)"
	row "kprobe event" "$(with_event kprobe_events 'p:kp nt_looped' kprobes/kp)"
	fprobe=$(with_event dynamic_events 'f:fp nt_looped' fprobes/fp) &&
		row "fprobe event" "$fprobe"
	calls=4000
	row "ftrace function, stacks" "$(with_tracer function func_stack_trace)"
	calls=20000
fi
is "after all tracers: the cost of a call is the same as before" "$(all_contexts)" "$nothing"
