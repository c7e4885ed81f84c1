# A build whose hook runs into a breakpoint: what runs in its handler is refused.
# slow: 6.1
# kernels: 6.1 6.12 debug-6.12 debug-7.2 backports
# build: breakpoint BREAKPOINT
insmod /tests/nt_calls.ko
insmod /tests/nt_int3.ko
nestrace record -q -l nt_called -l nt_on_int3 -b 16384 -o t.dat \
	sh -c 'echo "task 5000 softirq 1000 hardirq 1000 nmi 500" > /proc/nt_calls'
nestrace report t.dat > r
is "all calls are recorded" "$(grep -c 'nt_called <-' r)" 15000
is "the breakpoint's function is not" "$(grep -c 'nt_on_int3 <-' r)" 0
is "each is refused, and counted" "$(counter r total 6)" 15000
is "and nothing else is hit" "$(counter r total 3)" 30000
row "recursion through a breakpoint" 30000
ok "the report says what recursed" grep -q "refused: nt_on_int3 under nt_called in nmi, .* times" r
