# A build whose hook faults. A traced function in the fault must not recurse without end. With
# interrupts on, the fault looks like the edge of an interrupt: its function is recorded once,
# and the next fault within counts as recursed.
# slow: 6.1 debug-6.12
# kernels: 6.1 6.12 debug-6.12 debug-7.2 backports
# build: fault FAULT
setup insmod /tests/nt_calls.ko
setup nestrace record -q -l nt_called -l fixup_exception -b 16384 -o t.dat \
	sh -c 'echo "task 5000 softirq 1000 hardirq 1000 nmi 500" > /proc/nt_calls'
setup nestrace report t.dat > r
is "each of the 15000 calls is recorded" "$(grep -c 'nt_called <-' r)" 15000
# The kernel may call its fixup_exception() for others too. The calls of nestrace itself are
# filtered.
faults=$(grep -c 'fixup_exception <-' r)
ok "the function of the fault is recorded where interrupts are on" test $faults -ge 12000 -a $faults -lt 12100
is "each hit within the fault is counted as recursed" "$(counter r total recursed)" 15000
is "there are no other hits" $(($(counter r total hits) - $(counter r total filtered))) $((15000 + faults + 15000))
is "no hit is lost" "$(counter r total lost)" 0
row "recursion through a fault" 42000
ok "the report names the function that recurses" grep -q "^# recursion: fixup_exception under nt_called in nmi, 1000 times" r
