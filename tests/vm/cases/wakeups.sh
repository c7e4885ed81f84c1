# Readers that sleep are woken in time. A recording without hits looks at its rings about once a
# second.
# kernels: all
# slow: 6.1 debug-6.12 6.1-rt 6.12-rt 6.1-cloud 6.12-cloud kasan-6.12 kcsan-6.12 debug-7.2 backports
setup insmod /tests/nt_calls.ko
timer=/sys/kernel/tracing/events/timer

# timers COMMAND...: count each time that the readers' timer looks, and that a bell does
timers()
{
	echo > /sys/kernel/tracing/trace
	echo 1 > $timer/hrtimer_expire_entry/enable
	echo 1 > $timer/timer_expire_entry/enable
	setup "$@"
	echo 0 > $timer/enable
	looks=$(grep -c nt_wake_readers /sys/kernel/tracing/trace)
	bells=$(grep -c nt_bell /sys/kernel/tracing/trace)
	note "$looks looks, $bells bells"
}

timers nestrace record -q -l nt_called -o t.dat sh -c 'for i in $(seq 40); do echo task 10 > /proc/nt_calls; usleep 50000; done'
ok "a recording with hits has a timer that wakes its readers" test $looks -gt 100
timers nestrace record -q -l nt_called -o t.dat sleep 5
ok "a recording without hits looks at its rings about once a second" test $looks -lt 50
timers nestrace record -q --flight -l nt_called -o t.dat sleep 2
is "a flight recording looks at no ring, until it ends" $looks 0
is "a flight recording has no bells" $bells 0

# A ring takes 9000 hits, some 100 ms of these.
timers nestrace record -q -b 256 -l nt_called -o t.dat sh -c 'sleep 2
	for i in $(seq 40); do echo task 1000 > /proc/nt_calls; usleep 10000; done'
setup nestrace report t.dat > r
is "hits after a quiet time are all recorded" "$(counter r total recorded)" 80000
is "hits after a quiet time: none is lost" "$(counter r total lost)" 0
ok "the bell of a CPU has brought the timer back" test $looks -gt 60

# The timer and the bells take turns, beside a busy CPU.
nestrace record -q -b 256 -l nt_called -o t.dat sh -c 'for i in $(seq 10); do
	for j in 1 2 3 4 5 6; do echo task 1000 > /proc/nt_calls; usleep 5000; done
	usleep $((150000 + 22000 * i))
done' & recorder=$!
until gone $recorder; do :; done
wait $recorder
setup nestrace report t.dat > r
is "hits after each of 10 quiet times: none is lost" "$(counter r total lost)" 0
is "hits after each of 10 quiet times are all recorded" "$(counter r total recorded)" 120000
