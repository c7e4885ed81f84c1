# nestrace report shows each kind of file that trace-cmd writes.
# kernels: 6.12 backports
setup insmod /tests/nt_calls.ko

calls='echo "task 100 softirq 20 hardirq 20 nmi 10" > /proc/nt_calls; ls -l /proc/self > /dev/null'
functions="-p function -l nt_called -l vfs_*"
# record OPTION...: record the calls into t.dat
record()
{
	trace-cmd record -q -o t.dat "$@" sh -c "$calls" > log 2>&1
}

record $functions -B one -p function -l 'vfs_*' -B two -e sched:sched_switch
same_events "instances" 100 t.dat
ok "instances: each line of one has its name" grep -q "one: .* vfs_read <- " ours
ok "export --json: a hit has the name of its instance" sh -c 'nestrace export --json t.dat 2> err | grep -q "\"instance\":\"one\""'
record --file-version 6 $functions -B one -p function -l 'vfs_*'
same_events "instances, version 6" 100 t.dat
record -B only -p function -l 'vfs_*'
same_events "only an instance" 10 t.dat
record --date -p function -l 'vfs_*'
same_events "--date" 10 t.dat
ok "--date: times are those of the wall clock" test "$(sed -n '2s/.*\] *\([0-9]*\)\..*/\1/p' ours)" -ge "$(($(date +%s) - 600))"
record --ts-offset 1000000 -p function -l 'vfs_*'
same_events "--ts-offset" 10 t.dat
for clock in local global counter uptime mono boot x86-tsc; do
	record -C $clock -p function -l 'vfs_*'
	same_events "-C $clock" 10 t.dat
done
record --file-version 6 -C x86-tsc -p function -l 'vfs_*'
same_events "-C x86-tsc, version 6" 10 t.dat
record -e sched -e irq -e timer -e syscalls
same_events "events alone" 50 t.dat
is "-F shows only the events that match" "$(nestrace report -F 'sched_switch: prev_pid == 0' t.dat | grep -c 'sched_switch: ')" \
	"$(grep -c 'idle>-0 .* sched_switch: ' ours)"
record -e sched $functions --func-stack
same_events "events, hits and their stacks" 100 t.dat
trace-cmd record -q -o t.dat -p function -l nt_called true > log 2>&1
same_events "no events at all" 0 t.dat
record -b 4 -s 1000000 -p function -l 'vfs_*' -l '*lookup*' -l 'dput' -l '*lock*'
same_events "lost events" 10 t.dat

trace-cmd start $functions > log 2>&1
sh -c "$calls"
trace-cmd extract -o t.dat > log 2>&1
trace-cmd reset > log 2>&1
same_events "trace-cmd extract" 100 t.dat
middle=$(sed -n '60s/.*\] *\([0-9.]*\): .*/\1/p' ours)
trace-cmd split -i t.dat -o part.dat "$middle" > log 2>&1
mv part.dat* part.dat
same_events "trace-cmd split" 10 part.dat
nestrace record -q -l nt_called -o t.dat sh -c "$calls"
nestrace report -t t.dat | grep -v '^#' > want
trace-cmd convert -i t.dat -o converted.dat --compression none > log 2>&1
nestrace report -t converted.dat | grep -v '^#' > got
ok "trace-cmd convert of a file of nestrace: nothing changes" cmp want got

echo 0 > /sys/devices/system/cpu/cpu1/online
record $functions
same_events "a CPU is offline" 50 t.dat
echo 1 > /sys/devices/system/cpu/cpu1/online

for version in 6 7; do
	trace-cmd start -p wakeup > log 2>&1
	sh -c "$calls"
	trace-cmd extract --file-version $version -o lines.dat > log 2>&1
	trace-cmd reset > log 2>&1
	trace-cmd report -i lines.dat 2> /dev/null | grep -v '^cpus=\|^version = ' > theirs
	nestrace report lines.dat > ours
	is "a latency tracer, version $version: nestrace report succeeds" $? 0
	ok "a latency tracer, version $version: there are lines" grep -q "wakeup latency trace" ours
	ok "a latency tracer, version $version: the lines are those of trace-cmd report" cmp theirs ours
done

# from 6.15 on, a function event may end with arguments, which are no context
if [ -e /sys/kernel/tracing/options/func-args ]; then
	record -O func-args $functions
	same_events "arguments of functions" 100 t.dat
fi
