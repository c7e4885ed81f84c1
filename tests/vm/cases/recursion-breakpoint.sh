# A build whose hook runs into a breakpoint. The traced function in its handler is counted as
# recursed and not recorded.
# slow: 6.1 debug-6.12
# kernels: 6.1 6.12 debug-6.12 debug-7.2 backports
# build: breakpoint BREAKPOINT
setup insmod /tests/nt_calls.ko
setup insmod /tests/nt_int3.ko
setup nestrace record -q -l nt_called -l nt_on_int3 -b 16384 -o t.dat \
	sh -c 'echo "task 5000 softirq 1000 hardirq 1000 nmi 500" > /proc/nt_calls'
setup nestrace report t.dat > r
is "each of the 15000 calls is recorded" "$(grep -c 'nt_called <-' r)" 15000
is "no hit of the breakpoint's handler is recorded" "$(grep -c 'nt_on_int3 <-' r)" 0
is "each hit of the handler is counted as recursed" "$(counter r total recursed)" 15000
is "there are no other hits" "$(counter r total hits)" 30000
row "recursion through a breakpoint" 30000
ok "the report names the function that recurses" grep -q "^# recursion: nt_on_int3 under nt_called in nmi, [0-9]* times" r
