# nestrace report shows what trace-cmd recorded: the same events, with the same times and names.
# kernels: 6.1 6.12
# slow: 6.1
setup insmod /tests/nt_calls.ko

calls='echo "task 2000 softirq 100 hardirq 100 nmi 50" > /proc/nt_calls; ls -l /proc/self > /dev/null'
record="trace-cmd record -q -p function -l nt_called -l vfs_* -o t.dat"
$record sh -c "$calls" > log 2>&1
same_events "version 7, compressed" 2000 t.dat
is "trace-cmd report shows as many" "$(trace-cmd report -i t.dat 2> /dev/null | grep -c ' function: ')" \
	"$(grep -c ' <- ' ours)"
$record --compression none sh -c "$calls" > log 2>&1
same_events "version 7, not compressed" 2000 t.dat
$record --file-version 6 sh -c "$calls" > log 2>&1
same_events "version 6" 2000 t.dat
$record -m 8 sh -c "$calls" > log 2>&1
same_events "a file with one page on some CPUs" 10 t.dat
$record sh -c 'read -r x < /proc/loadavg; ls -l / > /dev/null' > log 2>&1
same_events "a small file" 10 t.dat
mv t.dat small.dat
$record sh -c "$calls" > log 2>&1
same_events "two files" 2000 small.dat t.dat
trace-cmd record -q -p function -o t.dat sh -c "$calls" > log 2>&1
same_events "all functions" 2000 t.dat
setup nestrace events -l nt_called
trace-cmd record -q -e nestrace -e sched:sched_switch -o t.dat sh -c "$calls" > log 2>&1
same_events "the events of nestrace" 2000 t.dat
is "nestrace:function: each hit in an NMI says so" "$(grep -c ' nmi *nt_called <- ' ours)" 100
