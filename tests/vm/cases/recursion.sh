# A build whose hook calls a traced function. The guard must stop each such call.
# kernels: all
# slow: debug-6.12
# build: recurse RECURSE
setup insmod /tests/nt_calls.ko
setup nestrace record -q -l nt_called -l nt_test_traced -b 16384 -o t.dat \
	sh -c 'echo "task 5000 softirq 1000 hardirq 1000 nmi 500" > /proc/nt_calls'
setup nestrace report t.dat > r
is "each of the 15000 calls is recorded" "$(grep -c 'nt_called <-' r)" 15000
is "each call from the hook is counted as recursed" "$(counter r total recursed)" 15000
is "no call from the hook is recorded" "$(grep -c 'nt_test_traced <-' r)" 0
is "there are no other hits" "$(counter r total hits)" 30000
row "recursion through a call" 30000
for context in task softirq hardirq nmi; do
	ok "$context: the report names the function that recurses" \
		grep -q "^# recursion: nt_test_traced under nt_called in $context, [0-9]* times" r
	ok "$context: an event in the file names the function that recurses" sh -c "trace-cmd report -N -i t.dat |
		grep -q 'recursion: *nt_test_traced.* under nt_called.* context=$context count=[1-9]'"
done
