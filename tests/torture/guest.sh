# The case that tests/torture/run boots, behind a line "time=... seed=... few=...": actors that
# do random things until the time is over.
tracing=/sys/kernel/tracing
# with odd seeds a lock orders the clock global
if [ $((seed % 2)) = 1 ]; then
	setup rmmod nestrace
	setup insmod /tests/nestrace.ko global=lock
fi
setup insmod /tests/nt_contexts.ko
setup insmod /tests/nt_calls.ko

# any N: set $any to the next random number of the actor, 0 to N - 1
any()
{
	random=$(((random * 1103515245 + 12345) % 2147483648))
	any=$((random / 65536 % $1))
}

# over: succeed if the time is over
over()
{
	[ "$(cut -d . -f 1 /proc/uptime)" -ge "$end" ]
}

# Run a session of any kind. If it ends by itself, it must account for all of its hits.
session()
{
	set -- stat
	any 2; [ $any = 0 ] || set -- record -q -o "t$actor.dat"
	any 4
	case $any in
	0) ;;
	1) set -- "$@" -l 'nt_*' ;;
	2) set -- "$@" -l '*lock*' -l '*sched*' -n '*_nmi*' ;;
	3) set -- "$@" -l 'vfs_*' -l 'nt_*' -n ':mod:nt_calls' ;;
	esac
	any 3; case $any in 1) set -- "$@" -C mono ;; 2) set -- "$@" -C tsc ;; esac
	any 4; case $any in 1) set -- "$@" -b 64 ;; 2) set -- "$@" -b 16384 ;; esac
	any 5; [ $any != 0 ] || set -- "$@" -M 1
	any 5; [ $any != 0 ] || set -- "$@" -P 1 -c
	if [ "$1" = record ]; then
		any 4; case $any in 1) set -- "$@" --ret ;; 2) set -- "$@" --ret=exit ;; 3) set -- "$@" --stack=8 ;; esac
		any 4
		case $any in 1|2) set -- "$@" -W ;; 3) set -- "$@" --flight --trigger loadavg_proc_show ;; esac
	fi
	# This is the trigger of other flight recordings.
	any 3; [ $any != 0 ] || cat /proc/loadavg > /dev/null
	any 4
	nestrace "$@" sleep $((any + 1)) > "r$actor" 2> "e$actor" &
	tracer=$!
	any 6
	if [ $any = 0 ]; then
		any 3
		sleep $any
		kill -KILL $tracer
		wait $tracer 2>/dev/null
		echo killed >> "sessions$actor"
		return
	fi
	[ $any != 1 ] || { sleep 1; kill -INT $tracer 2>/dev/null; }
	wait $tracer
	status=$?
	if [ $status != 0 ]; then
		echo "nestrace $*: status $status, $(head -c 200 "e$actor")" >> bad
	elif [ "$1" = stat ]; then
		adds_up "r$actor" ||
			echo "nestrace $*: $(grep total "r$actor")" >> bad
		[ "$(calls_in "r$actor")" = "$(counter "r$actor" total recorded)" ] ||
			echo "nestrace $*: the counts are not the hits" >> bad
		grep '^# recursion' "r$actor" >> recursions
		counter "r$actor" total hits >> hits
	elif ! nestrace stat -i "t$actor.dat" -o "r$actor" || grep -q 'do not add up' "r$actor"; then
		echo "nestrace $*: $(grep 'do not add up' "r$actor")" >> bad
	fi
	echo ended >> "sessions$actor"
}

# Make hits in every context.
contexts()
{
	any 200; a=$any; any 100; b=$any; any 100; c=$any; any 60; d=$any
	echo "task $((a * 20)) softirq $b tasklet $((b / 10)) hardirq $c nmi $d bp $d db $c fault $b key $((a * 2))" > /proc/nt_contexts
}

# Make hits in four contexts.
calls()
{
	any 3000; a=$any; any 300
	echo "task $a softirq $any hardirq $any nmi $((any / 2))" > /proc/nt_calls
}

# Let the kernel patch text.
patch()
{
	any 4
	case $any in
	0)
		echo 'p:nt_kp vfs_read' > $tracing/kprobe_events
		echo 1 > $tracing/events/kprobes/nt_kp/enable
		sleep 1
		echo 0 > $tracing/events/kprobes/nt_kp/enable
		echo > $tracing/kprobe_events
		;;
	1)
		any 2
		[ "$few" ] || [ $any = 0 ] && echo 'vfs_*' > $tracing/set_ftrace_filter
		any 2
		[ $any = 0 ] && echo function > $tracing/current_tracer || echo function_graph > $tracing/current_tracer
		sleep 1
		echo nop > $tracing/current_tracer
		echo > $tracing/set_ftrace_filter
		;;
	2)
		echo 1 > $tracing/events/sched/enable
		sleep 1
		echo 0 > $tracing/events/sched/enable
		;;
	3)
		insmod /tests/livepatch-sample.ko && sleep 1
		echo 0 > /sys/kernel/livepatch/livepatch_sample/enabled
		for i in 1 2 3 4 5; do
			rmmod livepatch_sample && break
			sleep 1
		done
		;;
	esac
}

# Take CPU 1 offline and back.
hotplug()
{
	any 4
	sleep $((any + 1))
	echo 0 > /sys/devices/system/cpu/cpu1/online
	any 3
	sleep $any
	echo 1 > /sys/devices/system/cpu/cpu1/online
}

# Send NMIs from QEMU.
nmis()
{
	any 50
	for i in $(seq $any); do
		echo nmi > /dev/ttyS2
	done
	sleep 1
}

# Load and unload a module.
modules()
{
	insmod /tests/nt_int3.ko
	rmmod nt_int3
	any 3
	sleep $any
}

# Make wild calls of the device.
abi()
{
	any 10000
	fuzz_abi 300 $any > /dev/null
	sleep 1
}

# Use files, processes and the network.
busy()
{
	dd if=/dev/zero of="f$actor" bs=64k count=16 2>/dev/null
	cat "f$actor" | md5sum > /dev/null
	find /proc/self > /dev/null 2>&1
	ping -c 1 -q 127.0.0.1 > /dev/null
}

# act NAME NUMBER: do NAME until the time is over
act()
{
	actor=$2
	random=$((seed + $2 * 7919))
	until over; do
		$1
		echo >> "rounds-$1"
	done
}

end=$(($(cut -d . -f 1 /proc/uptime) + time))
note "seed $seed"
number=0
actors=
for what in session session contexts calls patch hotplug nmis modules abi busy; do
	number=$((number + 1))
	act $what $number &
	actors="$actors $!"
done
wait $actors
touch bad recursions hits
for what in session contexts calls patch hotplug nmis modules abi busy; do
	note "$what: $(wc -l < rounds-$what) rounds"
	ok "$what: the actor has made a round or more" test "$(wc -l < rounds-$what)" -gt 0
done
note "hits in sessions that ended by themselves: $(awk '{ n += $1 } END { print n + 0 }' hits)"
sort recursions | uniq -c | sort -rn | head -n 10 | show
is "each session succeeds and accounts for all of its hits" "$(head -n 5 bad)" ""
sleep 3
ok "after all: no session is left" sh -c 'nestrace status | grep -q "sessions: 0 open"'
is "after all: no function is traced" "$(cat $tracing/enabled_functions)" ""
ok "the module can be unloaded" rmmod nestrace
