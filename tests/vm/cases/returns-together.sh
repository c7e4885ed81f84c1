# nestrace record --ret hooks the returns of functions that BPF programs and livepatches have, too; livepatch
# transitions complete while all functions return through it, and tasks sleep inside.
# kernels: 6.1 6.12 debug-6.12 backports
# slow: 6.1 debug-6.12 backports 6.12
setup insmod /tests/nt_return.ko

# counted NAME CALLS: test that the report r has CALLS calls, each with its return
counted()
{
	is "$1: each call has its return" "$(grep -c ' <- ' r) $(grep -c ' -> ' r)" "$2 $2"
	ok "$1: the counters add up" sh -c '! grep "do not add up" r'
}

function=$(nestrace list '*_sys_getppid' | head -n 1)
for where in fentry fexit; do
	together $where "$function" getppids 10 > /dev/null
	[ $? = 3 ] && ok "this kernel has no BPF $where" test ! -e /sys/kernel/btf/vmlinux && continue
	setup nestrace record -q --ret -l "$function" -b 4096 -o t.dat together $where "$function" getppids 5000 > out
	setup nestrace report t.dat > r
	is "BPF $where: it sees each call" "$(cat out)" 5000
	counted "BPF $where" 5000
	# attached before the returns are hooked
	setup together $where "$function" nestrace record -q --ret -l "$function" -b 4096 -o t.dat getppids 5000 > out
	setup nestrace report t.dat > r
	is "BPF $where, there before: it sees each call" "$(cat out)" 5000
	counted "BPF $where, there before" 5000
done

# The kernel's own sample of a livepatch patches cmdline_proc_show().
if [ ! -e /tests/livepatch-sample.ko ]; then
	ok "no livepatch sample was built for this kernel" sh -c '[ "$(uname -r | cut -d. -f1-2)" != 6.12 ]'
	return
fi
state=/sys/kernel/livepatch/livepatch_sample
# settled: succeed once the transition is complete, within a minute
settled()
{
	for i in $(seq 60); do
		[ "$(cat $state/transition 2>/dev/null)" = 1 ] || return 0
		sleep 1
	done
	return 1
}
reads='for i in $(seq 200); do cat /proc/cmdline; done'
setup nestrace record -q --ret -l cmdline_proc_show -l livepatch_cmdline_proc_show:mod:livepatch_sample -b 4096 -o t.dat sh -c "$reads
	insmod /tests/livepatch-sample.ko
	until [ \$(cat $state/transition) = 0 ]; do usleep 100000; done
	$reads" > out
setup nestrace report t.dat > r
is "a livepatch: it is in effect" "$(grep -c 'live patched' out)" 200
# a call of the patched function enters the old one first, and then the new one
is "a livepatch: each call that is hooked returns" \
	"$(grep -c ' cmdline_proc_show -> ' r) $(grep -c 'livepatch_cmdline_proc_show -> ' r)" "400 200"
ok "a livepatch: the counters add up" sh -c '! grep "do not add up" r'
is "a livepatch: nothing is refused or without a node" "$(awk '/^# returns/ { on = 1 } on && $2 == "total" { print $7, $8, $9 }' r)" "0 0 0"

# all functions, with tasks inside: the kernel has to read stacks full of hooked returns
echo 0 > $state/enabled
ok "all functions: the livepatch is ready to go" settled
until rmmod livepatch_sample 2>/dev/null; do sleep 1; done
echo "sleep 30000" > /proc/nt_return &
nestrace record -q --ret --flight -o t.dat sleep 1000 & recorder=$!
until_running
setup insmod /tests/livepatch-sample.ko
ok "all functions with returns: a transition completes" settled
is "all functions with returns: the patch is in effect" "$(grep -c 'live patched' /proc/cmdline)" 1
echo 0 > $state/enabled
ok "all functions with returns: the way back completes" settled
kill -INT $recorder
wait $recorder
setup nestrace report t.dat > r
ok "all functions with returns: the counters add up" sh -c '! grep "do not add up" r'
until rmmod livepatch_sample 2>/dev/null; do sleep 1; done
ok "the module goes" rmmod nestrace
