# Every context, made on purpose, each call counted: alone, all at once, and with too small
# a ring. The helper says how often it called which function in which context.
# slow: 6.1/1 6.1/4 debug-6.12/1 debug-6.12/4
# kernels: all
# cpus: 1 2 4
insmod /tests/nt_contexts.ko
cpus=$(grep -c '^processor' /proc/cpuinfo)

# as on a stock kernel; with RCU_EQS_DEBUG only the idle task may tell RCU that it idles
asleep=asleep
case $(zcat /proc/config.gz 2>/dev/null) in
*CONFIG_RCU_EQS_DEBUG=y*) asleep= ;;
esac

# trace MAKERS KB NAME: MAKERS run, with all that the helper calls traced; leaves in "made"
# what was called, in "got" what was recorded, both as lines FUNCTION SLOT COUNT
trace()
{
	cat /proc/nt_contexts > before
	nestrace stat -l 'nt_at_*' -l fixup_exception -b "$2" -o r sh -c "echo '$1' > /proc/nt_contexts"
	is "$3: traced" $? 0
	awk 'NR == FNR { before[$1 " " $2] = $3; next }
	     $1 != "nt_switch" && $3 != before[$1 " " $2] { print $1, $2, $3 - before[$1 " " $2] }' \
		before /proc/nt_contexts | sort > made
	awk '/^ *[0-9]/ { print $3, $2, $1 }' r | sort > got
}

# fixup_exception() is the kernel's own: beside the helper's, others may call it; where
# nestrace itself does, it is filtered
extra()
{
	echo $(($(awk '/^fixup/ { n += $3 } END { print n + 0 }' got) - $(awk '/^fixup/ { n += $3 } END { print n + 0 }' made)))
}

calls()
{
	awk '{ n += $3 } END { print n + 0 }' made
}

exact()
{
	trace "$1" 131072 "$2"
	ok "$2: some calls were made" test "$(calls)" -gt 0
	is "$2: recorded in its slot, as often as called" \
		"$(grep -v ^fixup got | tr '\n' ';')" "$(grep -v ^fixup made | tr '\n' ';')"
	ok "$2: faults too" test "$(extra)" -ge 0
	is "$2: hits" "$(counter r total 3)" $(($(calls) + $(extra) + $(counter r total 7)))
	is "$2: lost, refused" "$(counter r total 5) $(counter r total 6)" "0 0"
	row "$2" "$(calls)"
}

for maker in "task 10000" "softirq 200" "tasklet 20" "hardirq 300" "nmi 200" "bp 200" "db 200" \
	     "fault 200" "key 1000" ${asleep:+"asleep 200"}; do
	exact "$maker" "${maker% *}"
	ok "${maker% *}: few faults of others" test "$(extra)" -lt 100
done
# interrupts from user mode need somebody there
busy=
for i in $(seq $cpus); do
	while :; do :; done &
	busy="$busy $!"
done
# beside the makers' own, NMIs from outside, to all CPUs
while :; do
	echo nmi > /dev/ttyS2
	usleep 20000
done &
flood=$!
all="task 20000 softirq 500 tasklet 20 hardirq 500 user 5 nmi 400 bp 300 db 300 fault 300 key 1000"
# until some interrupts land in the tracer itself: under emulation that is luck, and too
# much of it with one CPU, to which no other sends any
landed()
{
	[ $cpus = 1 ] || [ "$(counter r total 10)" -gt 0 ]
}
for try in $(seq 30); do
	exact "$all ${asleep:+asleep 300}" "all at once"
	! landed || break
done
while read -r function slot count; do
	note "all at once: $function in $slot: $count"
done < made
for function in task key softirq ksoftirqd hardirq hardirq_from_user nmi nmi_from_user nmi_edge bp db; do
	ok "all at once: nt_at_$function was called" grep -q "^nt_at_$function " made
done
[ $cpus = 1 ] ||
	ok "hits arrived while another slot of their CPU was in the tracer" test "$(counter r total 10)" -gt 0
if [ $asleep ]; then
	ok "RCU was woken for each that came with RCU asleep" \
		test "$(counter r total 9)" -ge "$(awk '/asleep/ { n += $3 } END { print n + 0 }' made)"
	is "none was skipped" "$(counter r total 8)" 0
fi

trace "$all" 64 "too small a ring"
extra=$(($(counter r total 3) - $(calls)))
ok "too small a ring: hits" test $extra -ge 0
is "too small a ring: recorded + lost" $(($(counter r total 4) + $(counter r total 5))) \
	$(($(counter r total 3) - $(counter r total 7)))
ok "too small a ring: lost" test "$(counter r total 5)" -gt 0
row "all at once, too small a ring" "$(calls)"
kill $flood $busy

# each switch to a thread ends in finish_task_switch; __switch_to has no call to hook
before=$(awk '/^nt_switch / { print $3 }' /proc/nt_contexts)
nestrace record -q -l 'finish_task_switch*' -b 16384 -o t.dat sh -c 'echo "switch 400" > /proc/nt_contexts'
nestrace report t.dat > r
made=$(($(awk '/^nt_switch / { print $3 }' /proc/nt_contexts) - before))
is "switches: as many hits as the scheduler counted" "$(grep -c 'nt_switch/.*: task     finish_task_switch' r)" $made
ok "switches: some" test $made -gt 400
is "switches: lost, refused" "$(counter r total 5) $(counter r total 6)" "0 0"
row switch $made "$(grep -c 'nt_switch/.* finish_task_switch' r)"
rmmod nt_contexts
ok "unload" rmmod nestrace
