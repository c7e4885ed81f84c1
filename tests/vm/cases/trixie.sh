# Debian 13's trace-cmd reads what nestrace records, and streams the trace events.
# kernels: 6.12
# debian: trixie trace-cmd
# slow: yes
# newer ARGUMENT...: run the newer trace-cmd
newer()
{
	/tests/trixie/ld.so --library-path /tests/trixie /tests/trixie/trace-cmd "$@"
}
setup insmod /tests/nt_calls.ko
ok "this trace-cmd is newer than the one of Debian 12" sh -c "[ '$(newer --version 2>&1 | sed -n 's/.*version 3\.\([0-9]*\)\..*/\1/p')' -ge 3 ]"

setup nestrace record -q -l nt_called -b 16384 -o t.dat sh -c 'echo "task 5000 softirq 500 hardirq 500 nmi 500" > /proc/nt_calls'
newer report -i t.dat > r 2> errors
is "trace-cmd report: it reads a file of nestrace record" $? 0
is "trace-cmd report: it prints no error" "$(cat errors)" ""
is "trace-cmd report: it shows each hit" "$(grep -c 'nt_called <-- ' r)" "$(nestrace report t.dat | grep -c 'nt_called <- ')"
is "trace-cmd report: each task has a name" "$(grep 'nt_called <-- ' r | grep -c '<\.\.\.>')" 0
is "trace-cmd report: it shows the counters" "$(sed -n 's/.*accounting: *context=\([a-z]*\) .* recorded=\([0-9]*\) .*/\1 \2/p' r |
	awk '{ n[$1] += $2 } END { print n["task"], n["softirq"], n["hardirq"], n["nmi"] }')" "10000 1000 1000 1000"

# trace-cmd stream shows only whole sub-buffers, and does not always end on SIGINT, not even
# with the kernel's own events. So look at its output while it runs.
setup nestrace events -l nt_called
newer stream -e nestrace:function > r 2> errors &
stream=$!
ok "trace-cmd stream: it arms the events" within_a_minute events_armed
# shown: make calls and succeed if there are hits of each context
shown()
{
	echo "task 2000 softirq 2000 hardirq 2000 nmi 2000" > /proc/nt_calls
	for context in task softirq hardirq nmi; do
		grep -q "function: *nt_called .*context=$context" r || return
	done
}
ok "trace-cmd stream: it shows hits of each context" within_a_minute shown
kill -INT $stream
sleep 5
kill -KILL $stream 2> /dev/null
wait $stream
killall ld.so 2> /dev/null
echo 0 > /sys/kernel/tracing/events/nestrace/enable
note "$(grep -c 'function: *nt_called' r) hits were shown"
newer record -q -e nestrace:function -o t.dat sh -c 'echo "task 500 softirq 100 hardirq 100 nmi 100" > /proc/nt_calls' > /dev/null 2> errors
is "trace-cmd record: it records nestrace:function" $? 0
is "trace-cmd report: it shows each recorded call" "$(newer report -i t.dat 2> /dev/null | grep -c 'function: *nt_called')" 1600
