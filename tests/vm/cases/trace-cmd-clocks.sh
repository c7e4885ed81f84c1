# nestrace report shows what trace-cmd recorded with each clock.
# kernels: 6.12
# slow: yes
setup insmod /tests/nt_calls.ko

for clock in local global counter uptime perf mono mono_raw boot tai x86-tsc; do
	setup trace-cmd record -q -C $clock -o t.dat -p function -l nt_called -l 'vfs_*' \
		sh -c 'echo "task 100 softirq 20 hardirq 20 nmi 10" > /proc/nt_calls' > log 2>&1
	same_events "-C $clock" 100 t.dat
done
