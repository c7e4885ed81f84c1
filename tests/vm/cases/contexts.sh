# A helper module makes every context on purpose and counts its calls in each. The trace has
# exactly these calls: for each context separately, for all at once, and with a small ring.
# slow: 6.1 6.12/1 6.12/2 debug-6.12
# kernels: all
# cpus: 1 2 4
setup insmod /tests/nt_contexts.ko
cpus=$(grep -c '^processor' /proc/cpuinfo)

# With RCU_EQS_DEBUG, only the idle task may let RCU stop watching.
not_watching=not_watching
case $(zcat /proc/config.gz 2>/dev/null) in
*CONFIG_RCU_EQS_DEBUG=y*) not_watching= ;;
esac

# trace MAKERS KB NAME: run MAKERS and trace all that the helper calls. Write the calls to
# "made" and the recorded hits to "got", both as lines FUNCTION CONTEXT COUNT.
trace()
{
	cat /proc/nt_contexts > before
	recorded r -l 'nt_at_*' -l fixup_exception -b "$2" sh -c "echo '$1' > /proc/nt_contexts"
	is "$3: nestrace record and stat -i succeed" $? 0
	awk 'NR == FNR { before[$1 " " $2] = $3; next }
	     $1 != "nt_switch" && $3 != before[$1 " " $2] { print $1, $2, $3 - before[$1 " " $2] }' \
		before /proc/nt_contexts | sort > made
	awk '/^ *[0-9]/ { print $3, $2, $1 }' r | sort > got
}

# extra: print how often others than the helper called fixup_exception(), which is the
# kernel's own. The calls of nestrace itself are filtered.
extra()
{
	echo $(($(awk '/^fixup/ { n += $3 } END { print n + 0 }' got) - $(awk '/^fixup/ { n += $3 } END { print n + 0 }' made)))
}

# calls: print the number of calls in "made"
calls()
{
	awk '{ n += $3 } END { print n + 0 }' made
}

# exact MAKERS NAME: test that the hits are exactly the calls
exact()
{
	trace "$1" 131072 "$2"
	ok "$2: the helper makes calls" test "$(calls)" -gt 0
	is "$2: each function is recorded in its context as often as it is called" \
		"$(grep -v ^fixup got | tr '\n' ';')" "$(grep -v ^fixup made | tr '\n' ';')"
	ok "$2: fixup_exception is recorded at least as often as the helper faults" test "$(extra)" -ge 0
	is "$2: the hits are the calls and the filtered ones" "$(counter r total hits)" $(($(calls) + $(extra) + $(counter r total filtered)))
	complete "$2"
	row "$2" "$(calls)"
}

for maker in "task 10000" "softirq 200" "tasklet 20" "hardirq 300" "nmi 200" "bp 200" "db 200" \
	     "fault 200" "key 1000" ${not_watching:+"not_watching 200"}; do
	exact "$maker" "${maker% *}"
	ok "${maker% *}: others fault less than 100 times" test "$(extra)" -lt 100
done
# Only a busy task can be interrupted in user mode.
busy=
for i in $(seq $cpus); do
	while :; do :; done &
	busy="$busy $!"
done
# QEMU sends more NMIs, to all CPUs.
while :; do
	echo nmi > /dev/ttyS2
	usleep 20000
done &
flood=$!
all="task 20000 softirq 500 tasklet 20 hardirq 500 user 5 nmi 400 bp 300 db 300 fault 300 key 1000"
# landed: succeed if an interrupt has landed in the tracer itself. In emulation that is luck.
# It is too rare with one CPU, which no other CPU interrupts.
landed()
{
	[ $cpus = 1 ] || [ "$(counter r total in-tracer)" -gt 0 ]
}
for try in $(seq 30); do
	exact "$all ${not_watching:+not_watching 300}" "all at once"
	! landed || break
done
while read -r function context count; do
	note "all at once: $function in $context: $count"
done < made
for function in task key softirq ksoftirqd hardirq hardirq_from_user nmi nmi_from_user nmi_edge bp db; do
	ok "all at once: the helper calls nt_at_$function" grep -q "^nt_at_$function " made
done
[ $cpus = 1 ] ||
	ok "all at once: hits interrupt the tracer itself" test "$(counter r total in-tracer)" -gt 0
if [ $not_watching ]; then
	ok "all at once: RCU is entered for each call while it is not watching" \
		test "$(counter r total rcu-entered)" -ge "$(awk '/not_watching/ { n += $3 } END { print n + 0 }' made)"
	is "all at once: no hit is lost because RCU is not watching" "$(counter r total no-rcu)" 0
fi

trace "$all" 64 "small ring"
extra=$(($(counter r total hits) - $(calls)))
ok "small ring: there are as many hits as calls, or more" test $extra -ge 0
is "small ring: every hit but the filtered ones is recorded or lost" $(($(counter r total recorded) + $(counter r total lost))) \
	$(($(counter r total hits) - $(counter r total filtered)))
ok "small ring: hits are lost" test "$(counter r total lost)" -gt 0
row "all at once, small ring" "$(calls)"
kill $flood $busy

# Each switch to a thread ends in finish_task_switch. __switch_to has no call to hook.
before=$(awk '/^nt_switch / { print $3 }' /proc/nt_contexts)
setup nestrace record -q -l 'finish_task_switch*' -b 16384 -o t.dat sh -c 'echo "switch 400" > /proc/nt_contexts'
setup nestrace report t.dat > r
made=$(($(awk '/^nt_switch / { print $3 }' /proc/nt_contexts) - before))
# On 6.1 a kernel thread's first switch is under the name of kthreadd.
sed -n 's/^ *nt_switch\/.*\(-[0-9]* \) *\[.*/\1/p' r | sort -u > pids
is "task switches: there is a hit for each switch that the scheduler counts" "$(grep -F -f pids r | grep -c ': task     finish_task_switch')" $made
ok "task switches: there are more than 400" test $made -gt 400
complete "task switches"
row switch $made "$(grep -F -f pids r | grep -c ' finish_task_switch')"
setup rmmod nt_contexts
ok "the module can be unloaded" rmmod nestrace
