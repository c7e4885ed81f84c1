# nestrace traces a function that others trace too: the function tracers, kprobes, fprobe,
# perf, a livepatch, BPF, another session. Each of them sees all calls, nestrace too.
# slow: 6.1 debug-6.12
# kernels: 6.1 6.12 debug-6.12 kasan-6.12 kcsan-6.12 debug-7.2 backports 6.1-rt 6.12-rt 6.1-cloud 6.12-cloud
tracing=/sys/kernel/tracing
setup insmod /tests/nt_calls.ko
all=8400
calls='echo "task 3000 softirq 500 hardirq 500 nmi 200" > /proc/nt_calls'
setup echo 32768 > $tracing/buffer_size_kb

# ours NAME COMMAND...: record nt_called while COMMAND makes the calls
ours()
{
	local name="$1"
	shift
	nestrace record -q -l nt_called -b 16384 -o t.dat "$@" > out
	is "with $name: nestrace record succeeds" $? 0
	setup nestrace report t.dat > r
	is "with $name: nestrace records each call" "$(grep -c 'nt_called <-' r)" $all
	complete "with $name"
	row "with $name" $all
}

# tracer NAME: test that the tracer NAME sees all calls, without nestrace and with it
tracer()
{
	echo nt_called > $tracing/set_ftrace_filter
	for how in separately together; do
		echo > $tracing/trace
		echo "$1" > $tracing/current_tracer
		case $how in
		separately) sh -c "$calls" ;;
		together) ours "the $1 tracer" sh -c "$calls" ;;
		esac
		echo 0 > $tracing/tracing_on
		is "the $1 tracer, $how: it sees each call" "$(grep -v '^#' $tracing/trace | grep -c nt_called)" $all
		echo nop > $tracing/current_tracer
		echo 1 > $tracing/tracing_on
	done
	echo > $tracing/set_ftrace_filter
}
tracer function
# Even without nestrace, function_graph misses calls of interrupts that land in it.
all=6000
calls='echo "task 3000" > /proc/nt_calls'
tracer function_graph
all=8400
calls='echo "task 3000 softirq 500 hardirq 500 nmi 200" > /proc/nt_calls'

# A kprobe counts as missed what hits it within itself.
echo 'p:nt_kp nt_called' > $tracing/kprobe_events
echo 1 > $tracing/events/kprobes/nt_kp/enable
for how in separately together; do
	before=$(awk '{ n += $2 + $3 } END { print n + 0 }' $tracing/kprobe_profile)
	case $how in
	separately) sh -c "$calls" ;;
	together) ours "a kprobe" sh -c "$calls" ;;
	esac
	is "the kprobe, $how: it counts each call as hit or missed" \
		$(($(awk '{ n += $2 + $3 } END { print n + 0 }' $tracing/kprobe_profile) - before)) $all
done
echo 0 > $tracing/events/kprobes/nt_kp/enable
echo > $tracing/kprobe_events

if echo 'f:nt_fp nt_called' > $tracing/dynamic_events 2>/dev/null; then
	echo 1 > $tracing/events/fprobes/nt_fp/enable
	for how in separately together; do
		echo > $tracing/trace
		case $how in
		separately) sh -c "$calls" ;;
		together) ours "an fprobe" sh -c "$calls" ;;
		esac
		is "the fprobe, $how: it sees each call" "$(grep -c 'nt_fp:' $tracing/trace)" $all
	done
	echo 0 > $tracing/events/fprobes/nt_fp/enable
	echo > $tracing/dynamic_events
else
	ok "this kernel has no fprobe events" sh -c "! grep -q ' f\[:' $tracing/README"
fi

seen=$(together perf nt_called sh -c "$calls")
is "perf, separately: it sees each call" "$seen" $all
ours "perf" together perf nt_called sh -c "$calls"
is "perf, together: it sees each call" "$(cat out)" $all

nestrace stat -l nt_called -b 16384 -o other sleep 100 & other=$!
until_running
ours "another session" sh -c "$calls"
kill -INT $other
wait $other
is "the other session records each call" "$(counter other total recorded)" $all

# BPF needs a function of the kernel itself.
nestrace list '*_sys_getppid' | head -n 1 > name
ppids='getppids 5000'
seen=$(together fentry "$(cat name)" $ppids)
status=$?
if [ $status != 3 ]; then
	is "BPF fentry, separately: it succeeds" $status 0
	is "BPF fentry, separately: it sees each call" "$seen" 5000
	setup nestrace record -q -l "$(cat name)" -b 4096 -o t.dat together fentry "$(cat name)" $ppids > out
	setup nestrace report t.dat > r
	is "BPF fentry, together: it sees each call" "$(cat out)" 5000
	is "with BPF fentry: nestrace records each call" "$(counter r total recorded)" 5000
	row "with BPF fentry" 5000
else
	ok "this kernel has no BPF fentry" test ! -e /sys/kernel/btf/vmlinux
fi

# The kernel's own sample of a livepatch patches cmdline_proc_show().
if [ -e /tests/livepatch-sample.ko ]; then
	reads='for i in $(seq 500); do cat /proc/cmdline; done'
	setup nestrace record -q -l cmdline_proc_show -b 4096 -o t.dat sh -c "
		insmod /tests/livepatch-sample.ko
		until [ \$(cat /sys/kernel/livepatch/livepatch_sample/transition) = 0 ]; do sleep 1; done
		$reads" > out
	setup nestrace report t.dat > r
	is "with a livepatch: the patch is in effect" "$(grep -c 'live patched' out)" 500
	is "with a livepatch: nestrace records each call at the entry of the old function" "$(grep -c 'cmdline_proc_show <-' r)" 500
	row "with a livepatch" 500
	setup nestrace record -q -l cmdline_proc_show -l livepatch_cmdline_proc_show -b 4096 -o t.dat sh -c "
		$reads
		echo 0 > /sys/kernel/livepatch/livepatch_sample/enabled
		until rmmod livepatch_sample 2>/dev/null; do sleep 1; done
		$reads" > out
	setup nestrace report t.dat > r
	is "a livepatch is removed while functions are traced: it is in effect before" "$(grep -c 'live patched' out)" 500
	is "a livepatch is removed while functions are traced: the old function is recorded 1000 times" "$(grep -c ' cmdline_proc_show <-' r)" 1000
	is "a livepatch is removed while functions are traced: the new function is recorded 500 times" "$(grep -c ' livepatch_cmdline_proc_show <-' r)" 500
else
	# The sample is in the source, which is only available of 6.12.
	ok "no livepatch sample was built for this kernel" \
		sh -c '[ ! -e /sys/kernel/livepatch ] || [ "$(uname -r | cut -d. -f1-2)" != 6.12 ]'
fi
is "after all: no function is traced" "$(cat $tracing/enabled_functions)" ""
ok "the module can be unloaded" rmmod nestrace
