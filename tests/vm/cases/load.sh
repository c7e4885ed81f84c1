# All functions for 20 s and more, under load on both CPUs.
# kernels: all
# timeout: 400
mkdir load1 load2
load load1 & load load2 &
# the load outlives the tracing: no second of it is idle
nestrace stat -b 8192 -o r sh -c 'sleep 1; cat load?/rounds | wc -l > before; sleep 21; cat load?/rounds | wc -l > after'
is "all functions were traced for 22 s" $? 0
touch load1/stop load2/stop
wait
note "rounds of the load while they were: $(($(cat after) - $(cat before)))"
ok "under load" test $(($(cat after) - $(cat before))) -ge 10
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
