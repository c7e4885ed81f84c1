# The self-test at load can fail, and then says what did.
# kernels: 6.1 6.12 debug-7.2 backports
rmmod nestrace
for what in guard ring clock rcu; do
	ok "refused if $what fails" sh -c "! insmod /tests/nestrace.ko selftest_fail=$what 2>/dev/null"
	ok "and says so" sh -c "dmesg | grep -q 'self-test of the $what failed'"
done
ok "rcu=nonsense is refused" sh -c '! insmod /tests/nestrace.ko rcu=nonsense 2>/dev/null'
ok "and said" sh -c 'dmesg | grep -q "rcu=nonsense is unknown"'
ok "loads without" insmod /tests/nestrace.ko

# what the hook calls beside its own code must not be traceable
for f in sched_clock ktime_get_mono_fast_ns preempt_schedule_notrace nt_hook_global; do
	ok "$f can't be traced" sh -c "! grep -qx $f /sys/kernel/tracing/available_filter_functions"
done
ok "no function of the module can be traced" sh -c '! grep -q "\[nestrace\]" /sys/kernel/tracing/available_filter_functions'
