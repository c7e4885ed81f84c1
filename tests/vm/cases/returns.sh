# nestrace record --ret records each return, with its value and in the context of its call, while
# others hook the same functions, tasks sleep and exit inside, and CPUs come and go.
# kernels: all
# slow: 6.1 debug-6.12 kasan-6.12 kcsan-6.12 debug-7.2 backports 6.1-rt 6.12-rt 6.1-cloud 6.12-cloud
tracing=/sys/kernel/tracing
setup insmod /tests/nt_calls.ko
setup insmod /tests/nt_return.ko
all='echo "task 3000 softirq 500 hardirq 500 nmi 200" > /proc/nt_calls'

# exact NAME: test that the report r has all calls of \$all, each with its return
exact()
{
	local context
	balanced "$1"
	for context in task:6000 softirq:1000 hardirq:1000 nmi:400; do
		is "$1: the returns of calls in ${context%:*}" "$(returns r ${context%:*} returned)" ${context#*:}
	done
	is "$1: nothing is inside, lost, refused or without a node" \
		"$(for what in inside lost no-node no-rcu refused; do returns r total $what; done | tr '\n' ' ')" "0 0 0 0 0 "
}

for how in "--ret" "--ret -C tsc" "--ret -W" "--ret=exit" "--ret=exit -C mono"; do
	setup nestrace record -q $how -l nt_called -b 16384 -o t.dat sh -c "$all"
	setup nestrace report t.dat > r
	exact "$how"
	is "$how: stat --time counts the calls" \
		"$(nestrace stat -i t.dat --time | awk '$NF == "nt_called" { n += $1 } END { print n }')" 8400
done

# small rings lose records, and count each
for how in "--ret -b 1" "--ret -b 1 -W" "--ret=exit -b 1" "--ret -b 64 --flight"; do
	setup nestrace record -q $how -l nt_called -o t.dat sh -c "$all"
	setup nestrace report t.dat > r
	balanced "$how"
	is "$how: 8400 calls are counted" "$(counter r total hits)" 8400
	ok "$how: something is lost" test $(($(counter r total lost) + $(returns r total lost))) -gt 0
	ok "$how: trace-cmd reads it" sh -c 'trace-cmd report -i t.dat > theirs 2> err && [ ! -s err ]'
done

setup nestrace record -q --ret -l nt_twice -l nt_tail -o t.dat sh -c 'echo "twice 100" > /proc/nt_return; echo "tail 100" > /proc/nt_return'
setup nestrace report t.dat > r
is "each return value is right" \
	"$(sed -n 's/.*nt_twice.*-> \([0-9]*\) .*/\1/p' r | awk '$1 != 2 * (NR - 1) % 200 + 1 { bad++ } END { print NR, bad + 0 }')" "200 0"
is "a function that is jumped to has the caller of the one before it" \
	"$(grep -c 'nt_t[a-z]* <- .*trampoline' r) $(grep -c 'nt_twice <- ' r) $(grep 'nt_tail <- ' r | sed 's/.*<- //' | sort -u)" \
	"0 200 $(grep 'nt_twice <- ' r | sed 's/.*<- //' | sort -u)"

# a task sleeps inside while the session ends and the module goes
nestrace record -q --ret -l nt_sleep -o t.dat sh -c 'echo "sleep 4000" > /proc/nt_return & usleep 500000'
setup nestrace report t.dat > r
is "a call that has not returned is inside" "$(returns r total inside)" 1
ok "the module goes while a task sleeps inside" rmmod nestrace
ok "the module comes again" insmod /tests/nestrace.ko
usleep 4500000
setup nestrace record -q --ret -l nt_exit -o t.dat sh -c 'echo "exit 20" > /proc/nt_return'
setup nestrace report t.dat > r
is "20 tasks exit inside" "$(returns r total calls) $(returns r total inside)" "20 20"

# others hook the returns of the same function
# together NAME: test that each return is recorded meanwhile
with()
{
	setup nestrace record -q --ret -l nt_called -b 16384 -o t.dat sh -c "$all"
	setup nestrace report t.dat > r
	exact "with $1"
}
echo 'r:nt_krp nt_called' > $tracing/kprobe_events
echo 1 > $tracing/events/kprobes/nt_krp/enable
with "a kretprobe that was there before"
echo 0 > $tracing/events/kprobes/nt_krp/enable
setup nestrace record -q --ret -l nt_called -b 16384 -o t.dat sh -c "
	echo 1 > $tracing/events/kprobes/nt_krp/enable; $all; echo 0 > $tracing/events/kprobes/nt_krp/enable"
setup nestrace report t.dat > r
exact "with a kretprobe that comes later"
echo > $tracing/kprobe_events
if echo 'f:nt_fp nt_called%return' > $tracing/dynamic_events 2>/dev/null; then
	echo 1 > $tracing/events/fprobes/nt_fp/enable
	with "an fprobe"
	echo 0 > $tracing/events/fprobes/nt_fp/enable
	echo > $tracing/dynamic_events
fi
echo nt_called > $tracing/set_ftrace_filter
echo function_graph > $tracing/current_tracer
with "function_graph"
echo nop > $tracing/current_tracer
echo > $tracing/set_ftrace_filter
nestrace record -q --ret -l nt_called -b 16384 -o other.dat sleep 100 & other=$!
until_running
with "another session"
kill -INT $other
wait $other
setup nestrace report other.dat > r
exact "the other session"

# all functions, while CPUs and tasks come and go; a kernel with checks has too many hits for a file
setup nestrace record -q --ret --flight -b 4096 -o t.dat sh -c "echo 'task 100 nmi 20' > /proc/nt_calls
	for i in 1 2; do echo 0 > /sys/devices/system/cpu/cpu1/online; echo 1 > /sys/devices/system/cpu/cpu1/online; done
	find /proc/self > /dev/null; ls -l /sys/kernel > /dev/null; for i in \$(seq 20); do (:); done" > /dev/null
ok "the module goes at once after all functions" rmmod nestrace
setup nestrace report t.dat > r
balanced "all functions"
grep '^#' r | show
ok "all functions: there are returns in task, softirq and hardirq" \
	sh -c "[ $(returns r task returned) -gt 10000 ] && [ $(returns r softirq returned) -gt 0 ] && [ $(returns r hardirq returned) -gt 0 ]"
# a kernel with lockdep refuses what a CPU calls before RCU knows it
per=10000
[ ! -e /proc/lockdep ] || per=100
ok "all functions: less than 1 of $per calls is refused or has no node" \
	test $((($(returns r total no-node) + $(returns r total refused)) * per)) -lt "$(returns r total calls)"
is "after all: no function is traced" "$(cat $tracing/enabled_functions)" ""
