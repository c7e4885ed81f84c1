# nestrace report shows what trace-cmd recorded with each clock.
# kernels: 6.12
# slow: yes
setup insmod /tests/nt_calls.ko

for clock in local global counter uptime perf mono mono_raw boot tai x86-tsc; do
	by_trace_cmd -C $clock -p function -l nt_called -l 'vfs_*' \
		sh -c 'echo "task 100 softirq 20 hardirq 20 nmi 10" > /proc/nt_calls'
	same_events "-C $clock" 100 t.dat
done
