# The trace events with bpftrace, which needs the kernel's BTF.
# slow: 6.1
# kernels: 6.1 6.12
# programs: bpftrace
insmod /tests/nt_calls.ko
calls="task 500 softirq 100 hardirq 100 nmi 100"
nestrace arm -l nt_called

bpftrace -B line -e 'tracepoint:nestrace:function { @[ksym(args->ip), args->slot] = count(); }
	BEGIN { printf("armed\n"); }' > r 2> errors &
tracer=$!
ok "bpftrace begins" within_a_minute grep -q armed r
ok "and arms" within_a_minute events_are "armed"
echo $calls > /proc/nt_calls
kill -INT $tracer
wait $tracer
is "and ends" $? 0
# a program that interrupts another is not run by the kernel
for of in 0:1000 1:200 2:200 3:200; do
	counted=$(sed -n "s/^@\[nt_called, ${of%:*}\]: //p" r)
	note "bpftrace: in slot ${of%:*} $counted of ${of#*:}"
	ok "counts calls in slot ${of%:*}" test "$counted" -gt 0 -a "$counted" -le "${of#*:}"
done
is "and all in tasks, which interrupt none" "$(sed -n "s/^@\[nt_called, 0\]: //p" r)" 1000
cat errors | head -n 3 | while read -r line; do note "$line"; done
ok "then none is armed" within_a_minute events_are "not armed"

# all functions: what the program itself calls is refused as recursion, not traced
nestrace arm
bpftrace -B line -e 'tracepoint:nestrace:function { @[args->slot] = count(); } interval:s:2 { exit(); }' > r 2> errors
note "$(tr '\n' ' ' < r)"
ok "bpftrace on all functions: hits in tasks and hardirqs" sh -c 'grep -q "^@\[0\]:" r && grep -q "^@\[2\]:" r'
note "$(nestrace status | grep '^trace events')"
ok "unload" rmmod nestrace
