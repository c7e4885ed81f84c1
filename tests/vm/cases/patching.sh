# The kernel patches text in a loop while functions are traced: for static keys, kprobes and
# ftrace.
# slow: 6.1 debug-6.12
# kernels: all
tracing=/sys/kernel/tracing
setup insmod /tests/nt_calls.ko
setup insmod /tests/nt_contexts.ko

# patch: patch text until the file stop exists; each round adds a line to rounds
patch()
{
	until [ -e stop ]; do
		echo "key 200" > /proc/nt_contexts
		echo 'p:nt_kp vfs_read' > $tracing/kprobe_events
		echo 1 > $tracing/events/kprobes/nt_kp/enable
		cat /proc/self/comm > /dev/null
		echo 0 > $tracing/events/kprobes/nt_kp/enable
		echo > $tracing/kprobe_events
		echo 'vfs_*' > $tracing/set_ftrace_filter
		echo function > $tracing/current_tracer
		cat /proc/self/comm > /dev/null
		echo nop > $tracing/current_tracer
		echo > $tracing/set_ftrace_filter
		echo 1 > $tracing/events/sched/enable
		echo 0 > $tracing/events/sched/enable
		echo >> rounds
	done
}
touch rounds
patch &
patcher=$!
recorded r -b 8192 sh -c 'before=$(wc -l < rounds); for i in 1 2 3 4; do sleep 2; echo "task 2000 softirq 200 hardirq 200 nmi 200" > /proc/nt_calls; done
	until [ $(($(wc -l < rounds) - before)) -ge 2 ]; do sleep 1; done; echo $(($(wc -l < rounds) - before)) > during'
is "nestrace record traces all functions" $? 0
ok "all functions: every hit is recorded, lost, recursed or filtered" adds_up r
ok "all functions: text is patched twice or more meanwhile" test "$(cat during)" -ge 2
ok "all functions: at most 0.01 % of the hits recurse" test $(($(counter r total recursed) * 10000)) -le "$(counter r total hits)"
row "text patching, all functions"

setup nestrace record -q -l nt_called -b 16384 -o t.dat sh -c 'for i in 1 2 3 4; do echo "task 2000 softirq 200 hardirq 200 nmi 200" > /proc/nt_calls; done'
setup nestrace report t.dat > r
is "known calls: each of the 20800 calls is recorded" "$(grep -c 'nt_called <-' r)" 20800
complete "known calls"
row "text patching, known calls" 20800
touch stop
wait $patcher
note "rounds of patching: $(wc -l < rounds)"
ok "the module can be unloaded" rmmod nestrace
