# All functions for 20 s and more, under load on both CPUs.
# kernels: 6.1 6.12
# timeout: 400
load 24 & load 24 &
nestrace stat -b 8192 -o r sleep 22
wait
is "hits are recorded, lost, refused or filtered" "$(counter r total 3)" \
	$(($(counter r total 4) + $(counter r total 5) + $(counter r total 6) + $(counter r total 7)))
ok "a million hits at least" test "$(counter r total 3)" -gt 1000000
ok "refused recursions are under 0.01 % of hits" \
	test $(($(counter r total 6) * 10000)) -lt "$(counter r total 3)"
for slot in task softirq hardirq; do
	ok "hits in $slot" test "$(counter r $slot 4)" -gt 0
done
grep '^#' r | while read -r line; do note "$line"; done
ok "unload" rmmod nestrace
