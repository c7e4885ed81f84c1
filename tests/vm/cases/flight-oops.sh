# An oops ends nestrace record --flight, and what led to it is in the file.
# kernels: 6.1 6.12 debug-7.2 backports
# expect: oops
insmod /tests/nt_calls.ko
echo 0 > /proc/sys/kernel/panic_on_oops
nestrace record --flight -l nt_called -l 'load_module' -l 'oops_*' -b 256 -o t.dat \
	sh -c 'for i in 1 2 3 4 5; do echo task 2000 > /proc/nt_calls; done; insmod /tests/nt_oops.ko; sleep 1
	       echo task 2000 > /proc/nt_calls; true' 2> err
is "the recording ends as ever" $? 0
ok "it is told by what" grep -q "ended by an oops" err
nestrace report t.dat > r
ok "hits are recorded, lost, refused or filtered" adds_up r
ok "what led to the oops is there" grep -q 'insmod.* load_module <- ' r
# each ring takes no more than the rest of its sub-buffer
ok "what came after it is little" sh -c \
	'test "$(sed "1,/ load_module <- /d; /^#/d" r | wc -l)" -le $((146 * 3 * 2))'
