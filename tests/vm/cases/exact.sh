# Exactly known numbers of calls from every context, on both CPUs at once, are all recorded
# in time order, or counted as lost. trace-cmd reads the same.
# kernels: all
# slow: debug-6.12
setup insmod /tests/nt_calls.ko
calls='echo "task 10000 softirq 2000 hardirq 2000 nmi 1000" > /proc/nt_calls'

# tally FILE: print the numbers of hits in all, of those that are earlier than the hit before
# them on their CPU, and of those in a task, a softirq, a hardirq and an NMI
tally()
{
	awk '/ nt_called <-/ { gsub(/[.:]/, "", $3); t = $3 + 0; n++; if (t < last[$2]) bad++; last[$2] = t; in_[$4]++ }
	     END { print n + 0, bad + 0, in_["task"] + 0, in_["softirq"] + 0, in_["hardirq"] + 0, in_["nmi"] + 0 }' "$1"
}

# Repeat until an interrupt has landed in the tracer itself. In emulation that is luck.
in_tracer=0
for mode in "" -W "" -W "" -W; do
	[ "$mode" ] || [ $in_tracer = 0 ] || break
	name="large ring${mode:+, $mode}"
	setup nestrace record -q -l nt_called $mode -b 16384 -o t.dat sh -c "$calls"
	setup nestrace report -t t.dat > hits
	grep -v ' <- ' hits > r
	read -r n unordered task softirq hardirq nmi <<-COUNTS
		$(tally hits)
	COUNTS
	is "$name: 20000 task hits are shown" "$task" 20000
	is "$name: 4000 softirq hits are shown" "$softirq" 4000
	is "$name: 4000 hardirq hits are shown" "$hardirq" 4000
	is "$name: 2000 NMI hits are shown" "$nmi" 2000
	is "$name: the hits of each CPU are in time order" "$n $unordered" "30000 0"
	is "$name: 30000 hits are counted" "$(counter r total hits)" 30000
	complete "$name"
	is "$name: no gap is shown" "$(grep -c DROPPED r)" 0
	in_tracer=$((in_tracer + $(counter r total in-tracer)))
done
for try in $(seq 40); do
	[ $in_tracer = 0 ] || break
	setup recorded r -l nt_called -b 16384 sh -c "$calls"
	in_tracer=$(counter r total in-tracer)
done
note "hits that interrupted the tracer: $in_tracer"
ok "hits interrupt the tracer itself" test $in_tracer -gt 0

# as where the kernel does not trust the TSC
setup rmmod nestrace
setup insmod /tests/nestrace.ko global=lock
setup nestrace record -q -l nt_called -b 16384 -o lock.dat sh -c "$calls"
setup nestrace report -t lock.dat > r
is "ordered by a lock: all hits are shown, those of each CPU in time order" "$(tally r)" "30000 0 20000 4000 4000 2000"
complete "ordered by a lock"
setup rmmod nestrace
setup insmod /tests/nestrace.ko

trace-cmd report -N -t -i t.dat 2> err > events
sed -n 's/ function: */ /; s/ <-- / <- /p' events | tr -s ' ' > theirs
sed -n '/ <- /s/: [a-z]* */: /p' hits | tr -s ' ' > ours
is "trace-cmd report: it prints no error" "$(cat err)" ""
is "trace-cmd report: it shows 30000 hits" "$(wc -l < theirs)" 30000
for cpu in 000 001; do
	grep -F "[$cpu]" ours > ours.cpu
	grep -F "[$cpu]" theirs > theirs.cpu
	ok "trace-cmd report: the hits of CPU $cpu are those of nestrace report" cmp theirs.cpu ours.cpu
done
is "trace-cmd report: the last events hold the counters" "$(
	sed -n 's/.*accounting: *context=\([a-z]*\) .* recorded=\([0-9]*\) .*/\1 \2/p' events |
	awk '{ n[$1] += $2 } END { print n["task"], n["softirq"], n["hardirq"], n["nmi"] }')" "20000 4000 4000 2000"
# the third mark of a hit in the latency format
read -r softirqs hardirqs <<-COUNTS
	$(trace-cmd report -N -l -i t.dat | awk '/nt_called/ { n[substr($2, 4, 1)]++ }
		END { print n["s"] + 0, n["h"] + n["H"] + 0 }')
COUNTS
is "trace-cmd report -l: it marks the softirq hits" "$softirqs" 4000
is "trace-cmd report -l: it marks hardirq and NMI hits as hardirqs, as 3.1.6 knows no NMI" "$hardirqs" 6000
ok "trace-cmd report --stat: it shows the counters" sh -c 'trace-cmd report --stat -i t.dat | grep -q "^0:task 10000 10000 0 0 0"'

for mode in "" -W; do
	name="tiny ring${mode:+, $mode}"
	setup nestrace record -q -l nt_called $mode -b 1 -o t.dat sh -c 'echo "task 10000 hardirq 1000 softirq 1000 nmi 1000" > /proc/nt_calls'
	setup nestrace report -t t.dat > r
	lost=$(counter r total lost)
	is "$name: each of the 26000 calls is recorded or lost" \
		$(($(counter r total recorded) + lost)) 26000
	ok "$name: hits are lost" test "$lost" -gt 0
	read -r n unordered _ <<-COUNTS
		$(tally r)
	COUNTS
	is "$name: each recorded hit is shown" "$n" "$(counter r total recorded)"
	ok "$name: the gaps are shown" grep -q 'EVENTS DROPPED' r
	shown=$(sed -n 's/.*\[\([0-9]*\) EVENTS DROPPED\]/\1/p' r | awk '{ n += $1 } END { print n + 0 }')
	is "$name: the gaps add up to the lost hits" "$shown" "$lost"
	is "$name: the hits of each CPU are in time order" "$unordered" 0
	trace-cmd report -N -i t.dat > events 2>/dev/null
	theirs=$(sed -n 's/.*\[\([0-9]*\) EVENTS DROPPED\]/\1/p' events | awk '{ n += $1 } END { print n + 0 }')
	# trace-cmd does not show a gap behind the last event of a CPU.
	before=$(awk '/ <- / { n += gap; gap = 0 } /DROPPED/ { gsub(/\[/, ""); gap += $2 } END { print n + 0 }' r)
	is "$name: trace-cmd shows the gaps that are before an event" "$theirs" "$before"
	is "$name: the last events that trace-cmd shows hold all lost hits" \
		"$(sed -n 's/.* lost: *cpu=[01] count=//p' events | awk '{ n += $1 } END { print n }')" "$lost"
done
