# Instructions per traced call, counted by -icount: the guest's TSC counts them.
# kernels: 6.1 6.12
calls=100000
tracing=/sys/kernel/tracing
insmod /tests/nt_calls.ko

# the cost of one call of nt_called(), its loop included; the second of two runs
per_call()
{
	for i in 1 2; do
		echo "loop $calls" > /proc/nt_calls
	done
	echo $((($(cat /proc/nt_calls) * 10 / calls + 5) / 10))
}

row()
{
	printf 'cost %-26s %6d %6d\n' "$1" "$2" $(($2 - nothing))
}

# while nestrace records with these options
with_nestrace()
{
	nestrace record -q "$@" -l nt_called -b 65536 -o t.dat &
	recorder=$!
	until nestrace status | grep -q '1 running'; do
		usleep 100000
	done
	per_call
	kill -INT $recorder
	wait $recorder
}

with_tracer()
{
	echo nt_called > $tracing/set_ftrace_filter
	echo 32768 > $tracing/buffer_size_kb
	echo "$1" > $tracing/current_tracer
	per_call
	echo nop > $tracing/current_tracer
	echo > $tracing/set_ftrace_filter
}

with_event()
{
	echo "$2" > $tracing/$1 2>/dev/null || return 1
	echo 1 > $tracing/events/$3/enable
	per_call
	echo 0 > $tracing/events/$3/enable
	echo > $tracing/$1
}

nothing=$(per_call)
row "nothing" "$nothing"
echo "empty 1" > /proc/nt_calls
row "empty callback" "$(per_call)"
echo "empty 0" > /proc/nt_calls
for clock in tsc global mono; do
	row "nestrace, clock $clock" "$(with_nestrace -C $clock)"
done
row "ftrace function" "$(with_tracer function)"
row "ftrace function_graph" "$(with_tracer function_graph)"
row "kprobe event" "$(with_event kprobe_events 'p:kp nt_called' kprobes/kp)"
fprobe=$(with_event dynamic_events 'f:fp nt_called' fprobes/fp) &&
	row "fprobe event" "$fprobe"
is "without any tracer the cost is what it was" "$(per_call)" "$nothing"
