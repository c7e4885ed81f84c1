# A build whose hook faults: what runs in the fault must not recurse. With interrupts on, a
# fault looks like an interrupt's edge and is traced as one, once; within, it is refused.
# slow: 6.1
# kernels: 6.1 6.12 debug-6.12 debug-7.2 backports
# build: fault FAULT
insmod /tests/nt_calls.ko
nestrace record -q -l nt_called -l fixup_exception -b 16384 -o t.dat \
	sh -c 'echo "task 5000 softirq 1000 hardirq 1000 nmi 500" > /proc/nt_calls'
nestrace report t.dat > r
is "all calls are recorded" "$(grep -c 'nt_called <-' r)" 15000
# it is the kernel's own, and may be called for others; where nestrace itself is, it is filtered
faults=$(grep -c 'fixup_exception <-' r)
ok "the fault's function is recorded where interrupts were on" test $faults -ge 12000 -a $faults -lt 12100
is "each recursion is refused, and counted" "$(counter r total 6)" 15000
is "and nothing else is hit" $(($(counter r total 3) - $(counter r total 7))) $((15000 + faults + 15000))
is "nothing is lost" "$(counter r total 5)" 0
row "recursion through a fault" 42000
ok "the report says what recursed" grep -q "refused: fixup_exception under nt_called in nmi, .* 1000 times" r
