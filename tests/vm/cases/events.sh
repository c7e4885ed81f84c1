# The trace events of system nestrace, with the kernel's own tools: trace-cmd, triggers,
# filters, instances.
# slow: 6.1
# kernels: 6.1 6.12 debug-6.12 kasan-6.12 debug-7.2 backports
T=/sys/kernel/tracing
E=$T/events/nestrace
P=/sys/module/nestrace/parameters
insmod /tests/nt_calls.ko
calls="task 500 softirq 100 hardirq 100 nmi 100"

ok "they are there" test -d $E/function -a -d $E/recursion -a -d $E/rcu_wake -a -d $E/lost
ok "none is armed" events_are "not armed"

# hits SLOT FILE: of nt_called, in that context, as trace-cmd prints them
hits()
{
	grep -c "function: *nt_called <-- .*slot=$1" "$2"
}
# in_every_slot NAME FILE: all calls, each in its slot
in_every_slot()
{
	is "$1: all calls in tasks" "$(hits task "$2")" 1000
	is "$1: in softirqs" "$(hits softirq "$2")" 200
	is "$1: in hardirqs" "$(hits hardirq "$2")" 200
	is "$1: in NMIs" "$(hits nmi "$2")" 200
}

nestrace arm -l nt_called
is "the filter is set" "$(cat $P/filter)" nt_called
trace-cmd record -q -e nestrace:function -o t.dat sh -c "echo $calls > /proc/nt_calls" 2> errors
is "trace-cmd record -e nestrace:function" $? 0
trace-cmd report -i t.dat > r 2> errors
in_every_slot "trace-cmd" r
grep nt_called r | grep -v slot=task | head -n 3 | while read -r line; do note "$line"; done
# irqs, resched, context, preemption, migration: as the kernel's own function tracer has them;
# X is what trace-cmd 3.1.6 makes of a lazy resched, if interrupts are on
trace-cmd report -l -i t.dat 2> errors | awk '/slot=/ { sub(/.*slot=/, "", $NF); sub(/^[0-9]+/, "", $2); print $NF, $2 }' |
	sort | uniq -c | awk '{ print $2, $3 }' > flags
is "contexts and preemption are told as they are" "$(grep -vxE \
	'task [.X][.N]\.\.\.|softirq [.X][.N]s[1-9.]\.|hardirq d[.N][hH][1-9.]\.|nmi d[.N][hHzZ][1-9.]\.' flags | grep .)" ""
ok "disarmed by its end" events_are "not armed"
ok "all hits were accounted for: $(nestrace status | grep '^trace events')" \
	events_are "not armed, 1600 hits given out.* 0 refused, 0 skipped"

# enabled CALLS: made while the event is
enabled()
{
	echo 1 > $E/function/enable
	echo $1 > /proc/nt_calls
	echo 0 > $E/function/enable
}
# filtered FILTER: what an event filter lets through, in r
filtered()
{
	echo > $T/trace
	echo "$1" > $E/function/filter
	enabled "$calls"
	grep slot= $T/trace | sed 's/ \[nt_calls\]//g' > r
	echo 0 > $E/function/filter
}
filtered 'slot == 2'
is "with a filter on the slot only that slot" "$(grep -c slot= r) $(hits hardirq r)" "200 200"
# trace-cmd -f leaves out what interrupts trace-cmd itself
trace-cmd record -q -e nestrace:function -f 'slot == 0' -o t.dat sh -c "echo $calls > /proc/nt_calls" 2> errors
is "trace-cmd record -f" $? 0
trace-cmd report -i t.dat > r 2> errors
is "only that slot" "$(grep -c slot= r) $(hits task r)" "1000 1000"
# where a function is traced is a few bytes into it, if it begins with an ENDBR
address=$(sed -n 's/^\([0-9a-f]*\) . nt_called\t.*/0x\1/p' /proc/kallsyms)
end=$(printf '0x%x' $((address + 8)))
filtered "ip >= $address && ip < $end"
in_every_slot "with a filter on ip" r
filtered "ip < $address || ip >= $end"
is "and with its opposite" "$(grep -c slot= r)" 0

trace-cmd record -q -B own -e nestrace:function -o t.dat sh -c "echo $calls > /proc/nt_calls" 2> errors
is "in an instance (-B)" $? 0
trace-cmd report -i t.dat > r 2> errors
in_every_slot "-B" r

trace-cmd start -q -e nestrace:function
echo $calls > /proc/nt_calls
ok "armed meanwhile" events_are "armed"
ok "the module can't be unloaded while it is" sh -c '! rmmod nestrace 2>/dev/null'
trace-cmd stop
trace-cmd extract -o t.dat > /dev/null 2> errors
is "trace-cmd start, stop, extract" $? 0
trace-cmd report -i t.dat > r 2> errors
in_every_slot "extract" r
trace-cmd reset
ok "reset disarms" events_are "not armed"

# disabled under ftrace's lock, which disarming takes too
echo 'nt_called:enable_event:nestrace:function' > $T/set_ftrace_filter
ok "a function that enables it when it is called: armed" events_are "armed"
echo > $T/trace
echo "$calls" > /proc/nt_calls
ok "and it is traced" test "$(grep -c 'nt_called .*slot=' $T/trace)" -gt 1500
(echo '!nt_called:enable_event:nestrace:function' > $T/set_ftrace_filter; touch disabled) &
ok "that is taken off" within_a_minute test -e disabled
echo 0 > $E/function/enable
echo 'nt_called:enable_event:nestrace:function' > $T/set_ftrace_filter
(echo '!nt_called:enable_event:nestrace:function' > $T/set_ftrace_filter; touch disabled_unused) &
ok "and one that was not called" within_a_minute test -e disabled_unused
ok "then none is armed" within_a_minute events_are "not armed"

# a kernel without hist triggers has no such file
if [ -e $E/function/hist ]; then
	echo 'hist:keys=ip.sym,slot' > $E/function/trigger
	enabled "$calls"
	is "hist: counts of every slot" \
		"$(sed -n 's/.*nt_called.*slot: *\([0-3]\) .*hitcount: *\([0-9]*\).*/\1:\2/p' $E/function/hist | sort | tr '\n' ' ')" \
		"0:1000 1:200 2:200 3:200 "
	echo '!hist:keys=ip.sym,slot' > $E/function/trigger
fi

echo > $T/trace
echo stacktrace > $E/function/trigger
enabled "task 3 nmi 3"
echo '!stacktrace' > $E/function/trigger
is "stacktrace: one for each" "$(grep -c '<stack trace>' $T/trace)" 12
ok "which shows who called" grep -q '=> on_nmi' $T/trace

# all functions: what emitting calls is refused, on the same stack
nestrace arm -n '*lock*' -n 'rcu_*'
is "the filter is all" "$(cat $P/filter)" ""
is "and the others" "$(cat $P/notrace)" '*lock*,rcu_*'
trace-cmd record -q -b 4096 -e nestrace -o t.dat sh -c "sleep 1; echo $calls > /proc/nt_calls" 2> errors
is "all functions, all events" $? 0
trace-cmd report -i t.dat > r 2> errors
for slot in task softirq hardirq; do
	ok "hits in $slot" grep -q "function: .*slot=$slot" r
done
# the others' would overwrite them
filtered "slot == 3"
ok "hits in nmi" grep -q 'slot=nmi' r
is "and in no other" "$(grep -v slot=nmi r)" ""
is "none that is left out" "$(grep -c 'function: *rcu_[^ ]* <--' r)" 0
note "$(nestrace status | grep '^trace events')"
grep -E 'recursion:|rcu_wake:|lost:' r | head -n 5 | while read -r line; do note "$line"; done

# in a session that loses hits, its reader says so in the trace as well
nestrace arm -l nt_called
echo 1 > $E/lost/enable
ok "lost alone arms nothing" events_are "not armed"
nestrace record -q --flight -b 8 -l nt_called -o n.dat sh -c "echo task 20000 > /proc/nt_calls"
echo 0 > $E/lost/enable
nestrace report n.dat | grep '^#' > r
for event in recursion lost; do
	is "$event in a file of nestrace record has the module's fields" \
		"$(trace-cmd dump --events -i n.dat 2> /dev/null | sed -n "/^name: $event\$/,/^print/{/field:/p}")" \
		"$(grep field: $E/$event/format)"
done
told=$(sed -n 's/.*lost: cpu=.* count=//p' $T/trace | awk '{ n += $1 } END { print n + 0 }')
note "$told told, $(counter r total 5) lost"
is "lost: each gap is told with its count" "$told" "$(counter r total 5)"
ok "there are some" test "$told" -gt 0

# who may only count in his own task must not arm the tracer
echo 1 > /proc/sys/kernel/perf_event_paranoid
is "without any right: another event is counted" \
	"$(unprivileged "$(cat $T/events/sched/sched_switch/id)")" counted
is "ours is refused" "$(unprivileged "$(cat $E/function/id)")" refused

# the kernel's locks on tracepoints and on ftrace, in both orders: lockdep looks on
echo nt_called > $T/set_ftrace_filter
(for i in 1 2 3 4 5; do
	echo function_graph > $T/current_tracer
	echo $$ > $T/set_ftrace_pid
	echo > $T/set_ftrace_pid
	echo nop > $T/current_tracer
done) &
for i in 1 2 3 4 5; do
	echo 1 > $E/function/enable
	echo 0 > $E/function/enable
done
wait
echo > $T/set_ftrace_filter
ok "beside function_graph and set_ftrace_pid: armed and disarmed" \
	events_are "not armed"

# a filter that can't be had any more, and a mistake: not all functions instead
nestrace arm -l ':mod:nt_calls'
rmmod nt_calls
echo 1 > $E/function/enable
ok "neither the new filter nor the old can be set" sh -c "! echo no_such_function > $P/filter"
is "then nothing is traced" "$(cat $P/filter) $(wc -l < $T/enabled_functions)" "- 0"
nestrace arm -l vfs_read
is "until another is set" "$(cat $P/filter) $(wc -l < $T/enabled_functions)" "vfs_read 1"
echo 0 > $E/function/enable
insmod /tests/nt_calls.ko

nestrace arm -n :mod:nt_calls
ok "a module that is left out stays" sh -c '! rmmod nt_calls 2>/dev/null'
nestrace disarm
is "disarm" "$(cat $P/filter)" -
ok "lets it go" rmmod nt_calls
insmod /tests/nt_calls.ko
trace-cmd record -q -e nestrace:function -o t.dat sh -c "echo $calls > /proc/nt_calls" 2> errors
is "enabled, but disarmed: no hit" "$(trace-cmd report -i t.dat 2> /dev/null | grep -c nt_called)" 0
echo 1 > $E/function/enable
nestrace arm -l nt_called
ok "armed while one is enabled: at once" events_are "armed"
nestrace disarm
ok "and disarmed at once" events_are "not armed"
echo 0 > $E/function/enable

nestrace arm -l no_such_function 2> errors
is "a filter that matches nothing is refused" $? 1
ok "by a sentence" grep -q "'no_such_function': no function that can be traced matches" errors
is "what was before stays" "$(cat $P/filter)" -
ok "written by hand, too" sh -c "! echo nt_called,no_such_function > $P/filter"
is "and what was before stays" "$(cat $P/filter)" -

is "nothing is traced any more" "$(wc -l < $T/enabled_functions)" 0
ok "unload" rmmod nestrace
ok "loaded with a filter" insmod /tests/nestrace.ko filter=nt_called,vfs_read notrace=vfs_read
trace-cmd record -q -e nestrace:function -o t.dat sh -c "echo $calls > /proc/nt_calls" 2> errors
trace-cmd report -i t.dat > r 2> errors
in_every_slot "filter= at load" r
is "and no other" "$(grep -c 'function:' r)" 1600
rmmod nestrace
ok "with a filter that matches nothing it does not load" sh -c '! insmod /tests/nestrace.ko filter=no_such_function 2>/dev/null'
ok "and says why" sh -c 'dmesg | grep -q "filter=no_such_function notrace=: no such function or module"'
