# Exactly known numbers of calls from every context, on both CPUs at once, are all recorded
# in time order, or counted as lost. trace-cmd reads the same.
# kernels: all
setup insmod /tests/nt_calls.ko
calls='echo "task 20000 softirq 2000 hardirq 2000 nmi 1000" > /proc/nt_calls'

# in_order FILE: print the number of hits, and of those that are earlier than the hit before
# them on their CPU
in_order()
{
	awk '/nt_called <-/ { gsub(/[.:]/, "", $3); t = $3 + 0; n++; if (t < last[$2]) bad++; last[$2] = t }
	     END { print n + 0, bad + 0 }' "$1"
}

# Repeat until an interrupt has landed in the tracer itself. In emulation that is luck.
in_tracer=0
for mode in "" -W "" -W "" -W; do
	[ "$mode" ] || [ $in_tracer = 0 ] || break
	name="large ring${mode:+, $mode}"
	setup nestrace record -q -l nt_called $mode -b 16384 -o t.dat sh -c "$calls"
	setup nestrace report -t t.dat > r
	is "$name: 40000 task hits are shown" "$(grep -c ': task     nt_called <-' r)" 40000
	is "$name: 4000 softirq hits are shown" "$(grep -c ': softirq  nt_called <-' r)" 4000
	is "$name: 4000 hardirq hits are shown" "$(grep -c ': hardirq  nt_called <-' r)" 4000
	is "$name: 2000 NMI hits are shown" "$(grep -c ': nmi      nt_called <-' r)" 2000
	is "$name: the hits of each CPU are in time order" "$(in_order r)" "50000 0"
	is "$name: 50000 hits are counted" "$(counter r total hits)" 50000
	complete "$name"
	is "$name: no gap is shown" "$(grep -c DROPPED r)" 0
	in_tracer=$((in_tracer + $(counter r total in-tracer)))
done
for try in $(seq 40); do
	[ $in_tracer = 0 ] || break
	setup nestrace stat -l nt_called -b 16384 -o r sh -c "$calls"
	in_tracer=$(counter r total in-tracer)
done
note "hits that interrupted the tracer: $in_tracer"
ok "hits interrupt the tracer itself" test $in_tracer -gt 0

# same_as_trace_cmd EVENTS: test that trace-cmd shows the same hits of t.dat as nestrace, in
# the same order on each CPU
same_as_trace_cmd()
{
	trace-cmd report -N -t -i t.dat 2> err | sed -n 's/ function: */ /; s/ <-- / <- /p' | tr -s ' ' > theirs
	nestrace report -t t.dat | sed -n '/ <- /s/: [a-z]* */: /p' | tr -s ' ' > ours
	is "trace-cmd report: it prints no error" "$(cat err)" ""
	is "trace-cmd report: it shows $1 hits" "$(wc -l < theirs)" "$1"
	for cpu in 000 001; do
		grep -F "[$cpu]" ours > ours.cpu
		grep -F "[$cpu]" theirs > theirs.cpu
		ok "trace-cmd report: the hits of CPU $cpu are those of nestrace report" cmp theirs.cpu ours.cpu
	done
}

same_as_trace_cmd 50000
# marks MARKS: count the hits whose third mark in the latency format is one of MARKS
marks()
{
	trace-cmd report -N -l -i t.dat | grep nt_called | awk '{ print substr($2, 4, 1) }' | grep -c "[$1]"
}
is "trace-cmd report -l: it marks the softirq hits" "$(marks s)" 4000
is "trace-cmd report -l: it marks hardirq and NMI hits as hardirqs, as 3.1.6 knows no NMI" "$(marks hH)" 6000
ok "trace-cmd report --stat: it shows the counters" sh -c 'trace-cmd report --stat -i t.dat | grep -q "^0:task 20000 20000 0 0 0"'
is "trace-cmd report: the last events hold the counters" "$(trace-cmd report -N -i t.dat |
	sed -n 's/.*accounting: *context=\([a-z]*\) .* recorded=\([0-9]*\) .*/\1 \2/p' |
	awk '{ n[$1] += $2 } END { print n["task"], n["softirq"], n["hardirq"], n["nmi"] }')" "40000 4000 4000 2000"

for mode in "" -W; do
	name="tiny ring${mode:+, $mode}"
	setup nestrace record -q -l nt_called $mode -b 1 -o t.dat sh -c 'echo "task 20000 hardirq 1000 softirq 1000 nmi 1000" > /proc/nt_calls'
	setup nestrace report -t t.dat > r
	lost=$(counter r total lost)
	is "$name: each of the 46000 calls is recorded or lost" \
		$(($(counter r total recorded) + lost)) 46000
	ok "$name: hits are lost" test "$lost" -gt 0
	is "$name: each recorded hit is shown" "$(grep -c 'nt_called <-' r)" "$(counter r total recorded)"
	ok "$name: the gaps are shown" grep -q 'EVENTS DROPPED' r
	shown=$(sed -n 's/.*\[\([0-9]*\) EVENTS DROPPED\]/\1/p' r | awk '{ n += $1 } END { print n + 0 }')
	is "$name: the gaps add up to the lost hits" "$shown" "$lost"
	is "$name: the hits of each CPU are in time order" "$(in_order r | cut -d ' ' -f 2)" 0
	theirs=$(trace-cmd report -N -i t.dat 2>/dev/null | sed -n 's/.*\[\([0-9]*\) EVENTS DROPPED\]/\1/p' | awk '{ n += $1 } END { print n + 0 }')
	# trace-cmd does not show a gap behind the last event of a CPU.
	before=$(awk '/ <- / { n += gap; gap = 0 } /DROPPED/ { gsub(/\[/, ""); gap += $2 } END { print n + 0 }' r)
	is "$name: trace-cmd shows the gaps that are before an event" "$theirs" "$before"
	is "$name: the last events that trace-cmd shows hold all lost hits" "$(trace-cmd report -N -i t.dat 2>/dev/null |
		sed -n 's/.* lost: *cpu=[01] count=//p' | awk '{ n += $1 } END { print n }')" "$lost"
done
