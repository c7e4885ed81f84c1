# On a machine whose TSC the kernel never trusts, a lock orders the clock global without being asked to.
# kernels: 6.1 6.12
# cmdline: tsc=unstable
# slow: 6.1
setup insmod /tests/nt_calls.ko
ok "status: a lock orders the clock, and why" \
	sh -c "nestrace status | grep -q '^clock global, order of the CPUs: by a lock, because the kernel.s sched_clock() is not a TSC that it trusts; '"
setup nestrace record -q -l nt_called -b 16384 -o t.dat sh -c 'echo "task 3000 softirq 500 hardirq 500 nmi 200" > /proc/nt_calls'
setup nestrace report t.dat > r
complete "exact calls"
is "exact calls: all are recorded" "$(counter r total recorded)" 8400
ok "the report says what has ordered the clock" grep -q '^# clock: a lock has ordered the CPUs' r
setup nestrace record -q -l '*_sys_getppid' -o t.dat turns 1000
setup nestrace report t.dat > r
is "hits of two CPUs that take turns: number, out of order" "$(turns_in r)" "2000 0"
