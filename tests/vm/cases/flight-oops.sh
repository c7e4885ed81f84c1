# An oops ends nestrace record --flight, and what led to it is in the file.
# kernels: 6.1 6.12
# expect: oops
insmod /tests/nt_calls.ko
nestrace record --flight -l nt_called -l 'load_module' -l 'oops_*' -b 256 -o t.dat \
	sh -c 'for i in 1 2 3 4 5; do echo task 2000 > /proc/nt_calls; done; insmod /tests/nt_oops.ko; sleep 1
	       echo task 2000 > /proc/nt_calls; true' 2> err
is "the recording ends as ever" $? 0
ok "it is told by what" grep -q "ended by an oops" err
nestrace report t.dat > r
ok "hits are recorded, lost, refused or filtered" adds_up r
ok "what led to the oops is there" grep -q 'insmod.* load_module <- ' r
ok "what came after it is not" test "$(counter r task 7)" -gt 3000
