# A build whose hook calls a traced function: the guard must refuse each such call.
# kernels: all
# build: recurse RECURSE
insmod /tests/nt_calls.ko
nestrace record -q -l nt_called -l nt_test_traced -b 16384 -o t.dat \
	sh -c 'echo "task 5000 softirq 1000 hardirq 1000 nmi 500" > /proc/nt_calls'
nestrace report t.dat > r
is "all calls are recorded" "$(grep -c 'nt_called <-' r)" 15000
is "each recursion is refused, and counted" "$(counter r total 6)" 15000
is "none is recorded" "$(grep -c 'nt_test_traced <-' r)" 0
is "hits are both" "$(counter r total 3)" 30000
row "recursion through a call" 30000
for slot in task softirq hardirq nmi; do
	ok "the report says what recursed in $slot" \
		grep -q "refused: nt_test_traced under nt_called in $slot, .* [0-9]* times" r
	ok "and so does an event" sh -c "trace-cmd report -N -i t.dat |
		grep -q 'recursion: *nt_test_traced.* under nt_called.* slot=$slot count=[1-9]'"
done
