# An oops ends nestrace record --flight. The file has the calls that led to it.
# kernels: 6.1 6.12 debug-7.2 backports
# expect: oops
setup insmod /tests/nt_calls.ko
setup echo 0 > /proc/sys/kernel/panic_on_oops
nestrace record --flight -l nt_called -l 'load_module' -l 'oops_*' -b 256 -o t.dat \
	sh -c 'for i in 1 2 3 4 5; do echo task 2000 > /proc/nt_calls; done; insmod /tests/nt_oops.ko; sleep 1
	       echo task 2000 > /proc/nt_calls; true' 2> err
is "nestrace record --flight succeeds" $? 0
ok "nestrace record --flight says that an oops ended the recording" grep -q "ended by an oops" err
setup nestrace report t.dat > r
ok "every hit is recorded, lost, recursed or filtered" adds_up r
ok "the call that led to the oops is recorded" grep -q 'insmod.* load_module <- ' r
# A frozen ring takes no more than the rest of its sub-buffer.
ok "no more hits are recorded after the oops than fit in the sub-buffers" sh -c \
	'test "$(sed "1,/ load_module <- /d; /^#/d" r | wc -l)" -le $((146 * 3 * 2))'
