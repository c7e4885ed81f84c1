# The trace events of system nestrace work with trace-cmd, triggers, filters and instances.
# slow: 6.1 debug-6.12
# kernels: 6.1 6.12 debug-6.12 kasan-6.12 debug-7.2 backports
T=/sys/kernel/tracing
E=$T/events/nestrace
P=/sys/module/nestrace/parameters
setup insmod /tests/nt_calls.ko
calls="task 500 softirq 100 hardirq 100 nmi 100"

ok "the events function, recursion, rcu_enter and lost exist" \
	test -d $E/function -a -d $E/recursion -a -d $E/rcu_enter -a -d $E/lost
ok "a fresh module: the events are not armed" events_not_armed
is "a fresh module: no function is chosen" "$(cat $P/filter)" ""

# A user who enables all events of the kernel must not trace all of its functions.
# not_armed NAME: test the files status and functions, which were written while all events
# were enabled
not_armed()
{
	ok "$1: nestrace status says that the events are not armed" \
		events_not_armed status
	is "$1: ftrace traces no function" "$(cat functions)" ""
}
look="nestrace status > status; cat $T/enabled_functions > functions"
setup echo 1 > $T/events/enable
is "events/enable: nestrace:function is enabled" "$(cat $E/function/enable)" 1
eval "$look"
setup echo 0 > $T/events/enable
not_armed "events/enable"
echo > $T/trace
rm status functions
trace-cmd record -q -e all -o all.dat sh -c "cat $E/function/enable > enabled; $look" > out 2> errors
is "trace-cmd record -e all: it succeeds" $? 0
is "trace-cmd record -e all: nestrace:function is enabled" "$(cat enabled)" 1
not_armed "trace-cmd record -e all"
rm all.dat

# hits CONTEXT FILE: count the hits of nt_called in CONTEXT, as trace-cmd prints them
hits()
{
	grep -c "function: *nt_called <-- .*context=$1" "$2"
}
# in_every_context NAME FILE: test that FILE has each call in its context
in_every_context()
{
	is "$1: it shows each call in task" "$(hits task "$2")" 1000
	is "$1: it shows each call in softirq" "$(hits softirq "$2")" 200
	is "$1: it shows each call in hardirq" "$(hits hardirq "$2")" 200
	is "$1: it shows each call in nmi" "$(hits nmi "$2")" 200
}

setup nestrace events -l nt_called
is "nestrace events -l: it sets the parameter filter" "$(cat $P/filter)" nt_called
trace-cmd record -q -e nestrace:function -o t.dat sh -c "echo $calls > /proc/nt_calls" 2> errors
is "trace-cmd record: it succeeds" $? 0
trace-cmd report -i t.dat > r 2> errors
in_every_context "trace-cmd record" r
grep nt_called r | grep -v context=task | head -n 3 | show
# The marks for irqs, resched, context, preemption and migration are those of the kernel's
# function tracer. trace-cmd 3.1.6 shows X for a lazy resched with interrupts on.
trace-cmd report -l -i t.dat 2> errors | awk '/context=/ { sub(/.*context=/, "", $NF); sub(/^[0-9]+/, "", $2); print $NF, $2 }' |
	sort | uniq -c | awk '{ print $2, $3 }' > flags
is "trace-cmd report -l: it marks contexts and preemption" "$(grep -vxE \
	'task [.X][.N]\.\.\.|softirq [.X][.N]s[1-9.]\.|hardirq d[.N][hH][1-9.]\.|nmi d[.N][hHzZ][1-9.]\.' flags | grep .)" ""
ok "trace-cmd record: its end disarms the events" events_not_armed
note "$(nestrace status | sed -n 's/^ *since the module was loaded: //p')"
ok "nestrace status: it counts the 1600 emitted hits" \
	sh -c 'nestrace status | grep -q " 1600 hits emitted, 0 recursed, 0 skipped"'

# enabled CALLS: make CALLS while the event is enabled
enabled()
{
	echo 1 > $E/function/enable
	echo $1 > /proc/nt_calls
	echo 0 > $E/function/enable
}
# filtered FILTER: write the hits that the event filter FILTER passes to r
filtered()
{
	echo > $T/trace
	echo "$1" > $E/function/filter
	enabled "$calls"
	grep context= $T/trace | sed 's/ \[nt_calls\]//g' > r
	echo 0 > $E/function/filter
}
filtered 'context == 2'
is "an event filter on the context: only its hits pass" "$(grep -c context= r) $(hits hardirq r)" "200 200"
# trace-cmd -f leaves out what interrupts trace-cmd itself.
trace-cmd record -q -e nestrace:function -f 'context == 0' -o t.dat sh -c "echo $calls > /proc/nt_calls" 2> errors
is "trace-cmd record -f: it succeeds" $? 0
trace-cmd report -i t.dat > r 2> errors
is "trace-cmd record -f: only hits of the context pass" "$(grep -c context= r) $(hits task r)" "1000 1000"
# The traced address is a few bytes into the function if that begins with an ENDBR.
address=$(sed -n 's/^\([0-9a-f]*\) . nt_called\t.*/0x\1/p' /proc/kallsyms)
end=$(printf '0x%x' $((address + 8)))
filtered "ip >= $address && ip < $end"
in_every_context "an event filter on ip" r
filtered "ip < $address || ip >= $end"
is "an event filter on all other ip: no hit passes" "$(grep -c context= r)" 0

trace-cmd record -q -B own -e nestrace:function -o t.dat sh -c "echo $calls > /proc/nt_calls" 2> errors
is "trace-cmd record -B: it succeeds" $? 0
trace-cmd report -i t.dat > r 2> errors
in_every_context "trace-cmd record -B" r

setup trace-cmd start -q -e nestrace:function
echo $calls > /proc/nt_calls
ok "trace-cmd start: the events are armed" events_armed
ok "trace-cmd start: the module cannot be unloaded" sh -c '! rmmod nestrace 2>/dev/null'
trace-cmd stop
trace-cmd extract -o t.dat > /dev/null 2> errors
is "trace-cmd extract: it succeeds" $? 0
trace-cmd report -i t.dat > r 2> errors
in_every_context "trace-cmd extract" r
trace-cmd reset
ok "trace-cmd reset: it disarms the events" events_not_armed

# enable_event disables the event under ftrace's lock, which disarming takes too.
echo 'nt_called:enable_event:nestrace:function' > $T/set_ftrace_filter
ok "enable_event: it arms the events" events_armed
echo > $T/trace
echo "$calls" > /proc/nt_calls
ok "enable_event: the hits are in the trace" test "$(grep -c 'nt_called .*context=' $T/trace)" -gt 1500
(echo '!nt_called:enable_event:nestrace:function' > $T/set_ftrace_filter; touch disabled) &
ok "enable_event: it can be removed" within_a_minute test -e disabled
echo 0 > $E/function/enable
echo 'nt_called:enable_event:nestrace:function' > $T/set_ftrace_filter
(echo '!nt_called:enable_event:nestrace:function' > $T/set_ftrace_filter; touch disabled_unused) &
ok "enable_event of a function that was not called: it can be removed" within_a_minute test -e disabled_unused
ok "enable_event: its removal disarms the events" within_a_minute events_not_armed

# A kernel without hist triggers has no such file.
if [ -e $E/function/hist ]; then
	echo 'hist:keys=ip.sym,context' > $E/function/trigger
	enabled "$calls"
	is "hist trigger: it counts the calls of each context" \
		"$(sed -n 's/.*nt_called.*context: *\([0-3]\) .*hitcount: *\([0-9]*\).*/\1:\2/p' $E/function/hist | sort | tr '\n' ' ')" \
		"0:1000 1:200 2:200 3:200 "
	echo '!hist:keys=ip.sym,context' > $E/function/trigger
fi

echo > $T/trace
echo stacktrace > $E/function/trigger
enabled "task 3 nmi 3"
echo '!stacktrace' > $E/function/trigger
is "stacktrace trigger: there is a stack for each hit" "$(grep -c '<stack trace>' $T/trace)" 12
ok "stacktrace trigger: the stacks show the caller" grep -q '=> on_nmi' $T/trace

# All functions are traced. The calls of the emitting code recurse on the same stack.
setup nestrace events --all
is "nestrace events --all: it sets the parameter filter" "$(cat $P/filter)" "*"
setup nestrace events --all -n '*lock*' -n 'rcu_*'
is "nestrace events --all -n: it sets the parameter filter" "$(cat $P/filter)" "*"
is "nestrace events --all -n: it sets the parameter notrace" "$(cat $P/notrace)" '*lock*,rcu_*'
trace-cmd record -q -b 4096 -e nestrace -o t.dat sh -c "sleep 1; echo $calls > /proc/nt_calls" 2> errors
is "all functions: trace-cmd record succeeds" $? 0
trace-cmd report -i t.dat > r 2> errors
for context in task softirq hardirq; do
	ok "all functions: there are hits in $context" grep -q "function: .*context=$context" r
done
# The hits of other contexts would overwrite them.
filtered "context == 3"
ok "all functions: there are hits in nmi" grep -q 'context=nmi' r
is "all functions, event filter on nmi: no other hit passes" "$(grep -v context=nmi r)" ""
is "all functions: no hit of -n is shown" "$(grep -c 'function: *rcu_[^ ]* <--' r)" 0
note "$(nestrace status | sed -n 's/^ *since the module was loaded: //p')"
grep -E 'recursion:|rcu_enter:|lost:' r | head -n 5 | show

# The reader of a session that loses hits reports each gap in the trace too.
setup nestrace events -l nt_called
setup echo 1 > $E/lost/enable
ok "the event lost does not arm the events" events_not_armed
setup nestrace record -q --flight -b 8 -l nt_called -o n.dat sh -c "echo task 20000 > /proc/nt_calls"
echo 0 > $E/lost/enable
nestrace report n.dat | grep '^#' > r
for event in recursion lost; do
	is "the event $event in a file of nestrace record has the fields of the module's event" \
		"$(trace-cmd dump --events -i n.dat 2> /dev/null | sed -n "/^name: $event\$/,/^print/{/field:/p}")" \
		"$(grep field: $E/$event/format)"
done
gaps=$(sed -n 's/.*lost: cpu=.* count=//p' $T/trace | awk '{ n += $1 } END { print n + 0 }')
note "$gaps hits in the gaps, $(counter r total lost) lost"
is "the event lost: the counts of the gaps add up to the lost hits" "$gaps" "$(counter r total lost)"
ok "the event lost: hits are lost" test "$gaps" -gt 0

# A user who may only count in his own tasks must not arm the tracer.
setup echo 1 > /proc/sys/kernel/perf_event_paranoid
is "without any right, sched_switch can be counted" \
	"$(unprivileged "$(cat $T/events/sched/sched_switch/id)")" counted
is "without any right, nestrace:function cannot be counted" "$(unprivileged "$(cat $E/function/id)")" refused

# Take the kernel's locks on tracepoints and on ftrace in both orders, for lockdep to see.
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
ok "beside function_graph and set_ftrace_pid: the events are disarmed in the end" \
	events_not_armed

# The functions of a filter may go with their module, and come again. Meanwhile the events must not
# trace all functions.
setup nestrace events -l ':mod:nt_calls'
setup rmmod nt_calls
echo 1 > $E/function/enable
ok "a filter that matches nothing, after one that is gone: it cannot be set" sh -c "! echo no_such_function > $P/filter"
is "a filter that matches nothing, after one that is gone: no function is traced" "$(cat $P/filter) $(grep -vc '^nt_nothing' $T/enabled_functions)" ":mod:nt_calls 0"
ok "notrace beside a filter that is gone: it can be set" sh -c "echo vfs_read > $P/notrace"
is "notrace beside a filter that is gone: no function is traced" "$(cat $P/filter) $(grep -vc '^nt_nothing' $T/enabled_functions)" ":mod:nt_calls 0"
setup insmod /tests/nt_calls.ko
echo > $T/trace
echo "here 10" > /proc/nt_calls
is "a filter whose module comes again: its functions are traced" "$(grep -c 'function:.* nt_called' $T/trace)" 10
setup rmmod nt_calls
setup sh -c "echo > $P/notrace"
setup nestrace events -l vfs_read
is "the next filter takes effect" "$(cat $P/filter) $(wc -l < $T/enabled_functions)" "vfs_read 1"
echo 0 > $E/function/enable
setup insmod /tests/nt_calls.ko

setup nestrace events --all -n :mod:nt_calls
ok "nestrace events -n :mod:MODULE: the module cannot be unloaded" sh -c '! rmmod nt_calls 2>/dev/null'
setup nestrace events --none
is "nestrace events --none: it empties the parameter filter" "$(cat $P/filter)" ""
is "nestrace events --none: it empties the parameter notrace" "$(cat $P/notrace)" ""
ok "nestrace events --none: the module of -n can be unloaded" rmmod nt_calls
setup insmod /tests/nt_calls.ko
trace-cmd record -q -e nestrace:function -o t.dat sh -c "echo $calls > /proc/nt_calls" 2> errors
is "nestrace events --none: an enabled event has no hit" "$(trace-cmd report -i t.dat 2> /dev/null | grep -c nt_called)" 0
echo 1 > $E/function/enable
setup nestrace events -l nt_called
ok "nestrace events -l while an event is enabled: it arms at once" events_armed
nestrace events > chosen
ok "nestrace events: it shows the chosen functions" grep -q nt_called chosen
setup nestrace events --none
ok "nestrace events --none while an event is enabled: it disarms at once" events_not_armed
echo 0 > $E/function/enable

setup nestrace events -l vfs_read
nestrace events -l no_such_function 2> errors
is "nestrace events -l with a glob that matches nothing: it fails" $? 1
ok "nestrace events -l with a glob that matches nothing: it names the glob" \
	grep -q "no function matches -l: 'no_such_function'" errors
is "nestrace events -l with a glob that matches nothing: the filter stays" "$(cat $P/filter)" vfs_read
ok "the parameter filter with a glob that matches nothing: it cannot be set" sh -c "! echo nt_called,no_such_function > $P/filter"
is "the parameter filter with a glob that matches nothing: the filter stays" "$(cat $P/filter)" vfs_read

ok "the parameter filter without a glob: it cannot be set" sh -c "! echo , > $P/filter"
is "the parameter filter without a glob: the filter stays" "$(cat $P/filter)" vfs_read

is "no event is enabled: no function is traced" "$(wc -l < $T/enabled_functions)" 0
ok "the module can be unloaded" rmmod nestrace
ok "filter= at load: the module loads" insmod /tests/nestrace.ko filter=nt_called,vfs_read notrace=vfs_read
trace-cmd record -q -e nestrace:function -o t.dat sh -c "echo $calls > /proc/nt_calls" 2> errors
trace-cmd report -i t.dat > r 2> errors
in_every_context "filter= at load" r
is "filter= at load: no other function is traced" "$(grep -c 'function:' r)" 1600
setup rmmod nestrace
ok "filter=, without a glob: the module does not load" sh -c '! insmod /tests/nestrace.ko filter=, 2>/dev/null'
ok "filter= that matches nothing: the module does not load" sh -c '! insmod /tests/nestrace.ko filter=no_such_function 2>/dev/null'
ok "filter= that matches nothing: the log names it" sh -c 'dmesg | grep -q "no such function or module: .filter=no_such_function notrace="'
