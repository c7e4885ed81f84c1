# At the same functions at the same time as others: the function tracers, kprobes, fprobe,
# perf, a livepatch, BPF, another session. Nobody sees less than alone.
# slow: 6.1
# kernels: 6.1 6.12 debug-6.12 kasan-6.12 kcsan-6.12 debug-7.2 backports 6.1-rt 6.12-rt 6.1-cloud 6.12-cloud
tracing=/sys/kernel/tracing
insmod /tests/nt_calls.ko
all=8400
calls='echo "task 3000 softirq 500 hardirq 500 nmi 200" > /proc/nt_calls'
echo 32768 > $tracing/buffer_size_kb

# ours NAME COMMAND...: records nt_called while COMMAND makes the calls
ours()
{
	name=$1
	shift
	nestrace record -q -l nt_called -b 16384 -o t.dat "$@" > out
	is "$name: nestrace ended well" $? 0
	nestrace report t.dat > r
	is "$name: nestrace records all calls" "$(grep -c 'nt_called <-' r)" $all
	is "$name: lost, refused" "$(counter r total 5) $(counter r total 6)" "0 0"
	row "with $name" $all
}

# tracer NAME: alone and together, both see all
tracer()
{
	echo nt_called > $tracing/set_ftrace_filter
	for how in alone together; do
		echo > $tracing/trace
		echo "$1" > $tracing/current_tracer
		case $how in
		alone) sh -c "$calls" ;;
		together) ours "the $1 tracer" sh -c "$calls" ;;
		esac
		echo 0 > $tracing/tracing_on
		is "the $1 tracer, $how, sees all calls" "$(grep -v '^#' $tracing/trace | grep -c nt_called)" $all
		echo nop > $tracing/current_tracer
		echo 1 > $tracing/tracing_on
	done
	echo > $tracing/set_ftrace_filter
}
tracer function
# function_graph itself, alone, misses calls of interrupts that land in it
all=6000
calls='echo "task 3000" > /proc/nt_calls'
tracer function_graph
all=8400
calls='echo "task 3000 softirq 500 hardirq 500 nmi 200" > /proc/nt_calls'

# what a kprobe misses because it was hit within itself, it counts
echo 'p:nt_kp nt_called' > $tracing/kprobe_events
echo 1 > $tracing/events/kprobes/nt_kp/enable
for how in alone together; do
	before=$(awk '{ n += $2 + $3 } END { print n + 0 }' $tracing/kprobe_profile)
	case $how in
	alone) sh -c "$calls" ;;
	together) ours "a kprobe" sh -c "$calls" ;;
	esac
	is "the kprobe, $how, sees or misses all calls" \
		$(($(awk '{ n += $2 + $3 } END { print n + 0 }' $tracing/kprobe_profile) - before)) $all
done
echo 0 > $tracing/events/kprobes/nt_kp/enable
echo > $tracing/kprobe_events

if echo 'f:nt_fp nt_called' > $tracing/dynamic_events 2>/dev/null; then
	echo 1 > $tracing/events/fprobes/nt_fp/enable
	for how in alone together; do
		echo > $tracing/trace
		case $how in
		alone) sh -c "$calls" ;;
		together) ours "an fprobe" sh -c "$calls" ;;
		esac
		is "the fprobe, $how, sees all calls" "$(grep -c 'nt_fp:' $tracing/trace)" $all
	done
	echo 0 > $tracing/events/fprobes/nt_fp/enable
	echo > $tracing/dynamic_events
else
	ok "this kernel has no fprobe events" sh -c "! grep -q ' f\[:' $tracing/README"
fi

seen=$(together perf nt_called sh -c "$calls")
is "perf alone sees all calls" "$seen" $all
ours "perf" together perf nt_called sh -c "$calls"
is "and together" "$(cat out)" $all

nestrace stat -l nt_called -b 16384 -o other sleep 100 & other=$!
until_running
ours "another session" sh -c "$calls"
kill -INT $other
wait $other
is "the other session saw all calls too" "$(counter other total 4)" $all

# BPF, at a function of the kernel itself
nestrace list '*_sys_getppid' | head -n 1 > name
ppids='getppids 5000'
seen=$(together fentry "$(cat name)" $ppids)
status=$?
if [ $status != 3 ]; then
	is "fentry alone ends well" $status 0
	is "fentry alone sees all calls" "$seen" 5000
	nestrace record -q -l "$(cat name)" -b 4096 -o t.dat together fentry "$(cat name)" $ppids > out
	nestrace report t.dat > r
	is "and together" "$(cat out)" 5000
	is "fentry: nestrace records all calls" "$(counter r total 4)" 5000
	row "with BPF fentry" 5000
else
	ok "this kernel has no BPF fentry" test ! -e /sys/kernel/btf/vmlinux
fi

# the kernel's own sample of a livepatch; it patches cmdline_proc_show()
if [ -e /tests/livepatch-sample.ko ]; then
	reads='for i in $(seq 500); do cat /proc/cmdline; done'
	nestrace record -q -l cmdline_proc_show -b 4096 -o t.dat sh -c "
		insmod /tests/livepatch-sample.ko
		until [ \$(cat /sys/kernel/livepatch/livepatch_sample/transition) = 0 ]; do sleep 1; done
		$reads" > out
	nestrace report t.dat > r
	is "livepatch: the patch is in effect" "$(grep -c 'live patched' out)" 500
	is "livepatch: nestrace records all calls of the old function's entry" "$(grep -c 'cmdline_proc_show <-' r)" 500
	row "with a livepatch" 500
	nestrace record -q -l cmdline_proc_show -l livepatch_cmdline_proc_show -b 4096 -o t.dat sh -c "
		$reads
		echo 0 > /sys/kernel/livepatch/livepatch_sample/enabled
		until rmmod livepatch_sample 2>/dev/null; do sleep 1; done
		$reads" > out
	nestrace report t.dat > r
	is "livepatch: taken away under the tracer" "$(grep -c 'live patched' out)" 500
	is "livepatch: the old function, 1000 times" "$(grep -c ' cmdline_proc_show <-' r)" 1000
	is "livepatch: the new function, 500 times" "$(grep -c ' livepatch_cmdline_proc_show <-' r)" 500
else
	# it comes with the source, which is only had of 6.12
	ok "no livepatch sample was built for this kernel" \
		sh -c '[ ! -e /sys/kernel/livepatch ] || [ "$(uname -r | cut -d. -f1-2)" != 6.12 ]'
fi
is "nothing is traced any more" "$(cat $tracing/enabled_functions)" ""
ok "unload" rmmod nestrace
