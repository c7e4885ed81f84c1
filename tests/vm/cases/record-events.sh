# record -e: the kernel's events are beside the hits, on one time line, and no instance stays.
# kernels: 6.1 6.12
# slow: yes
# cpus: 1 2
setup insmod /tests/nt_calls.ko
instances=/sys/kernel/tracing/instances
hits=$((100 * $(nproc)))
# in_order: succeed if the times of trace-cmd's report never go back
in_order()
{
	awk '/\[[0-9]*\]/ { sub(/^[^]]*\] */, ""); t = $1 + 0; if (t < last) bad = 1; last = t } END { exit bad }' "$1"
}

for clock in global mono tsc; do
	setup nestrace record -q -C $clock -l nt_called -e sched:sched_switch -e sched_process_exit -e 'irq:*' -o t.dat \
		sh -c 'echo "task 50" > /proc/nt_calls; sleep 1; cat /proc/self/comm; echo "task 50" > /proc/nt_calls'
	trace-cmd report -i t.dat > out 2> err
	is "clock $clock: trace-cmd shows all hits" "$(grep -c 'function: .*nt_called' out)" $hits
	for event in sched_switch sched_process_exit irq_handler_entry softirq_entry; do
		ok "clock $clock: trace-cmd shows $event" grep -q " $event: " out
	done
	ok "clock $clock: trace-cmd can print all events" sh -c '! grep -q "FAILED TO PARSE" out err'
	ok "clock $clock: hits and events are in order" in_order out
	ok "clock $clock: events are between the hits" awk '/function: .*nt_called/ { n++ } / sched_process_exit: / && n > 0 && n < '$hits' { found = 1 } END { exit !found }' out
	nestrace report t.dat > r
	is "clock $clock: report shows all hits" "$(grep -c 'nt_called <-' r)" $hits
	is "clock $clock: report shows as many events as trace-cmd" "$(grep -c 'sched_switch: ' r)" "$(grep -c ' sched_switch: ' out)"
	is "clock $clock: no instance is left" "$(ls $instances)" ""
done

setup nestrace record -q -l nt_called -e sched:sched_switch -f 'prev_comm == "cat"' -o t.dat sh -c 'sleep 1; cat /proc/self/comm'
trace-cmd report -i t.dat > out 2> err
ok "-f: the events that match are recorded" grep -Eq "sched_switch: *(prev_comm=)?cat\b" out
ok "-f: no other event is recorded" sh -c '! grep sched_switch: out | grep -Eqv "sched_switch: *(prev_comm=)?cat\b"'
nestrace record -l nt_called -b 1 -e raw_syscalls -o t.dat dd if=/dev/zero of=/dev/null bs=1 count=50000 2> err
ok "events that do not fit are said to be lost" grep -q "events of -e lost" err

# Killed, and with it all of its process group.
for whom in '$recorder' '-$recorder'; do
	rm -rf t.dat
	setsid nestrace record -q -l nt_called -e sched:sched_switch -o t.dat & recorder=$!
	until_running
	recorder=$(pidof nestrace | tr ' ' '\n' | sort -n | head -n 1)
	echo "task 100" > /proc/nt_calls
	sleep 3
	is "kill -9 $whom: there was an instance" "$(ls $instances)" "nestrace-$recorder"
	eval "kill -9 $whom"
	ok "kill -9 $whom: the instance is removed" within_a_minute sh -c "! ls $instances | grep -q nestrace"
	ok "kill -9 $whom: no process is left" within_a_minute sh -c '! pidof nestrace'
	ok "kill -9 $whom: restore succeeds" nestrace restore t.dat
	trace-cmd report -i t.dat > out 2> err
	is "kill -9 $whom: all hits are restored" "$(grep -c 'function: .*nt_called' out)" $hits
	ok "kill -9 $whom: the events are restored" grep -q ' sched_switch: ' out
done

# A guardian that is killed, too: the next one removes what is left.
setup mkdir $instances/nestrace-999999
setup nestrace record -q -l nt_called -e sched:sched_switch -o t.dat true
is "an instance that was left is removed" "$(ls $instances)" ""

# An error leaves nothing.
nestrace record -q -l nonsense -e sched:sched_switch -o t.dat true 2> err
nestrace record -q -l nt_called -e sched:sched_switch -o /nowhere/t.dat true 2> err
ok "an error at the start leaves no instance" within_a_minute sh -c "! ls $instances | grep -q nestrace"
setup nestrace record -q --flight -l nt_called -e sched:sched_switch -o t.dat sh -c 'echo "task 100" > /proc/nt_calls; sleep 1'
trace-cmd report -i t.dat > out 2> err
ok "--flight: the events are recorded, too" grep -q ' sched_switch: ' out
is "--flight: the hits are recorded" "$(grep -c 'function: .*nt_called' out)" $hits
ok "the module can be unloaded" rmmod nestrace
