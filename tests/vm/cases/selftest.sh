# The self-test at load can fail, and the log says what failed.
# kernels: 6.1 6.12 debug-7.2 backports
# slow: 6.1
setup rmmod nestrace
for what in guard ring clock rcu; do
	ok "selftest_fail=$what: the module does not load" sh -c "! insmod /tests/nestrace.ko selftest_fail=$what 2>/dev/null"
	ok "selftest_fail=$what: the log names the $what" sh -c "dmesg | grep -q \"self-test failed: '$what'\""
done
ok "rcu=nonsense: the module does not load" sh -c '! insmod /tests/nestrace.ko rcu=nonsense 2>/dev/null'
ok "rcu=nonsense: the log names the parameter" sh -c 'dmesg | grep -q "unknown mode: .rcu=nonsense"'
ok "the module loads without a failure" insmod /tests/nestrace.ko

# The hook calls these functions of the kernel, so ftrace must not trace them.
for f in sched_clock sched_clock_cpu sched_clock_noinstr native_sched_clock local_clock_noinstr ktime_get_mono_fast_ns \
	preempt_schedule_notrace nt_hook_global_tsc; do
	ok "ftrace cannot trace $f" sh -c "! grep -qx $f /sys/kernel/tracing/available_filter_functions"
done
is "ftrace can trace only nt_nothing() of the module" "$(grep -F "[nestrace]" /sys/kernel/tracing/available_filter_functions)" "nt_nothing [nestrace]"
