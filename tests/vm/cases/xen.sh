# As Xen's first domain, paravirtualized: PV spinlocks and interrupts, preemptible
# hypercalls, no exception stacks of its own.
# kernels: 6.1-xen 6.12-xen
# timeout: 900
mkdir load1 load2
load load1 & load load2 &
nestrace stat -b 8192 -o r sh -c 'sleep 1; cat load?/rounds | wc -l > before; sleep 21; cat load?/rounds | wc -l > after'
is "all functions were traced for 22 s" $? 0
touch load1/stop load2/stop
wait
ok "on Xen" grep -q xen /sys/hypervisor/type
ok "under load" test $(($(cat after) - $(cat before))) -ge 5
is "each hit is accounted for" "$(counter r total 3)" \
	$(($(counter r total 4) + $(counter r total 5) + $(counter r total 6) + $(counter r total 7)))
ok "a million hits at least" test "$(counter r total 3)" -gt 1000000
ok "refused are under 0.01 % of hits" test $(($(counter r total 6) * 10000)) -lt "$(counter r total 3)"
for slot in task softirq hardirq; do
	ok "hits in $slot" test "$(counter r $slot 4)" -gt 0
done
grep -w 'xen_[a-z_]*' r | grep -v '^#' | head -n 5 | while read -r line; do note "$line"; done
grep '^#' r | while read -r line; do note "$line"; done
note "row: Xen PV, all functions | $(counter r total 3) | $(counter r total 4) | $(counter r total 5) | $(counter r total 6) | $(counter r total 10)"
ok "unload" rmmod nestrace
