# The trace events work with bpftrace, which needs the kernel's BTF.
# slow: yes
# kernels: 6.1 6.12
# programs: bpftrace
setup insmod /tests/nt_calls.ko
calls="task 500 softirq 100 hardirq 100 nmi 100"
setup nestrace events -l nt_called

bpftrace -B line -e 'tracepoint:nestrace:function { @[ksym(args->ip), args->context] = count(); }
	BEGIN { printf("armed\n"); }' > r 2> errors &
tracer=$!
ok "bpftrace: it starts" within_a_minute grep -q armed r
ok "bpftrace: it arms the events" within_a_minute events_armed
echo $calls > /proc/nt_calls
# bpftrace 0.17 forgets a signal that comes while it is not in epoll_wait(). A second one ends it with
# status 130 while it is ending, so leave it time for that.
interrupted()
{
	kill -INT $tracer
	for second in 1 2 3 4 5 6 7 8 9 10; do
		! gone $tracer || return 0
		sleep 1
	done
	return 1
}
ok "bpftrace: it ends" within_a_minute interrupted
wait $tracer
is "bpftrace: it succeeds" $? 0
# The kernel does not run a program that interrupts another.
for of in 0:1000 1:200 2:200 3:200; do
	counted=$(sed -n "s/^@\[nt_called, ${of%:*}\]: //p" r)
	note "bpftrace: in context ${of%:*} $counted of ${of#*:}"
	ok "bpftrace: it counts calls in context ${of%:*}, and not too many" test "$counted" -gt 0 -a "$counted" -le "${of#*:}"
done
is "bpftrace: it counts each call in tasks, which interrupt no program" "$(sed -n "s/^@\[nt_called, 0\]: //p" r)" 1000
head -n 3 errors | show
ok "bpftrace has ended: the events are not armed" within_a_minute events_not_armed

# All functions are traced. Hits in the program itself are counted as recursion.
setup nestrace events --all
bpftrace -B line -e 'tracepoint:nestrace:function { @[args->context] = count(); } interval:s:2 { exit(); }' > r 2> errors
note "$(tr '\n' ' ' < r)"
ok "all functions: bpftrace counts hits in tasks and hardirqs" sh -c 'grep -q "^@\[0\]:" r && grep -q "^@\[2\]:" r'
note "$(nestrace status | sed -n 's/^ *since the module was loaded: //p')"
ok "the module can be unloaded" rmmod nestrace
