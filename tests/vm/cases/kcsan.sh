# A build whose hook KCSAN sees: it must find no race of writers and readers of a ring, of
# guards, clock and counters, that is not marked as one.
# kernels: kcsan-6.12
# build: kcsan KCSAN
# kernel: kcsan.skip_watch=2000 kcsan.udelay_task=5000 kcsan.udelay_interrupt=2000
insmod /tests/nt_calls.ko
for mode in "" -W; do
	for clock in global mono tsc; do
		kcsan_record $clock $mode
	done
done
ok "unload" rmmod nestrace
