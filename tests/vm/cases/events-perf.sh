# The trace events work with perf.
# slow: 6.1 debug-6.12
# kernels: 6.1 6.12 debug-6.12 kasan-6.12 debug-7.2 backports
# programs: perf
setup insmod /tests/nt_calls.ko
calls="task 500 softirq 100 hardirq 100 nmi 100"

perf record -q -a -e 'nestrace:*' -o p.data sh -c 'nestrace status > status' 2> errors
is "a fresh module: perf record -e nestrace:* succeeds" $? 0
ok "a fresh module: perf record -e nestrace:* does not arm the events" \
	events_not_armed status

setup nestrace events -l nt_called
perf record -q -a -m 512 -e nestrace:function -o p.data sh -c "echo $calls > /proc/nt_calls" 2> errors
is "perf record: it succeeds" $? 0
perf script -i p.data > r 2> errors
# perf records nested events of any kind only in part, but counts them all. The perf of Debian
# 12 does not name functions of modules of 7.2.
for of in task:1000 softirq:200 hardirq:200 nmi:200; do
	samples=$(grep -c " context=${of%:*}" r)
	note "perf script: in ${of%:*} $samples of ${of#*:}"
	ok "perf script: it shows calls in ${of%:*}, and not too many" test "$samples" -gt 0 -a "$samples" -le "${of#*:}"
done
perf record -q -a -m 512 -g -e nestrace:function -o p.data true 2> errors
ok "perf record -g: the user's stack is refused, as for ftrace:function" test $? -ne 0
perf record -q -a -m 512 -g --kernel-callchains -e nestrace:function -o p.data sh -c "echo nmi 10 > /proc/nt_calls" 2> errors
is "perf record -g --kernel-callchains: it succeeds" $? 0
perf script -i p.data > r 2> errors
ok "perf record -g --kernel-callchains: a hit in an NMI has the stack of the NMI" test "$(grep -cwE 'exc_nmi|nmi_handle' r)" -gt "$(grep -c 'context=nmi' r)"
perf stat -a -e nestrace:function -o s sh -c "echo $calls > /proc/nt_calls"
is "perf stat -a: it counts each call" "$(awk '/nestrace:function/ { gsub(",", ""); print $1 }' s)" 1600
# Count in one task, which is switched to and from.
perf stat -e nestrace:function -o s sh -c 'for i in 1 2 3 4 5; do echo here 100 > /proc/nt_calls; usleep 20000; done'
is "perf stat of a task: it succeeds" $? 0
is "perf stat of a task: it counts each call of the task" "$(awk '/nestrace:function/ { gsub(",", ""); print $1 }' s)" 500
perf trace --no-syscalls -a -m 512 -e nestrace:function sh -c "echo $calls > /proc/nt_calls" > r 2>&1
is "perf trace: it succeeds" $? 0
ok "perf trace: it shows calls" test "$(grep -c nestrace:function r)" -gt 0

ok "perf has ended: the events are not armed" within_a_minute events_not_armed

# All functions are traced. Hits in perf's own code are counted as recursion.
setup nestrace events --all
perf record -q -a -m 2048 -e nestrace:function -o p.data sleep 1 2> errors
is "all functions: perf record succeeds" $? 0
note "$(nestrace status | sed -n 's/^ *since the module was loaded: //p')"
ok "the module can be unloaded" rmmod nestrace
