# A build whose hook KCSAN sees: it must find no race of writers and readers of a ring, of
# guards, clock and counters, that is not marked as one.
# kernels: kcsan-6.12
# build: kcsan KCSAN
# timeout: 600
# kernel: kcsan.skip_watch=2000 kcsan.udelay_task=5000 kcsan.udelay_interrupt=2000
insmod /tests/nt_calls.ko
for mode in "" -W; do
	for clock in global mono tsc; do
		nestrace record -q -l nt_called -l 'vfs_*' -C $clock $mode -b 256 -o t.dat sh -c '
			for i in 1 2; do
				echo "task 2000 softirq 100 hardirq 100 nmi 100" > /proc/nt_calls
				nestrace status > /dev/null
			done'
		is "clock $clock${mode:+, $mode}: recorded" $? 0
		nestrace report t.dat | grep '^#' > r
		ok "all hits are accounted for" adds_up r
		ok "and there are some" test "$(counter r total 3)" -gt 8000
	done
done
ok "unload" rmmod nestrace
