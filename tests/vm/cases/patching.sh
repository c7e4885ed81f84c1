# Text is patched under the tracer's feet, in a loop: static keys, kprobes, ftrace itself.
# kernels: all
tracing=/sys/kernel/tracing
insmod /tests/nt_calls.ko
insmod /tests/nt_contexts.ko

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
nestrace stat -b 8192 -o r sh -c 'before=$(wc -l < rounds); for i in 1 2 3 4; do sleep 2; echo "task 2000 softirq 200 hardirq 200 nmi 200" > /proc/nt_calls; done
	until [ $(($(wc -l < rounds) - before)) -ge 2 ]; do sleep 1; done; echo $(($(wc -l < rounds) - before)) > during'
is "all functions were traced" $? 0
ok "each hit is accounted for" adds_up r
ok "while text was patched" test "$(cat during)" -ge 2
ok "refused are under 0.01 % of hits" test $(($(counter r total 6) * 10000)) -le "$(counter r total 3)"
row "text patching, all functions"

nestrace record -q -l nt_called -b 16384 -o t.dat sh -c 'for i in 1 2 3 4; do echo "task 2000 softirq 200 hardirq 200 nmi 200" > /proc/nt_calls; done'
nestrace report t.dat > r
is "known calls are recorded exactly" "$(grep -c 'nt_called <-' r)" 20800
is "lost, refused" "$(counter r total 5) $(counter r total 6)" "0 0"
row "text patching, known calls" 20800
touch stop
wait $patcher
note "rounds of patching: $(wc -l < rounds)"
ok "unload" rmmod nestrace
