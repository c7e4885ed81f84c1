# Debian 13's trace-cmd: reads what nestrace records, and streams the trace events.
# kernels: 6.12
# debian: trixie trace-cmd
# slow: yes
newer()
{
	/tests/trixie/ld.so --library-path /tests/trixie /tests/trixie/trace-cmd "$@"
}
insmod /tests/nt_calls.ko
ok "it is newer than the one of Debian 12" sh -c "[ '$(newer --version 2>&1 | sed -n 's/.*version 3\.\([0-9]*\)\..*/\1/p')' -ge 3 ]"

nestrace record -q -l nt_called -b 16384 -o t.dat sh -c 'echo "task 5000 softirq 500 hardirq 500 nmi 500" > /proc/nt_calls'
newer report -i t.dat > r 2> errors
is "reads nestrace record" $? 0
is "says nothing on stderr" "$(cat errors)" ""
is "has all hits" "$(grep -c 'nt_called <-- ' r)" "$(nestrace report t.dat | grep -c 'nt_called <- ')"
is "names the tasks" "$(grep 'nt_called <-- ' r | grep -c '<\.\.\.>')" 0
is "has the counters" "$(sed -n 's/.*accounting: *slot=\([a-z]*\) .* recorded=\([0-9]*\) .*/\1 \2/p' r |
	awk '{ n[$1] += $2 } END { print n["task"], n["softirq"], n["hardirq"], n["nmi"] }')" "10000 1000 1000 1000"

# It shows whole sub-buffers only, and does not always end when it should, with the kernel's
# own events too: so it is looked at while it runs.
nestrace arm -l nt_called
newer stream -e nestrace:function > r 2> errors &
stream=$!
ok "begins to stream nestrace:function" within_a_minute sh -c 'nestrace status | grep -q "^trace events: armed"'
shown()
{
	echo "task 2000 softirq 2000 hardirq 2000 nmi 2000" > /proc/nt_calls
	for slot in task softirq hardirq nmi; do
		grep -q "function: *nt_called .*slot=$slot" r || return
	done
}
ok "and shows hits of all slots" within_a_minute shown
kill -INT $stream
sleep 5
kill -KILL $stream 2> /dev/null
wait $stream
killall ld.so 2> /dev/null
echo 0 > /sys/kernel/tracing/events/nestrace/enable
note "$(grep -c 'function: *nt_called' r) hits were shown"
newer record -q -e nestrace:function -o t.dat sh -c 'echo "task 500 softirq 100 hardirq 100 nmi 100" > /proc/nt_calls' > /dev/null 2> errors
is "records nestrace:function" $? 0
is "and reads all of it" "$(newer report -i t.dat 2> /dev/null | grep -c 'function: *nt_called')" 1600
