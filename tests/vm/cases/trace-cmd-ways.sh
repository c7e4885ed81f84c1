# nestrace report shows what trace-cmd's other ways of making a file give: extract, split,
# convert, lost events.
# kernels: 6.12 backports
# slow: yes
setup insmod /tests/nt_calls.ko

calls='echo "task 100 softirq 20 hardirq 20 nmi 10" > /proc/nt_calls; ls -l /proc/self > /dev/null'
functions="-p function -l nt_called -l vfs_*"
# record OPTION...: record the calls into t.dat
record()
{
	by_trace_cmd "$@" sh -c "$calls"
}

record -e sched $functions --func-stack
# libtracecmd prints stacks by their format, which reads beyond a short one
nestrace report -t t.dat | grep ' \[0' > ours
oracle t.dat 2> /dev/null | grep ' \[0' > theirs
ok "stacks: there are events to compare" test "$(grep -c ' kernel_stack: ' ours)" -ge 100
ok "stacks: the events between them are the same" \
	sh -c 'for f in ours theirs; do sed "s/kernel_stack: .*/kernel_stack/" $f | sort > $f.sorted; done; cmp theirs.sorted ours.sorted'
by_trace_cmd -p function -l nt_called true
same_events "no events at all" 0 t.dat
# from rings that small trace-cmd itself now and then saves nothing at all
for i in 1 2 3; do
	record -b 4 -s 1000000 -p function -l 'vfs_*' -l '*lookup*' -l dput
	[ "$(oracle t.dat 2> /dev/null | grep -c '\[0')" -lt 10 ] || break
done
same_events "lost events" 10 t.dat

trace-cmd start $functions > log 2>&1
sh -c "$calls"
trace-cmd stop > log 2>&1
trace-cmd extract -o t.dat > log 2>&1
reset_tracing
same_events "trace-cmd extract" 100 t.dat
record $functions
nestrace report -t t.dat > ours
middle=$(sed -n '60s/.*\] *\([0-9.]*\): .*/\1/p' ours)
trace-cmd split -i t.dat -o part.dat "$middle" > log 2>&1
same_events "trace-cmd split" 10 part.dat*
nestrace record -q -l nt_called -o t.dat sh -c "$calls"
nestrace report -t t.dat | grep -v '^#' > want
trace-cmd convert -i t.dat -o converted.dat --compression none > log 2>&1
nestrace report -t converted.dat | grep -v '^#' > got
ok "trace-cmd convert of a file of nestrace: nothing changes" cmp want got

echo 0 > /sys/devices/system/cpu/cpu1/online
record $functions
same_events "a CPU is offline" 50 t.dat
echo 1 > /sys/devices/system/cpu/cpu1/online

# from 6.15 on, a function event may end with arguments, which are no context
if [ -e /sys/kernel/tracing/options/func-args ]; then
	record -O func-args $functions
	same_events "arguments of functions" 100 t.dat
fi
