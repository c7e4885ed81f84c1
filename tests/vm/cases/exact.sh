# Exactly known numbers of calls from every context, on both CPUs at once.
# kernels: all
insmod /tests/nt_calls.ko
calls='echo "task 20000 softirq 2000 hardirq 2000 nmi 1000" > /proc/nt_calls'

in_order()
{
	awk '/nt_called <-/ { gsub(/[.:]/, "", $3); t = $3 + 0; n++; if (t < last[$2]) bad++; last[$2] = t }
	     END { print n + 0, bad + 0 }' "$1"
}

# until some interrupts land in the tracer itself: under emulation that is luck
nested=0
for mode in "" -W "" -W "" -W; do
	[ "$mode" ] || [ $nested = 0 ] || break
	nestrace record -q -l nt_called $mode -b 16384 -o t.dat sh -c "$calls"
	nestrace report -t t.dat > r
	is "ring large enough${mode:+, $mode}: task" "$(grep -c ': task     nt_called <-' r)" 40000
	is "softirq" "$(grep -c ': softirq  nt_called <-' r)" 4000
	is "hardirq" "$(grep -c ': hardirq  nt_called <-' r)" 4000
	is "nmi" "$(grep -c ': nmi      nt_called <-' r)" 2000
	is "none out of time order on its CPU" "$(in_order r)" "50000 0"
	is "hits counted" "$(counter r total 3)" 50000
	is "nothing lost" "$(counter r total 5)" 0
	is "nothing refused" "$(counter r total 6)" 0
	is "no gap shown" "$(grep -c DROPPED r)" 0
	nested=$((nested + $(counter r total 10)))
done
for try in $(seq 40); do
	[ $nested = 0 ] || break
	nestrace stat -l nt_called -b 16384 -o r sh -c "$calls"
	nested=$(counter r total 10)
done
note "hits that arrived while another slot of their CPU was in the tracer: $nested"
ok "some interrupted the tracer itself" test $nested -gt 0

# same_as_trace_cmd EVENTS: of t.dat, trace-cmd shows the same as we do, one by one and in
# order, for each CPU
same_as_trace_cmd()
{
	trace-cmd report -N -t -i t.dat 2> err | sed -n 's/ function: */ /; s/ <-- / <- /p' | tr -s ' ' > theirs
	nestrace report -t t.dat | sed -n '/ <- /s/: [a-z]* */: /p' | tr -s ' ' > ours
	is "trace-cmd report says nothing on stderr" "$(cat err)" ""
	is "trace-cmd report has all events" "$(wc -l < theirs)" "$1"
	for cpu in 000 001; do
		grep -F "[$cpu]" ours > ours.cpu
		grep -F "[$cpu]" theirs > theirs.cpu
		ok "and on CPU $cpu they are ours, one by one" cmp theirs.cpu ours.cpu
	done
}

same_as_trace_cmd 50000
# what trace-cmd makes of the flags: the third of its marks
marks() # MARKS
{
	trace-cmd report -N -l -i t.dat | grep nt_called | awk '{ print substr($2, 4, 1) }' | grep -c "[$1]"
}
is "trace-cmd marks softirqs" "$(marks s)" 4000
is "trace-cmd marks hardirqs, and NMIs as such: 3.1.6 knows no mark for them" "$(marks hH)" 6000
ok "trace-cmd report --stat shows the counters" sh -c 'trace-cmd report --stat -i t.dat | grep -q "^0:task 20000 20000 0 0 0"'
is "and its last events tell them" "$(trace-cmd report -N -i t.dat |
	sed -n 's/.*accounting: *slot=\([a-z]*\) .* recorded=\([0-9]*\) .*/\1 \2/p' |
	awk '{ n[$1] += $2 } END { print n["task"], n["softirq"], n["hardirq"], n["nmi"] }')" "40000 4000 4000 2000"

for mode in "" -W; do
	nestrace record -q -l nt_called $mode -b 1 -o t.dat sh -c 'echo "task 20000 hardirq 1000 softirq 1000 nmi 1000" > /proc/nt_calls'
	nestrace report -t t.dat > r
	lost=$(counter r total 5)
	is "tiny ring${mode:+, $mode}: recorded + lost is what was called" \
		$(($(counter r total 4) + lost)) 46000
	ok "some is lost" test "$lost" -gt 0
	is "what is recorded is shown" "$(grep -c 'nt_called <-' r)" "$(counter r total 4)"
	ok "the gaps are shown" grep -q 'EVENTS DROPPED' r
	shown=$(sed -n 's/.*\[\([0-9]*\) EVENTS DROPPED\]/\1/p' r | awk '{ n += $1 } END { print n + 0 }')
	is "and are all that was lost" "$shown" "$lost"
	is "still in order" "$(in_order r | cut -d ' ' -f 2)" 0
	theirs=$(trace-cmd report -N -i t.dat 2>/dev/null | sed -n 's/.*\[\([0-9]*\) EVENTS DROPPED\]/\1/p' | awk '{ n += $1 } END { print n + 0 }')
	# it does not know of those after the last event of a CPU
	before=$(awk '/ <- / { n += gap; gap = 0 } /DROPPED/ { gsub(/\[/, ""); gap += $2 } END { print n + 0 }' r)
	is "trace-cmd shows the same, before a later event" "$theirs" "$before"
	is "and all, as events at the end" "$(trace-cmd report -N -i t.dat 2>/dev/null |
		sed -n 's/.* lost: *cpu=[01] count=//p' | awk '{ n += $1 } END { print n }')" "$lost"
done
