# All functions are traced with their returns for more than 20 s, under load on both CPUs.
# kernels: 6.1 6.12 debug-6.12 backports 6.12-rt
# slow: 6.1 6.12 debug-6.12 backports 6.12-rt
under_load 5 nestrace record -q --ret --flight -b 4096 -o t.dat
setup nestrace report t.dat > r
grep '^#' r | show
ok "all functions: every hit is recorded, lost, recursed or filtered" adds_up r
balanced "all functions"
ok "there are more than a million calls" test "$(returns r total calls)" -gt 1000000
for context in task softirq hardirq; do
	ok "calls in $context return" test "$(returns r $context returned)" -gt 0
done
# a kernel with lockdep refuses what a CPU calls before RCU knows it
per=10000
[ ! -e /proc/lockdep ] || per=100
ok "less than 1 of $per calls is refused or has no node" \
	test $((($(returns r total no-node) + $(returns r total refused)) * per)) -lt "$(returns r total calls)"
ok "the module goes at once" rmmod nestrace
