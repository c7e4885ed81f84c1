# An oops ends nestrace record --flight, and a warning does with --warn. The file has the calls
# that led to it.
# slow: 6.1 debug-6.12
# kernels: 6.1 6.12 debug-6.12 debug-7.2 backports
# expect: oops
setup insmod /tests/nt_calls.ko
setup insmod /tests/nt_oops.ko
setup echo 0 > /proc/sys/kernel/panic_on_oops
nestrace record --flight -l nt_called -l 'nt_oops_*' -l 'oops_*' -b 256 -o t.dat \
	sh -c 'for i in 1 2 3 4 5; do echo task 2000 > /proc/nt_calls; done; sh -c "echo bug > /proc/nt_oops"; sleep 1
	       echo task 2000 > /proc/nt_calls; true' 2> err
is "nestrace record --flight succeeds" $? 0
ok "nestrace record --flight says that an oops ended the recording" grep -q "ended by an oops" err
setup nestrace report t.dat > r
ok "every hit is recorded, lost, recursed or filtered" adds_up r
ok "the call that led to the oops is recorded" grep -q 'sh-.* nt_oops_now <- ' r
# A frozen ring takes no more than the rest of its sub-buffer.
ok "no more hits are recorded after the oops than fit in the sub-buffers" sh -c \
	'test "$(sed "1,/ nt_oops_now <- /d; /^#/d" r | wc -l)" -le $((146 * 3 * 2))'

# led_to HOW WHY [OPTION...]: the same with all functions. A ring holds some 7000 hits, of
# which the kernel's messages take all if the recording goes on while it prints them. An interrupt
# that lands before the trigger takes some, more of them on a kernel with checks.
led_to()
{
	local how=$1 why=$2 after
	shift 2
	nestrace record --flight -b 256 -o t.dat "$@" sh -c "sleep 1; sh -c 'echo $how > /proc/nt_oops'; sleep 2" 2> err
	ok "$how, all functions: the recording says that $why ended it" grep -q "ended by $why" err
	setup nestrace report t.dat > r
	cpu=$(sed -n 's/.*\(\[[0-9]*\]\).* nt_oops_now <-.*/\1/p' r | tail -n 1)
	ok "$how, all functions: the call that led to it is in the file" test -n "$cpu"
	after=$(grep -F -- "$cpu" r | sed '1,/ nt_oops_now <-/d' | wc -l)
	note "$how, all functions: hits after the call on its CPU: $after of $(grep -cF -- "$cpu" r)"
	ok "$how, all functions: at most half a ring follows it on its CPU" test "${cpu:+$after}" -le 3480
	ok "$how, all functions: every hit is recorded, lost, recursed or filtered" adds_up r
}
led_to bug "an oops"
led_to fault "an oops"
led_to warn "a warning" --warn
