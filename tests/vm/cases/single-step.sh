# A debugger steps through a child. Each instruction is a debug exception from user mode. Only
# the step over SYSCALL is reported on the way out of the kernel instead. (Nothing steps in the
# kernel, because kprobes use an int3; contexts.sh has those.)
# kernels: all
# slow: 6.1 debug-6.12
steps=5000

# hits FUNCTION: count the hits of FUNCTION in the stepped child
hits()
{
	grep -c "singlestep-.*: task     $1 <-" r
}

nestrace record -q -l hw_breakpoint_exceptions_notify -l user_single_step_report -b 4096 -o t.dat \
	singlestep $steps > out
is "the program singlestep succeeds" $? 0
read -r stepped syscalls < out
is "the child makes $steps steps" "$stepped" $steps
ok "more than 100 steps are over system calls" test "$syscalls" -gt 100
setup nestrace report t.dat > r
is "each debug exception is recorded in context task" \
	"$(hits hw_breakpoint_exceptions_notify)" $((steps - syscalls))
is "each step over a system call is recorded in context task" "$(hits user_single_step_report)" "$syscalls"
complete "single-step"
row "single-step from user mode" $steps $(($(hits hw_breakpoint_exceptions_notify) + $(hits user_single_step_report)))

recorded r -b 8192 singlestep $steps > out
is "all functions: the child makes $steps steps" "$? $(cut -d ' ' -f 1 out)" "0 $steps"
ok "all functions: every hit is recorded, lost, recursed or filtered" adds_up r
ok "all functions: there are more than 10 hits for each step" test "$(counter r total hits)" -gt $((steps * 10))
is "all functions: no hit recurses" "$(counter r total recursed)" 0
ok "the module can be unloaded" rmmod nestrace
