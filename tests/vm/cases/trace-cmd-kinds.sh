# nestrace report shows each kind of file that trace-cmd writes.
# kernels: 6.12
# slow: yes
setup insmod /tests/nt_calls.ko

calls='echo "task 100 softirq 20 hardirq 20 nmi 10" > /proc/nt_calls; ls -l /proc/self > /dev/null'
functions="-p function -l nt_called -l vfs_*"
# record OPTION...: record the calls into t.dat
record()
{
	by_trace_cmd "$@" sh -c "$calls"
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
# trace-cmd-clocks.sh has the others
for clock in mono x86-tsc; do
	record -C $clock -p function -l 'vfs_*'
	same_events "-C $clock" 10 t.dat
done
record --file-version 6 -C x86-tsc -p function -l 'vfs_*'
same_events "-C x86-tsc, version 6" 10 t.dat
record -e sched -e irq -e timer -e syscalls
same_events "events alone" 50 t.dat
is "-F shows only the events that match" "$(nestrace report -F 'sched_switch: prev_pid == 0' t.dat | grep -c 'sched_switch: ')" \
	"$(grep -c 'idle>-0 .* sched_switch: ' ours)"
