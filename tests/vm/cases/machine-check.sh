# Machine checks, by QEMU's monitor: their own stack, their own slot.
# kernels: 6.1 6.12 debug-6.12 debug-7.2 backports
# kernel: mitigations=off
# features: vendor=GenuineIntel,family=6,model=85,stepping=4
# 0xbd...c0: uncorrected, found by the scrubber, action optional, at an address in the
# middle of memory: the kernel calls add_taint() once and goes on
inject()
{
	for i in $(seq 10); do
		before=$(checks)
		echo "mce -b 0 5 0xbd000000000000c0 5 0x48000000 0x8c" > /dev/ttyS2
		# before the one is handled, another would be the machine's end
		for wait in $(seq 100); do
			usleep 100000
			[ $(checks) = $before ] || break
		done
	done
	checks > after
}
# as the kernel counts them on CPU 0, to which they are; the other's is only told of them
checks()
{
	awk '/^ *MCE:/ { print $2 }' /proc/interrupts
}
before=$(checks)
nestrace record -q -l add_taint -b 4096 -o t.dat sh -c "$(text_of checks); $(text_of inject); inject"
made=$(($(cat after) - before))
nestrace report t.dat > r
hits=$(grep -c ': mce      add_taint <-' r)
ok "machine checks were injected" test $made -ge 5
ok "in the kernel they are traced in their slot" test $hits -gt 0
# from user mode they are on the task's stack
hits=$((hits + $(grep -c ': task     add_taint <- do_machine_check' r)))
is "each is traced" $hits $made
is "and nowhere else" "$(counter r total 3)" $hits
is "lost, refused" "$(counter r total 5) $(counter r total 6)" "0 0"
row "machine checks" $hits
nestrace stat -b 4096 -o r sh -c "$(text_of checks); $(text_of inject); inject"
ok "all functions traced: each hit is accounted for" adds_up r
ok "and some are in the slot of machine checks" test "$(counter r mce 3)" -gt 0
