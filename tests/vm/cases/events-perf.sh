# The trace events with perf and bpftrace.
# slow: 6.1
# kernels: 6.1 6.12
# programs: perf bpftrace
# timeout: 600
insmod /tests/nt_calls.ko
calls="task 500 softirq 100 hardirq 100 nmi 100"
nestrace arm -l nt_called

perf record -q -a -m 512 -e nestrace:function -o p.data sh -c "echo $calls > /proc/nt_calls" 2> errors
is "perf record -e nestrace:function" $? 0
perf script -i p.data > r 2> errors
# of what nests perf leaves out a few, as it does with its own events: but it counts them all
for of in task:1000 softirq:200 hardirq:200 nmi:200; do
	samples=$(grep -c "nt_called.* slot=${of%:*}" r)
	note "perf script: in ${of%:*} $samples of ${of#*:}"
	ok "perf script: calls in ${of%:*}" test "$samples" -gt $((${of#*:} / 2)) -a "$samples" -le "${of#*:}"
done
perf record -q -a -m 512 -g -e nestrace:function -o p.data sh -c "echo nmi 10 > /proc/nt_calls" 2> errors
is "perf record -g" $? 0
perf script -i p.data > r 2> errors
ok "a hit in an NMI has the NMI's stack" test "$(grep -cw on_nmi r)" -gt "$(grep -c 'slot=nmi' r)"
perf stat -a -e nestrace:function -o s sh -c "echo $calls > /proc/nt_calls"
is "perf stat counts them" "$(awk '/nestrace:function/ { gsub(",", ""); print $1 }' s)" 1600
perf trace --no-syscalls -a -m 512 -e nestrace:function sh -c "echo $calls > /proc/nt_calls" > r 2>&1
is "perf trace" $? 0
ok "shows them" test "$(grep -c nestrace:function r)" -gt 800

bpftrace -B line -e 'tracepoint:nestrace:function { @[ksym(args->ip), args->slot] = count(); }
	BEGIN { printf("armed\n"); }' > r 2> errors &
tracer=$!
ok "bpftrace begins" within_a_minute grep -q armed r
ok "and arms" within_a_minute events_are "armed"
echo $calls > /proc/nt_calls
kill -INT $tracer
wait $tracer
is "bpftrace" $? 0
# a program that interrupts another is not run by the kernel
for of in 0:1000 1:200 2:200 3:200; do
	counted=$(sed -n "s/^@\[nt_called, ${of%:*}\]: //p" r)
	note "bpftrace: in slot ${of%:*} $counted of ${of#*:}"
	ok "counts calls in slot ${of%:*}" test "$counted" -gt $((${of#*:} / 2)) -a "$counted" -le "${of#*:}"
done
cat errors | head -n 3 | while read -r line; do note "$line"; done
ok "then none is armed" within_a_minute events_are "not armed"

# all functions: perf's and the program's own ways are refused as recursion, not traced
nestrace arm
perf record -q -a -m 2048 -e nestrace:function -o p.data sleep 1 2> errors
is "perf record of all functions" $? 0
bpftrace -B line -e 'tracepoint:nestrace:function { @[args->slot] = count(); } interval:s:2 { exit(); }' > r 2> errors
note "$(tr '\n' ' ' < r)"
ok "bpftrace on all functions: hits in tasks and hardirqs" sh -c 'grep -q "^@\[0\]:" r && grep -q "^@\[2\]:" r'
note "$(nestrace status | grep '^trace events')"
ok "unload" rmmod nestrace
