# nestrace report shows what trace-cmd recorded: the same events, with the same times and names.
# kernels: 6.1 6.12
# slow: 6.1
setup insmod /tests/nt_calls.ko

calls='echo "task 2000 softirq 100 hardirq 100 nmi 50" > /proc/nt_calls; ls -l /proc/self > /dev/null'
record="by_trace_cmd -p function -l nt_called -l vfs_*"
$record sh -c "$calls"
same_events "version 7, compressed" 2000 t.dat
is "trace-cmd report shows as many" "$(trace-cmd report -i t.dat 2> /dev/null | grep -c ' function: ')" \
	"$(grep -c ' <- ' ours)"
$record --compression none sh -c "$calls"
same_events "version 7, not compressed" 2000 t.dat
$record --file-version 6 sh -c "$calls"
same_events "version 6" 2000 t.dat
$record -m 8 sh -c "$calls"
same_events "a file with one page on some CPUs" 10 t.dat
$record sh -c 'read -r x < /proc/loadavg; ls -l / > /dev/null'
same_events "a small file" 10 t.dat
mv t.dat small.dat
$record sh -c "$calls"
same_events "two files" 2000 small.dat t.dat
by_trace_cmd -p function sh -c "$calls"
same_events "all functions" 2000 t.dat
setup nestrace events -l nt_called
by_trace_cmd -e nestrace -e sched:sched_switch sh -c "$calls"
same_events "the events of nestrace" 2000 t.dat
is "nestrace:function: each hit in an NMI says so" "$(grep -c ' nmi *nt_called <- ' ours)" 100
