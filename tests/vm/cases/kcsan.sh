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
kcsan_record global --ret
kcsan_record mono "-W --ret"
# the unwinder is slow here
kcsan_record global "--stack-of vfs_open"
setup rmmod nestrace
setup insmod /tests/nestrace.ko global=lock
for mode in "" -W; do
	kcsan_record global $mode
done
# counts are read and moved while they are counted
setup nestrace stat -l nt_called -l 'vfs_*' -o r sh -c 'for i in 1 2 3; do
	echo "task 2000 softirq 200 hardirq 200 nmi 200" > /proc/nt_calls; insmod /tests/nt_twin.ko; rmmod nt_twin; done'
is "counting: the counts are the hits" "$(calls_in r)" "$(counter r total recorded)"
ok "the module can be unloaded" rmmod nestrace
