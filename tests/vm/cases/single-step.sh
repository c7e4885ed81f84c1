# A child that its debugger steps through: a debug exception from user mode for each
# instruction but SYSCALL, whose step is reported on the way out of the kernel instead.
# (In the kernel nothing steps: kprobes take an int3 for that, see contexts.sh for these.)
# kernels: all
steps=5000

# hits FUNCTION: in the stepped child
hits()
{
	grep -c "singlestep-.*: task     $1 <-" r
}

nestrace record -q -l hw_breakpoint_exceptions_notify -l user_single_step_report -b 4096 -o t.dat \
	singlestep $steps > out
is "the child was stepped" $? 0
read -r stepped syscalls < out
is "as often as told" "$stepped" $steps
ok "some steps were over system calls" test "$syscalls" -gt 100
nestrace report t.dat > r
is "each debug exception is recorded, in the task" \
	"$(hits hw_breakpoint_exceptions_notify)" $((steps - syscalls))
is "each step over a system call too" "$(hits user_single_step_report)" "$syscalls"
is "lost, refused" "$(counter r total 5) $(counter r total 6)" "0 0"
row "single-step from user mode" $steps $(($(hits hw_breakpoint_exceptions_notify) + $(hits user_single_step_report)))

nestrace stat -b 8192 -o r singlestep $steps > out
is "all functions traced: the child was stepped" "$? $(cut -d ' ' -f 1 out)" "0 $steps"
ok "each hit is accounted for" adds_up r
ok "a debug exception is many hits" test "$(counter r total 3)" -gt $((steps * 10))
is "none is refused" "$(counter r total 6)" 0
ok "unload" rmmod nestrace
