# The trace events with perf.
# slow: 6.1
# kernels: 6.1 6.12 debug-6.12 kasan-6.12 debug-7.2 backports
# programs: perf
insmod /tests/nt_calls.ko
calls="task 500 softirq 100 hardirq 100 nmi 100"
nestrace arm -l nt_called

perf record -q -a -m 512 -e nestrace:function -o p.data sh -c "echo $calls > /proc/nt_calls" 2> errors
is "perf record -e nestrace:function" $? 0
perf script -i p.data > r 2> errors
# of what nests perf leaves out a few, as it does with its own events: but it counts them all;
# the perf of Debian 12 does not name functions of modules of 7.2
for of in task:1000 softirq:200 hardirq:200 nmi:200; do
	samples=$(grep -c " slot=${of%:*}" r)
	note "perf script: in ${of%:*} $samples of ${of#*:}"
	ok "perf script: calls in ${of%:*}" test "$samples" -gt 0 -a "$samples" -le "${of#*:}"
done
perf record -q -a -m 512 -g -e nestrace:function -o p.data sh -c "echo nmi 10 > /proc/nt_calls" 2> errors
is "perf record -g" $? 0
perf script -i p.data > r 2> errors
ok "a hit in an NMI has the NMI's stack" test "$(grep -cwE 'exc_nmi|nmi_handle' r)" -gt "$(grep -c 'slot=nmi' r)"
perf stat -a -e nestrace:function -o s sh -c "echo $calls > /proc/nt_calls"
is "perf stat counts them" "$(awk '/nestrace:function/ { gsub(",", ""); print $1 }' s)" 1600
# of one task, which is switched to and from
perf stat -e nestrace:function -o s sh -c 'for i in 1 2 3 4 5; do echo here 100 > /proc/nt_calls; usleep 20000; done'
is "perf stat of a task" $? 0
is "counts its calls" "$(awk '/nestrace:function/ { gsub(",", ""); print $1 }' s)" 500
perf trace --no-syscalls -a -m 512 -e nestrace:function sh -c "echo $calls > /proc/nt_calls" > r 2>&1
is "perf trace" $? 0
ok "shows them" test "$(grep -c nestrace:function r)" -gt 0

ok "then none is armed" within_a_minute events_are "not armed"

# all functions: perf's own ways are refused as recursion, not traced
nestrace arm
perf record -q -a -m 2048 -e nestrace:function -o p.data sleep 1 2> errors
is "perf record of all functions" $? 0
note "$(nestrace status | grep '^trace events')"
ok "unload" rmmod nestrace
