# Machine checks, from QEMU's monitor, have a stack and a context of their own.
# slow: 6.12 debug-6.12
# kernels: 6.1 6.12 debug-6.12 debug-7.2 backports
# cmdline: mitigations=off
# cpu: vendor=GenuineIntel,family=6,model=85,stepping=4

# inject: inject machine checks and write to "after" how many the kernel has counted. Status
# 0xbd...c0 is an uncorrected error that the scrubber found, with optional action, in the
# middle of memory. The kernel calls add_taint() once and goes on.
inject()
{
	for i in $(seq 10); do
		before=$(checks)
		echo "mce -b 0 5 0xbd000000000000c0 5 0x48000000 0x8c" > /dev/ttyS2
		# A second one before the first is handled would kill the guest.
		for wait in $(seq 100); do
			usleep 100000
			[ $(checks) = $before ] || break
		done
	done
	checks > after
}
# checks: print the kernel's count of CPU 0. The machine checks are its own; they are only
# broadcast to CPU 1.
checks()
{
	awk '/^ *MCE:/ { print $2 }' /proc/interrupts
}
before=$(checks)
setup nestrace record -q -l add_taint -b 4096 -o t.dat sh -c "$(text_of checks); $(text_of inject); inject"
made=$(($(cat after) - before))
setup nestrace report t.dat > r
hits=$(grep -c ': mce      add_taint <-' r)
ok "the kernel counts 5 machine checks or more" test $made -ge 5
ok "machine checks from kernel mode are recorded in context mce" test $hits -gt 0
# Those from user mode run on the task's stack.
hits=$((hits + $(grep -c ': task     add_taint <- do_machine_check' r)))
is "each machine check is recorded" $hits $made
is "no other context has a hit" "$(counter r total hits)" $hits
complete "machine checks"
row "machine checks" $hits
setup recorded r -b 4096 sh -c "$(text_of checks); $(text_of inject); inject"
ok "all functions: every hit is recorded, lost, recursed or filtered" adds_up r
ok "all functions: there are hits in context mce" test "$(counter r mce hits)" -gt 0
