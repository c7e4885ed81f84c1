# A build whose hook KCSAN sees. KCSAN must find no unmarked race between writers and readers
# of rings, guards, clocks and counters.
# kernels: kcsan-6.12
# build: kcsan KCSAN
# cmdline: kcsan.skip_watch=2000 kcsan.udelay_task=5000 kcsan.udelay_interrupt=2000
setup insmod /tests/nt_calls.ko
for mode in "" -W; do
	for clock in global mono tsc; do
		kcsan_record $clock $mode
	done
done
ok "the module can be unloaded" rmmod nestrace
