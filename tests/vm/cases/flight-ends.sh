# A flight recording may end in any way: the last hits include what was called just before. All
# functions are traced, the rings are small and the CPU is busy. With a second CPU it would be
# up to QEMU when that one looks at an interrupt.
# kernels: all
# cpus: 1
# slow: 6.1 debug-6.12 debug-7.2 kasan-6.12 kcsan-6.12
# The load runs while the file "go" exists: it would only delay arming and disarming.
for i in 1 2; do
	(while [ ! -e stop ]; do [ -e go ] && read -r x < /proc/stat || usleep 100000; done) &
done
# so that this shell is not preempted between the call and the end
setup renice -20 -p $$

# start OPTION...: start a flight recording of all functions
start()
{
	nestrace record -q --flight -b 256 -o t.dat "$@" &
	recorder=$!
	until_running
	touch go
	sleep 2
}

# ended_with NAME [HITS]: test that a hit of $called is in the file, with at most HITS after it
# on its CPU. A ring holds some 7000 hits, so a recording that goes on loses it soon.
ended_with()
{
	# long enough to overwrite a ring many times
	sleep 3
	rm go
	wait $recorder
	setup nestrace report t.dat > r
	cpu=$(sed -n 's/.*\(\[[0-9]*\]\).* '$called' <-.*/\1/p' r | tail -n 1)
	ok "$1: the function called just before the end is in the file" test -n "$cpu"
	after=$(grep -F -- "$cpu" r | sed '1,/ '$called' <-/d' | wc -l)
	note "$1: hits after it on its CPU: $after of $(grep -cF -- "$cpu" r)"
	[ $# = 1 ] ||
		ok "$1: at most $2 hits follow it on its CPU" test "${cpu:+$after}" -le "$2"
	ok "$1: every hit is recorded, lost, recursed or filtered" adds_up r
	rm t.dat
}

called=loadavg_proc_show
for signal in USR1 USR2 INT; do
	start
	read -r x < /proc/loadavg
	kill -$signal $recorder
	ended_with "SIG$signal"
done

# to exit takes thousands of calls; one of the last tells the parent
called=do_notify_parent
nestrace record -q --flight -b 256 -o t.dat sh -c 'touch go; exec sleep 2' &
recorder=$!
setup within_a_minute test -e go
sleep 2
ended_with "the end of the command"
called=loadavg_proc_show

start --trigger loadavg_proc_show
read -r x < /proc/loadavg
ended_with "a trigger" 600

# Another task calls the trigger while the session is being armed. That call counts, though the
# function itself may not be traced yet. If it were forgotten, the next one would end a full ring.
# This shell may no longer starve the worker that stops the recording.
setup renice 0 -p $$
nestrace record -q --flight -b 256 -o t.dat --trigger loadavg_proc_show &
recorder=$!
until gone $recorder; do read -r x < /proc/loadavg; done
wait $recorder
setup nestrace report t.dat > r
recorded=$(counter r total recorded)
note "a trigger while the session is being armed: $recorded hits"
ok "a trigger while the session is being armed: at most 1200 hits are recorded" test "$recorded" -le 1200
ok "a trigger while the session is being armed: every hit is recorded, lost, recursed or filtered" adds_up r
touch stop
